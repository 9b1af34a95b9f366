"""Whether pyarrow, DuckDB, Polars (and Spark) read what Lakeveil writes: every value, and by filters on statistics.

    python3 tests/readers/check.py --lakeveil target/release/lakeveil [--spark]

Runs the binary over testdata/writers/ in a temporary folder and computes every expected token in Python. The
readers are installed into a virtual environment in the cache folder, at the versions of benches/compare/; --python
names one that is there. Begins by showing that a wrong value would be caught. Nothing is left in the checkout.
"""

import argparse
import datetime
import operator
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SOURCES = REPOSITORY / "testdata" / "writers"
KEYRING = REPOSITORY / "testdata" / "demo.keyring.json"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lakeveil"

sys.dont_write_bytecode = True
sys.path.insert(0, str(REPOSITORY / "testdata"))

import oracle  # noqa: E402  (the second implementation of the tokens)

# column, or field of a struct -> domain
DOMAINS = {"user_id": "users", "email": "emails", "card": "cards", "number": "numbers", "contact.phone": "phones"}
VARIANTS = {"usual": "{}", "plain": "{ encoding: plain }", "none": "{ compression: none }"}
COMPARISONS = {"=": operator.eq, ">=": operator.ge, "<": operator.lt}
# unique in every file: tells rows apart
ROW_ID = "when"


class Wrong(Exception):
    """What a reader gave is not what must be there."""


def policy(parquet):
    rules = "".join(f"  {name}: {{ pseudonym: {{ domain: {domain} }} }}\n" for name, domain in DOMAINS.items())
    return (
        "version: 1\ndataset: readers\nsource: { url: in/ }\n"
        f"sink: {{ url: out/, parquet: {parquet} }}\n"
        f'keyring: {{ file: "{KEYRING}", permissions: any }}\nunlisted: keep\ncolumns:\n{rules}'
    )


def rewrite(lakeveil, source, folder, parquet):
    """The file that Lakeveil makes of `source`."""
    (folder / "in").mkdir(parents=True)
    shutil.copyfile(source, folder / "in" / source.name)
    (folder / "policy.yaml").write_text(policy(parquet))
    done = subprocess.run([lakeveil, "run", "policy.yaml"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Wrong(f"lakeveil ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return folder / "out" / source.name


def token(root, subkeys, domain, value):
    key = subkeys.setdefault(domain, oracle.subkey(root, "pseudonym", domain))
    return None if value is None else oracle.hmac.digest(key, str(value).encode(), "sha256")[:16].hex()


def expected(rows):
    """The source's rows, with tokens where the policy has rules."""
    _, root = oracle.active_key(KEYRING)
    subkeys, made = {}, []
    for row in rows:
        row = dict(row)
        for name, domain in DOMAINS.items():
            column, _, field = name.partition(".")
            if not field:
                row[column] = token(root, subkeys, domain, row[column])
            elif row[column] is not None:
                row[column] = row[column] | {field: token(root, subkeys, domain, row[column][field])}
        made.append(row)
    return made


def plain(value):
    """One form for what readers call the same: times without a zone are UTC."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, dict):
        return {name: plain(field) for name, field in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class Pyarrow:
    def rows(self, path):
        import pyarrow.parquet as pq

        # checksums that no longer fit their pages would be found here, and only here
        return pq.read_table(path, page_checksum_verification=True).to_pylist()

    def filtered(self, path, column, sign, value):
        import pyarrow.dataset as ds

        condition = COMPARISONS[sign](ds.field(column), value)
        return ds.dataset(path).to_table(columns=[ROW_ID], filter=condition)[ROW_ID].to_pylist()


class Duckdb:
    def __init__(self):
        import duckdb

        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("set TimeZone = 'UTC'")

    def rows(self, path):
        return self.connection.sql("from read_parquet(?)", params=[str(path)]).to_arrow_table().to_pylist()

    def filtered(self, path, column, sign, value):
        query = f'select "{ROW_ID}" from read_parquet(?) where "{column}" {sign} ?'
        return self.connection.sql(query, params=[str(path), value]).to_arrow_table()[ROW_ID].to_pylist()


class Polars:
    def rows(self, path):
        import polars as pl

        return pl.read_parquet(path).to_arrow().to_pylist()

    def filtered(self, path, column, sign, value):
        import polars as pl

        found = pl.scan_parquet(path).filter(COMPARISONS[sign](pl.col(column), value)).select(ROW_ID).collect()
        return found.to_arrow()[ROW_ID].to_pylist()


class Spark:
    def __init__(self):
        os.environ["TZ"] = "UTC"
        time.tzset()
        from pyspark.sql import SparkSession

        settings = {"ui.enabled": "false", "sql.session.timeZone": "UTC", "driver.bindAddress": "127.0.0.1"}
        builder = SparkSession.builder.master("local[1]")
        for key, value in settings.items():
            builder = builder.config(f"spark.{key}", value)
        self.session = builder.getOrCreate()

    def rows(self, path):
        return [row.asDict(recursive=True) for row in self.session.read.parquet(str(path)).collect()]

    def filtered(self, path, column, sign, value):
        import pyspark.sql.functions as f

        found = self.session.read.parquet(str(path)).where(COMPARISONS[sign](f.col(column), f.lit(value)))
        return [row[0] for row in found.select(ROW_ID).collect()]


def compare(reader, path, wanted):
    """Raises unless the reader gives `wanted`, row by row."""
    rows = [plain(row) for row in reader.rows(path)]
    if len(rows) != len(wanted):
        raise Wrong(f"{len(rows)} rows instead of {len(wanted)}")
    for index, (row, must) in enumerate(zip(rows, wanted, strict=True)):
        if row != must:
            wrong = [name for name in must | row if row.get(name) != must.get(name)]
            said = ", ".join(f"{name}: {row.get(name)!r} is not {must.get(name)!r}" for name in wrong)
            raise Wrong(f"row {index}: {said}")


def columns(schema):
    """Name and type of each column, and of each field of a struct."""
    for field in schema:
        is_struct = str(field.type).startswith("struct")
        inner = [field.type.field(i) for i in range(field.type.num_fields)] if is_struct else []
        yield from ((f"{field.name}.{part.name}", str(part.type)) for part in inner)
        if not inner:
            yield field.name, str(field.type)


def compare_types(source, made):
    """Raises unless columns are the same, in their order, and of their types; tokens of integers are text."""
    must = [(name, "string" if name in DOMAINS and "int" in kind else kind) for name, kind in columns(source)]
    found = list(columns(made))
    if found != must:
        raise Wrong(f"columns {sorted(set(found) - set(must))} are not {sorted(set(must) - set(found))}")


def conditions(wanted, source):
    """Column, sign, value: of tokens, of kept columns, of raw values that must be nowhere."""
    for column in ["user_id", "email", "card", "number", "note", "code", ROW_ID]:
        values = sorted({row[column] for row in wanted if row[column] is not None})
        for sign in COMPARISONS:
            yield column, sign, values[len(values) // 2]
        yield column, ">=", values[0]
        yield column, "<", values[0]
        yield column, "=", values[-1]
    for column in ["user_id", "email", "card"]:
        yield column, "=", next(row[column] for row in source if row[column] is not None)


def compare_filters(reader, path, wanted, source):
    checked = 0
    for column, sign, value in conditions(wanted, source):
        meets = COMPARISONS[sign]
        must = [row[ROW_ID] for row in wanted if row[column] is not None and meets(row[column], value)]
        found = [plain(id) for id in reader.filtered(path, column, sign, value)]
        if sorted(found) != sorted(must):
            raise Wrong(f"{column} {sign} {value!r}: {len(found)} rows instead of {len(must)}")
        checked += 1
    return checked


def is_caught(check, *arguments):
    try:
        check(*arguments)
    except Wrong:
        return True
    return False


def show_that_it_can_fail(readers, path, wanted, source):
    """A wrong type, value, row or row by a filter: the checks must see each, those of values by every reader."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    for wrong in [schema.remove(0), schema.set(0, pa.field("user_id", pa.binary()))]:
        if not is_caught(compare_types, schema, wrong):
            raise SystemExit("a column that is wrong was not caught")
    flipped = [dict(row) for row in wanted]
    flipped[-1]["user_id"] = flipped[-1]["user_id"][::-1]
    kept = [dict(row) for row in wanted]
    kept[3]["code"] += 1
    for name, reader in readers.items():
        for case, wrong in [("a token", flipped), ("a kept value", kept), ("a row", wanted[1:])]:
            if not is_caught(compare, reader, path, wrong):
                raise SystemExit(f"{name}: {case} that is wrong was not caught")
        if not is_caught(compare_filters, reader, path, wanted[1:], source):
            raise SystemExit(f"{name}: a row that a filter must not find was not caught")


def check(lakeveil, with_spark):
    import pyarrow.parquet as pq

    readers = {"pyarrow": Pyarrow(), "duckdb": Duckdb(), "polars": Polars()}
    if with_spark:
        readers["spark"] = Spark()
    problems, filters = [], 0
    sources = sorted(SOURCES.glob("*.parquet"))
    with tempfile.TemporaryDirectory(prefix="lakeveil-readers-") as scratch:
        for index, file in enumerate(sources):
            source = [plain(row) for row in pq.read_table(file).to_pylist()]
            wanted = expected(source)
            for variant, parquet in VARIANTS.items():
                path = rewrite(lakeveil, file, Path(scratch) / variant / file.stem, parquet)
                if index == 0 and variant == "usual":
                    show_that_it_can_fail(readers, path, wanted, source)
                for name, reader in readers.items():
                    try:
                        compare_types(pq.read_schema(file), pq.read_schema(path))
                        compare(reader, path, wanted)
                        filters += compare_filters(reader, path, wanted, source)
                    except Exception as error:  # noqa: BLE001  (a reader's own error is a finding as well)
                        problems.append(f"{file.stem}, {variant}, read by {name}: {type(error).__name__}: {error}")
    for problem in problems:
        print(problem)
    if problems:
        raise SystemExit(f"{len(problems)} problems")
    if not filters:
        raise SystemExit("no filter was checked")
    counts = f"{len(sources)} files in {len(VARIANTS)} variants, {len(readers)} readers, {filters} filters"
    print(f"{counts}: all as they must be")


def environment(spark):
    """A virtual environment with the readers at the versions of the requirement files."""
    folder = CACHE / "compare-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    files = ["requirements.txt"] + (["requirements-spark.txt"] if spark else [])
    wanted = [argument for name in files for argument in ("-r", REPOSITORY / "benches" / "compare" / name)]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], check=True)
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lakeveil", type=Path, required=True, help="the binary")
    parser.add_argument("--spark", action="store_true", help="Spark too: needs Java 17 and takes minutes")
    parser.add_argument("--python", type=Path, help="has the readers; by default, one is made in the cache folder")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        check(arguments.lakeveil, arguments.spark)
        return
    python = arguments.python or environment(arguments.spark)
    again = [python, "-B", __file__, "--inside", "--lakeveil", arguments.lakeveil.resolve()]
    sys.exit(subprocess.run(again + (["--spark"] if arguments.spark else []), check=False).returncode)


if __name__ == "__main__":
    main()
