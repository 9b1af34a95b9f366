"""Checks that peak memory stays under the default budget of 1 GiB and does not grow with an object's size.

python3 .ci/memory.py LAKEVEIL

Each job runs on a CSV object of 512 MiB and on one four times as large; Parquet inputs are what the CSV jobs wrote.
"""

import os
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

POLICY = """
version: 1
dataset: memory
source: {{ url: "{source}" }}
sink: {{ url: "{sink}", format: {format} }}
keyring: {{ file: "{keyring}", permissions: any }}
unlisted: keep
columns:
  id: {{ pseudonym: {{ domain: ids }} }}
  email: {{ normalize: [trim, lowercase], pseudonym: {{ domain: emails }} }}
"""


def generate(path, size):
    """A CSV object of about `size` bytes: the same block over and over, which costs nothing to make."""
    rows = (f"{i},person{i}@example.com,some words about row {i} {i * 2654435761 % 2**32},{i % 97}\n" for i in range(200_000))
    block = "".join(rows).encode()
    with open(path, "wb") as file:
        file.write(b"id,email,note,group\n")
        for _ in range(max(1, size // len(block))):
            file.write(block)


def peak(lakeveil, folder, name, source, format):
    """Peak resident bytes of one run, as the kernel counts them; gives the output folder too."""
    sink = folder / f"{name}-{format}"
    policy = folder / f"{name}-{format}.yaml"
    keyring = REPOSITORY / "testdata" / "demo.keyring.json"
    policy.write_text(POLICY.format(source=source, sink=sink, format=format, keyring=keyring))
    process = subprocess.Popen([lakeveil, "run", policy, "--quiet"])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{name} to {format}: exit code {process.returncode}")
    return usage.ru_maxrss * 1024, sink


def main():
    lakeveil = Path(sys.argv[1]).resolve()
    problems = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        peaks = {}
        for label, size in [("small", SMALL_BYTES), ("large", SMALL_BYTES * TIMES)]:
            source = folder / label
            source.mkdir()
            generate(source / "rows.csv", size)
            peaks["csv to csv", label], _ = peak(lakeveil, folder, f"{label}-csv", source, "csv")
            peaks["csv to parquet", label], made = peak(lakeveil, folder, f"{label}-csv", source, "parquet")
            for path in source.iterdir():
                path.unlink()
            # without the records, which say what the first job wrote
            again = folder / f"{label}-again"
            again.mkdir()
            for path in made.glob("*.parquet"):
                path.rename(again / path.name)
            peaks["parquet to parquet", label], _ = peak(lakeveil, folder, f"{label}-parquet", again, "parquet")
        for job in dict.fromkeys(job for job, _ in peaks):
            small, large = peaks[job, "small"], peaks[job, "large"]
            print(f"{job}: {small >> 20} MiB for {SMALL_BYTES >> 20} MiB, {large >> 20} MiB for {TIMES} times that")
            if large > LIMIT_BYTES:
                problems.append(f"{job}: {large >> 20} MiB are more than {LIMIT_BYTES >> 20}")
            if large > small + SLACK_BYTES:
                problems.append(f"{job}: {large >> 20} MiB are much more than the {small >> 20} of an object a quarter as large")
    if problems:
        sys.exit("\n".join(problems))


main()
