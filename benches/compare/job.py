"""The job that every runner does: some columns replaced by 128 bits of a keyed hash in hex, the others kept.

One output file for each input file, of the same format, rows in order; Parquet with zstd at one level for all. Every
runner is called alike:

    RUNNER SOURCE SINK THREADS COLUMN[,COLUMN...]
"""

import hashlib
import hmac
import sys
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "testdata"))

import oracle  # noqa: E402  (the second implementation of the tokens)

# column -> domain, as in policies/
DOMAINS = {"user_id": "users", "email": "emails", "phone": "phones", "ip": "ips", "session": "sessions"}
HEX_DIGITS = 32
# Lakeveil's default; those of DuckDB, Polars and Spark are higher and cost them time for no smaller files
ZSTD_LEVEL = 1
BLOCK_BYTES = 64

_, ROOT = oracle.active_key(REPOSITORY / "testdata" / "demo.keyring.json")


class Job(NamedTuple):
    """One call of a runner."""

    sources: list
    sink: Path
    threads: int
    columns: list
    format: str


def arguments():
    source, sink, threads, columns = sys.argv[1:]
    sources = data_files(Path(source))
    Path(sink).mkdir(parents=True, exist_ok=True)
    return Job(sources, Path(sink), int(threads), columns.split(","), sources[0].suffix[1:])


def data_files(folder):
    """Data files of a folder, without those of hidden folders (Lakeveil's records, Spark's markers)."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix in (".parquet", ".csv"))
    return sorted(folder / path for path in paths if not any(part[0] in "_." for part in path.parts))


def key(column):
    """The 32-byte subkey that Lakeveil derives for the column's domain: with true HMAC all get the same tokens."""
    return oracle.subkey(ROOT, "pseudonym", DOMAINS[column])


def pads(column):
    """Inner and outer key block of HMAC (RFC 2104), for engines that have SHA-256 but no HMAC."""
    block = key(column).ljust(BLOCK_BYTES, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def text_key(column):
    """A key for functions that take text only."""
    return key(column).hex()


def token(column, value, kind):
    """What a runner of this kind must have written for `value`."""
    data = value.encode()
    if kind == "hmac":
        digest = hmac.digest(key(column), data, "sha256")
    elif kind == "hmac, text key":
        digest = hmac.digest(text_key(column).encode(), data, "sha256")
    elif kind == "sha256(key, value)":
        digest = hashlib.sha256(text_key(column).encode() + data).digest()
    else:
        raise ValueError(f"no such kind of token: {kind}")
    return digest.hex()[:HEX_DIGITS]
