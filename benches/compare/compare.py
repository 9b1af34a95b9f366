"""Times Lakeveil and its neighbours on one job, in turn, on this machine, and writes a Markdown table.

    python3 benches/compare/compare.py --data DIR --lakeveil target/release/lakeveil [--runs 3] [--report FILE]

DIR holds what generate.py makes. The neighbours are installed into a virtual environment in the cache folder.
A time counts only after the output has been checked (check.py).
"""

import argparse
import datetime
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lakeveil"

# runner -> (package whose version is shown, kind of token that check.py expects)
RUNNERS = {
    "lakeveil": (None, "hmac"),
    "duckdb": ("duckdb", "hmac"),
    "duckdb_sha256": ("duckdb", "sha256(key, value)"),
    "polars": ("polars", "hmac, text key"),
    "pyarrow": ("pyarrow", "hmac"),
    "pyspark": ("pyspark", "hmac"),
}
DEFAULT_RUNNERS = ["lakeveil", "duckdb", "duckdb_sha256", "polars", "pyarrow"]


@dataclass
class Result:
    """What the runs of one runner came to."""

    version: str
    seconds: list = field(default_factory=list)
    peak_bytes: int = 0
    output_bytes: int = 0


def environment(spark):
    """A virtual environment with the neighbours at the versions of the requirement files."""
    folder = CACHE / "compare-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    files = ["requirements.txt"] + (["requirements-spark.txt"] if spark else [])
    wanted = [argument for name in files for argument in ("-r", HERE / name)]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], check=True)
    return python


def version(python, package, lakeveil):
    if package is None:
        return subprocess.run([lakeveil, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def tree_bytes(root):
    """Resident bytes of a process and its descendants, from /proc."""
    page = os.sysconf("SC_PAGE_SIZE")
    resident, pending = 0, [root]
    while pending:
        process = Path("/proc") / str(pending.pop())
        try:
            resident += int((process / "statm").read_text().split()[1]) * page
            pending += [
                int(child) for task in (process / "task").iterdir() for child in (task / "children").read_text().split()
            ]
        except (OSError, IndexError):
            continue  # it ended while we looked
    return resident


def timed(command, env, log):
    """Seconds and peak resident bytes of a command: the kernel's maximum for the largest process, and samples of the whole tree."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=REPOSITORY, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    ended, sampled = threading.Event(), [0]

    def sample():
        while not ended.wait(0.05):
            sampled[0] = max(sampled[0], tree_bytes(process.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    ended.set()
    sampler.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        log.seek(0)
        sys.exit(f"{command} ended with {process.returncode}:\n{log.read()[-4000:]}")
    return seconds, max(usage.ru_maxrss * 1024, sampled[0])


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def folder_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


def table(results, rows, description):
    base = statistics.median(results["lakeveil"].seconds) if "lakeveil" in results else None
    lines = [
        *description,
        "",
        "| runner | version | median s | all s | time / Lakeveil's | rows/s | peak memory | output | token |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        median = statistics.median(result.seconds)
        ratio = f"{median / base:.2f}" if base else ""
        every = ", ".join(f"{seconds:.1f}" for seconds in result.seconds)
        lines.append(
            f"| {name} | {result.version} | {median:.1f} | {every} | {ratio} | {rows / median:,.0f} "
            f"| {result.peak_bytes / 2**20:,.0f} MiB | {result.output_bytes / 1e6:,.0f} MB | {RUNNERS[name][1]} |"
        )
    return "\n".join(lines) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder made by generate.py")
    parser.add_argument("--lakeveil", type=Path, help="path of the release binary")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=RUNNERS, default=DEFAULT_RUNNERS, metavar="RUNNER")
    parser.add_argument("--report", type=Path, help="where to write the table; it is always printed")
    args = parser.parse_args()
    if "lakeveil" in args.only and not args.lakeveil:
        parser.error("--lakeveil PATH is needed, or --only without lakeveil")
    return args


def main():
    args = arguments()
    data = args.data.resolve()
    lakeveil = args.lakeveil and args.lakeveil.resolve()
    python = environment(spark="pyspark" in args.only)
    results = {name: Result(version(python, RUNNERS[name][0], lakeveil)) for name in args.only}
    print(*(f"{name} {result.version}" for name, result in results.items()), sep="\n", flush=True)

    rows = 0
    # beside the data, so that all write to the disk that they read
    with tempfile.TemporaryDirectory(dir=data.parent, prefix="compare-") as scratch:
        out = Path(scratch) / "out"
        env = {**os.environ, "COMPARE_DATA": str(data), "COMPARE_OUT": str(out), "PYTHONDONTWRITEBYTECODE": "1"}
        # the first reader would pay for everybody's cold cache
        for path in data.glob("*.parquet"):
            path.read_bytes()
        for run in range(args.runs):
            for name, result in results.items():
                shutil.rmtree(out, ignore_errors=True)
                if name == "lakeveil":
                    command = [lakeveil, "run", HERE / "policy.yaml", "--threads", str(args.threads), "--full"]
                else:
                    command = [python, HERE / f"{name}_job.py", data, out, str(args.threads)]
                with open(Path(scratch) / "log", "w+") as log:
                    seconds, peak = timed(command, env, log)
                check = [python, HERE / "check.py", data, out, RUNNERS[name][1]]
                checked = subprocess.run(check, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                if checked.returncode:
                    sys.exit(f"{name} did another job: {checked.stdout}")
                rows = int(checked.stdout.split()[0])
                result.seconds.append(seconds)
                result.peak_bytes = max(result.peak_bytes, peak)
                result.output_bytes = folder_bytes(out)
                print(
                    f"run {run + 1}: {name} {seconds:.1f} s, {peak / 2**20:.0f} MiB; {checked.stdout.strip()}",
                    flush=True,
                )

    description = [
        f"{datetime.date.today()}, {machine()}; {args.threads} threads, {args.runs} runs each, in turn.",
        f"{rows:,} rows in {len(list(data.glob('*.parquet')))} files of {folder_bytes(data) / 1e6:,.0f} MB.",
    ]
    report = table(results, rows, description)
    print("\n" + report)
    if args.report:
        args.report.write_text(report)


if __name__ == "__main__":
    main()
