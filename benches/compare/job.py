"""The job that every runner does: five columns replaced by 128 bits of a keyed hash in hex, nineteen kept.

One output file for each input file, rows in order, zstd at the writer's own default level.
"""

import hashlib
import hmac
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "testdata"))

import oracle  # noqa: E402  (the second implementation of the tokens)

# column -> domain, as in policy.yaml
COLUMNS = {"user_id": "users", "email": "emails", "phone": "phones", "ip": "ips", "session": "sessions"}
HEX_DIGITS = 32
BLOCK_BYTES = 64

_, ROOT = oracle.active_key(REPOSITORY / "testdata" / "demo.keyring.json")


def key(column):
    """The 32-byte subkey that Lakeveil derives for the column's domain: with true HMAC all get the same tokens."""
    return oracle.subkey(ROOT, "pseudonym", COLUMNS[column])


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


def arguments():
    """Input folder, output folder, threads: every runner is called alike."""
    source, sink, threads = sys.argv[1:]
    Path(sink).mkdir(parents=True, exist_ok=True)
    return sorted(Path(source).glob("*.parquet")), Path(sink), int(threads)
