"""Checks check.py: a right output passes, and each kind of wrong one is noticed, in Parquet and in CSV.

selftest.py       (run by compare.py --smoke)
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

import check
import generate
import job
import pyarrow_job

COLUMNS = ["user_id", "phone"]
# one table that is compared whole, one of which only a sample is
ROWS = [1500, check.SMALL_ROWS + 3000]


def write(table, path):
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        # several row groups: windows begin and end anywhere
        pq.write_table(table, path, row_group_size=1100)


def changed(table, column, row, value):
    values = table[column].to_pylist()
    values[row] = value
    index = table.schema.get_field_index(column)
    return table.set_column(index, table.schema.field(index), pa.array(values, table.schema.field(index).type))


def swapped(table, a, b):
    order = np.arange(table.num_rows)
    order[[a, b]] = b, a
    return table.take(pa.array(order))


def mistakes(source, right):
    """What a runner may do wrong -> its output. The rows are in every sample: the first ones and the last."""
    last = right.num_rows - 1
    token = right["phone"][0].as_py()
    names = right.schema.names
    return {
        "a wrong token in the first row": changed(right, "phone", 0, token[:-1] + ("0" if token[-1] != "0" else "1")),
        "a wrong token in the last row": changed(right, "user_id", last, right["user_id"][0].as_py()[::-1]),
        "a raw value": changed(right, "phone", 7, source["phone"][7].as_py()),
        "a token under another column's key": changed(
            right, "phone", 3, job.token("user_id", source["phone"][3].as_py(), "hmac")
        ),
        "a null": changed(right, "phone", 5, None),
        "a changed kept value": changed(right, "city", 11, "elsewhere"),
        "a column that was not transformed": right.set_column(names.index("phone"), "phone", source["phone"]),
        "a missing first row": right.slice(1),
        "a missing row": pa.concat_tables([right.slice(0, last // 2), right.slice(last // 2 + 1)]),
        "a missing last row": right.slice(0, last),
        "a row twice": pa.concat_tables([right, right.slice(last)]),
        "two rows swapped": swapped(right, last // 2, last // 2 + 1),
        "a missing column": right.drop_columns(["score"]),
        "a column more": right.append_column("extra", right["score"]),
        "no rows": right.slice(0, 0),
    }


def noticed(data, out):
    try:
        check.check(data, out, "hmac", COLUMNS)
    except check.Wrong:
        return True
    return False


def main():
    failures, cases = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        data, out = Path(scratch) / "data", Path(scratch) / "out"
        for ending in ["parquet", "csv"]:
            for rows in ROWS:
                source = generate.part("events", 0, rows, 100, 0)
                (batch,) = source.combine_chunks().to_batches()
                right = pa.Table.from_batches([pyarrow_job.replace(batch, COLUMNS)])
                file = f"events-0.{ending}"
                for folder in data, out:
                    for path in folder.glob("*"):
                        path.unlink()
                write(source, data / file)
                write(right, out / f"named-otherwise.{ending}")
                if noticed(data, out):
                    failures.append(f"{ending}, {rows} rows: a right output was refused")
                for what, wrong in mistakes(source, right).items():
                    write(wrong, out / f"named-otherwise.{ending}")
                    cases += 1
                    if not noticed(data, out):
                        failures.append(f"{ending}, {rows} rows: not noticed: {what}")
                write(right, out / f"named-otherwise.{ending}")
                write(right, out / f"once-more.{ending}")
                cases += 2
                if not noticed(data, out):
                    failures.append(f"{ending}, {rows} rows: not noticed: a file twice")
                for path in out.glob("*"):
                    path.unlink()
                if not noticed(data, out):
                    failures.append(f"{ending}, {rows} rows: not noticed: a missing file")
    if failures:
        sys.exit("\n".join(failures))
    print(f"check.py noticed all of {cases} mistakes")


if __name__ == "__main__":
    main()
