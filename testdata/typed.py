"""`lake/types/`: one column for each type that has canonical bytes, and what those bytes are.

The expectation is computed here from the raw integers and byte strings by the rules of TOKENS.md section 2, not read
back through Arrow, so that neither this program's reader nor pyarrow's formatting can vouch for itself.
"""

import datetime
import json
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 20
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
DAY_SECONDS = 86400
# 0001-01-01T00:00:00 and the last second of 9999, in seconds since 1970
FIRST_SECOND = -62135596800
LAST_SECOND = 253402300799


class OutOfRange(Exception):
    """A year outside 0001 to 9999: an error of the value, not of the run."""


def date_text(days):
    if not FIRST_SECOND <= days * DAY_SECONDS <= LAST_SECOND:
        raise OutOfRange
    return datetime.date.fromordinal(days + 719163).isoformat()


def clock_text(ticks, unit):
    """HH:MM:SS[.f], f without trailing zeros, absent when zero."""
    seconds, fraction = divmod(ticks, PER_SECOND[unit])
    digits = len(str(PER_SECOND[unit])) - 1
    tail = f"{fraction:0{digits}}".rstrip("0") if digits else ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (f".{tail}" if tail else "")


def timestamp_text(ticks, unit, suffix):
    days, rest = divmod(ticks, DAY_SECONDS * PER_SECOND[unit])
    return f"{date_text(days)}T{clock_text(rest, unit)}{suffix}"


def decimal_text(unscaled, scale):
    """Plain decimal, trailing fractional zeros and a bare point dropped, never -0."""
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    whole, fraction = (digits[:-scale], digits[-scale:].rstrip("0")) if scale else (digits, "")
    return ("-" if unscaled < 0 else "") + whole + (f".{fraction}" if fraction else "")


def filled(extremes, ordinary):
    """Extremes first, then nulls between ordinary values, up to ROWS."""
    values = list(extremes)
    while len(values) < ROWS:
        values.append(None if len(values) % 4 == 3 else ordinary(len(values)))
    assert len(values) == ROWS
    return values


def raw(values, storage, target):
    """An array of `target` made from its raw integers, so that no Python date limits the range."""
    return pa.array(values, storage).view(target)


def decimals(values, make_type, precision, scale):
    """Unscaled integers as a decimal array, by little-endian two's complement words."""
    target = make_type(precision, scale)
    width = target.bit_width // 8
    data = b"".join((value or 0).to_bytes(width, "little", signed=True) for value in values)
    mask = pa.array([value is not None for value in values]).buffers()[1]
    return pa.Array.from_buffers(target, len(values), [mask, pa.py_buffer(data)])


def integer_columns():
    for bits in (8, 16, 32, 64):
        for signed in (True, False):
            low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
            name = f"{'int' if signed else 'uint'}{bits}"
            values = filled([low, high, 0, None, 1, 42, max(low, -1)], lambda i: i)
            yield name, pa.array(values, getattr(pa, name)()), [None if v is None else str(v) for v in values]


def decimal_columns():
    for name, make_type, precision, scale in [
        ("decimal32", pa.decimal32, 9, 2),
        ("decimal64", pa.decimal64, 18, 4),
        ("decimal128", pa.decimal128, 38, 10),
        ("decimal128_whole", pa.decimal128, 38, 0),
        ("decimal256", pa.decimal256, 76, 6),
    ]:
        top, one = 10**precision - 1, 10**scale
        values = filled(
            [top, -top, 0, None, one, 42 * one, -one, 1, -1, 100 * one + one // 2], lambda i, one=one: i * one
        )
        yield (
            name,
            decimals(values, make_type, precision, scale),
            [None if v is None else decimal_text(v, scale) for v in values],
        )


def temporal(values, text):
    """The texts, with the values that have none marked."""
    out = []
    for value in values:
        try:
            out.append(None if value is None else text(value))
        except OutOfRange:
            out.append({"error": "year outside 0001 to 9999"})
    return out


def temporal_columns():
    first_day, last_day = FIRST_SECOND // DAY_SECONDS, LAST_SECOND // DAY_SECONDS
    days = filled(
        [first_day, last_day, 0, None, -1, 1, 20779, last_day + 1, first_day - 1, -719162 + 59], lambda i: i * 997
    )
    yield "date32", raw(days, pa.int32(), pa.date32()), temporal(days, date_text)
    millis = [None if day is None else day * DAY_SECONDS * 1000 for day in days]
    yield "date64", raw(millis, pa.int64(), pa.date64()), temporal(days, date_text)

    for unit, storage, target in [
        ("s", pa.int32(), pa.time32("s")),
        ("ms", pa.int32(), pa.time32("ms")),
        ("us", pa.int64(), pa.time64("us")),
        ("ns", pa.int64(), pa.time64("ns")),
    ]:
        per = PER_SECOND[unit]
        ticks = filled(
            [0, DAY_SECONDS * per - 1, per, None, 60 * per, 43200 * per + per // 2, 1],
            lambda i, per=per: i * 3601 * per,
        )
        name = f"{'time32' if unit in ('s', 'ms') else 'time64'}_{unit}"
        yield name, raw(ticks, storage, target), temporal(ticks, lambda t, unit=unit: clock_text(t, unit))

    for unit, per in PER_SECOND.items():
        # nanoseconds reach from 1677 to 2262 only
        low, high = (-(2**63), 2**63 - 1) if unit == "ns" else (FIRST_SECOND * per, LAST_SECOND * per + per - 1)
        extremes = [low, high, 0, None, -1, per, -per, 1763769600 * per + per // 4, per // 10]
        if unit != "ns":
            extremes += [low - 1, high + 1]
        ticks = filled(extremes, lambda i, per=per: i * 86399 * per + per // 8)
        for zone, suffix in [(None, ""), ("UTC", "Z"), ("Europe/Warsaw", "Z"), ("-05:30", "Z")]:
            label = {None: "", "UTC": "_utc", "Europe/Warsaw": "_warsaw", "-05:30": "_offset"}[zone]
            expected = temporal(ticks, lambda t, unit=unit, suffix=suffix: timestamp_text(t, unit, suffix))
            yield f"timestamp_{unit}{label}", raw(ticks, pa.int64(), pa.timestamp(unit, zone)), expected


TEXTS = ["", " ", "a", None, "Anna@Example.com", "42", "042", "42.00", "Zoe\u0308", "Zoë", "שלום", "ليلى", "🙂", "a\u0000b",
         "line\nbreak", "x" * 300, "\ufeffbom", "İ", None, "ß"]  # fmt: skip
BLOBS = [b"", b"\x00", b"\xff\xfe", None, b"Anna@Example.com", bytes(range(256)), b"42", b"\x80", None, b"\n",
         b" a ", b"\xc3\xa9", b"\xe9", b"a", b"b", None, b"\x00" * 16, b"\x01" * 16, b"z" * 300, b"-"]  # fmt: skip


def text_columns():
    for name, target in [
        ("utf8", pa.string()),
        ("large_utf8", pa.large_string()),
        ("utf8_view", pa.string_view()),
    ]:
        yield name, pa.array(TEXTS, target), TEXTS
    few = ["red", None, "green", "red", "Zoë"]
    repeated = [few[i % len(few)] for i in range(ROWS)]
    for name, keys in [("dictionary_int8", pa.int8()), ("dictionary_int32", pa.int32())]:
        yield name, pa.array(repeated, pa.string()).dictionary_encode().cast(pa.dictionary(keys, pa.string())), repeated
    yield (
        "boolean",
        pa.array([(True, False, None)[i % 3] for i in range(ROWS)]),
        [("true", "false", None)[i % 3] for i in range(ROWS)],
    )
    yield "null", pa.nulls(ROWS), [None] * ROWS
    ids = [
        None if i % 5 == 4 else uuid.UUID(int=(i * 0x0123456789ABCDEF0123456789ABCDEF) % 2**128) for i in range(ROWS)
    ]
    ids[1] = uuid.UUID(int=2**128 - 1)
    yield "uuid", pa.array([i and i.bytes for i in ids], pa.uuid()), [i and str(i) for i in ids]


def binary_columns():
    hexed = [None if blob is None else blob.hex() for blob in BLOBS]
    for name, target in [
        ("binary", pa.binary()),
        ("large_binary", pa.large_binary()),
        ("binary_view", pa.binary_view()),
    ]:
        yield name, pa.array(BLOBS, target), hexed
    for width in (4, 16):
        fixed = [None if i % 6 == 5 else bytes((i * 37 + j * 11) % 256 for j in range(width)) for i in range(ROWS)]
        yield (
            f"fixed_binary_{width}",
            pa.array(fixed, pa.binary(width)),
            [None if f is None else f.hex() for f in fixed],
        )


def write(folder):
    folder.mkdir(parents=True)
    columns, expected = {}, {}
    for form, family in [
        ("text", text_columns),
        ("hex", binary_columns),
        ("text", integer_columns),
        ("text", decimal_columns),
        ("text", temporal_columns),
    ]:
        for name, array, values in family():
            columns[name] = array
            expected[name] = {"type": str(array.type), "form": form, "values": values}
    pq.write_table(pa.table(columns), folder / "all.parquet", compression="zstd", row_group_size=ROWS // 2)
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(column)}" for name, column in expected.items())
    (folder / "all.expected.json").write_text("{\n" + lines + "\n}\n")

    # what a keyed family refuses when the policy is bound
    refused = {
        "float16": pa.array([1.5, None], pa.float16()),
        "float32": pa.array([1.5, None], pa.float32()),
        "float64": pa.array([1.5, None], pa.float64()),
        "duration": pa.array([1, None], pa.duration("ms")),
        "list": pa.array([["a"], None], pa.list_(pa.string())),
        "struct": pa.array([{"a": "b"}, None], pa.struct({"a": pa.string()})),
        "map": pa.array([[("a", "b")], None], pa.map_(pa.string(), pa.string())),
    }
    pq.write_table(pa.table(refused), folder / "refused.parquet")
