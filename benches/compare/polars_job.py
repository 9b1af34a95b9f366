"""Polars with polars-hash, streaming; its HMAC takes a text key only."""

import os
import sys

os.environ["POLARS_MAX_THREADS"] = sys.argv[3]

import polars as pl  # noqa: E402
import polars_hash  # noqa: E402

import job  # noqa: E402


def main():
    sources, sink, _ = job.arguments()
    tokens = [
        polars_hash.col(column).chash.hmac_sha256(key=job.text_key(column)).str.slice(0, job.HEX_DIGITS).alias(column)
        for column in job.COLUMNS
    ]
    for source in sources:
        pl.scan_parquet(source).with_columns(tokens).sink_parquet(sink / source.name, compression="zstd")


if __name__ == "__main__":
    main()
