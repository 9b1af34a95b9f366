"""Checks that peak memory stays under the default budget of 1 GiB and does not grow with an object's size.

python3 .ci/memory.py LAKEVEIL

Most jobs run on an object of 512 MiB of CSV, or as pyarrow writes it in Parquet, and on one four times as large. Beside
them: the longest tokens, which nothing packs, in row groups of any size, and records of CSV that are as large as much
work. pyarrow is installed
into the virtual environment of benches/compare/ in the cache folder.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LIMIT_BYTES = 1 << 30
# large enough for all the work that may be in flight
SMALL_BYTES = 512 << 20
TIMES = 4
# how many units of work overlap differs from run to run: 420 to 765 MiB were seen for one job; growth would be GiB
SLACK_BYTES = 384 << 20

sys.dont_write_bytecode = True
sys.path.insert(0, str(REPOSITORY / "benches" / "compare"))

import compare  # noqa: E402  (its environment)

POLICY = """
version: 1
dataset: memory
source: {{ url: "{source}" }}
sink: {{ url: "{sink}", format: {format}, parquet: {{ compression: {compression} }} }}
keyring: {{ file: "{keyring}", permissions: any }}
unlisted: keep
columns: {{ {columns} }}
"""
TWO_COLUMNS = "id: { pseudonym: { domain: ids } }, email: { normalize: [trim, lowercase], pseudonym: { domain: emails } }"
LONGEST_TOKENS = '"c*": { pseudonym: { domain: d, bits: 256 } }'

# runs where pyarrow is
WITH_PYARROW = '''
import sys
import pyarrow.csv
import pyarrow.parquet as pq

def from_csv(source, target):
    """Row groups of about 64 MiB of text."""
    reader = pyarrow.csv.open_csv(source, read_options=pyarrow.csv.ReadOptions(block_size=64 << 20))
    with pq.ParquetWriter(target, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)

def numbers(target, groups, rows):
    """Six columns of numbers. A million rows of them are 400 MB when they are tokens."""
    groups, rows = int(groups), int(rows)
    names = [f"c{column}" for column in range(6)]
    schema = pyarrow.schema([(name, pyarrow.int64()) for name in names])
    with pq.ParquetWriter(target, schema, compression="none", use_dictionary=False) as writer:
        for group in range(groups):
            values = pyarrow.array(range(group * rows, (group + 1) * rows))
            writer.write_table(pyarrow.table([values] * 6, schema=schema), row_group_size=rows)

globals()[sys.argv[1]](*sys.argv[2:])
'''


def generate(path, size):
    """A CSV object of about `size` bytes: the same block over and over, which costs nothing to make."""
    rows = (f"{i},person{i}@example.com,some words about row {i} {i * 2654435761 % 2**32},{i % 97}\n" for i in range(200_000))
    block = "".join(rows).encode()
    with open(path, "wb") as file:
        file.write(b"id,email,note,group\n")
        for _ in range(max(1, size // len(block))):
            file.write(block)


def generate_large_records(folder, size):
    """Three CSV objects with a note of `size` bytes each, so that more than one is under way."""
    folder.mkdir()
    for name in "abc":
        with open(folder / f"{name}.csv", "wb") as file:
            file.write(b'id,email,note\n1,a@example.com,a\n2,b@example.com,"')
            for _ in range(size >> 20):
                file.write(b"x" * (1 << 20))
            file.write(b'"\n3,c@example.com,c\n')
    return folder


class Jobs:
    """Runs jobs and remembers their peaks, in bytes, by job and size of the source."""

    def __init__(self, lakeveil, folder):
        self.lakeveil, self.folder, self.peaks = lakeveil, folder, {}

    def run(self, job, label, source, format, columns=TWO_COLUMNS, compression="zstd"):
        """Peak resident bytes of one run, as the kernel counts them."""
        sink, policy = self.folder / "sink", self.folder / "policy.yaml"
        keyring = REPOSITORY / "testdata" / "demo.keyring.json"
        fields = {"source": source, "sink": sink, "format": format, "keyring": keyring}
        policy.write_text(POLICY.format(**fields, columns=columns, compression=compression))
        process = subprocess.Popen([self.lakeveil, "run", policy, "--quiet"])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{job}, {label}: exit code {process.returncode}")
        self.peaks[job, label] = usage.ru_maxrss * 1024
        shutil.rmtree(sink)


def main():
    python = compare.environment(False)

    def make(*arguments):
        subprocess.run([python, "-c", WITH_PYARROW, *arguments], check=True)

    problems = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        jobs = Jobs(Path(sys.argv[1]).resolve(), folder)
        for label, size in [("small", SMALL_BYTES), ("large", SMALL_BYTES * TIMES)]:
            text, table = folder / "text", folder / "table"
            text.mkdir()
            table.mkdir()
            generate(text / "rows.csv", size)
            jobs.run("csv to csv", label, text, "csv")
            jobs.run("csv to parquet", label, text, "parquet")
            make("from_csv", text / "rows.csv", table / "rows.parquet")
            shutil.rmtree(text)
            jobs.run("parquet to parquet", label, table, "parquet")
            shutil.rmtree(table)
        numbers = folder / "numbers"
        numbers.mkdir()
        make("numbers", numbers / "rows.parquet", "4", "1000000")
        jobs.run("tokens of 256 bits, not compressed", "one", numbers, "parquet", LONGEST_TOKENS, "none")
        jobs.run("tokens of 256 bits", "one", numbers, "parquet", LONGEST_TOKENS)
        # 1.6 GB when made: a few columns at a time
        make("numbers", numbers / "rows.parquet", "1", "4000000")
        jobs.run("a row group larger than the budget", "one", numbers, "parquet", LONGEST_TOKENS, "none")
        # the largest that the default budget takes
        jobs.run("large records to csv", "one", generate_large_records(folder / "to_csv", 250 << 20), "csv")
        jobs.run("large records to parquet", "one", generate_large_records(folder / "to_parquet", 120 << 20), "parquet")

    for (job, label), peak in jobs.peaks.items():
        print(f"{job}, {label}: {peak >> 20} MiB")
        if peak > LIMIT_BYTES:
            problems.append(f"{job}, {label}: {peak >> 20} MiB are more than {LIMIT_BYTES >> 20}")
        small = jobs.peaks.get((job, "small"), peak)
        if peak > small + SLACK_BYTES:
            problems.append(f"{job}: {peak >> 20} MiB are much more than the {small >> 20} of an object a quarter as large")
    if problems:
        sys.exit("\n".join(problems))


main()
