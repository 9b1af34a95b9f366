"""Whether pyarrow, DuckDB, Polars (and Spark) read what Lakeveil writes: every value, and by filters on statistics.

    python3 tests/readers/check.py --lakeveil target/release/lakeveil [--spark]

Runs the binary over testdata/writers/ and a larger file in a temporary folder, under two policies and every codec,
and computes every expected value in Python. The readers are installed into a virtual environment in the cache
folder, at the versions of benches/compare/; --python names one that is there. Begins by showing that a wrong value
would be caught. Nothing is left in the checkout.
"""

import argparse
import dataclasses
import datetime
import functools
import hashlib
import itertools
import operator
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SOURCES = REPOSITORY / "testdata" / "writers"
KEYRING = REPOSITORY / "testdata" / "demo.keyring.json"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lakeveil"

sys.dont_write_bytecode = True
sys.path.insert(0, str(REPOSITORY / "testdata"))

import oracle  # noqa: E402  (the second implementation of the tokens)

@dataclasses.dataclass(frozen=True)
class Rule:
    text: str
    made: Callable
    # Arrow's name of what it makes; None where the type stays
    kind: str | None = "string"


@functools.cache
def subkey(domain):
    return oracle.subkey(oracle.active_key(KEYRING)[1], "pseudonym", domain)


def pseudonym(domain, encoding="hex", bits=128, prefix=""):
    said = f", prefix: {prefix}" if prefix else ""
    text = f"pseudonym: {{ domain: {domain}, encoding: {encoding}, bits: {bits}{said} }}"

    def made(value):
        cut = oracle.hmac.digest(subkey(domain), str(value).encode(), "sha256")[: bits // 8]
        return cut if encoding == "binary" else prefix + oracle.encode(cut, encoding)

    return Rule(text, made, f"fixed_size_binary[{bits // 8}]" if encoding == "binary" else "string")


def mask(last):
    def made(value):
        hidden = len(value) - last if len(value) > last else len(value)
        return "*" * hidden + value[hidden:]

    return Rule(f"mask: {{ keep_last: {last} }}", made)


# column, field of a struct or items of a list -> rule
TOKENS = {
    "user_id": pseudonym("users"),
    "email": pseudonym("emails"),
    "card": pseudonym("cards"),
    "number": pseudonym("numbers"),
    "contact.phone": pseudonym("phones"),
}
OTHERS = {
    "user_id": pseudonym("users", encoding="binary"),
    "email": pseudonym("emails", encoding="uuid"),
    "card": mask(3),
    "number": pseudonym("numbers", encoding="base64url", bits=256),
    "note": Rule("hash: {}", lambda value: hashlib.sha256(value.encode()).hexdigest()),
    "tags[]": pseudonym("tags", encoding="base32", prefix="t_"),
    "contact.phone": Rule("nullify: {}", lambda _: None, None),
    "contact.city": Rule("redact: gone", lambda _: "gone"),
}
# name -> rules, how the sink writes
VARIANTS = {
    "usual": (TOKENS, "{}"),
    "plain": (TOKENS, "{ encoding: plain }"),
    "none": (TOKENS, "{ compression: none }"),
}
# each file under two of these in turn
OTHER_VARIANTS = {
    f"others, {codec}": (OTHERS, f"{{ compression: {codec} }}") for codec in ["snappy", "gzip", "lz4", "brotli"]
}
# pages of more than 128 KiB of tokens, which the writer of the first policy compresses in several blocks
LARGE_ROWS = 100_000
LARGE_VARIANTS = ["usual", "others, snappy"]
COMPARISONS = {"=": operator.eq, ">=": operator.ge, "<": operator.lt}
# unique in every file: tells rows apart
ROW_ID = "when"


class Wrong(Exception):
    """What a reader gave is not what must be there."""


def policy(rules, parquet):
    rules = "".join(f'  "{name}": {{ {rule.text} }}\n' for name, rule in rules.items())
    return (
        "version: 1\ndataset: readers\nsource: { url: in/ }\n"
        f"sink: {{ url: out/, parquet: {parquet} }}\n"
        f'keyring: {{ file: "{KEYRING}", permissions: any }}\nunlisted: keep\ncolumns:\n{rules}'
    )


def rewrite(lakeveil, source, folder, rules, parquet):
    """The file that Lakeveil makes of `source`."""
    (folder / "in").mkdir(parents=True)
    shutil.copyfile(source, folder / "in" / source.name)
    (folder / "policy.yaml").write_text(policy(rules, parquet))
    done = subprocess.run([lakeveil, "run", "policy.yaml"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Wrong(f"lakeveil ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return folder / "out" / source.name


def rules_for(rules, source):
    """Those of columns that `source` has."""
    return {name: rule for name, rule in rules.items() if name.partition(".")[0].removesuffix("[]") in source[0]}


def made(rule, value):
    return None if value is None else rule.made(value)


def expected(rows, rules):
    """The source's rows, with what is made of them where the policy has rules."""
    results = []
    for row in rows:
        row = dict(row)
        for name, rule in rules.items():
            column, _, field = name.partition(".")
            column, is_list = column.removesuffix("[]"), column.endswith("[]")
            value = row[column]
            if is_list:
                row[column] = None if value is None else [made(rule, item) for item in value]
            elif not field:
                row[column] = made(rule, value)
            elif value is not None:
                row[column] = value | {field: made(rule, value[field])}
        results.append(row)
    return results


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
        import pyarrow as pa
        import pyarrow.dataset as ds

        files = ds.dataset(path)
        # bytes of a fixed number are a type of their own, and so are raw values of other lengths
        kind = files.schema.field(column).type
        is_fixed = isinstance(value, bytes) and len(value) * 8 == kind.bit_width
        condition = COMPARISONS[sign](ds.field(column), pa.scalar(value, kind) if is_fixed else value)
        return files.to_table(columns=[ROW_ID], filter=condition)[ROW_ID].to_pylist()


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


def compare_types(source, made, rules):
    """Raises unless columns are the same, in their order, and of the types that their rules make."""

    def made_of(name, kind):
        rule = rules.get(name)
        # of texts it stays what they are: long or not
        stays = rule is None or rule.kind is None or (rule.kind == "string" and "string" in kind)
        return kind if stays else rule.kind

    must = [(name, made_of(name, kind)) for name, kind in columns(source)]
    found = list(columns(made))
    if found != must:
        raise Wrong(f"columns {sorted(set(found) - set(must))} are not {sorted(set(must) - set(found))}")


def conditions(wanted, source):
    """Column, sign, value: of tokens, of kept columns, of raw values that must be nowhere."""
    for column in ["user_id", "email", "card", "number", "note", "code", ROW_ID]:
        values = sorted({row[column] for row in wanted if row.get(column) is not None})
        if not values:
            continue
        for sign in COMPARISONS:
            yield column, sign, values[len(values) // 2]
        yield column, ">=", values[0]
        yield column, "<", values[0]
        yield column, "=", values[-1]
    for column in ["user_id", "email", "card"]:
        made = next((row[column] for row in wanted if row.get(column) is not None), None)
        if isinstance(made, str):
            yield column, "=", next(row[column] for row in source if row[column] is not None)


def filters_of(wanted, source):
    """Column, sign, value, and the ids of the rows that meet it."""
    found = []
    for column, sign, value in conditions(wanted, source):
        meets = COMPARISONS[sign]
        ids = [row[ROW_ID] for row in wanted if row[column] is not None and meets(row[column], value)]
        found.append((column, sign, value, sorted(ids)))
    return found


def compare_filters(reader, path, filters):
    for column, sign, value, must in filters:
        found = [plain(id) for id in reader.filtered(path, column, sign, value)]
        if sorted(found) != must:
            raise Wrong(f"{column} {sign} {value!r}: {len(found)} rows instead of {len(must)}")
    return len(filters)


def is_caught(check, *arguments):
    try:
        check(*arguments)
    except Wrong:
        return True
    return False


def show_that_it_can_fail(readers, path, rules, wanted, source):
    """A wrong type, value, row or row by a filter: the checks must see each, those of values by every reader."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    for wrong in [schema.remove(0), schema.set(0, pa.field("user_id", pa.binary()))]:
        if not is_caught(compare_types, schema, wrong, rules):
            raise SystemExit("a column that is wrong was not caught")
    flipped = [dict(row) for row in wanted]
    flipped[-1]["user_id"] = flipped[-1]["user_id"][::-1]
    kept = [dict(row) for row in wanted]
    kept[3]["code"] += 1
    for name, reader in readers.items():
        for case, wrong in [("a token", flipped), ("a kept value", kept), ("a row", wanted[1:])]:
            if not is_caught(compare, reader, path, wrong):
                raise SystemExit(f"{name}: {case} that is wrong was not caught")
        if not is_caught(compare_filters, reader, path, filters_of(wanted[1:], source)):
            raise SystemExit(f"{name}: a row that a filter must not find was not caught")


def make_large(path):
    """Unique values, and many rows of few; large pages, as pyarrow makes them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    begin = datetime.datetime(2026, 1, 1)
    rows = range(LARGE_ROWS)
    table = pa.table(
        {
            "user_id": [f"user-{row:07}" for row in rows],
            "email": [None if row % 11 == 3 else f"{row % 500}@mail.example" for row in rows],
            "number": [row * 37 for row in rows],
            ROW_ID: pa.array([begin + datetime.timedelta(seconds=row) for row in rows], pa.timestamp("us")),
            "tags": [[f"tag {row % 7}"] * (row % 3) for row in rows],
        }
    )
    pq.write_table(table, path, use_dictionary=["email"], compression="zstd", row_group_size=LARGE_ROWS * 2 // 3)


def read_back(readers, file, path, rules, wanted, filters):
    """Problems of one output by reader, and how many filters were checked."""
    import pyarrow.parquet as pq

    problems, checked = {}, 0
    for name, reader in readers.items():
        try:
            compare_types(pq.read_schema(file), pq.read_schema(path), rules)
            compare(reader, path, wanted)
            checked += compare_filters(reader, path, filters)
        except Exception as error:  # noqa: BLE001  (a reader's own error is a finding as well)
            problems[name] = f"{type(error).__name__}: {error}"
    return problems, checked


def check(lakeveil, with_spark):
    import pyarrow.parquet as pq

    readers = {"pyarrow": Pyarrow(), "duckdb": Duckdb(), "polars": Polars()}
    if with_spark:
        readers["spark"] = Spark()
    problems, filters, outputs = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="lakeveil-readers-") as scratch:
        large = Path(scratch) / "large.parquet"
        make_large(large)
        others = itertools.cycle(OTHER_VARIANTS)
        sources = [(file, [*VARIANTS, next(others), next(others)]) for file in sorted(SOURCES.glob("*.parquet"))]
        sources.append((large, LARGE_VARIANTS))
        for file, variants in sources:
            source = [plain(row) for row in pq.read_table(file).to_pylist()]
            must = {}
            for variant in variants:
                rules, parquet = (VARIANTS | OTHER_VARIANTS)[variant]
                rules, policy_id = rules_for(rules, source), id(rules)
                if policy_id not in must:
                    wanted = expected(source, rules)
                    must[policy_id] = wanted, filters_of(wanted, source)
                wanted, wanted_filters = must[policy_id]
                path = rewrite(lakeveil, file, Path(scratch) / variant / file.stem, rules, parquet)
                if not outputs:
                    show_that_it_can_fail(readers, path, rules, wanted, source)
                outputs += 1
                found, checked = read_back(readers, file, path, rules, wanted, wanted_filters)
                filters += checked
                problems += [f"{file.stem}, {variant}, read by {name}: {problem}" for name, problem in found.items()]
    for problem in problems:
        print(problem)
    if problems:
        raise SystemExit(f"{len(problems)} problems")
    if not filters:
        raise SystemExit("no filter was checked")
    counts = f"{len(sources)} files, {outputs} outputs, {len(readers)} readers, {filters} filters"
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
