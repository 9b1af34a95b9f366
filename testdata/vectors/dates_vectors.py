"""Known answers for dates that move by whole days, by an implementation that shares no code with ours.

Run once, by hand, with Python 3.11, standard library only:

    python dates_vectors.py > dates-v1.json

`null` stands for what is an error of the value: a text that is not written exactly as the format would write it, a
date that does not exist, or one that leaves years 0001 to 9999, the years of `%y` (1969 to 2068), or the 64 bits of
its type.
"""

import datetime
import json

MONTHS = ("January February March April May June July August September October November December").split()
EPOCH = datetime.datetime(1970, 1, 1)
DAY = 86_400


def written(moment, form, fraction, zone):
    """`moment` in `form`. strftime is not used: it pads years by platform and months by locale."""
    fields = {
        "%%": "%",
        "%Y": f"{moment.year:04}",
        "%y": f"{moment.year % 100:02}",
        "%m": f"{moment.month:02}",
        "%-m": str(moment.month),
        "%b": MONTHS[moment.month - 1][:3],
        "%B": MONTHS[moment.month - 1],
        "%d": f"{moment.day:02}",
        "%-d": str(moment.day),
        "%j": f"{moment.timetuple().tm_yday:03}",
        "%H": f"{moment.hour:02}",
        "%M": f"{moment.minute:02}",
        "%S": f"{moment.second:02}",
        "%f": fraction,
        "%z": zone,
    }
    out, at = "", 0
    while at < len(form):
        name = next((name for name in fields if form.startswith(name, at)), None)
        out += fields[name] if name else form[at]
        at += len(name) if name else 1
    return out


def moved(moment, days):
    try:
        return moment + datetime.timedelta(days=days)
    except OverflowError:
        return None


FORMS = [
    "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%-m/%-d/%Y", "%-d.%-m.%Y", "%Y%m%d", "%d%m%y", "%y%j", "%Y-%j",
    "%d-%b-%Y", "%B %-d, %Y", "%-d %B %y", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z",
    "%H:%M %d/%m/%Y", "100%% %Y.%m.%d", "%Y\u5e74%m\u6708%d\u65e5", "am %d.%m.%Y um %H Uhr", "%S%M%H%d%m%Y", "%b%d%Y%f",
]
MOMENTS = [
    datetime.datetime(2026, 11, 28, 13, 5, 9), datetime.datetime(2024, 2, 29), datetime.datetime(2000, 2, 28, 23, 59, 59),
    datetime.datetime(1999, 12, 31, 0, 0, 1), datetime.datetime(1970, 1, 1), datetime.datetime(1969, 1, 1, 1, 1, 1),
    datetime.datetime(2068, 12, 31), datetime.datetime(1900, 3, 1), datetime.datetime(1, 1, 1),
    datetime.datetime(9999, 12, 31, 12, 0, 0), datetime.datetime(987, 5, 6, 7, 8, 9),
]
SHIFTS = [0, 1, -1, 30, -59, 365, -366, 36_500, -36_500]
FRACTIONS = ["5", "000", "120", "123456", "999999999", "000000001"]
ZONES = ["Z", "+00:00", "-0530", "+14:00"]


def texts():
    case = 0
    for form in FORMS:
        for moment in MOMENTS:
            if "%y" in form and not 1969 <= moment.year <= 2068:
                continue
            for turn in range(3):
                case += 1
                days = SHIFTS[(case + 4 * turn) % len(SHIFTS)]
                fraction, zone = FRACTIONS[case % len(FRACTIONS)], ZONES[case % len(ZONES)]
                text = written(moment, form, fraction, zone)
                later = moved(moment, days)
                if later is not None and "%y" in form and not 1969 <= later.year <= 2068:
                    later = None
                shifted = None if later is None else written(later, form, fraction, zone)
                yield {"format": form, "text": text, "days": days, "shifted": shifted}


# (format, texts that it would not have written)
REFUSED = [
    ("%Y-%m-%d", ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-1-1", "0000-01-01",
                  " 2026-01-01", "2026-01-01 ", "2026-01-01T00:00:00", "26-01-01", "+2026-01-01", "2026\u201301\u201301",
                  "\uff12\uff10\uff12\uff16-01-01", "2026-01-01\u0000", "2026/01/01", "\u0662\u0660\u0662\u0666-01-01"]),
    ("%-m/%-d/%Y", ["01/2/2026", "1/02/2026", "0/1/2026", "1/32/2026", "13/1/2026", "/1/2026", "1//2026", "2/29/2026"]),
    ("%d-%b-%Y", ["01-JAN-2026", "01-jan-2026", "01-Jann-2026", "01-Ja-2026", "31-Apr-2026", "01-M\u00e4r-2026"]),
    ("%B %-d, %Y", ["may 1, 2026", "Jan 1, 2026", "May 1,2026", "May 01, 2026", "Mayy 1, 2026"]),
    ("%Y-%j", ["2026-000", "2026-366", "2026-1", "2024-367", "0000-001"]),
    ("%Y-%m-%d %H:%M:%S.%f", ["2026-01-01 24:00:00.0", "2026-01-01 00:60:00.0", "2026-01-01 00:00:60.0",
                              "2026-01-01 00:00:00.", "2026-01-01 00:00:00.1234567890", "2026-01-01 00:00:00"]),
    ("%Y-%m-%dT%H:%M:%S%z", ["2026-01-01T00:00:00", "2026-01-01T00:00:00z", "2026-01-01T00:00:00+24:00",
                             "2026-01-01T00:00:00+01", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+1:00"]),
    ("%d%m%y", ["3101", "310226", "0101266", "01012026"]),
]


def typed():
    units = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    low, high = datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)
    first, last = (low - EPOCH).days, (high - EPOCH).days
    for days in [0, 1, -1, 19_000, first, first + 1, last, last - 30, -141_000, first - 1, last + 1, -2**31, 2**31 - 1]:
        for shift in SHIFTS:
            after = days + shift
            fits = first <= days <= last and first <= after <= last
            yield {"type": "date32", "value": days, "days": shift, "shifted": after if fits else None}
            if fits:
                yield {"type": "date64", "value": days * DAY * 1000, "days": shift, "shifted": after * DAY * 1000}
    for unit, per_second in units.items():
        values = [0, 1, -1, 1_764_335_109 * per_second + per_second // 3, first * DAY * per_second,
                  last * DAY * per_second + DAY * per_second - 1, first * DAY * per_second - 1,
                  (last + 1) * DAY * per_second, -2**63, 2**63 - 1, -2**63 + 10 * DAY * per_second]
        for value in values:
            if not -2**63 <= value < 2**63:
                continue
            for shift in SHIFTS:
                after = value + shift * DAY * per_second
                fits = all(first <= v // (DAY * per_second) <= last and -2**63 <= v < 2**63 for v in (value, after))
                yield {"type": unit, "value": value, "days": shift, "shifted": after if fits else None}


def main():
    refused = [{"format": form, "text": text, "days": 0, "shifted": None} for form, listed in REFUSED for text in listed]
    document = {
        "about": "known answers for dates moved by whole days; null: an error of the value; made by dates_vectors.py",
        "text": list(texts()) + refused,
        "typed": list(typed()),
    }
    lines = []
    for key, value in document.items():
        if isinstance(value, str):
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
        else:
            lines.append(f"{json.dumps(key)}: [\n" + ",\n".join(json.dumps(case) for case in value) + "\n]")
    print("{\n" + ",\n".join(lines) + "\n}")


main()
