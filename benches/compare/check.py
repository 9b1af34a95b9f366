"""Checks one runner's output before its time counts: rows, their order, kept columns and tokens.

    check.py DATA OUT KIND COLUMN[,COLUMN...]      KIND is what job.token takes

Number and order of the rows: all of them, by event_id. Values: all columns of a sample of rows. The files may have
other names than the source's: they are told by their first row.
"""

import csv
import ctypes
import itertools
import os
import random
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq

import job

# rows in a window of the sample; a file of up to SMALL_ROWS is compared whole
WINDOW_ROWS = 500
SMALL_ROWS = 5000
# Parquet: the first window is read in every file, one somewhere and the last in so many, chosen anew each time
DEEP_FILES = 2
# CSV: of a larger file the first SMALL_ROWS, one of so many rows, and the last
CSV_STEP = 997
# of Linux
PR_SET_PDEATHSIG = 1


class Wrong(Exception):
    """The output is not what the job asks for."""


def compare_rows(before, after, kind, columns):
    """Two rows as dicts."""
    wanted = {name: job.token(name, value, kind) if name in columns else value for name, value in before.items()}
    wrong = [name for name in wanted if name not in after or wanted[name] != after[name]]
    if wrong or list(wanted) != list(after):
        # these are made-up people, and the message is for whoever changes a runner
        raise Wrong(f"event {before['event_id']}: {', '.join(wrong) or 'the list of columns'} is not as it must be")


class ParquetFile:
    """Rows of a file by their numbers."""

    def __init__(self, path):
        self.file = pq.ParquetFile(path)
        self.rows = self.file.metadata.num_rows
        first = next(self.file.iter_batches(1, columns=["event_id"]), None)
        self.first_id = first["event_id"][0].as_py() if first else None

    def ids(self):
        return self.file.read(columns=["event_id"])["event_id"]

    def head(self):
        return next(self.file.iter_batches(WINDOW_ROWS)).to_pylist()

    def window(self, start, stop):
        """Rows [start, stop), decoding only the row groups that hold them."""
        sizes = [self.file.metadata.row_group(i).num_rows for i in range(self.file.num_row_groups)]
        begins = [0, *itertools.accumulate(sizes)]
        groups = [i for i, size in enumerate(sizes) if begins[i] < stop and begins[i] + size > start]
        return self.file.read_row_groups(groups).slice(start - begins[groups[0]], stop - start).to_pylist()


def compare_parquet(before, after, kind, columns, deep):
    source, output = ParquetFile(before), ParquetFile(after)
    name = before.name
    if source.rows != output.rows:
        raise Wrong(f"{name}: {source.rows} rows went in, {output.rows} came out")
    if not source.ids().equals(output.ids()):
        raise Wrong(f"{name}: rows are missing, doubled or in another order")
    pairs = [(source.head(), output.head())]
    if deep and source.rows > WINDOW_ROWS:
        somewhere = random.randrange(source.rows - WINDOW_ROWS)
        starts = [somewhere, source.rows - WINDOW_ROWS]
        if source.rows <= SMALL_ROWS:
            starts = range(0, source.rows, WINDOW_ROWS)
        for start in starts:
            stop = min(start + WINDOW_ROWS, source.rows)
            pairs.append((source.window(start, stop), output.window(start, stop)))
    for rows in pairs:
        for old, new in zip(*rows, strict=True):
            compare_rows(old, new, kind, columns)
    return source.rows


def compare_csv(before, after, kind, columns, _deep):
    """Line by line: no value of the table holds a line break."""
    name = before.name

    def record(line):
        return next(csv.reader([line.decode()]))

    with open(before, "rb") as source, open(after, "rb") as output:
        header, out_header = record(next(source)), record(next(output, b"\n"))
        if header != out_header:
            raise Wrong(f"{name}: the header is not as it must be")

        def compare_lines(old, new):
            fields = record(new)
            if len(fields) != len(header):
                raise Wrong(f"{name}: a row of {len(fields)} fields")
            compare_rows(
                dict(zip(header, record(old), strict=True)), dict(zip(header, fields, strict=True)), kind, columns
            )

        rows, old, new = 0, None, None
        for rows, (old, new) in enumerate(itertools.zip_longest(source, output), 1):
            if old is None or new is None:
                raise Wrong(f"{name}: {'more' if old is None else 'fewer'} rows came out than went in")
            if old.partition(b",")[0] != new.partition(b",")[0].strip(b'"'):
                raise Wrong(f"{name}: row {rows} is missing, doubled or in another place")
            if rows <= SMALL_ROWS or rows % CSV_STEP == 0:
                compare_lines(old, new)
        compare_lines(old, new)
    return rows


def first_event(path):
    """Names a file by its first row, whatever the runner called it."""
    if path.suffix == ".csv":
        with open(path, newline="") as file:
            row = next(itertools.islice(csv.reader(file), 1, None), [""])
        return row[0]
    return ParquetFile(path).first_id


def end_with_parent():
    """Of a worker, which would wait for ever for a check that was killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def check(data, out, kind, columns):
    """Number of rows; raises Wrong at the first thing that is not as it must be."""
    before, after = job.data_files(data), job.data_files(out)
    sources = {first_event(path): path for path in before}
    outputs = {first_event(path): path for path in after}
    if sources.keys() != outputs.keys() or len(before) != len(after):
        raise Wrong(f"{len(before)} files went in, {len(after)} came out, or they begin with other rows")
    deep = random.sample(sorted(sources), min(DEEP_FILES, len(sources)))
    with ProcessPoolExecutor(min(os.cpu_count(), len(sources)), initializer=end_with_parent) as pool:
        counts = []
        for first, path in sources.items():
            compare = compare_csv if path.suffix == ".csv" else compare_parquet
            counts.append(pool.submit(compare, path, outputs[first], kind, columns, first in deep))
        return sum(count.result() for count in counts)


def main():
    data, out, kind, columns = sys.argv[1:]
    try:
        rows = check(Path(data), Path(out), kind, columns.split(","))
    except Wrong as problem:
        sys.exit(str(problem))
    print(rows)


if __name__ == "__main__":
    main()
