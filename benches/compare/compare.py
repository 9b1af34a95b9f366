"""Times Lakeveil and its neighbours on the same works, in turn, on this machine.

    python3 benches/compare/compare.py --data DIR --lakeveil target/release/lakeveil
    python3 benches/compare/compare.py --smoke --lakeveil target/release/lakeveil

Tables are made in DIR where they are missing; outputs go beside them, or to memory. The neighbours are installed into
a virtual environment in the cache folder. A time counts only after the output has been checked (check.py). The figures
go to results.json, and from there to README.md between its markers. See README.md of this folder.
"""

import argparse
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.dont_write_bytecode = True

import job  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import works  # noqa: E402

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lakeveil"
ENV = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
# Spark 4 needs one of these or later
JAVA = 17
# outputs in memory go there, if it has room for so many times the input: the output is 1.4 times as large, the input
# has to stay in the cache, and the program and the check need some as well
MEMORY_FOLDER = Path("/dev/shm")
MEMORY_ROOM = 3


def output_of(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=ENV, **options).stdout.strip()


# what is compared ------------------------------------------------------------------------------------------------


def environment(spark):
    """The Python of a virtual environment with the neighbours at the versions of the requirement files."""
    python = CACHE / "compare-venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    files = ["requirements.txt"] + (["requirements-spark.txt"] if spark else [])
    wanted = {line for name in files for line in (HERE / name).read_text().split()}
    there = output_of(python, "-m", "pip", "list", "--format", "freeze", "--disable-pip-version-check").split()
    if not wanted <= set(there):
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *sorted(wanted)]
        subprocess.run(pip, check=True)
    return python


def require_java():
    """Names the Java that Spark will find."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java:
        sys.exit(f"Spark needs Java {JAVA} or later (JAVA_HOME or PATH); for example Debian's openjdk-17-jre-headless")
    said = subprocess.run([java, "-version"], stderr=subprocess.PIPE, text=True, check=True).stderr
    version = re.search(r'version "([\d.]+)', said)[1]
    if int(version.split(".")[0]) < JAVA:
        sys.exit(f"Spark needs Java {JAVA} or later, and {java} is {version}")
    return version


def build_naive_csv():
    target = CACHE / "naive-csv"
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--target-dir", target]
    subprocess.run(command, cwd=HERE / "naive_csv", check=True)
    return target / "release" / "naive_csv"


def locked_version(crate):
    lock = (HERE / "naive_csv" / "Cargo.lock").read_text()
    return re.search(rf'name = "{crate}"\nversion = "([^"]+)"', lock)[1]


class Bench:
    """The tools at hand: how each is called, and which version it is."""

    def __init__(self, args, tools):
        self.lakeveil = args.lakeveil.resolve()
        self.threads = args.threads
        self.python = environment("pyspark" in tools)
        java = require_java() if "pyspark" in tools else None
        self.naive_csv = build_naive_csv() if any(name.startswith("naive_csv") for name in tools) else None
        self.versions = {name: self.version(works.TOOLS[name], java) for name in tools}

    def version(self, tool, java):
        if tool.package is None:
            return output_of(self.lakeveil, "--version").split()[-1] if tool.token else ""
        if tool.package == "csv":
            return locked_version("csv")
        text = output_of(self.python, "-c", f"import importlib.metadata as m; print(m.version({tool.package!r}))")
        if tool.package == "polars":
            text += " with polars-hash " + output_of(
                self.python, "-c", "import importlib.metadata as m; print(m.version('polars-hash'))"
            )
        return f"{text} on Java {java}" if tool.package == "pyspark" else text

    def command(self, name, work, data, out, reference):
        threads = str(self.threads or os.cpu_count())
        if name in report.PRODUCTS:
            command = [self.lakeveil, "run", HERE / "policies" / f"{work.policy}.yaml", "--quiet"]
            command += [] if works.TOOLS[name].syncs else ["--no-fsync"]
            # without the option it takes every core: the default is what is measured
            return command + (["--threads", threads] if self.threads else [])
        if name == "copy":
            # `sync FILE` is fsync of that file: the rest of the machine is not waited for
            script = 'mkdir "$1" && cp "$0"/* "$1" && sync "$1"/* "$1"'
            return ["sh", "-c", script, reference, out]
        if name.startswith("naive_csv"):
            keys = [f"{column}={job.text_key(column)}" for column in work.columns]
            return [self.naive_csv, data, out, threads if name == "naive_csv_threads" else "1", *keys]
        return [self.python, HERE / f"{name}_job.py", data, out, threads, ",".join(work.columns)]

    def generate(self, folder, table, users):
        if not folder.exists():
            command = [self.python, HERE / "generate.py", table.kind, folder, "--format", table.format]
            command += ["--files", str(table.files), "--rows", str(table.rows), "--users", str(users)]
            subprocess.run(command, check=True, env=ENV)

    def check(self, name, work, data, out, reference):
        """Number of rows of a right output; ends the program over a wrong one."""
        tool = works.TOOLS[name]
        if tool.token is None:
            if sizes(out) != sizes(reference):
                sys.exit("the copy is not as large as what was copied")
            return None
        command = [self.python, HERE / "check.py", data, out, tool.token, ",".join(work.columns)]
        checked = subprocess.run(command, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if checked.returncode:
            sys.exit(f"{name} did another job: {checked.stdout}")
        return int(checked.stdout)


# one work --------------------------------------------------------------------------------------------------------


def sizes(folder):
    return {path.name: path.stat().st_size for path in job.data_files(folder)}


def warm(folder):
    """Reads a folder's files once, so that nobody pays for a cold cache."""
    for path in job.data_files(folder):
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass


def memory_lacks(input_bytes):
    """Why an output can't go to memory, or nothing."""
    if not os.access(MEMORY_FOLDER, os.W_OK) or measure.disk(MEMORY_FOLDER) != "tmpfs":
        return f"{MEMORY_FOLDER} is no memory file system that can be written to"
    needed, free = MEMORY_ROOM * input_bytes, min(shutil.disk_usage(MEMORY_FOLDER).free, measure.available_bytes())
    if free < needed:
        return f"the memory file system should have {needed / 1e6:,.0f} MB free, and has {free / 1e6:,.0f} MB"
    return None


def keep_files(out, reference):
    """What the copy will copy: the data files of our own output."""
    reference.mkdir()
    for path in job.data_files(out):
        path.rename(reference / path.name)


def measure_work(bench, work, data, tools, rounds):
    """Runs the tools of a work in turn, in the opposite order in every other round; `rounds` tells how often each."""
    found = {name: {"version": bench.versions[name], "seconds": [], "peak_bytes": 0} for name in tools}
    rows = 0
    # beside the data, so that all write to the disk that they read; removed however the runs end
    place = MEMORY_FOLDER if work.growth == works.MEMORY else data.parent
    with tempfile.TemporaryDirectory(dir=place, prefix="compare-") as scratch:
        out, reference = Path(scratch) / "out", Path(scratch) / "reference"
        env = {**ENV, "COMPARE_DATA": str(data), "COMPARE_OUT": str(out)}
        for turn in range(max(rounds.values())):
            due = [name for name in tools if turn < rounds[name]]
            for name in due if turn % 2 == 0 else reversed(due):
                warm(reference if name == "copy" else data)
                # what the run before left to be written is not this one's
                os.sync()
                command = bench.command(name, work, data, out, reference)
                with open(Path(scratch) / "log", "w+") as log:
                    seconds, peak = measure.timed(command, env, REPOSITORY, log)
                rows = bench.check(name, work, data, out, reference) or rows
                tool = found[name]
                tool["seconds"].append(round(seconds, 3))
                tool["peak_bytes"] = max(tool["peak_bytes"], peak)
                tool["output_bytes"] = sum(sizes(out).values())
                print(
                    f"  {name} {seconds:.2f} s, {peak / 2**20:.0f} MiB, {tool['output_bytes'] / 1e6:.0f} MB out",
                    flush=True,
                )
                if "copy" in tools and name in report.PRODUCTS and not reference.exists():
                    keep_files(out, reference)
                shutil.rmtree(out)
    for name, tool in found.items():
        tool["base_seconds"] = report.median(found[report.base_name(name)])
    return {"rows": rows, "input_bytes": sum(sizes(data).values()), "tools": found}


def tools_of(work, args):
    """Those asked for, in the work's order; Lakeveil always, since every ratio is taken within one run."""
    there = [*work.tools, *work.extra]
    asked = set(args.only or work.tools)
    if "lakeveil" in asked:
        asked |= {"lakeveil_synced"} & set(work.tools)
    if not args.spark and "pyspark" not in (args.only or []):
        asked.discard("pyspark")
    chosen = [name for name in there if name in asked]
    bases = {report.base_name(name) for name in chosen}
    return [name for name in there if name in bases or name in chosen]


# results ---------------------------------------------------------------------------------------------------------


def merge(results, key, measured, session):
    """Keeps what earlier runs measured of tools that did not run now, if it was the same table."""
    for tool in measured["tools"].values():
        tool["session"] = session
    before = results["works"].get(key)
    if before and all(before[field] == measured[field] for field in ("rows", "input_bytes")):
        measured["tools"] = {**before["tools"], **measured["tools"]}
    results["works"][key] = measured
    used = {tool["session"] for work in results["works"].values() for tool in work["tools"].values()}
    results["sessions"] = {name: facts for name, facts in results["sessions"].items() if name in used}


def load(path):
    return json.loads(path.read_text()) if path.exists() else {"sessions": {}, "works": {}}


def kernels(source, session):
    """Throughputs out of criterion's text: of a file, or of the benchmark run now."""
    if source == "run":
        text = output_of("cargo", "bench", "--", "hmac", cwd=REPOSITORY / "benches" / "kernels")
    else:
        text = Path(source).read_text()
    # a long name has a line of its own, a short one shares it with the time
    found = re.findall(r"^(\S.*?)\s+time:[^\n]*\n\s+thrpt:\s+\[\S+ \S+ (\S+) ([KMG]?)elem/s ", text, re.MULTILINE)
    if not found:
        sys.exit("no throughput in criterion's output")
    factors = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9}
    benches = [{"name": name, "values_per_s": float(number) * factors[unit]} for name, number, unit in found]
    return {"session": session, "benches": benches}


def smoke(args):
    """Everything on a few thousand rows, and that the checks notice what is wrong; leaves nothing behind."""
    args.runs = args.slow_runs = 1
    with tempfile.TemporaryDirectory() as scratch:
        args.data = Path(scratch)
        results = run(args, {"sessions": {}, "works": {}}, lambda _: None, smoke=True)
        subprocess.run([environment(False), HERE / "selftest.py"], check=True, env=ENV)
        readme = Path(scratch) / "README.md"
        shutil.copy(REPOSITORY / "README.md", readme)
        report.write(readme, report.markdown(results))
        assert report.markdown(results) in readme.read_text(), "README.md holds the table"
    print("smoke: the works ran, and all outputs were as they must be")


def is_chosen(key, names):
    """A name stands for all that go on from it, too: growth for growth-1 and growth-memory-1."""
    return not names or any(f"{key}-".startswith(f"{name}-") for name in names)


def run(args, results, save, smoke=False):
    chosen = [key for key in works.WORKS if is_chosen(key, args.work)]
    tools = {key: tools_of(works.WORKS[key], args) for key in chosen}
    bench = Bench(args, dict.fromkeys(name for names in tools.values() for name in names))
    for name, version in bench.versions.items():
        print(f"{name} {version}".strip(), flush=True)
    if os.getloadavg()[0] > 0.3 and not smoke:
        print("mind: the machine is busy; what others do counts into the times", flush=True)
    session = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
    args.data.mkdir(parents=True, exist_ok=True)
    threads = f", {args.threads} threads asked for" if args.threads else ""
    results["sessions"][session] = {"machine": measure.machine(args.data) + threads}
    for key in chosen:
        work = works.WORKS[key]
        if not tools[key]:
            continue
        table = work.smoke if smoke else replace(work.table, rows=round(work.table.rows * args.scale))
        data = args.data.resolve() / table.folder
        print(f"{key}: {work.title}", flush=True)
        bench.generate(data, table, users=1000 if smoke else 500_000)
        lacks = memory_lacks(sum(sizes(data).values())) if work.growth == works.MEMORY else None
        if lacks:
            print(f"  skipped: {lacks}", flush=True)
            continue
        rounds = {name: args.slow_runs if works.TOOLS[name].slow else args.runs for name in tools[key]}
        merge(results, key, measure_work(bench, work, data, tools[key], rounds), session)
        save(results)
    return results


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lakeveil", type=Path, help="path of the release binary")
    parser.add_argument("--data", type=Path, help="folder of the tables, made where missing; takes 12 GB")
    groups = ["growth", "growth-memory"]
    parser.add_argument("--work", nargs="+", choices=[*works.WORKS, *groups], help="these works instead of all")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=works.TOOLS,
        metavar="TOOL",
        help=f"Lakeveil and of these: {', '.join(works.TOOLS)}",
    )
    parser.add_argument("--spark", action="store_true", help=f"Spark too: 550 MB more to install, Java {JAVA} needed")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--slow-runs", type=int, default=1, help="of DuckDB, pyarrow and Spark")
    parser.add_argument("--threads", type=int, help="instead of one for each core")
    parser.add_argument("--scale", type=float, default=1.0, help="0.1: a tenth of the rows, for a first try")
    parser.add_argument("--results", type=Path, help="keep the figures there, print the table, leave README.md alone")
    parser.add_argument(
        "--kernels",
        nargs="?",
        const="run",
        metavar="FILE",
        help="add the HMAC kernel: run the benchmark, or read what it printed",
    )
    parser.add_argument(
        "--report", action="store_true", help="measure nothing: make the table again from the figures kept"
    )
    parser.add_argument(
        "--smoke", action="store_true", help="a few thousand rows: does everything work? keeps no figures"
    )
    args = parser.parse_args()
    if not args.lakeveil and not args.report:
        parser.error("--lakeveil PATH is needed")
    if not args.data and not args.report and not args.smoke:
        parser.error("--data DIR is needed")
    if args.scale != 1.0 and not args.results:
        parser.error("--scale needs --results FILE: README.md shows whole tables only")
    return args


def main():
    args = arguments()
    # to end it is to interrupt it: what lies in memory has to go
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if args.smoke:
        return smoke(args)

    kept = args.results or HERE / "results.json"

    def save(results):
        kept.write_text(json.dumps(results, indent=1) + "\n")

    results = load(kept)
    if not args.report:
        results = run(args, results, save)
    if args.kernels:
        results["kernels"] = kernels(args.kernels, max(results["sessions"], default=""))
        save(results)
    text = report.markdown(results)
    print("\n" + text + "\n")
    print(*report.aims(results), sep="\n")
    if not args.results:
        report.write(REPOSITORY / "README.md", text)


if __name__ == "__main__":
    main()
