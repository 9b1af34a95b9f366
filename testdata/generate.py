"""Makes `testdata/lake/` and `testdata/golden/` anew. The outcome is committed; run this only to change it.

    python3 -m venv VENV && VENV/bin/pip install -r testdata/requirements.txt
    VENV/bin/python testdata/generate.py

The same versions give the same bytes: one seed, no clock, no thread count.
"""

import datetime
import decimal
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import tempfile
from pathlib import Path

# DuckDB and Polars write row groups by thread: one thread, one layout
os.environ["POLARS_MAX_THREADS"] = "1"

import accounts
import duckdb
import oracle
import patients
import payments
import people
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import typed
import weblogs
import zstandard

HERE = Path(__file__).resolve().parent
LAKE = HERE / "lake"
SEED = 20261122
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
UTC = datetime.UTC


def write_customers(rows):
    """Three CSV files: plain, gzip with CRLF, zstd."""
    folder = LAKE / "customers"
    folder.mkdir(parents=True)
    third = len(rows) // 3
    parts = {
        "customers-1.csv": rows[:third],
        "customers-2.csv.gz": rows[third : 2 * third],
        "customers-3.csv.zst": rows[2 * third :],
    }
    plain, gzipped, zstandard_part = (
        people.csv_text(part, newline).encode()
        for part, newline in zip(parts.values(), ["\n", "\r\n", "\n"], strict=True)
    )
    (folder / "customers-1.csv").write_bytes(plain)
    # no time and no name in the header
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(gzipped)
    (folder / "customers-2.csv.gz").write_bytes(buffer.getvalue())
    (folder / "customers-3.csv.zst").write_bytes(zstandard.ZstdCompressor(level=3).compress(zstandard_part))
    return parts


def orders(rng, customers, count, month):
    """Columns of one month's orders; `customer_id` joins the customers, a few orders have none."""
    start = datetime.datetime(2026, month, 1, tzinfo=UTC)
    out = {name: [] for name in ORDER_TYPES}
    for i in range(count):
        customer = rng.choice(customers)
        at = start + datetime.timedelta(seconds=rng.randrange(28 * 86400), microseconds=rng.randrange(10**6))
        out["order_id"].append(month * 10**9 + i)
        out["customer_id"].append(None if rng.random() < 0.02 else customer["customer_id"])
        out["billing_email"].append(customer["email"])
        out["amount"].append(None if rng.random() < 0.05 else decimal.Decimal(rng.randrange(-5000, 500000)).scaleb(-2))
        out["currency"].append(rng.choice(["EUR", "PLN", "USD"]))
        out["status"].append(rng.choice(["paid", "paid", "sent", "returned", None]))
        out["ordered_at"].append(at)
        out["delivery_slot"].append(None if rng.random() < 0.3 else at.replace(tzinfo=None, microsecond=0))
        out["delivery_note"].append(rng.choice([None, "", f"ring for {customer['full_name']}", "leave at the door"]))
    return out


ORDER_TYPES = {
    "order_id": pa.int64(),
    "customer_id": pa.string(),
    "billing_email": pa.string(),
    "amount": pa.decimal128(12, 2),
    "currency": pa.dictionary(pa.int32(), pa.string()),
    "status": pa.dictionary(pa.int8(), pa.string()),
    "ordered_at": pa.timestamp("us", "UTC"),
    "delivery_slot": pa.timestamp("us"),
    "delivery_note": pa.string(),
}


def write_orders(rng, customers):
    """One file a month, each by another writer, so that pages, indexes and string types differ."""
    folder = LAKE / "orders"
    folder.mkdir()

    def arrow(month):
        return pa.table(orders(rng, customers, 400, month), pa.schema(list(ORDER_TYPES.items())))

    pq.write_table(arrow(1), folder / "orders-2026-01.parquet", compression="snappy", row_group_size=150)
    pq.write_table(
        arrow(2),
        folder / "orders-2026-02.parquet",
        compression="zstd",
        data_page_version="2.0",
        write_page_index=True,
        row_group_size=150,
        data_page_size=1024,
        sorting_columns=[pq.SortingColumn(0)],
    )
    pl.from_arrow(arrow(3)).write_parquet(folder / "orders-2026-03.parquet", compression="zstd", row_group_size=150)
    april, target = arrow(4), folder / "orders-2026-04.parquet"
    with duckdb.connect(config={"threads": 1}) as db:
        db.register("april", april)
        db.sql("select * from april").write_parquet(str(target), compression="snappy", row_group_size=2048)


def write_events(rng, customers):
    """Hive partitions by country and date; `user_id` is an integer that meets the customers' text."""
    dictionary = pa.dictionary(pa.int8(), pa.string())
    for country in ["DE", "FR", "PL", NULL_PARTITION]:
        for day in ["2026-11-20", "2026-11-21"]:
            folder = LAKE / "events" / f"country={country}" / f"date={day}"
            folder.mkdir(parents=True)
            midnight = datetime.datetime.fromisoformat(day).replace(tzinfo=UTC)
            count = rng.randrange(40, 80)
            users = [int(rng.choice(customers)["customer_id"]) for _ in range(count)]
            # 192.0.2.0/24, 198.51.100.0/24 and 2001:db8::/32 are reserved for documentation (RFC 5737, RFC 3849)
            networks = ["192.0.2.{}", "198.51.100.{}", "2001:db8::{:x}"]
            table = pa.table(
                {
                    "user_id": pa.array([None if rng.random() < 0.1 else user for user in users], pa.int64()),
                    "ip": [rng.choice(networks).format(rng.randrange(256)) for _ in range(count)],
                    "session": [f"{rng.getrandbits(128):032x}" for _ in range(count)],
                    "event": pa.array([rng.choice(["view", "cart", "buy"]) for _ in range(count)]).cast(dictionary),
                    "seconds": pa.array([round(rng.expovariate(0.1), 3) for _ in range(count)], pa.float64()),
                    "at": pa.array(
                        [midnight + datetime.timedelta(milliseconds=rng.randrange(86400000)) for _ in range(count)],
                        pa.timestamp("ms", "UTC"),
                    ),
                }
            )
            pq.write_table(table, folder / "part-0.parquet", compression="zstd")


def write_visits(rng, customers):
    """Partitions whose name is itself an identifier, one of them null, one with an escaped slash."""
    for value in [customers[0]["customer_id"], customers[1]["customer_id"], "guest%2F7", NULL_PARTITION]:
        folder = LAKE / "visits" / f"customer_id={value}"
        folder.mkdir(parents=True)
        table = pa.table({"page": [rng.choice(["/", "/cart", "/help"]) for _ in range(8)], "position": list(range(8))})
        pq.write_table(table, folder / "part-0.parquet")


CONTACT_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("address", pa.struct([("street", pa.string()), ("city", pa.string())])),
        ("contacts", pa.list_(pa.struct([("kind", pa.string()), ("number", pa.string())]))),
        ("attributes", pa.map_(pa.string(), pa.string())),
    ]
)


def contacts(rng, customers):
    """Nulls at every level: no address, no street, no list, an empty list, a null entry, a null number."""
    rows = []
    for customer in customers:
        address = {
            "street": rng.choice([None, "1 Fiction Lane", "Plac Zmyślony 7"]),
            "city": rng.choice(["Nowhere", "Łódź"]),
        }
        entries = [
            None if rng.random() < 0.1 else {"kind": rng.choice(["home", "work"]), "number": customer["phone"]}
            for _ in range(rng.randrange(4))
        ]
        attributes = [("loyalty", f"L-{customer['customer_id']}"), ("newsletter", rng.choice(["yes", "no", None]))]
        rows.append(
            {
                "customer_id": customer["customer_id"],
                "address": None if rng.random() < 0.1 else address,
                "contacts": None if rng.random() < 0.1 else entries,
                "attributes": None if rng.random() < 0.1 else attributes[: rng.randrange(3)],
            }
        )
    return pa.Table.from_pylist(rows, CONTACT_SCHEMA)


def write_contacts(rng, customers):
    folder = LAKE / "contacts"
    folder.mkdir()
    pq.write_table(contacts(rng, customers[:150]), folder / "contacts-1.parquet", compression="zstd", row_group_size=60)
    table = contacts(rng, customers[150:300])
    with duckdb.connect(config={"threads": 1}) as db:
        db.register("contacts", table)
        db.sql("select * from contacts").write_parquet(str(folder / "contacts-2.parquet"), compression="zstd")


def write_odd():
    """Names that storage code gets wrong, and entries that discovery must skip."""
    folder = LAKE / "odd"
    names = ["per%41cent.csv", "a+b.csv", "with space.csv", "k=v.csv", "it's.csv", "zażółć.csv", "x#1.csv", "upload.csv#1",
             "a b/k=v w/%2F.csv"]  # fmt: skip
    skipped = ["_SUCCESS", "_tmp/part-0.csv", ".hidden/part-0.csv", ".part-0.csv.crc", "a b/_committed_1"]
    for number, name in enumerate(names + skipped):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if name == "_SUCCESS" else f"id,email\n{number},odd{number}@example.org\n")


def write_golden(parts):
    """What `policies/quickstart.yaml` must make of `customer_id` and `email`, row by row, by the second implementation."""
    key_id, root = oracle.active_key(HERE / "demo.keyring.json")

    def email_token(text):
        canonical = None if text is None else oracle.trim(text).lower()
        return oracle.pseudonym(root, "users", canonical or None)

    files = {
        name: {
            "customer_id": [oracle.pseudonym(root, "customers", row["customer_id"]) for row in rows],
            "email": [email_token(row["email"]) for row in rows],
        }
        for name, rows in parts.items()
    }
    document = {"key": key_id, "fingerprint": oracle.fingerprint(root), "files": files}
    golden = HERE / "golden"
    golden.mkdir(exist_ok=True)
    (golden / "quickstart.tokens.json").write_text(json.dumps(document, indent=1) + "\n")


def digest(folder):
    """One line for the whole lake, to see whether two runs agree."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def main():
    if LAKE.exists():
        # moved away first: a failure half-way leaves no mixture of old and new
        shutil.move(LAKE, Path(tempfile.mkdtemp()) / "lake")
    rng = random.Random(SEED)
    customers = people.customers(rng, 600)
    parts = write_customers(customers)
    write_orders(rng, customers)
    write_events(rng, customers)
    write_visits(rng, customers)
    write_contacts(rng, customers)
    write_odd()
    typed.write(LAKE / "types")
    # each has a generator of its own: what is added later leaves the others as they are
    accounts.write(LAKE / "accounts", random.Random(f"{SEED} accounts"), customers)
    patients.write(LAKE / "patients", random.Random(f"{SEED} patients"))
    payments.write(LAKE / "payments", random.Random(f"{SEED} payments"), customers)
    weblogs.write(LAKE / "weblogs", random.Random(f"{SEED} weblogs"))
    write_golden(parts)
    print(f"sha256 of the lake: {digest(LAKE)}")


if __name__ == "__main__":
    main()
