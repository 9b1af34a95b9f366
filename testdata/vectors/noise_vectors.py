"""Known answers for `noise`, by an implementation that shares no code with ours.

Run once, by hand, with Python 3.11, standard library only:

    python noise_vectors.py > noise-v1.json

u(i) is as TOKENS.md and the documentation of `NoiseSpec` have it. The logarithm is not Python's, which is that of the C
library: it is FreeBSD's e_log.c written out in Python floats (IEEE 754 binary64, as Rust's f64), the algorithm that the
Rust crate libm follows. Each one used here is also computed to 60 digits with `decimal`, whose nearest f64 it must be
within one unit in the last place of; `log_off` counts those that are not the nearest.
"""

import hashlib
import hmac
import json
import math
import random
import struct
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 60
ROOTS = [bytes(range(32)), b"correct horse battery staple", b"\xff" * 64]
LOGS = {"all": 0, "off": 0}


def frame(s):
    return len(s).to_bytes(4, "big") + s


def subkey(root, purpose, domain, tenant):
    """HKDF-SHA256, RFC 5869, 32 bytes."""
    prk = hmac.new(b"lakeveil.v1", root, hashlib.sha256).digest()
    info = b"".join(frame(part.encode()) for part in (purpose, domain, tenant))
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def bits(x):
    return struct.unpack(">Q", struct.pack(">d", x))[0]


def from_bits(n):
    return struct.unpack(">d", struct.pack(">Q", n))[0]


def e_log(x):
    """FreeBSD's e_log.c for normal positive x."""
    ln2_hi, ln2_lo = from_bits(0x3FE62E42FEE00000), from_bits(0x3DEA39EF35793C76)
    lg = [None] + [
        from_bits(n)
        for n in (0x3FE5555555555593, 0x3FD999999997FA04, 0x3FD2492494229359, 0x3FCC71C51D8E78AF,
                  0x3FC7466496CB03DE, 0x3FC39A09D078C69F, 0x3FC2F112DF3E5244)
    ]
    if x == 1.0:
        return 0.0
    n = bits(x)
    high = (n >> 32) + 0x3FF00000 - 0x3FE6A09E
    k = float((high >> 20) - 0x3FF)
    f = from_bits((((high & 0xFFFFF) + 0x3FE6A09E) << 32) | (n & 0xFFFFFFFF)) - 1.0
    hfsq = 0.5 * f * f
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    t1 = w * (lg[2] + w * (lg[4] + w * lg[6]))
    t2 = z * (lg[1] + w * (lg[3] + w * (lg[5] + w * lg[7])))
    return s * (hfsq + (t2 + t1)) + k * ln2_lo - hfsq + f + k * ln2_hi


def log(x):
    made, nearest = e_log(x), float(Decimal(x).ln())
    LOGS["all"] += 1
    if made != nearest:
        LOGS["off"] += 1
        assert nearest in (math.nextafter(made, math.inf), math.nextafter(made, -math.inf)), x
    return made


def draw(key, row_id, law, size):
    def u(i):
        block = hmac.new(key, frame(row_id) + i.to_bytes(4, "big"), hashlib.sha256).digest()
        return math.ldexp(int.from_bytes(block[:8], "big") >> 11, -53)

    if law == "uniform":
        return (2.0 * u(0) - 1.0) * size
    i = 0
    while u(i) == 0.0:
        i += 1
    p = u(i) - 0.5
    m = size * log(1.0 - 2.0 * abs(p))
    return m if p < 0 else -m


def half_away(x):
    """To the nearest whole number, halves away from zero: exactly, by fractions."""
    exact = Fraction(x)
    whole = math.floor(abs(exact) + Fraction(1, 2))
    return -whole if exact < 0 else whole


def whole_sum(value, noise, scale, low, high, minimum, maximum):
    made = value + half_away(noise * float(f"1e{scale}"))
    if minimum is not None:
        made = max(made, math.ceil(Fraction(Decimal(repr(minimum))) * Fraction(10) ** scale))
    if maximum is not None:
        made = min(made, math.floor(Fraction(Decimal(repr(maximum))) * Fraction(10) ** scale))
    return made if low <= made <= high else None


INTEGERS = {f"Int{n}": (-(2 ** (n - 1)), 2 ** (n - 1) - 1) for n in (8, 16, 32, 64)}
INTEGERS |= {f"UInt{n}": (0, 2**n - 1) for n in (8, 16, 32, 64)}
DECIMALS = {"Decimal32": 9, "Decimal64": 18, "Decimal128": 38, "Decimal256": 76}
FLOATS = {"Float16": ">e", "Float32": ">f", "Float64": ">d"}


def rounded(code, x):
    try:
        return struct.unpack(code, struct.pack(code, x))[0]
    except OverflowError:
        return None


def float_sum(code, value, noise, most, minimum, maximum):
    # a value that no noise of this size changes is refused
    if rounded(code, value + most) == value == rounded(code, value - most):
        return None
    made = rounded(code, value + noise)
    # bounds are chosen so that the types hold them exactly
    if minimum is not None and made is not None:
        made = max(made, minimum)
    if maximum is not None and made is not None:
        made = min(made, maximum)
    return made


def main():
    rng = random.Random(53)
    cases = []

    def scope(nth):
        root = ROOTS[nth % len(ROOTS)]
        domain, tenant = ("amounts", "") if nth % 2 else (f"beträge/{nth}", "acme")
        law = "laplace" if nth % 4 < 2 else "uniform"
        row_id = rng.choice(["1", f"row {nth}", str(rng.getrandbits(64)), "łódź \u0000", "r" * 120])
        key = subkey(root, "noise", domain, tenant)
        return key, law, row_id, dict(root_hex=root.hex(), domain=domain, tenant=tenant, row_id_utf8=row_id, law=law)

    nth = 0
    for name, (low, high) in INTEGERS.items():
        for _ in range(40):
            nth += 1
            key, law, row_id, case = scope(nth)
            size = rng.choice([0.75, 1.0, 2.5, 10.0, 1000.0, 1e6, 1e17, 1e300])
            value = rng.choice([0, 1, low, high, rng.randint(low, high), rng.randint(-100, 100) if low else 7])
            minimum, maximum = rng.choice([(None, None), (0.5, None), (-3.5, 99.5), (None, 1e6)])
            made = whole_sum(value, draw(key, row_id.encode(), law, size), 0, low, high, minimum, maximum)
            result = None if made is None else str(made)
            cases.append(case | dict(size=size, type=name, value=str(value), min=minimum, max=maximum, result=result))
    for name, most in DECIMALS.items():
        for _ in range(40):
            nth += 1
            key, law, row_id, case = scope(nth)
            precision = rng.randint(1, most)
            scale = rng.randint(-2, precision)
            high = 10**precision - 1
            size = rng.choice([0.7, 3.0, 12.5, 1e3]) * 10.0 ** rng.choice([-scale, -scale, 0, 1, 3])
            # a size that rounds to nothing is refused before any value is seen
            if half_away(size * float(f"1e{scale}")) == 0:
                continue
            value = rng.choice([0, high, -high, rng.randint(-high, high), rng.randint(-high, high) // 1000])
            minimum, maximum = rng.choice([(None, None), (None, None), (0.1, None), (-0.29, None)])
            if minimum is not None and math.ceil(Fraction(Decimal(repr(minimum))) * Fraction(10) ** scale) > high:
                minimum = None
            made = whole_sum(value, draw(key, row_id.encode(), law, size), scale, -high, high, minimum, maximum)
            cases.append(case | dict(size=size, type=name, precision=precision, scale=scale, value=str(value),
                                     min=minimum, max=maximum, result=None if made is None else str(made)))
    for name, code in FLOATS.items():
        for _ in range(60):
            nth += 1
            key, law, row_id, case = scope(nth)
            size = rng.choice([0.125, 1.0, 3.0, 100.0, 0.1])
            value = rounded(code, rng.choice([0.0, -0.0, 1.5, rng.uniform(-1, 1), rng.uniform(-1000, 1000)]))
            minimum, maximum = rng.choice([(None, None), (0.0, None), (-64.0, 512.0)])
            most = size if law == "uniform" else -(size * log(2.0**-52))
            made = float_sum(code, value, draw(key, row_id.encode(), law, size), most, minimum, maximum)
            cases.append(case | dict(size=size, type=name, value=struct.pack(code, value).hex(), min=minimum,
                                     max=maximum, result=None if made is None else struct.pack(code, made).hex()))
    # noise alone, to its last bit
    for _ in range(200):
        nth += 1
        key, _, row_id, case = scope(nth)
        size = rng.choice([1.0, 3.0, 0.1])
        law = rng.choice(["laplace", "laplace", "laplace", "uniform"])
        made = draw(key, row_id.encode(), law, size)
        cases.append(case | dict(law=law, size=size, type="Float64", value=struct.pack(">d", 0.0).hex(), min=None,
                                 max=None, result=struct.pack(">d", made).hex()))
    # of many u, for the logarithm alone
    logs = [1.0 - 2.0 * abs(math.ldexp(rng.getrandbits(53), -53) - 0.5) for _ in range(2000)]
    logs = [x for x in logs + [2.0**-52, 1.0, 0.5, math.nextafter(1.0, 0.0), 3 * 2.0**-52] if x > 0]
    logs = [dict(x=f"{bits(x):016x}", ln=f"{bits(log(x)):016x}") for x in logs]
    many = hashlib.sha256()
    for step in range(1, 100_001):
        u = math.ldexp(step * 90_071_992_547 + step * step % 9_973, -53)
        many.update(struct.pack(">d", e_log(1.0 - 2.0 * abs(u - 0.5))))
    about = "known answers for noise; made by noise_vectors.py; floats and their results as big-endian bytes in hex"
    print('{"about": ' + json.dumps(about) + f',\n"log_off": {LOGS["off"]}, "log_all": {LOGS["all"]},')
    print(f'"digest_of_100000_logarithms": ["{many.hexdigest()}"],\n"cases": [')
    print(",\n".join(json.dumps(case, ensure_ascii=False) for case in cases))
    print('],\n"logarithms": [')
    print(",\n".join(json.dumps(case) for case in logs))
    print("]}")


if __name__ == "__main__":
    main()
