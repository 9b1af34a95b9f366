"""Polars with polars-hash, streaming; its HMAC takes a text key only."""

import os
import sys

os.environ["POLARS_MAX_THREADS"] = sys.argv[3]

import polars as pl  # noqa: E402
import polars_hash  # noqa: E402

import job  # noqa: E402


def main():
    asked = job.arguments()
    tokens = [
        polars_hash.col(column).chash.hmac_sha256(key=job.text_key(column)).str.slice(0, job.HEX_DIGITS).alias(column)
        for column in asked.columns
    ]
    for source in asked.sources:
        if asked.format == "csv":
            # text stays text: types guessed from CSV would be parsed and printed again for nothing
            pl.scan_csv(source, infer_schema=False).with_columns(tokens).sink_csv(asked.sink / source.name)
        else:
            pl.scan_parquet(source).with_columns(tokens).sink_parquet(
                asked.sink / source.name, compression="zstd", compression_level=job.ZSTD_LEVEL
            )


if __name__ == "__main__":
    main()
