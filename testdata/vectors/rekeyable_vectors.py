"""Known answers for `rekeyable`, by an implementation that shares no code with ours.

Run once, by hand, with Python 3.9 or later, standard library only:

    python rekeyable_vectors.py > rekeyable-v1.json

ristretto255 is written out from the text of RFC 9496 section 4 over Python's integers, expand_message_xmd from
RFC 9380 section 5.3.1 over hashlib, HKDF from RFC 5869 over hmac. Before it writes anything, the script checks itself
against rfc9496.json and rfc9380-xmd.json beside it.
"""

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path

# RFC 9496 section 4.1
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493
SQRT_M1 = pow(2, (P - 1) // 4, P)

# TOKENS.md section 3
TAG = b"lakeveil.v1.rekeyable"


def is_negative(x):
    return x % P & 1


def absolute(x):
    return -x % P if is_negative(x) else x % P


def sqrt_ratio_m1(u, v):
    """RFC 9496 section 4.2."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    correct = check == u % P
    flipped = check == -u % P
    flipped_i = check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        r = SQRT_M1 * r % P
    return correct or flipped, absolute(r)


# section 4.1 again: those that are roots, with the signs that the RFC prints
SQRT_AD_MINUS_ONE = P - sqrt_ratio_m1(-D - 1, 1)[1]
INVSQRT_A_MINUS_D = sqrt_ratio_m1(1, -1 - D)[1]
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P
assert SQRT_M1 == 19681161376707505956807079304988542015446066515923890162744021073123829784752
assert SQRT_AD_MINUS_ONE == 25063068953384623474111414158702152701244531502492656460079210482610430750235
assert INVSQRT_A_MINUS_D == 54469307008909316920995813868745141605393597292927456921205312896311721017578

IDENTITY = (0, 1)


def decode(encoding):
    """RFC 9496 section 4.3.1: a point (x, y) of the curve, or None."""
    s = int.from_bytes(encoding, "little")
    if s >= P or is_negative(s):
        return None
    ss = s * s % P
    u1, u2 = (1 - ss) % P, (1 + ss) % P
    u2_sqr = u2 * u2 % P
    v = (-(D * u1 * u1) - u2_sqr) % P
    was_square, invsqrt = sqrt_ratio_m1(1, v * u2_sqr)
    den_x = invsqrt * u2 % P
    den_y = invsqrt * den_x * v % P
    x = absolute(2 * s * den_x)
    y = u1 * den_y % P
    if not was_square or is_negative(x * y) or y == 0:
        return None
    return x, y


def encode(point):
    """RFC 9496 section 4.3.2, with z0 = 1."""
    x0, y0, z0 = *point, 1
    t0 = x0 * y0 % P
    u1 = (z0 + y0) * (z0 - y0) % P
    u2 = x0 * y0 % P
    _, invsqrt = sqrt_ratio_m1(1, u1 * u2 * u2)
    den1, den2 = invsqrt * u1 % P, invsqrt * u2 % P
    z_inv = den1 * den2 * t0 % P
    if is_negative(t0 * z_inv):
        x, y, den_inv = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    else:
        x, y, den_inv = x0, y0, den2
    if is_negative(x * z_inv):
        y = -y % P
    return absolute(den_inv * (z0 - y)).to_bytes(32, "little")


def add(one, two):
    """The curve's own law, -x^2 + y^2 = 1 + d x^2 y^2, affine."""
    (x1, y1), (x2, y2) = one, two
    t = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + y1 * x2) * pow(1 + t, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P
    return x, y


def multiply(scalar, point):
    total = IDENTITY
    for bit in bin(scalar)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def map_to_point(t):
    """RFC 9496 section 4.3.4, MAP."""
    r = SQRT_M1 * t * t % P
    u = (r + 1) * ONE_MINUS_D_SQ % P
    v = (-1 - r * D) * (r + D) % P
    was_square, s = sqrt_ratio_m1(u, v)
    if was_square:
        c = -1
    else:
        s, c = -absolute(s * t) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P
    w2, w3 = (1 - s * s) % P, (1 + s * s) % P
    # (w0*w3, w2*w1, w1*w3, w0*w2) as affine coordinates
    z_inv = pow(w1 * w3, -1, P)
    return w0 * w3 * z_inv % P, w2 * w1 * z_inv % P


def element(uniform):
    """RFC 9496 section 4.3.4."""
    halves = [int.from_bytes(half, "little") % 2**255 % P for half in (uniform[:32], uniform[32:])]
    return add(*map(map_to_point, halves))


def expand_message_xmd(name, message, tag, length):
    """RFC 9380 section 5.3.1."""

    def digest(data):
        return hashlib.new(name, data).digest()

    if len(tag) > 255:
        tag = digest(b"H2C-OVERSIZE-DST-" + tag)
    tag += bytes([len(tag)])
    first = digest(bytes(hashlib.new(name).block_size) + message + length.to_bytes(2, "big") + b"\0" + tag)
    blocks = [digest(first + b"\1" + tag)]
    while len(b"".join(blocks)) < length:
        mixed = bytes(a ^ b for a, b in zip(first, blocks[-1]))
        blocks.append(digest(mixed + bytes([len(blocks) + 1]) + tag))
    return b"".join(blocks)[:length]


def hkdf_sha256(ikm, salt, info, length):
    """RFC 5869."""
    prk = hmac.new(salt, ikm, hashlib.sha256).digest()
    out, block = b"", b""
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256).digest()
        out += block
    return out[:length]


def frame(text):
    return len(text.encode()).to_bytes(4, "big") + text.encode()


def key(root, domain, tenant):
    subkey = hkdf_sha256(root, b"lakeveil.v1", frame("rekeyable") + frame(domain) + frame(tenant), 64)
    scalar = int.from_bytes(subkey, "little") % ORDER
    assert scalar
    return scalar


def token(scalar, canonical):
    return encode(multiply(scalar, element(expand_message_xmd("sha512", canonical, TAG, 64))))


def base32(data):
    return base64.b32encode(data).decode().rstrip("=").lower()


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


ENCODINGS = {"base64url": base64url, "hex": bytes.hex, "base32": base32, "binary": bytes.hex}


def check():
    """Against the RFCs' own vectors."""
    here = Path(__file__).parent
    ristretto = json.loads((here / "rfc9496.json").read_text())
    generator = decode(bytes.fromhex(ristretto["multiples"][1]["hex"]))
    for case in ristretto["multiples"]:
        assert encode(multiply(case["factor"], generator)).hex() == case["hex"], case
        assert encode(decode(bytes.fromhex(case["hex"]))).hex() == case["hex"], case
    for case in ristretto["invalid"]:
        assert decode(bytes.fromhex(case["hex"])) is None, case
    for case in ristretto["uniform"]:
        assert encode(element(bytes.fromhex(case["bytes_hex"]))).hex() == case["hex"], case
    assert encode(multiply(ORDER, generator)) == bytes(32)
    for case in json.loads((here / "rfc9380-xmd.json").read_text())["cases"]:
        name = {"SHA-256": "sha256", "SHA-512": "sha512"}[case["hash"]]
        expected = bytes.fromhex(case["uniform_bytes_hex"])
        made = expand_message_xmd(name, case["message"].encode(), case["dst"].encode(), len(expected))
        assert made == expected, case


ROOTS = [bytes(range(32)), hashlib.sha256(b"rekeyable, second root").digest(), b"a text of a secret, 26 long"]
VALUES = [
    "",
    "42",
    "alice@example.com",
    "Zoë Müller",
    "Zoe\u0308 Mu\u0308ller",
    "\u0301",
    "\0",
    "\u202eright to left\u202c \u0645\u0631\u062d\u0628\u0627",
    "\U0001f469\u200d\U0001f52c",
    "2026-11-22T00:00:00Z",
    "x" * 127,
    "x" * 128,
    "ü" * 300,
]


def main():
    check()
    tokens, moves = [], []
    spaces = [(ROOTS[0], "users", ""), (ROOTS[0], "users", "t1"), (ROOTS[1], "users/eu%2Fwest", "ä"), (ROOTS[2], "d", "")]
    for root, domain, tenant in spaces:
        scalar = key(root, domain, tenant)
        for i, value in enumerate(VALUES):
            made = token(scalar, value.encode())
            names = list(ENCODINGS) if i < 3 else [list(ENCODINGS)[i % 4]]
            for name in names:
                tokens.append({
                    "root_hex": root.hex(),
                    "domain": domain,
                    "tenant": tenant,
                    "canonical_utf8": value,
                    "encoding": name,
                    "token": ENCODINGS[name](made),
                })
    for old, new in [(spaces[0], (ROOTS[1], "users", "")), (spaces[1], spaces[2]), (spaces[3], spaces[3])]:
        old_key, new_key = key(*old), key(*new)
        delta = new_key * pow(old_key, -1, ORDER) % ORDER
        for value in VALUES[:4]:
            before, after = token(old_key, value.encode()), token(new_key, value.encode())
            assert encode(multiply(delta, decode(before))) == after
            moves.append({
                "old": dict(zip(["root_hex", "domain", "tenant"], [old[0].hex(), *old[1:]])),
                "new": dict(zip(["root_hex", "domain", "tenant"], [new[0].hex(), *new[1:]])),
                "delta_hex": delta.to_bytes(32, "little").hex(),
                "canonical_utf8": value,
                "old_token_hex": before.hex(),
                "new_token_hex": after.hex(),
            })
    zeros = [0, ORDER, ORDER << 250]
    document = {
        "source": "rekeyable_vectors.py beside this file, which checks itself against RFC 9496 appendix A and RFC 9380 "
        "appendix K",
        "tokens": tokens,
        "moves": moves,
        "zero_subkeys_hex": [zero.to_bytes(64, "little").hex() for zero in zeros],
    }
    json.dump(document, sys.stdout, indent=1, ensure_ascii=True)
    print()


if __name__ == "__main__":
    main()
