"""Spark in local mode, with built-in functions only (a Python function would be far slower)."""

from pyspark.sql import SparkSession, functions

import job


def hmac_column(column):
    inner, outer = (functions.lit(pad) for pad in job.pads(column))
    message = functions.encode(functions.col(column), "UTF-8")
    digest = functions.unhex(functions.sha2(functions.concat(inner, message), 256))
    return functions.sha2(functions.concat(outer, digest), 256).substr(1, job.HEX_DIGITS)


def main():
    asked = job.arguments()
    spark = (
        SparkSession.builder.master(f"local[{asked.threads}]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "4g")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.hadoop.parquet.compression.codec.zstd.level", str(job.ZSTD_LEVEL))
        # one task for each file, so that one file comes out for each that goes in
        .config("spark.sql.files.maxPartitionBytes", str(1 << 40))
        .config("spark.sql.files.openCostInBytes", str(1 << 40))
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    table = spark.read.parquet(*map(str, asked.sources))
    table = table.withColumns({column: hmac_column(column) for column in asked.columns})
    table.write.mode("overwrite").parquet(str(asked.sink / "spark"))
    spark.stop()


if __name__ == "__main__":
    main()
