"""Known answers for the `normalize` steps, by implementations that share no code with ours.

Run once, by hand, with Python 3.11 (whose own case mappings are Unicode 14.0):

    pip install unicodedata2==18.0.0 idna==3.20 phonenumbers==9.0.42
    python normalize_vectors.py > normalize-v1.json

Oracles: trim, collapse_whitespace, digits: written out here. alphanumeric, nfc, nfkc: unicodedata2, Unicode 18.0.
lowercase, uppercase, casefold: Python's str, so only over characters that Unicode 14.0 had and that were not given a
new mapping since. email: the idna package, whose IDNA 2008 rules are stricter than UTS #46, so a case here is either
accepted by both or marked as what UTS #46 says. e164: phonenumbers, a port of libphonenumber by other authors.
"""

import hashlib
import json
import re
import sys
import unicodedata

import idna
import phonenumbers
import unicodedata2

assert unicodedata.unidata_version == "14.0.0" and unicodedata2.unidata_version == "18.0.0"

# PropList.txt, White_Space; immutable since Unicode 6.3
WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
WHITE_RUN = re.compile(f"[{WHITE}]+")


class Refused(Exception):
    """The step makes an error of the value."""


def email(value):
    local, at, domain = value.rpartition("@")
    if not (local and at and domain) or any(c in WHITE for c in value):
        raise Refused
    try:
        domain = idna.encode(domain, uts46=True, std3_rules=True, transitional=False).decode()
    except idna.IDNAError as error:
        raise Refused from error
    return f"{local}@{domain.removesuffix('.')}"


def e164(region):
    def step(value):
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException as error:
            raise Refused from error
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    return step


STEPS = {
    "trim": lambda s: s.strip(WHITE),
    "collapse_whitespace": lambda s: WHITE_RUN.sub(" ", s),
    "lowercase": str.lower,
    "uppercase": str.upper,
    "casefold": str.casefold,
    "nfc": lambda s: unicodedata2.normalize("NFC", s),
    "nfkc": lambda s: unicodedata2.normalize("NFKC", s),
    "digits": lambda s: "".join(c for c in s if c in "0123456789"),
    "alphanumeric": lambda s: "".join(c for c in s if unicodedata2.category(c)[0] in "LNM"),
    "email": email,
}


def apply(steps, value):
    """The value after all steps, or None for an error of the value."""
    for name in steps:
        step = e164(name[5:7]) if name.startswith("e164(") else STEPS[name]
        try:
            after = step(value)
        except Refused:
            return None
        if value and not after and name != "trim":
            return None
        value = after
    return value


# texts that every step of Unicode alone is tried on
TEXTS = [
    "", " ", "\u00a0", "abc", "ABC", "  Ada  Lovelace ", "\t\r\n\v\f\x85 a\u2028b\u2029c\u3000",
    "\u00a0a\u1680b\u2003c\u202fd\u205fe\u3000", "a\u200bb\u2060c\ufeff", "\x1ca\x1d\x1e\x1f", "a\u180eb",
    "Stra\u00dfe", "STRASSE", "\u1e9e", "\u0130stanbul", "I\u0307", "\u0131", "\u01c5\u01c6\u01c4", "\u0149", "\u0390",
    "\u039f\u0394\u039f\u03a3", "\u03a3", "\u0391\u03a3.", "\u0391\u03a3\u0391", "\u0391\u0301\u03a3\u0301", "A\u03a3'B", "\u03c2\u03c3",
    "\ufb01nance \ufb03 \ufb05 \ufb17", "\u1fb3 \u1fb7 \u1fbc \u1ffc", "\u0587", "\u13a0\u13f8\uab70", "\u10d0\u1c90", "\u212a\u212b\u2126",
    "Zo\u00eb", "Zoe\u0308", "e\u0323\u0302", "e\u0302\u0323", "a\u0301\u0327", "\u1e9b\u0323", "\u0344", "\u0958", "\u09c7\u09be",
    "\u1100\u1161\u11a8", "\uac01", "\uac00\u11a8", "\u2f868", "\ufa0e\ufa10", "\uf900", "\u0340\u0341",
    "\uff21\uff22\uff23\uff11\uff12\uff13", "\uff76\uff9e", "\u2460\u00bd\u00b2\u2075\u2163", "\u2100\u33a1", "\ufdfa", "\u3392", "\u1d2c\u02b0",
    "\u0661\u0662\u0663", "+1 (202) 555-0123", "12-34/56", "no digits", "\u0967\u0968", "\U0001d7d8\U0001d7d9",
    "\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd", "\u202eabc\u202c", "\u200f\u05d0\u200f", "\u061c\u0645", "\u0915\u094d\u200d\u0937", "\u0915\u094d\u200c\u0937",
    "O'Neill-Smith, Jr.", "a_b", "\u00b5", "\u00aa\u00ba", "\u20ac5", "\u0e01\u0e33", "\u0f71\u0f72", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001d400\U0001d586", "\U00010400\U00010428", "\U0001e900", "\U0002f800", "\u3042\u3099", "\u304c", "\u309b", "caf\u00e9\u0301", "\ufffd", "\x00a\x00",
]

CHAINS = [
    (["trim", "nfkc", "lowercase"], " \uff21nna@Example.com\u3000"),
    (["nfkc", "trim"], "\u00a8"),
    (["trim", "nfkc"], "\u00a8"),
    (["trim", "digits"], "  "),
    (["trim", "collapse_whitespace", "casefold"], " Marie \u00a0 STRASSE\t\u00df "),
    (["nfkc", "digits"], "\uff11\u0661\u00b2x"),
    (["casefold", "nfc"], "\u1e9b\u0323\u0130"),
    (["uppercase", "lowercase"], "\u00df\u0149\ufb00"),
    (["alphanumeric", "digits"], "ab-12"),
    (["alphanumeric", "digits"], "ab--"),
    (["trim", "email"], " a@B\u00fccher.example\n"),
    (["trim", "email"], "   "),
    (["trim", "e164(FR)"], " 01 23 45 67 89 "),
]

EMAILS = [
    "ada@example.com", "Ada.Lovelace+x@EXAMPLE.Com", "\"a@b\"@example.com", "a@b@example.com", "@example.com", "ada@", "@", "", "ada", "ada example.com",
    "a da@example.com", "ada@exam ple.com", "ada@example.com ", "ada@ex\u00a0ample.com", "ada@example.com\u3000",
    "ada@example.com.", "ada@example.com..", "ada@.example.com", "ada@example..com", "ada@.", "ada@\u3002",
    "ada@example\u3002com", "ada@example\uff0ecom", "ada@example\uff61com\u3002",
    "ada@b\u00fccher.example", "ada@B\u00dcCHER.example", "ada@bu\u0308cher.example", "ada@xn--bcher-kva.example", "ada@XN--BCHER-KVA.example",
    "ada@fa\u00df.example", "ada@FASS.example", "ada@\u03b2\u03cc\u03bb\u03bf\u03c2.com", "ada@\u03b2\u03cc\u03bb\u03bf\u03c3.com",
    "ada@\uff25\uff38\uff21\uff2d\uff30\uff2c\uff25.com", "ada@\u0dc1\u0dca\u200d\u0dbb\u0dd3.com", "ada@a\u200db.com", "ada@ex\u00adample.com",
    "ada@\u05d0\u05d1.example", "ada@\u0645\u062b\u0627\u0644.\u0625\u062e\u062a\u0628\u0627\u0631", "ada@a\u05d0.example", "ada@\u4f8b\u3048.\u30c6\u30b9\u30c8",
    "ada@ex_ample.com", "ada@-example.com", "ada@example-.com", "ada@[192.0.2.1]", "ada@192.0.2.1", "<ada@example.com>", "ada@example.com;", "ada@exa/mple.com",
    "ada@" + "a" * 63 + ".com", "ada@" + "a" * 64 + ".com", "ada@" + ".".join(["a" * 63] * 3 + ["b" * 61]), "ada@" + ".".join(["a" * 63] * 3 + ["b" * 62]),
    "ada@xn--a.com", "ada@xn--zzzzzzzzzz.com", "ada@localhost", "j\u00fcrgen@example.com", "ADA\u0130@example.com", "ada@\u0301a.com", "ada@a\ufffd.com",
]

# UTS #46 with the flags that we document says so, and IDNA 2008 forbids more (section 4.2.3.1 of RFC 5891: hyphens in
# places three and four; RFC 5892: symbols), so the oracle cannot tell
UTS46_ONLY = [
    ("ada@r3---sn.example.com", "ada@r3---sn.example.com"),
    ("ada@i\u2764.ws", "ada@xn--i-7iq.ws"),
]

PHONES = [
    ("GB", "020 7946 0958"), ("GB", "+44 20 7946 0958"), ("GB", "+44 (0) 20 7946 0958"), ("GB", "0044 20 7946 0958"), ("US", "011 44 20 7946 0958"),
    ("GB", "(020) 7946-0958"), ("GB", "07700 900123"), ("GB", "tel:+44-20-7946-0958"), ("GB", "Phone: 020 7946 0958"), ("GB", "020 7946 0958 ext. 12"),
    ("GB", "\uff10\uff12\uff10 \uff17\uff19\uff14\uff16 \uff10\uff19\uff15\uff18"), ("GB", "\uff0b44 20 7946 0958"), ("GB", "020\u00a07946\u00a00958"), ("GB", "+44\u200b20 7946 0958"),
    ("US", "(202) 555-0123"), ("US", "202.555.0123"), ("US", "1-202-555-0123"), ("US", "+1 202 555 0123 x34"), ("US", "1-800-FLOWERS"), ("US", "555-0123"),
    ("CA", "(416) 555-0123"), ("DE", "030 123456"), ("DE", "+49 30 123456"), ("DE", "0049 (30) 12 34 56"), ("DE", "0151 23456789"), ("DE", "0024101441234"),
    ("FR", "01 23 45 67 89"), ("FR", "+33 1 23 45 67 89"), ("FR", "0033 1 23 45 67 89"), ("IT", "02 3661 8300"), ("IT", "+39 02 36618300"), ("IT", "0039 0236618300"), ("IT", "345 678 9012"),
    ("AR", "011 15-8765-4321"), ("AR", "+54 9 11 8765-4321"), ("MX", "01 55 1234 5678"), ("MX", "+52 55 1234 5678"), ("BR", "(11) 96123-4567"), ("BR", "+55 11 96123 4567"),
    ("NZ", "03 331 6005"), ("NZ", "64(0)64123456"), ("AU", "(02) 9876 5432"), ("AU", "0011 64 3 331 6005"), ("JP", "03-1234-5678"), ("JP", "+81 3-1234-5678"), ("JP", "\uff10\uff13\u30fc1234\u30fc5678"),
    ("CN", "138 0013 8000"), ("IN", "098765 43210"), ("IN", "+91-98765-43210"), ("CH", "044 668 18 00"), ("AT", "01 5350"), ("ES", "912 345 678"), ("PL", "22 123 45 67"), ("RU", "8 (495) 123-45-67"),
    ("EG", "\u0660\u0662 \u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669"), ("IL", "03-123-4567"), ("NL", "020 123 4567"), ("SE", "08-123 456 78"), ("ZA", "011 123 4567"), ("KR", "02-312-3456"), ("SG", "6123 4567"),
    ("DE", "+3019290269867088"), ("YT", "022602"), ("US", "+800 1234 5678"), ("GB", "12345"), ("GB", "2024-01-01"),
    ("GB", ""), ("GB", " "), ("GB", "n/a"), ("GB", "1"), ("GB", "+"), ("GB", "ada@example.com"), ("GB", "+999 1234567"), ("GB", "1" * 18), ("GB", "0" * 300), ("US", "+44"),
]

# lower-case letters of Unicode 14.0 that a later version gave an upper-case partner
REMAPPED = {0x019B, 0x0264, 0x0277, 0x027C, 0xA7D3, 0xA7D5, 0xAB4B, 0xAB4C}


def case_ranges():
    """Runs of code points that Unicode 14.0 assigns, surrogates and REMAPPED left out, ends included."""
    runs = []
    for code in range(0x110000):
        if unicodedata.category(chr(code)) in ("Cn", "Cs") or code in REMAPPED:
            continue
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return runs


def digest(step, codes):
    """SHA-256 over be32(length) || UTF-8 of each output, ff ff ff ff for an error, of c and then of acb, for each c."""
    state = hashlib.sha256()
    for code in codes:
        for value in (chr(code), f"a{chr(code)}b"):
            output = apply([step], value)
            if output is None:
                state.update(b"\xff" * 4)
            else:
                encoded = output.encode()
                state.update(len(encoded).to_bytes(4, "big") + encoded)
    return state.hexdigest()


def main():
    cases = [([step], text, apply([step], text)) for step in STEPS if step != "email" for text in TEXTS]
    cases += [(steps, text, apply(steps, text)) for steps, text in CHAINS]
    cases += [(["email"], text, apply(["email"], text)) for text in EMAILS]
    cases += [(["email"], text, output) for text, output in UTS46_ONLY]
    cases += [([f"e164({region})"], text, apply([f"e164({region})"], text)) for region, text in PHONES]
    scalars = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    old = case_ranges()
    olds = [code for first, last in old for code in range(first, last + 1)]
    document = {
        "about": "known answers for the normalize steps; null: an error of the value; made by normalize_vectors.py",
        "versions": {
            "unicodedata2": "18.0.0",
            "python_str": unicodedata.unidata_version,
            "idna": idna.__version__,
            "phonenumbers": phonenumbers.__version__,
        },
        "digests_over_all_scalar_values": {
            step: digest(step, scalars)
            for step in ("trim", "collapse_whitespace", "nfc", "nfkc", "digits", "alphanumeric")
        },
        "digests_over_case_ranges": {step: digest(step, olds) for step in ("lowercase", "uppercase", "casefold")},
        "case_ranges": old,
        "cases": [{"steps": steps, "input": text, "output": output} for steps, text, output in cases],
    }
    lines = []
    for key, value in document.items():
        if key == "cases":
            rows = ",\n".join("    " + json.dumps(case, ensure_ascii=True) for case in value)
            lines.append(f'  "cases": [\n{rows}\n  ]')
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


main()
