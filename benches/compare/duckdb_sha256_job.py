"""DuckDB with one SHA-256 over key and value: half the work of HMAC, and what many write by hand."""

import duckdb_job
import job


def sha256_sql(column):
    return f"sha256('{job.text_key(column)}' || {column})"


if __name__ == "__main__":
    duckdb_job.run(sha256_sql)
