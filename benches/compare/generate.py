"""Makes the tables of the comparison.

    python benches/compare/generate.py events|wide FOLDER [--format csv] [--files 8] [--rows 1000000] [--users 500000]

`events` has 24 columns of click events, five of them identifying; `wide` has 100, three of them identifying. Same
arguments, same values. `user_id` and `email` repeat, with few users behind most rows; telephone number, IPv4 address
and session are random in every row, so that no dictionary helps with them. Parquet is zstd, in row groups of 250 000
rows. FOLDER must not exist: it gets its name when all files are whole.
"""

import argparse
import functools
import itertools
import os
import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

SEED = 20261122
HEX = np.array([list(f"{i:02x}".encode()) for i in range(256)], dtype=np.uint8)
OCTETS = pa.array([str(i) for i in range(256)])
NAMES = [
    "anna",
    "ben",
    "chloe",
    "dan",
    "eva",
    "finn",
    "greta",
    "hugo",
    "ida",
    "jan",
    "kim",
    "leo",
    "mia",
    "noor",
    "olga",
    "pia",
]
# rows made at a time: what a file holds does not depend on how many it has
PART_ROWS = 1_000_000
ROW_GROUP_ROWS = 250_000
START_MICROS = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


def fixed_text(matrix):
    """A string array from a matrix of ASCII codes, one row a value."""
    rows, width = matrix.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    return pa.Array.from_buffers(
        pa.string(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix))]
    )


def digits(numbers, width):
    """Decimal digits of non-negative integers, with leading zeros, as ASCII codes."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def prefixed(prefix, matrix):
    head = np.broadcast_to(np.frombuffer(prefix.encode(), np.uint8), (len(matrix), len(prefix)))
    return np.concatenate([head, matrix], axis=1)


@functools.cache
def emails(users):
    """The address of each user, by number."""
    numbers = pa.array(np.arange(users)).cast(pa.string())
    given = pa.array(NAMES).take(pa.array(np.arange(users) % len(NAMES)))
    domain = pa.array(["example.com", "example.org", "mail.example.net"]).take(pa.array(np.arange(users) % 3))
    return pc.binary_join_element_wise(pc.binary_join_element_wise(given, numbers, "."), domain, "@")


def choice(rng, rows, words):
    """Few words, the first ones more often."""
    index = (len(words) * rng.random(rows) ** 2).astype(np.int32)
    return pa.array(words).take(pa.array(index))


def skewed_users(rng, rows, users):
    """User numbers: the cube makes a few users frequent and leaves a long tail of rare ones."""
    return np.minimum((users * rng.random(rows) ** 3).astype(np.int64), users - 1)


def times(rng, ids):
    return pa.array(START_MICROS + ids * 900_000 + rng.integers(0, 900_000, len(ids))).view(pa.timestamp("us", "UTC"))


def events(rng, rows, first_id, addresses):
    """24 columns, five of them identifying."""
    user = skewed_users(rng, rows, len(addresses))
    octets = [OCTETS.take(pa.array(rng.integers(1, 255, rows, dtype=np.int32))) for _ in range(4)]
    ids = np.arange(first_id, first_id + rows, dtype=np.int64)
    words = [f"/shop/section-{i:02}/item-{i * 37 % 1000:03}.html" for i in range(400)]
    return pa.table(
        {
            "event_id": ids,
            "event_time": times(rng, ids),
            "user_id": fixed_text(prefixed("u", digits(user, 8))),
            "email": addresses.take(pa.array(user)),
            "phone": fixed_text(prefixed("+1555", digits(rng.integers(0, 10**7, rows), 7))),
            "ip": pc.binary_join_element_wise(*octets, "."),
            "session": fixed_text(HEX[rng.integers(0, 256, (rows, 16))].reshape(rows, 32)),
            "event_type": choice(rng, rows, ["view", "click", "cart", "buy", "return"]),
            "page": choice(rng, rows, words),
            "referrer": choice(
                rng, rows, ["", "https://search.example", "https://social.example", "https://news.example"]
            ),
            "country": choice(rng, rows, ["PL", "DE", "FR", "GB", "US", "NO", "ES", "IT"]),
            "city": choice(rng, rows, [f"city-{i:03}" for i in range(300)]),
            "device": choice(rng, rows, ["phone", "desktop", "tablet"]),
            "os": choice(rng, rows, ["android", "ios", "windows", "macos", "linux"]),
            "browser": choice(rng, rows, ["chrome", "safari", "firefox", "edge"]),
            "checksum": rng.integers(-(2**63), 2**63 - 1, rows, dtype=np.int64),
            "latitude": rng.uniform(-60.0, 70.0, rows),
            "campaign": choice(rng, rows, ["", *(f"campaign-{i}" for i in range(40))]),
            "amount": np.round(rng.exponential(40.0, rows), 2),
            "longitude": rng.uniform(-180.0, 180.0, rows),
            "quantity": rng.integers(1, 10, rows, dtype=np.int32),
            "duration_ms": rng.exponential(30_000.0, rows),
            "score": rng.random(rows),
            "is_new": rng.random(rows) < 0.2,
        }
    )


def wide(rng, rows, first_id, addresses):
    """100 columns, three of them identifying: times, words, numbers of all kinds."""
    user = skewed_users(rng, rows, len(addresses))
    ids = np.arange(first_id, first_id + rows, dtype=np.int64)
    columns = {
        "event_id": ids,
        "user_id": fixed_text(prefixed("u", digits(user, 8))),
        "email": addresses.take(pa.array(user)),
        "phone": fixed_text(prefixed("+1555", digits(rng.integers(0, 10**7, rows), 7))),
    }
    for i in range(5):
        columns[f"time_{i}"] = times(rng, ids)
    for i in range(20):
        columns[f"word_{i}"] = choice(rng, rows, [f"word-{i}-{j}" for j in range(2 + i * i)])
    for i in range(30):
        columns[f"count_{i}"] = rng.integers(0, 10 ** (1 + i % 6), rows, dtype=np.int64)
    for i in range(20):
        columns[f"amount_{i}"] = np.round(rng.exponential(5.0 * (1 + i), rows), 2)
    for i in range(15):
        columns[f"measure_{i}"] = rng.random(rows)
    for i in range(6):
        columns[f"flag_{i}"] = rng.random(rows) < 0.1 * (1 + i)
    return pa.table(columns)


TABLES = {"events": events, "wide": wide}


def part(kind, number, rows, users, first_id):
    return TABLES[kind](np.random.default_rng([SEED, number]), rows, first_id, emails(users))


def parts(kind, first_id, rows, users, first_number):
    """Tables of at most PART_ROWS rows; the next is made while the caller writes the one before."""
    starts = range(0, rows, PART_ROWS)
    with ThreadPoolExecutor(1) as ahead:
        coming = None
        for i, start in enumerate(starts):
            size = min(PART_ROWS, rows - start)
            made = ahead.submit(part, kind, first_number + i, size, users, first_id + start)
            if coming:
                yield coming.result()
            coming = made
        yield coming.result()


def write(path, kind, number, rows, users):
    """The file `number` of the table."""
    tables = parts(kind, number * rows, rows, users, number * -(-rows // PART_ROWS))
    first = next(tables)
    if path.suffix == ".csv":
        # no value of these tables needs quotes
        writer = pyarrow.csv.CSVWriter(path, first.schema, write_options=pyarrow.csv.WriteOptions(quoting_style="none"))
    else:
        writer = pq.ParquetWriter(path, first.schema, compression="zstd")
    with writer:
        for table in itertools.chain([first], tables):
            if path.suffix == ".csv":
                writer.write_table(table)
            else:
                writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
    return path.stat().st_size


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--format", choices=["parquet", "csv"], default="parquet")
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows in each file")
    parser.add_argument("--users", type=int, default=500_000)
    args = parser.parse_args()
    if args.folder.exists():
        parser.error(f"{args.folder} exists")
    partial = args.folder.with_name(args.folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with ProcessPoolExecutor(min(args.files, os.cpu_count())) as pool:
        files = [
            pool.submit(write, partial / f"{args.table}-{i}.{args.format}", args.table, i, args.rows, args.users)
            for i in range(args.files)
        ]
        total = sum(file.result() for file in files)
    partial.rename(args.folder)
    print(f"{args.files * args.rows} rows in {args.files} files, {total / 1e6:.0f} MB: {args.folder}")


if __name__ == "__main__":
    main()
