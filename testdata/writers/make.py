"""Makes the Parquet files of this folder: one table as many writers write it. Run by hand, its outcome committed.

    PYTHON testdata/writers/make.py [--only NAME]     PYTHON with pyarrow, Polars, DuckDB and PySpark; Java 17

Values that a test pseudonymizes hold a canary, so that a search over a file's bytes finds any that is left.
"""

import argparse
import datetime
import decimal
import os
import random
import shutil
import tempfile
from pathlib import Path

# Polars and DuckDB cut row groups by thread: one thread, one layout
os.environ["POLARS_MAX_THREADS"] = "1"

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
SEED = 20261125
# the upper bytes and the first decimal digits are the same for all: either form can be searched
FIRST_NUMBER = 7_700_000_000_000
MAX_BYTES = 60_000
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
CITIES = ["Lyon", "Łódź", "", "Porto", "São Paulo"]


def table(rows):
    """The same rows for everyone, from one seed."""
    rng = random.Random(SEED)
    begin = datetime.datetime(2026, 1, 1)

    def sometimes(chance, value):
        return None if rng.random() < chance else value

    def contact():
        return {
            "phone": sometimes(0.2, f"CANARY-phone-{rng.randrange(50):04}"),
            "city": sometimes(0.1, rng.choice(CITIES)),
        }

    def tags():
        return [sometimes(0.1, f"tag {rng.randrange(9)}") for _ in range(rng.randrange(4))]

    columns = {
        "user_id": (pa.string(), lambda row: f"CANARY-user-{rng.randrange(30):04}"),
        "email": (pa.string(), lambda row: sometimes(0.3, f"CANARY-{rng.randrange(rows // 2):04}@mail.example")),
        "card": (pa.string(), lambda row: "CANARY" + "".join(rng.choices(ALPHABET, k=rng.choice([10, 10, 13])))),
        "number": (pa.int64(), lambda row: sometimes(0.05, FIRST_NUMBER + rng.randrange(25))),
        "code": (pa.int32(), lambda row: rng.randrange(-500, 500)),
        "note": (pa.string(), lambda row: sometimes(0.2, f"żółw {rng.randrange(40)}" * rng.randrange(3))),
        "when": (pa.timestamp("us"), lambda row: begin + datetime.timedelta(seconds=row * 61, microseconds=row)),
        "amount": (pa.float64(), lambda row: rng.choice([0.0, 1.5, -2.25, 1e300, rng.random()])),
        "tags": (pa.list_(pa.string()), lambda row: sometimes(0.1, tags())),
        "contact": (
            pa.struct([("phone", pa.string()), ("city", pa.string())]),
            lambda row: sometimes(0.1, contact()),
        ),
        "price": (
            pa.decimal128(12, 2),
            lambda row: sometimes(0.05, decimal.Decimal(rng.randrange(-(10**6), 10**6)).scaleb(-2)),
        ),
        "visits": (pa.int64(), lambda row: sometimes(0.4, rng.randrange(5))),
    }
    arrays = {name: pa.array([make(row) for row in range(rows)], type=kind) for name, (kind, make) in columns.items()}
    return pa.table(arrays)


# every column in a dictionary, as far as its limit allows, but for the one of unique values
DICTIONARIES = ["user_id", "email", "number", "note", "contact.phone", "contact.city"]

EXPECTED = {"user_id": 50, "card": 600, "number": 50, "note": 100}
FILTERS = {name: {"ndv": distinct, "fpp": 0.01} for name, distinct in EXPECTED.items()}


def pyarrow_files():
    """Name -> rows and options of pyarrow's writer."""
    usual = {"use_dictionary": DICTIONARIES, "write_batch_size": 64}
    small_pages = usual | {"data_page_size": 1024}
    return {
        "pyarrow-v1-snappy-pages": (500, small_pages | {"compression": "snappy"}),
        "pyarrow-v1-none-index": (
            400,
            small_pages | {"compression": "none", "write_page_index": True, "row_group_size": 150},
        ),
        "pyarrow-v1-gzip-checksums": (400, small_pages | {"compression": "gzip", "write_page_checksum": True}),
        "pyarrow-v2-zstd-index-sorted": (
            600,
            small_pages
            | {
                "compression": "zstd",
                "data_page_version": "2.0",
                "write_page_index": True,
                "row_group_size": 200,
                "sorting_columns": [pq.SortingColumn(6), pq.SortingColumn(0)],
            },
        ),
        "pyarrow-v2-none-checksums": (
            300,
            small_pages | {"compression": "none", "data_page_version": "2.0", "write_page_checksum": True},
        ),
        "pyarrow-v2-lz4-bloom": (
            500,
            usual | {"compression": "lz4", "data_page_version": "2.0", "bloom_filter_options": FILTERS},
        ),
        # the dictionaries of emails and cards grow too large: their chunks have pages of both kinds
        "pyarrow-v1-zstd-overflow": (
            600,
            {
                "compression": "zstd",
                "write_batch_size": 64,
                "data_page_size": 1024,
                "dictionary_pagesize_limit": 4096,
                "write_page_index": True,
            },
        ),
        "pyarrow-v2-snappy-encodings": (
            400,
            {
                "compression": "snappy",
                "data_page_version": "2.0",
                "use_dictionary": False,
                "column_encoding": {
                    "user_id": "DELTA_BYTE_ARRAY",
                    "email": "DELTA_LENGTH_BYTE_ARRAY",
                    "number": "DELTA_BINARY_PACKED",
                    "contact.phone": "DELTA_BYTE_ARRAY",
                    "amount": "BYTE_STREAM_SPLIT",
                },
                "row_group_size": 250,
            },
        ),
    }


def write_pyarrow(folder, wanted):
    for name, (rows, options) in pyarrow_files().items():
        if name in wanted:
            rows_in_group = options.pop("row_group_size", None)
            path = folder / f"{name}.parquet"
            made = table(rows)
            with pq.ParquetWriter(path, made.schema, **options) as writer:
                writer.write_table(made, row_group_size=rows_in_group)


def write_polars(folder, wanted):
    for name, rows, options in [
        ("polars-zstd-pages", 600, {"compression": "zstd", "data_page_size": 2048, "row_group_size": 300}),
        ("polars-none", 300, {"compression": "uncompressed", "statistics": "full"}),
    ]:
        if name in wanted:
            pl.from_arrow(table(rows)).write_parquet(folder / f"{name}.parquet", **options)


def write_duckdb(folder, wanted):
    for name, rows, options in [
        ("duckdb-snappy-bloom", 600, "compression snappy"),
        ("duckdb-v2-zstd", 600, "compression zstd, parquet_version v2"),
    ]:
        if name in wanted:
            connection = duckdb.connect(config={"threads": 1})
            connection.register("source", table(rows))
            query = f"copy source to '{folder / name}.parquet' (format parquet, {options})"
            connection.execute(query)


def write_spark(folder, wanted):
    names = [name for name in wanted if name.startswith("spark-")]
    if not names:
        return
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    builder = SparkSession.builder.master("local[1]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    with tempfile.TemporaryDirectory() as scratch:
        for name, rows, options, timestamps in [
            (
                "spark-snappy-bloom",
                600,
                {
                    "compression": "snappy",
                    # parquet-java writes no filter for a chunk that is all dictionary
                    "parquet.enable.dictionary#email": "false",
                    "parquet.bloom.filter.enabled#email": "true",
                    "parquet.enable.dictionary#note": "false",
                    "parquet.bloom.filter.enabled#note": "true",
                    "parquet.bloom.filter.max.bytes": "1024",
                    "parquet.page.size": "1024",
                },
                "TIMESTAMP_MICROS",
            ),
            (
                "spark-v2-zstd",
                600,
                {"compression": "zstd", "parquet.writer.version": "PARQUET_2_0", "parquet.page.row.count.limit": "100"},
                "INT96",
            ),
        ]:
            if name in names:
                source = Path(scratch) / f"{name}.parquet"
                pq.write_table(table(rows), source)
                session.conf.set("spark.sql.parquet.outputTimestampType", timestamps)
                frame = session.read.parquet(str(source)).coalesce(1)
                target = Path(scratch) / name
                frame.write.options(**options).parquet(str(target))
                (part,) = target.glob("part-*.parquet")
                shutil.copyfile(part, folder / f"{name}.parquet")
    session.stop()


ALL = [
    *pyarrow_files(),
    "polars-zstd-pages",
    "polars-none",
    "duckdb-snappy-bloom",
    "duckdb-v2-zstd",
    "spark-snappy-bloom",
    "spark-v2-zstd",
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", choices=ALL, help="a file without its suffix; can be repeated")
    parser.add_argument("--folder", type=Path, default=HERE)
    arguments = parser.parse_args()
    wanted = arguments.only or ALL
    for write in [write_pyarrow, write_polars, write_duckdb, write_spark]:
        write(arguments.folder, wanted)
    for name in wanted:
        path = arguments.folder / f"{name}.parquet"
        size = path.stat().st_size
        metadata = pq.ParquetFile(path).metadata
        print(f"{size:6} bytes, {metadata.num_rows} rows, {metadata.num_row_groups} row groups: {name}")
        if size > MAX_BYTES:
            raise SystemExit(f"{name} is larger than {MAX_BYTES} bytes: give it fewer rows")


if __name__ == "__main__":
    main()
