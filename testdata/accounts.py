"""`lake/accounts/`: accounts of the fictional customers, typed as a database export has them.

Some customers have two accounts, some spell their e-mail address otherwise than in `customers/`. IP addresses lie in
the networks that are reserved for documentation (RFC 5737, RFC 3849), in several /24 and /48 of them.
"""

import datetime
import decimal
import os

os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

UTC = datetime.UTC
NETWORKS = ["192.0.2.{}", "198.51.100.{}", "203.0.113.{}", "2001:db8:1::{:x}", "2001:db8:2:5::{:x}"]
SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("customer_id", pa.string()),
        ("email", pa.string()),
        ("full_name", pa.string()),
        ("phone", pa.string()),
        ("birth_date", pa.date32()),
        ("country", pa.string()),
        ("plan", pa.dictionary(pa.int8(), pa.string())),
        ("monthly_spend", pa.decimal128(8, 2)),
        ("signed_up_at", pa.timestamp("us", "UTC")),
        ("last_seen_at", pa.timestamp("us", "UTC")),
        ("last_ip", pa.string()),
    ]
)


def address(rng):
    """Of a host: the number behind the network is never 0, so that a cut address differs from it."""
    return rng.choice(NETWORKS).format(rng.randrange(1, 255))


def spelled(rng, email):
    """As somebody else typed it: one in five in capitals, one in ten with a blank behind it."""
    dice = rng.random()
    if email and dice < 0.2:
        return email.upper()
    return email + " " if email and dice < 0.3 else email


def account(rng, number, customer):
    since = datetime.datetime(2021, 1, 1, tzinfo=UTC) + datetime.timedelta(seconds=rng.randrange(5 * 365 * 86400))
    seen = since + datetime.timedelta(seconds=rng.randrange(300 * 86400), microseconds=rng.randrange(10**6))
    born = customer["birth_date"]
    return {
        "account_id": f"ACC-{number:06}",
        "customer_id": customer["customer_id"],
        "email": spelled(rng, customer["email"]),
        "full_name": customer["full_name"],
        "phone": customer["phone"],
        "birth_date": born and datetime.date.fromisoformat(born),
        "country": customer["country"],
        "plan": rng.choice(["free", "free", "basic", "pro"]),
        "monthly_spend": None if rng.random() < 0.1 else decimal.Decimal(rng.randrange(0, 30000)).scaleb(-2),
        "signed_up_at": since,
        "last_seen_at": None if rng.random() < 0.05 else seen,
        "last_ip": None if rng.random() < 0.05 else address(rng),
    }


def write(folder, rng, customers):
    """200 accounts of the first 180 customers: pyarrow, and Polars with large strings."""
    folder.mkdir()
    owners = customers[:180] + [rng.choice(customers[:180]) for _ in range(20)]
    table = pa.Table.from_pylist([account(rng, i + 1, owner) for i, owner in enumerate(owners)], SCHEMA)
    pq.write_table(table[:120], folder / "accounts-1.parquet", compression="zstd", row_group_size=50)
    pl.from_arrow(table[120:]).write_parquet(folder / "accounts-2.parquet", compression="zstd", row_group_size=50)
