"""Checks one runner's output before its time counts: rows, order, kept columns and tokens.

    check.py DATA OUT KIND      KIND is what job.token takes

The first and last rows of every file are compared with the source; the files themselves may have other names.
"""

import sys
from pathlib import Path

import pyarrow.parquet as pq

import job

SAMPLE_ROWS = 500


def visible(folder):
    """Data files, without those of hidden folders (Lakeveil's records, Spark's markers)."""
    paths = (path.relative_to(folder) for path in folder.rglob("*.parquet"))
    return sorted(folder / path for path in paths if not any(part[0] in "_." for part in path.parts))


def ends(path):
    """Rows of the file; its first and its last sample as lists of dicts."""
    file = pq.ParquetFile(path)
    head = next(file.iter_batches(SAMPLE_ROWS)).to_pylist()
    last = file.read_row_group(file.num_row_groups - 1)
    return file.metadata.num_rows, head, last.slice(max(0, last.num_rows - SAMPLE_ROWS)).to_pylist()


def expected(row, kind):
    return {name: job.token(name, value, kind) if name in job.COLUMNS else value for name, value in row.items()}


def main():
    data, out, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    sources = {head[0]["event_id"]: (rows, head, tail) for rows, head, tail in map(ends, visible(data))}
    outputs = {head[0]["event_id"]: (rows, head, tail) for rows, head, tail in map(ends, visible(out))}
    if sources.keys() != outputs.keys():
        sys.exit(f"{len(sources)} files went in, {len(outputs)} came out, or they begin with other rows")
    for first, (rows, head, tail) in sources.items():
        out_rows, out_head, out_tail = outputs[first]
        if rows != out_rows:
            sys.exit(f"{rows} rows went in, {out_rows} came out, in the file that begins with event {first}")
        size = min(len(tail), len(out_tail))
        for before, after in [*zip(head, out_head, strict=True), *zip(tail[-size:], out_tail[-size:], strict=True)]:
            wanted = expected(before, kind)
            wrong = [name for name in wanted if wanted[name] != after.get(name)]
            if wrong or len(wanted) != len(after):
                sys.exit(
                    f"event {before['event_id']}: {', '.join(wrong) or 'the set of columns'} differs from what it must be"
                )
    print(
        f"{sum(rows for rows, _, _ in sources.values())} rows, first and last {SAMPLE_ROWS} of each file as they must be"
    )


if __name__ == "__main__":
    main()
