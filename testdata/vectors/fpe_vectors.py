"""Known answers for `fpe`, by an implementation that shares no code with ours.

Run once, by hand, with Python 3.11:

    pip install cryptography==48.0.0
    python fpe_vectors.py > fpe-v1.json

FF1 is written out here from NIST SP 800-38G, section 6.2, in exact integers (step 3 too), on the AES of the package;
it is checked against NIST's samples, which lie beside this file. HKDF is written out from RFC 5869 on the standard
library. The forms (separators, numbers, Luhn, IBAN) are written out from TOKENS.md section 3.
"""

import hashlib
import hmac
import json
import pathlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class Refused(Exception):
    """An error of the value."""


# FF1: NIST SP 800-38G


def aes(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def prf(key, message):
    state = bytes(16)
    for at in range(0, len(message), 16):
        state = aes(key, bytes(a ^ b for a, b in zip(state, message[at : at + 16])))
    return state


def num(numerals, radix):
    number = 0
    for numeral in numerals:
        number = number * radix + numeral
    return number


def string(number, length, radix):
    numerals = [0] * length
    for at in reversed(range(length)):
        number, numerals[at] = divmod(number, radix)
    return numerals


def ff1(key, radix, tweak, numerals):
    assert all(0 <= numeral < radix for numeral in numerals)
    n, t = len(numerals), len(tweak)
    u = n // 2
    v = n - u
    a, b_half = numerals[:u], numerals[u:]
    b = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * ((b + 3) // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in range(10):
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i]) + num(b_half, radix).to_bytes(b, "big")
        r = prf(key, p + q)
        s = r
        for j in range(1, (d + 15) // 16):
            s += aes(key, bytes(x ^ y for x, y in zip(r, j.to_bytes(16, "big"))))
        y = int.from_bytes(s[:d], "big")
        m = u if i % 2 == 0 else v
        c = string((num(a, radix) + y) % radix**m, m, radix)
        a, b_half = b_half, c
    return a + b_half


def check_samples():
    file = pathlib.Path(__file__).with_name("ff1-nist.json")
    for case in json.loads(file.read_text())["cases"]:
        plaintext, ciphertext = ([int(digit, 36) for digit in case[name]] for name in ("plaintext", "ciphertext"))
        key, tweak = bytes.fromhex(case["key"]), bytes.fromhex(case["tweak"])
        assert ff1(key, case["radix"], tweak, plaintext) == ciphertext, case["sample"]


# TOKENS.md


def frame(data):
    return len(data).to_bytes(4, "big") + data


def subkey(root, domain, tenant):
    info = b"".join(frame(part.encode()) for part in ("fpe", domain, tenant))
    prk = hmac.new(b"lakeveil.v1", root, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def encrypt(key, radix, tweak, numerals):
    if len(numerals) > 256 or radix ** len(numerals) < 1_000_000:
        raise Refused
    return ff1(key, radix, tweak, numerals)


DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"
NAMED = {
    "digits": DIGITS,
    "lower": LOWER,
    "upper": LOWER.upper(),
    "alphanumeric": DIGITS + LOWER.upper() + LOWER,
    "hex": "0123456789abcdef",
}
SEPARATORS = " -./()+:"


def luhn_valid(digits):
    total = 0
    for at, digit in enumerate(reversed(digits)):
        total += digit if at % 2 == 0 else sum(divmod(2 * digit, 10))
    return total % 10 == 0


def encrypt_text(key, tweak, alphabet, separators, value, luhn=False):
    numerals = []
    for character in value:
        if character in alphabet:
            numerals.append(alphabet.index(character))
        elif character not in separators:
            raise Refused
    if luhn:
        if not numerals or not luhn_valid(numerals):
            raise Refused
        body = encrypt(key, 10, frame(b"luhn") + frame(tweak), numerals[:-1])
        numerals = next(body + [last] for last in range(10) if luhn_valid(body + [last]))
    else:
        numerals = encrypt(key, len(alphabet), tweak, numerals)
    numerals = iter(numerals)
    return "".join(alphabet[next(numerals)] if character in alphabet else character for character in value)


def iban_number(iban):
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4]))


def encrypt_iban(key, tweak, value):
    iban = "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in value if c != " ")
    if not 5 <= len(iban) <= 34 or any(c not in NAMED["alphanumeric"][:36] for c in iban):
        raise Refused
    if any(c in DIGITS for c in iban[:2]) or any(c not in DIGITS for c in iban[2:4]):
        raise Refused
    if not 2 <= int(iban[2:4]) <= 98 or iban_number(iban) % 97 != 1:
        raise Refused
    digits = encrypt(key, 10, frame(b"iban") + frame(tweak), [int(c) for c in iban[4:] if c in DIGITS])
    digits = iter(digits)
    bban = "".join(str(next(digits)) if c in DIGITS else c for c in iban[4:])
    check = 98 - iban_number(iban[:2] + "00" + bban) % 97
    made = f"{iban[:2]}{check:02}{bban}"
    assert iban_number(made) % 97 == 1
    return made


INTEGERS = {f"{sign}nt{bits}": (sign == "I", bits) for sign in ("I", "UI") for bits in (8, 16, 32, 64)}


def encrypt_number(key, tweak, least, greatest, number):
    assert least <= number <= greatest
    digits = [int(digit) for digit in str(abs(number))]
    if len(digits) < 7:
        raise Refused
    while True:
        digits = encrypt(key, 10, tweak, digits)
        made = num(digits, 10) * (-1 if number < 0 else 1)
        if digits[0] != 0 and least <= made <= greatest:
            return made


def encrypt_integer(key, tweak, kind, value):
    signed, bits = INTEGERS[kind]
    least, greatest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return str(encrypt_number(key, tweak, least, greatest, int(value)))


def decimal_text(unscaled, scale):
    if scale <= 0:
        return str(unscaled * 10**-scale)
    sign, digits = "-" if unscaled < 0 else "", str(abs(unscaled)).rjust(scale + 1, "0")
    return (sign + digits[:-scale] + "." + digits[-scale:]).rstrip("0").rstrip(".")


def encrypt_decimal(key, tweak, precision, scale, unscaled):
    bound = 10**precision - 1
    return encrypt_number(key, tweak, -bound, bound, unscaled)


# cases

ROOTS = [bytes(range(32)), b"a secret of 16 b", bytes.fromhex("f5b165224a58b791df6af1d8303e61cdc4bb86c3d1c427103c344c4189eb2f1e")]
SCOPES = [("cards", ""), ("cards", "tenant-a"), ("usersé", "t")]
TWEAKS = [None, "a", "2026-11-22", "Zoë Ångström", "x" * 100]


def scopes():
    """Keys and tweaks in turn, for ever."""
    at = 0
    while True:
        root, (domain, tenant), tweak = ROOTS[at % 3], SCOPES[at // 2 % 3], TWEAKS[at % 5]
        head = {"root_hex": root.hex(), "domain": domain, "tenant": tenant}
        if tweak is not None:
            head["tweak"] = tweak
        yield head, subkey(root, domain, tenant), (tweak or "").encode()
        at += 1


SCOPE = scopes()


def case(encrypt_with, **what):
    head, key, tweak = next(SCOPE)
    try:
        return {**head, **what, "output": encrypt_with(key, tweak)}
    except Refused:
        return {**head, **what, "refused": True}


def text(value, alphabet=None, separators=None, luhn=False):
    what = {"checksum": "luhn"} if luhn else {}
    symbols = NAMED["digits"]
    if isinstance(alphabet, list):
        what["alphabet_range"], symbols = alphabet, "".join(map(chr, range(ord(alphabet[0]), ord(alphabet[1]) + 1)))
    elif alphabet is not None:
        what["alphabet"], symbols = alphabet, NAMED.get(alphabet, alphabet)
    if separators is not None:
        what["separators"] = separators
    stay = SEPARATORS if separators is None else separators
    return case(lambda key, tweak: encrypt_text(key, tweak, symbols, stay, value, luhn), input=value, **what)


def texts():
    yield from (text(value) for value in ["123456", "000000", "999999999", "4111111111111111", "+43 (0)1/555-0142:9.7"])
    yield from (text((DIGITS * 26)[:length]) for length in (19, 20, 55, 56, 57, 58, 100, 255, 256, 257))
    yield from (text(value) for value in ["", "12345", "1-2-3-4-5", "12345a", "１２３４５６", "123\u00a0456", "123456\n", "123,456"])
    yield from (text(value, "lower") for value in ["hello", "zzzzz", "abc-defg", "hell", "Hello", "a" * 40])
    yield from (text(value, "upper") for value in ["HELLO", "A.B.C.D.E", "HELLo"])
    yield from (text(value, "alphanumeric") for value in ["aB3z", "0000", "Zz9", "AT-4711/x", "ÄBCDE"])
    yield from (text(value, "hex") for value in ["deadbeef", "00:1a:2b:3c:4d:5e", "DEADBEEF", "f" * 64])
    yield text("01" * 10, "01")
    yield text("01" * 9 + "0", "01")
    yield text("1001101", "10", "")
    yield text("äöüäöüäöüäöüä", "äöü")
    yield text("äöüäöüäöüäöü", "äöü")
    yield text("a\u0301o\u0301 a\u0301o\u0301 \u0301\u0301aaoo\u0301aoa", "ao\u0301")
    yield text("🙂🙃🙂🙃🙂🙃🙂🙃🙂🙃🙂🙃🙂🙃🙂🙃🙂🙃🙂🙃", "🙃🙂")
    yield text("日本語", ["\u4e00", "\u9fff"])
    yield text("日", ["\u4e00", "\u9fff"])
    yield text("\u05d0\u05d1\u05d2\u05d3\u05d4", ["\u05d0", "\u05ea"], "")
    yield text("\0\x01\0\x01\0\x01\0", ["\0", "\x7f"], "")
    yield text("AB_12_CD", "ABCD12", "_")
    yield text("ABCD1212_ ABCD1212", "ABCD12", "_ ")
    yield text("1234.5678.90", "9876543210", ".")


def luhns():
    cards = ["4111111111111111", "4111-1111-1111-1111", "5500 0000 0000 0004", "340000000000009", "6011000000000004"]
    short = ["0000000", "1000009", "79927398713", "000000", "18", "0", ""]
    wrong = ["4111111111111112", "1111111", "4111 1111 1111 111a"]
    yield from (text(value, luhn=True) for value in cards + short + wrong)
    yield from (text("0" * length, luhn=True) for length in (256, 257, 258))
    yield text("8763-7431_22", separators="-_", luhn=True)


IBANS = [
    "GB29NWBK60161331926819",
    "gb29 nwbk 6016 1331 9268 19",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "MT84MALT011000012345MTLCAST001S",
    "NO9386011117947",
    "BR1800360305000010009795493C1",
    "LC55HEMM000100010012001200023015",
    "MU17BOMM0101101030300200000MUR",
    "AT611904300234573201",
    "SC18SSCB11010000000000001497USD",
]
NO_IBANS = ["", "GB29", "GB29NWBK60161331926810", "GB29-NWBK-6016", "29GBNWBK60161331926819", "GBX9NWBK60161331926819", "DE89370400440532013000\u00a0", "\u1e9e"]


def with_check(country, bban, check=None):
    check = check or f"{98 - iban_number(country + '00' + bban) % 97:02}"
    return country + check + bban


def ibans():
    odd = [with_check("XX", "12345ABC"), with_check("XX", "A1B2C3D4E5F6"), with_check("XX", "9" * 30), with_check("XX", "9" * 31)]
    # check digits that leave the remainder 1 as well, but that nobody makes: 00, 01 and 99
    beside = []
    for check, same in (("97", "00"), ("98", "01"), ("02", "99")):
        bban = next(str(bban) for bban in range(10**9, 10**9 + 10**4) if with_check("XX", str(bban))[2:4] == check)
        beside += [with_check("XX", bban, check), with_check("XX", bban, same)]
    for value in IBANS + NO_IBANS + odd + beside:
        yield case(lambda key, tweak: encrypt_iban(key, tweak, value), input=value)


def integers():
    for kind, (signed, bits) in INTEGERS.items():
        least, greatest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        some = {0, 1, -1, 42, 999_999, 1_000_000, -1_000_000, -999_999, 1_234_567, 9_999_999, 4_111_111_111_111_111, 10**9, 10**18, -(10**18), 10**19, least, greatest, least + 1, greatest - 1}
        for value in sorted(value for value in some if least <= value <= greatest):
            yield case(lambda key, tweak: encrypt_integer(key, tweak, kind, value), type=kind, input=str(value))


def decimals():
    for kind, precision, scale, values in [
        ("Decimal32", 9, 2, [1_234_567, -1_234_567, 999_999, 999_999_999, 1_000_000, 0]),
        ("Decimal64", 18, 4, [10**17, -(10**18) + 1, 12_345_678, 1_000_000_000]),
        ("Decimal64", 18, -3, [1_234_567, -9_999_999, 1]),
        ("Decimal128", 12, 2, [123_456_789_012, -4_200_000_000, 420_000, 10**11]),
        ("Decimal128", 38, 10, [10**38 - 1, -(10**37), 10**20]),
        ("Decimal128", 7, 7, [1_234_567, 9_999_999, -1_000_000]),
        ("Decimal256", 76, 0, [10**76 - 1, -(10**75), 10**40 + 7]),
        ("Decimal256", 76, 76, [10**75 + 1, 1_234_567]),
    ]:
        for unscaled in values:
            what = {"type": f"{kind}({precision}, {scale})", "input": decimal_text(unscaled, scale)}
            yield case(lambda key, tweak: decimal_text(encrypt_decimal(key, tweak, precision, scale, unscaled), scale), **what)


if __name__ == "__main__":
    check_samples()
    families = {"text": texts, "luhn": luhns, "iban": ibans, "integer": integers, "decimal": decimals}
    print('{\n  "source": "fpe_vectors.py",')
    blocks = []
    for name, cases in families.items():
        lines = ",\n".join("    " + json.dumps(case, ensure_ascii=True) for case in cases())
        blocks.append(f'  "{name}": [\n{lines}\n  ]')
    print(",\n".join(blocks) + "\n}")
