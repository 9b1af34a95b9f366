"""Known answers for `generalize`, by an implementation that shares no code with ours.

Run once, by hand, with Python 3.11, standard library only:

    python generalize_vectors.py > generalize-v1.json

Oracles: dates: datetime, its isocalendar among it. Ages: counted birthday by birthday. Numbers: decimal and fractions,
so exact; a boundary beside floats is the float that Python reads from its decimal text. Hierarchies: the csv module.
`null` stands for an error of the value.
"""

import csv
import datetime
import decimal
import fractions
import io
import json
import random
import struct

random.seed(20261128)
decimal.getcontext().prec = 200
Fraction = fractions.Fraction
EPOCH = datetime.date(1970, 1, 1)
FIRST, LAST = datetime.date.min, datetime.date.max


def labels(day):
    year, week, _ = day.isocalendar()
    return {
        "year": f"{day.year:04}",
        "quarter": f"{day.year:04}-Q{(day.month + 2) // 3}",
        "month": f"{day.year:04}-{day.month:02}",
        "iso_week": f"{year:04}-W{week:02}",
        "day": day.isoformat(),
    }


def firsts(day):
    quarter = {1: 1, 2: 1, 3: 1, 4: 4, 5: 4, 6: 4, 7: 7, 8: 7, 9: 7, 10: 10, 11: 10, 12: 10}
    return {
        "year": day.replace(month=1, day=1),
        "quarter": day.replace(month=quarter[day.month], day=1),
        "month": day.replace(day=1),
        "iso_week": datetime.date.fromisocalendar(*day.isocalendar()[:2], 1),
        "day": day,
    }


def dates():
    days = {FIRST, LAST, datetime.date(1969, 12, 31), EPOCH}
    for year in [1, 4, 100, 400, 1582, 1899, 1900, 1969, 1970, 1999, 2000, 2004, 2005, 2009, 2010, 2015, 2020, 2026, 9999]:
        for month, day in [(1, 1), (1, 3), (1, 4), (2, 28), (3, 1), (3, 31), (4, 1), (6, 30), (7, 1), (9, 30), (10, 1),
                           (12, 28), (12, 29), (12, 31)]:
            days.add(datetime.date(year, month, day))
    days.update(datetime.date(year, 2, 29) for year in (4, 400, 1600, 2000, 2024))
    days.update(datetime.date.fromordinal(random.randint(1, LAST.toordinal())) for _ in range(200))
    for day in sorted(days):
        first = {period: (first - EPOCH).days for period, first in firsts(day).items()}
        yield {"days": (day - EPOCH).days, "labels": labels(day), "first_days": first}


def age_label(reference, birth, bands, top):
    if birth > reference:
        return None
    years, year = 0, birth.year + 1
    while year <= reference.year:
        # who was born on 29 February has the birthday on 1 March of other years
        leap = birth.month == 2 and birth.day == 29
        try:
            birthday = birth.replace(year=year)
        except ValueError:
            assert leap
            birthday = datetime.date(year, 3, 1)
        years += birthday <= reference
        year += 1
    if years >= top:
        return f"{top}+"
    if isinstance(bands, int):
        low = years - years % bands
        high = min(low + bands, top) - 1
    else:
        low = max([0] + [start for start in bands if start <= years])
        high = min([top] + [start for start in bands if start > years]) - 1
    return str(low) if low == high else f"{low}-{high}"


def ages():
    references = [datetime.date(2026, 1, 1), datetime.date(2024, 2, 29), datetime.date(2025, 2, 28), datetime.date(2025, 3, 1),
                  datetime.date(1900, 12, 31), FIRST]
    rules = [(5, 90), (1, 90), (10, 65), (7, 90), (100, 90), ([18, 65], 90), ([0, 1, 2, 60], 61), (5, 1), ([16], 200)]
    for reference in references:
        births = {reference, FIRST, datetime.date(2024, 2, 29), datetime.date(1904, 2, 29), datetime.date(1936, 2, 29)}
        for years in [0, 1, 2, 4, 5, 17, 18, 34, 59, 60, 61, 65, 89, 90, 91, 120, 199, 200]:
            if reference.year - years >= 1:
                try:
                    exact = reference.replace(year=reference.year - years)
                except ValueError:
                    exact = datetime.date(reference.year - years, 3, 1)
                for off in (-1, 0, 1):
                    try:
                        births.add(exact + datetime.timedelta(days=off))
                    except OverflowError:
                        pass
        for birth in sorted(births):
            for bands, top in random.sample(rules, 3):
                yield {"reference": reference.isoformat(), "birth": birth.isoformat(), "bands": bands, "top": top,
                       "label": age_label(reference, birth, bands, top)}


def plain(number):
    """Plain decimal digits of a fraction whose denominator is a power of ten's divisor."""
    places, scaled = 0, Fraction(number)
    while scaled.denominator != 1:
        scaled *= 10
        places += 1
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    text = digits[:len(digits) - places] + ("." + digits[len(digits) - places:] if places else "")
    return ("-" if number < 0 else "") + text


def width_label(value, width, offset):
    index = (Fraction(value) - Fraction(offset)) // Fraction(width)
    lower = index * Fraction(width) + Fraction(offset)
    return f"[{plain(lower)}, {plain(lower + Fraction(width))})"


WIDTHS = [("10", "0"), ("10", "5"), ("1", "0"), ("0.5", "0"), ("0.1", "0"), ("0.25", "-0.1"), ("3", "-7"), ("1000000", "1"),
          ("0.001", "0.0005"), ("9223372036854775807", "-9223372036854775808"), ("7", "99999999999999999999")]


def widths():
    integers = [0, 1, -1, 9, 10, 11, -9, -10, -11, 27, 99, 12345, -12345, 2**31 - 1, -2**31, 2**53 + 1, 2**63 - 1, -2**63]
    unsigned = [2**63, 2**64 - 1]
    decimals = ["0", "0.1", "-0.1", "0.10", "0.05", "-0.05", "19.99", "20.00", "-19.99", "0.3", "123456789.987654321",
                "99999999999999999999999999999999999999", "-0.00000000000000000000000000000000000001"]
    for width, offset in WIDTHS:
        for value in integers + unsigned:
            yield {"width": width, "offset": offset, "value": str(value), "label": width_label(value, width, offset)}
        for value in decimals:
            yield {"width": width, "offset": offset, "value": value, "label": width_label(value, width, offset)}


def single(number):
    return struct.unpack("f", struct.pack("f", number))[0]


def float_label(value, width, offset, nearest):
    width, offset = Fraction(width), Fraction(offset)
    index = (Fraction(value) - offset) // width - 2
    while nearest(plain((index + 1) * width + offset)) <= value:
        index += 1
    lower = index * width + offset
    assert nearest(plain(lower)) <= value < nearest(plain(lower + width))
    return f"[{plain(lower)}, {plain(lower + width)})"


def float_widths():
    for bits, nearest in [(64, float), (32, lambda text: single(float(text)))]:
        for width, offset in [("10", "0"), ("0.1", "0"), ("0.25", "-0.1"), ("0.001", "0.0005"), ("3", "-7"), ("0.7", "100.1")]:
            values = [0.0, -0.0, 0.1, 0.2, 0.3, 0.7, 0.9, 1.1, 2.3, 19.99, -0.1, -0.3, 1234.5, -1234.5, 0.0005, 0.0015]
            values += [nearest(plain(Fraction(width) * k + Fraction(offset))) for k in (-1000, -7, -1, 0, 1, 3, 7, 29, 1001)]
            values += [random.uniform(-50, 50) for _ in range(6)]
            for value in values:
                value = nearest(repr(value))
                yield {"bits": bits, "width": width, "offset": offset, "value": repr(value),
                       "label": float_label(value, width, offset, nearest)}


def bucket_label(value, bounds, names):
    reached = sum(Fraction(bound) <= Fraction(value) for bound in bounds)
    if names:
        return names[reached]
    if reached == 0:
        return f"< {plain(Fraction(bounds[0]))}"
    if reached == len(bounds):
        return f">= {plain(Fraction(bounds[-1]))}"
    return f"[{plain(Fraction(bounds[reached - 1]))}, {plain(Fraction(bounds[reached]))})"


def buckets():
    rules = [(["0", "18", "65"], None), (["0", "18", "65"], ["none", "child", "adult", "old"]), (["0.5"], None),
             (["-0.10", "0.100", "0.3"], ["a", "b", "c", "a"]), (["-99999999999999999999", "99999999999999999999"], None)]
    values = ["0", "-1", "17", "18", "64", "65", "66", "0.5", "0.49", "17.99", "18.00", "0.1", "0.09", "0.3", "-0.1", "-0.11",
              str(2**63 - 1), str(-2**63), str(2**64 - 1), "99999999999999999999", "-99999999999999999999",
              "-99999999999999999999.01"]
    for bounds, names in rules:
        for value in values:
            yield {"bounds": bounds, "labels": names, "value": value, "label": bucket_label(value, bounds, names)}


def prefixed(rule, text):
    keep, rest = text[:rule["keep"]], len(text) - rule["keep"]
    if rest <= 0 and rule.get("short") != "keep":
        return None
    return rule.get("replace", {}).get(keep, keep) + rule.get("pad", "") * max(rest, 0)


def prefixes():
    rules = [{"keep": 3}, {"keep": 3, "pad": "*"}, {"keep": 3, "replace": {"036": "000", "893": "000"}}, {"keep": 1, "pad": "\u2022"},
             {"keep": 3, "pad": "#", "replace": {"e\u0301a": "x"}}, {"keep": 2, "short": "keep", "replace": {"1": "one"}}]
    texts = ["", "0", "021", "02139", "03601", "89301-1234", "036", "e\u0301abc", "\u05d0\u05d1\u05d2\u05d3", "\u0000\u0000\u0000\u0000",
             "\U0001f600\U0001f600x\U0001f600y", "\u0301\u0301\u0301\u0301", "1", "a" * 40]
    for rule in rules:
        for text in texts:
            yield {"rule": rule, "text": text, "output": prefixed(rule, text)}


HIERARCHIES = [
    ("81667;816**;81***;*\n81675;816**;81***;*\n81925;819**;81***;*\n", ";", False),
    ("value,group,all\r\n\"a,b\",\"comma, quoted\",*\r\n\"say \"\"x\"\"\",\"\"\"q\"\"\",*\r\n\"two\nlines\",l,*\r\n,empty,*\r\nlast,x,\"*\"", ",", True),
    ("\ufeffM\u00fcnchen\tBayern\tDE\nK\u00f6ln\tNRW\tDE\n\n\u0000\tnul\tDE\n", "\t", False),
]


def hierarchies():
    for text, delimiter, header in HIERARCHIES:
        records = [record for record in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter) if record]
        records = records[1:] if header else records
        probes = [record[0] for record in records] + ["81668", "M\u00fcnchen ", "value", "\ufeffM\u00fcnchen", "group", "*"]
        for level in (1, 2):
            parents = {record[0]: record[level] for record in records}
            for probe in probes:
                yield {"csv": text, "delimiter": delimiter, "header": header, "level": level, "value": probe,
                       "output": parents.get(probe)}


def main():
    document = {
        "about": "known answers for `generalize`; null: an error of the value; made by generalize_vectors.py",
        "dates": list(dates()), "ages": list(ages()), "widths": list(widths()), "float_widths": list(float_widths()),
        "buckets": list(buckets()), "prefixes": list(prefixes()), "hierarchies": list(hierarchies()),
    }
    lines = []
    for key, value in document.items():
        if isinstance(value, str):
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
        else:
            lines.append(f"{json.dumps(key)}: [\n" + ",\n".join(json.dumps(case) for case in value) + "\n]")
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
