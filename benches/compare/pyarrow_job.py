"""pyarrow with Python's hmac, each distinct value of a batch once, a process for each thread asked for."""

import hmac
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import pyarrow as pa
import pyarrow.parquet as pq

import job


def tokens(column, array):
    key = job.key(column)
    encoded = array.dictionary_encode()
    hashed = [
        hmac.digest(key, value.encode(), "sha256").hex()[: job.HEX_DIGITS] for value in encoded.dictionary.to_pylist()
    ]
    return pa.array(hashed, pa.string()).take(encoded.indices)


def replace(batch, replaced):
    columns = {name: tokens(name, batch[name]) if name in replaced else batch[name] for name in batch.schema.names}
    return pa.record_batch(columns, schema=batch.schema)


def rewrite(source, sink, replaced):
    pa.set_cpu_count(1)
    with pq.ParquetFile(source) as file:
        with pq.ParquetWriter(sink, file.schema_arrow, compression="zstd", compression_level=job.ZSTD_LEVEL) as writer:
            for batch in file.iter_batches(batch_size=250_000):
                writer.write_batch(replace(batch, replaced))


def main():
    asked = job.arguments()
    sinks = [asked.sink / source.name for source in asked.sources]
    with ProcessPoolExecutor(asked.threads) as pool:
        list(pool.map(rewrite, asked.sources, sinks, repeat(asked.columns)))


if __name__ == "__main__":
    main()
