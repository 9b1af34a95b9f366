"""pyarrow with Python's hmac, each distinct value of a batch once, a process for each thread asked for."""

import hmac
from concurrent.futures import ProcessPoolExecutor

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


def rewrite(source, sink):
    pa.set_cpu_count(1)
    with pq.ParquetFile(source) as file, pq.ParquetWriter(sink, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches(batch_size=250_000):
            columns = {
                name: tokens(name, batch[name]) if name in job.COLUMNS else batch[name] for name in batch.schema.names
            }
            writer.write_batch(pa.record_batch(columns, schema=batch.schema))


def main():
    sources, sink, threads = job.arguments()
    with ProcessPoolExecutor(threads) as pool:
        list(pool.map(rewrite, sources, [sink / source.name for source in sources]))


if __name__ == "__main__":
    main()
