"""What is compared: the tools, and the works with their tables, sizes, columns and aims."""

from dataclasses import dataclass

FIVE = ["user_id", "email", "phone", "ip", "session"]
TWO = ["user_id", "email"]
THREE = ["user_id", "email", "phone"]

# where the outputs of growth go, as the table says it
DISK = "disk, synced"
MEMORY = "memory file system"


@dataclass(frozen=True)
class Tool:
    """`token` is the kind that job.token takes, or None for a copy."""

    # with the place of the version
    title: str
    token: str | None
    # whose version is shown: a Python package, a crate of naive_csv, or nothing
    package: str | None = None
    # timed --slow-runs times, not --runs times
    slow: bool = False
    # syncs its output: compared only with what does so too
    syncs: bool = False


TOOLS = {
    "lakeveil": Tool("Lakeveil {}", "hmac"),
    "lakeveil_synced": Tool("Lakeveil {} and sync", "hmac", syncs=True),
    "copy": Tool("`cp` and sync", None, syncs=True),
    "polars": Tool("Polars {}", "hmac, text key", "polars"),
    "duckdb": Tool("DuckDB {}", "hmac", "duckdb", slow=True),
    "duckdb_sha256": Tool("DuckDB {}, one SHA-256 and no HMAC", "sha256(key, value)", "duckdb", slow=True),
    "pyarrow": Tool("pyarrow {} and `hmac`, a process for each core", "hmac", "pyarrow", slow=True),
    "pyspark": Tool("Spark {}", "hmac", "pyspark", slow=True),
    "naive_csv": Tool("`csv` crate {}, naively", "hmac", "csv"),
    "naive_csv_threads": Tool("`csv` crate {}, naively, a file for each core", "hmac", "csv"),
}


@dataclass(frozen=True)
class Table:
    """Arguments of generate.py."""

    kind: str
    files: int
    rows: int
    format: str = "parquet"

    @property
    def folder(self):
        """Says what it holds, so that tables of all sizes lie side by side."""
        return f"{self.kind}-{self.files}x{self.rows}" + ("-csv" if self.format == "csv" else "")


@dataclass(frozen=True)
class Work:
    title: str
    table: Table
    smoke: Table
    columns: list
    policy: str
    tools: list
    # not run unless asked for by --only
    extra: tuple = ()
    # what the project wants: at least so many times as fast as the fastest peer and as Spark, at most so many times
    # the time of the copy
    peer_aim: float | None = None
    spark_aim: float | None = None
    copy_aim: float | None = None
    # DISK or MEMORY: a work of growth
    growth: str | None = None


def growth(name, output, tool):
    """One object of each size."""
    return {
        f"{name}-{millions}": Work(
            f"growth: one object of {millions} M rows, five columns, output to {output}",
            Table("events", 1, millions * 1_000_000),
            Table("events", 1, smoke_rows),
            FIVE,
            "five_columns",
            [tool],
            growth=output,
        )
        for millions, smoke_rows in [(1, 1500), (8, 3000), (32, 12000)]
    }


WORKS = {
    "events": Work(
        "events, Parquet, five of 24 columns",
        Table("events", 8, 1_000_000),
        Table("events", 2, 3000),
        FIVE,
        "five_columns",
        ["lakeveil", "polars", "duckdb", "pyarrow", "pyspark"],
        extra=("duckdb_sha256",),
        peer_aim=5,
        spark_aim=15,
    ),
    "two": Work(
        "events, Parquet, two of 24 columns",
        Table("events", 8, 1_000_000),
        Table("events", 2, 3000),
        TWO,
        "two_columns",
        ["lakeveil", "lakeveil_synced", "copy", "polars", "duckdb"],
        extra=("duckdb_sha256", "pyarrow", "pyspark"),
        copy_aim=1.5,
    ),
    "wide": Work(
        "wide, Parquet, three of 100 columns",
        Table("wide", 8, 250_000),
        Table("wide", 2, 1000),
        THREE,
        "wide",
        ["lakeveil", "lakeveil_synced", "copy", "polars", "duckdb"],
        extra=("duckdb_sha256", "pyarrow", "pyspark"),
        copy_aim=1.25,
    ),
    "csv": Work(
        "events, CSV, two of 24 columns",
        Table("events", 8, 1_000_000, "csv"),
        Table("events", 2, 3000, "csv"),
        TWO,
        "two_columns",
        ["lakeveil", "naive_csv", "naive_csv_threads", "polars", "duckdb"],
        peer_aim=3,
    ),
    **growth("growth", DISK, "lakeveil_synced"),
    **growth("growth-memory", MEMORY, "lakeveil"),
}

# growth: the slowest time for a row over the fastest; memory at default settings
GROWTH_AIM = 1.10
KERNEL_AIMS = {"AVX-512 x16": 2.8, "SHA x2": 1.5}
MEMORY_AIM_BYTES = 1.25 * 2**30
