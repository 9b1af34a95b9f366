"""`lake/payments/`: payments of the fictional customers.

Card numbers are those of `people.py`. IBANs are the ones that the SWIFT registry of IBANs prints as the examples of
their countries.
"""

import datetime
import decimal

import duckdb
import people
import pyarrow as pa
import pyarrow.parquet as pq

UTC = datetime.UTC
IBANS = [
    "AT611904300234573201", "BE68539007547034", "CH9300762011623852957", "DE89370400440532013000",
    "ES9121000418450200051332", "FR1420041010050500013M02606", "GB29NWBK60161331926819", "IT60X0542811101000000123456",
    "NL91ABNA0417164300", "NO9386011117947", "PL61109010140000071219812874", "SE4550000000058398257466",
]  # fmt: skip
SCHEMA = pa.schema(
    [
        ("payment_id", pa.int64()),
        ("customer_id", pa.string()),
        ("merchant_id", pa.string()),
        ("card", pa.string()),
        ("iban", pa.string()),
        ("auth_code", pa.string()),
        ("amount", pa.decimal128(12, 2)),
        ("currency", pa.dictionary(pa.int8(), pa.string())),
        ("entry_mode", pa.dictionary(pa.int8(), pa.string())),
        ("paid_at", pa.timestamp("ms", "UTC")),
    ]
)


def remainder(iban):
    """1 for a valid IBAN (ISO 13616-1)."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97


def iban(rng):
    number = rng.choice(IBANS)
    assert remainder(number) == 1
    # as people type them, in groups of four
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4)) if rng.random() < 0.3 else number


def payment(rng, number, customers):
    by_card = rng.random() < 0.7
    at = datetime.datetime(2026, 11, 1, tzinfo=UTC) + datetime.timedelta(milliseconds=rng.randrange(20 * 86400000))
    return {
        "payment_id": 5000000001 + number * 7,
        "customer_id": None if rng.random() < 0.03 else rng.choice(customers)["customer_id"],
        "merchant_id": f"M-{rng.randrange(1001, 1013)}",
        "card": people.card(rng) if by_card else None,
        "iban": None if by_card else iban(rng),
        "auth_code": f"{rng.randrange(10**6):06}" if by_card else None,
        "amount": decimal.Decimal(int(rng.expovariate(1 / 8000)) + 99).scaleb(-2),
        "currency": rng.choice(["EUR", "PLN", "GBP"]),
        "entry_mode": rng.choice(["chip", "contactless", "online"]) if by_card else "transfer",
        "paid_at": at,
    }


def write(folder, rng, customers):
    """200 payments: pyarrow, and DuckDB with plain strings."""
    folder.mkdir()
    table = pa.Table.from_pylist([payment(rng, number, customers[:60]) for number in range(200)], SCHEMA)
    pq.write_table(table[:120], folder / "payments-1.parquet", compression="zstd", row_group_size=50)
    rest = table[120:]
    with duckdb.connect(config={"threads": 1}) as db:
        db.register("rest", rest)
        db.sql("select * from rest").write_parquet(str(folder / "payments-2.parquet"), compression="snappy")
