"""Known answers for `scrub`, by implementations that share no code with ours.

Run once, by hand, with Python 3.11:

    pip install python-stdnum==2.2 phonenumbers==9.0.42
    python scrub_vectors.py > scrub-v1.json

valid, invalid: made at random from a fixed seed by the formulas written out here; each is then put to python-stdnum
(telephone numbers to phonenumbers, a port of libphonenumber by other authors), which must agree. published: examples
that the issuer or a standard prints, or that python-stdnum's documentation has. texts: put together from pieces, so
that what is to be replaced is known without a search; tokens by HKDF and HMAC of the standard library.
"""

import base64
import hashlib
import hmac
import json
import random
import unicodedata

import phonenumbers
import stdnum.br.cpf
import stdnum.ca.sin
import stdnum.de.idnr
import stdnum.dk.cpr
import stdnum.es.dni
import stdnum.es.nie
import stdnum.fi.hetu
import stdnum.fr.nir
import stdnum.gb.nhs
import stdnum.iban
import stdnum.in_.aadhaar
import stdnum.it.codicefiscale
import stdnum.luhn
import stdnum.nl.bsn
import stdnum.no.fodselsnummer
import stdnum.pl.pesel
import stdnum.se.personnummer
import stdnum.us.ssn

assert stdnum.__version__ == "2.2"
pick = random.Random("lakeveil scrub v1")
EACH = 40


def digits(count, first="0123456789"):
    return pick.choice(first) + "".join(pick.choice("0123456789") for _ in range(count - 1))


def groups(text, *lengths, by=" "):
    parts, at = [], 0
    for length in lengths:
        parts.append(text[at : at + length])
        at += length
    assert at == len(text)
    return by.join(parts)


def date(first_year=1920, last_year=2019):
    return pick.randint(first_year, last_year), pick.randint(1, 12), pick.randint(1, 28)


def dot(number, weights):
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def luhn_digit(number):
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return str(-total % 10)


# each maker gives a compact identifier, or None where the dice fell on one that has no check digit


def us_ssn():
    area = pick.choice([area for area in range(1, 900) if area != 666])
    return f"{area:03}{pick.randint(1, 99):02}{pick.randint(1, 9999):04}"


def uk_nhs():
    body = digits(9, "123456789")
    check = 11 - dot(body, range(10, 1, -1)) % 11
    return None if check == 10 else body + str(check % 11)


def de_steuer_id():
    body = list(pick.sample("0123456789", 10))
    gone = pick.sample(range(10), pick.choice([1, 2]))
    kept = pick.choice([place for place in range(10) if place not in gone])
    for place in gone:
        body[place] = body[kept]
    if body[0] == "0":
        return None
    return mod_11_10("".join(body))


def fr_nir():
    year, month, _ = date()
    place = pick.choice(["2A", "2B", f"{pick.randint(1, 95):02}"])
    body = f"{pick.choice('12')}{year % 100:02}{month:02}{place}{digits(3)}{digits(3)}"
    number = int(body.replace("2A", "19").replace("2B", "18") if place in ("2A", "2B") else body)
    return f"{body}{97 - number % 97:02}"


def es_dni():
    body = digits(8)
    return body + "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23]


def es_nie():
    first, body = pick.choice("XYZ"), digits(7)
    return first + body + "TRWAGMYFPDXBNJZSQVHLCKE"[int(f"{'XYZ'.index(first)}{body}") % 23]


def it_codice_fiscale():
    year, month, day = date()
    letters = lambda count: "".join(pick.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(count))
    day += pick.choice([0, 40])
    body = f"{letters(6)}{year % 100:02}{'ABCDEHLMPRST'[month - 1]}{day:02}{pick.choice('ABCDEFGHILMZ')}{digits(3)}"
    if pick.random() < 0.3:  # omocodia: the last digit, or the last two
        for place in (14, 13)[: pick.choice([1, 2])]:
            body = body[:place] + "LMNPQRSTUV"[int(body[place])] + body[place + 1 :]
    odd = dict(zip("0123456789", [1, 0, 5, 7, 9, 13, 15, 17, 19, 21]))
    odd |= dict(
        A=1, B=0, C=5, D=7, E=9, F=13, G=15, H=17, I=19, J=21, K=2, L=4, M=18, N=20, O=11, P=3, Q=6, R=8, S=12, T=14,
        U=16, V=10, W=22, X=25, Y=24, Z=23,
    )
    even = lambda c: int(c) if c.isdigit() else ord(c) - ord("A")
    total = sum(odd[c] if place % 2 else even(c) for place, c in enumerate(body, 1))
    return body + chr(ord("A") + total % 26)


def pl_pesel():
    year, month, day = date(1800, 2299)
    century = {1800: 80, 1900: 0, 2000: 20, 2100: 40, 2200: 60}[year // 100 * 100]
    body = f"{year % 100:02}{month + century:02}{day:02}{digits(4)}"
    return body + str(-dot(body, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)


def nl_bsn():
    body = digits(8)
    check = dot(body, range(9, 1, -1)) % 11
    return None if check == 10 else body + str(check)


def se_personnummer():
    year, month, day = date(1930, 2015)
    body = f"{year % 100:02}{month:02}{day:02}{digits(3)}"
    return f"{year // 100}{body}{luhn_digit(body)}"


def no_fodselsnummer():
    year, month, day = date(1940, 1999)
    body = f"{day + pick.choice([0, 40]):02}{month:02}{year % 100:02}{pick.randint(0, 499):03}"
    for weights in ([3, 7, 6, 1, 8, 9, 4, 5, 2], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]):
        check = -dot(body, weights) % 11
        if check == 10:
            return None
        body += str(check)
    return body


def fi_hetu():
    year, month, day = date(1850, 2022)
    sign = pick.choice({18: "+", 19: "-YXWVU", 20: "ABCDEF"}[year // 100])
    birth, serial = f"{day:02}{month:02}{year % 100:02}", f"{pick.randint(2, 899):03}"
    return f"{birth}{sign}{serial}" + "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(birth + serial) % 31]


def dk_cpr():
    year, month, day = date(1940, 1999)
    return f"{day:02}{month:02}{year % 100:02}{pick.randint(0, 3)}{digits(3)}"


def br_cpf():
    body = digits(9)
    for _ in range(2):
        remainder = dot(body, range(len(body) + 1, 1, -1)) % 11
        body += str(0 if remainder < 2 else 11 - remainder)
    return body


def in_aadhaar():
    body = digits(11, "23456789")
    # Verhoeff: the dihedral group as r^a s^b, a rotation and perhaps a reflection
    multiply = lambda x, y: (
        (x + y) % 5 if x < 5 and y < 5
        else (x + y - 5) % 5 + 5 if x < 5
        else (x - 5 - y) % 5 + 5 if y < 5
        else (x - y) % 5
    )
    step = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    def permuted(digit, times):
        for _ in range(times):
            digit = step[digit]
        return digit
    for check in range(10):
        product = 0
        for place, digit in enumerate(reversed(body + str(check))):
            product = multiply(product, permuted(int(digit), place % 8))
        if product == 0:
            return body + str(check)
    raise AssertionError


def ca_sin():
    body = digits(8, "12345679")
    return body + luhn_digit(body)


def card():
    prefix, length = pick.choice(
        [("4", 16), ("4", 13), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15),
         ("300", 14), ("3095", 14), ("36", 14), ("38", 14), ("6011", 16), ("644", 16), ("65", 16), ("622126", 16),
         ("3528", 16), ("3589", 16), ("62", 19), ("5018", 16), ("6759", 16), ("2200", 16), ("81", 16), ("9792", 16)]
    )
    body = prefix + digits(length - 1 - len(prefix))
    return body + luhn_digit(body)


IBANS = {  # country: BBAN as a picture; 0 a digit, A a letter, X either
    "DE": "0" * 18, "GB": "AAAA" + "0" * 14, "FR": "0" * 10 + "X" * 11 + "00", "NL": "AAAA" + "0" * 10,
    "NO": "0" * 11, "BE": "0" * 12, "MT": "AAAA00000" + "X" * 18, "PL": "0" * 24, "CH": "00000" + "X" * 12,
    "ES": "0" * 20, "IT": "A0000000000" + "X" * 12, "SE": "0" * 20, "AT": "0" * 16, "LC": "AAAA" + "X" * 24,
    "SA": "00" + "X" * 18, "TR": "000000" + "X" * 16, "KZ": "000" + "X" * 13, "RU": "0" * 14 + "X" * 15,
}  # fmt: skip


def iban():
    country, picture = pick.choice(list(IBANS.items()))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    of = {"0": "0123456789", "A": letters, "X": "0123456789" + letters}
    bban = "".join(pick.choice(of[c]) for c in picture)
    number = int("".join(str(int(c, 36)) for c in bban + country + "00"))
    return f"{country}{98 - number % 97:02}{bban}"


# how each is written, and who says whether it is one
WRITTEN = {
    "us_ssn": (us_ssn, [lambda n: groups(n, 3, 2, 4, by="-"), lambda n: groups(n, 3, 2, 4)], stdnum.us.ssn),
    "uk_nhs": (uk_nhs, [str, lambda n: groups(n, 3, 3, 4), lambda n: groups(n, 3, 3, 4, by="-")], stdnum.gb.nhs),
    "de_steuer_id": (de_steuer_id, [str, lambda n: groups(n, 2, 3, 3, 3)], stdnum.de.idnr),
    "fr_nir": (
        fr_nir,
        [str, lambda n: groups(n, 1, 2, 2, 2, 3, 3, 2), lambda n: groups(n, 13, 2),
         lambda n: groups(n, 1, 2, 2, 2, 3, 3, 2, by="\u00a0")],
        stdnum.fr.nir,
    ),
    "es_dni": (es_dni, [str, lambda n: groups(n, 8, 1, by="-"), str.lower], stdnum.es.dni),
    "es_nie": (es_nie, [str, lambda n: groups(n, 1, 7, 1, by="-")], stdnum.es.nie),
    "it_codice_fiscale": (it_codice_fiscale, [str, str.lower], stdnum.it.codicefiscale),
    "pl_pesel": (pl_pesel, [str], stdnum.pl.pesel),
    "nl_bsn": (nl_bsn, [str, lambda n: groups(n, 4, 2, 3, by="."), lambda n: groups(n, 3, 3, 3)], stdnum.nl.bsn),
    "se_personnummer": (
        se_personnummer,
        [str, lambda n: groups(n, 8, 4, by="-"), lambda n: n[2:], lambda n: groups(n[2:], 6, 4, by="-")],
        stdnum.se.personnummer,
    ),
    "no_fodselsnummer": (no_fodselsnummer, [str, lambda n: groups(n, 6, 5)], stdnum.no.fodselsnummer),
    "fi_hetu": (fi_hetu, [str, str.lower], stdnum.fi.hetu),
    "dk_cpr": (dk_cpr, [lambda n: groups(n, 6, 4, by="-")], stdnum.dk.cpr),
    "br_cpf": (br_cpf, [str, lambda n: f"{n[:3]}.{n[3:6]}.{n[6:9]}-{n[9:]}"], stdnum.br.cpf),
    "in_aadhaar": (in_aadhaar, [str, lambda n: groups(n, 4, 4, 4), lambda n: groups(n, 4, 4, 4, by="-")], stdnum.in_.aadhaar),
    "ca_sin": (ca_sin, [str, lambda n: groups(n, 3, 3, 3), lambda n: groups(n, 3, 3, 3, by="-")], stdnum.ca.sin),
    "card": (
        card,
        [str, lambda n: groups(n, 4, 4, 4, len(n) - 12), lambda n: groups(n, 4, 4, 4, len(n) - 12, by="-")],
        stdnum.luhn,
    ),
    "iban": (
        iban,
        [str, lambda n: " ".join(n[at : at + 4] for at in range(0, len(n), 4)), str.lower],
        stdnum.iban,
    ),
}  # fmt: skip


def agrees(checker, text):
    text = text.replace("\u00a0", " ")
    if checker is stdnum.us.ssn:
        text = text.replace(" ", "-")
    if checker is stdnum.luhn:
        text = text.replace(" ", "").replace("-", "")
    if checker is stdnum.iban:
        return checker.is_valid(text, check_country=False)
    return checker.is_valid(text)


def made(kind):
    maker, forms, checker = WRITTEN[kind]
    valid, invalid = [], []
    while len(valid) < EACH:
        compact = maker()
        if compact is None or (kind == "card" and len(compact) == 13 and len(valid) % 3):
            continue
        text = forms[len(valid) % len(forms)](compact)
        assert agrees(checker, text), (kind, text)
        valid.append(text)
    while len(invalid) < EACH:
        compact = maker()
        if compact is None:
            continue
        # one digit wrong, or one letter of those that have no digit left: mostly no valid identifier
        places = [place for place, c in enumerate(compact) if c.isdigit()]
        place = pick.choice(places)
        wrong = compact[:place] + str((int(compact[place]) + pick.randint(1, 9)) % 10) + compact[place + 1 :]
        text = forms[len(invalid) % len(forms)](wrong)
        if not agrees(checker, text):
            invalid.append(text)
    return valid, invalid


def mod_11_10(body):
    product = 10
    for digit in body:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return body + str((11 - product) % 10)


def norwegian(days):
    """Of each day the first numbers that have check digits."""
    for day in days:
        for serial in range(100, 200):
            body = f"{day}{serial}"
            for weights in ([3, 7, 6, 1, 8, 9, 4, 5, 2], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]):
                body += str(-dot(body, weights) % 11)
            if len(body) == 11:
                break
        yield body


def phones():
    """International numbers of every region that has an example, in each way of writing them."""
    valid, formats = [], phonenumbers.PhoneNumberFormat
    for place, region in enumerate(sorted(phonenumbers.SUPPORTED_REGIONS)):
        number = phonenumbers.example_number(region)
        text = phonenumbers.format_number(number, formats.E164 if place % 2 else formats.INTERNATIONAL)
        reason = phonenumbers.is_possible_number_with_reason(number)
        if 8 <= sum(c.isdigit() for c in text) <= 15 and reason == phonenumbers.ValidationResult.IS_POSSIBLE:
            valid.append(text)
    invalid = ["+12125550", "+1 212 555", "+999 123 456 789", "+0 123 456 7890", "+123456789012345678"]
    for text in invalid:
        try:
            reason = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(text))
        except phonenumbers.NumberParseException:
            continue
        assert reason != phonenumbers.ValidationResult.IS_POSSIBLE, text
    return valid, invalid


PUBLISHED = [
    ("us_ssn", "078-05-1120", "SSA, Social Security Cards Issued by Woolworth"),
    ("us_ssn", "536-90-4399", "python-stdnum, us.ssn"),
    ("uk_nhs", "943 476 5919", "Wikipedia, NHS number"),
    ("uk_nhs", "401 023 2137", "NHS Data Dictionary, NHS NUMBER"),
    ("de_steuer_id", "86095742719", "ELSTER, Prüfung der Steuer- und Steueridentifikationsnummer"),
    ("de_steuer_id", "47036892816", "ELSTER, Prüfung der Steuer- und Steueridentifikationsnummer"),
    ("de_steuer_id", "65929970489", "ELSTER, Prüfung der Steuer- und Steueridentifikationsnummer"),
    ("fr_nir", "2 69 05 49 588 157 80", "carte Vitale, specimen"),
    ("fr_nir", "2 55 08 14 168 025 38", "carte Vitale, specimen"),
    ("fr_nir", "253072B07300470", "python-stdnum, fr.nir"),
    ("es_dni", "12345678Z", "Ministerio del Interior, cálculo del dígito de control del NIF/NIE"),
    ("es_dni", "99999999R", "Ministerio del Interior, DNI electrónico, specimen"),
    ("es_nie", "X1234567L", "Ministerio del Interior, NIE, specimen"),
    ("it_codice_fiscale", "RSSMRA85T10A562S", "Agenzia delle Entrate, example of Rossi Mario"),
    ("it_codice_fiscale", "MRTMTT25D09F205Z", "Wikipedia, Codice fiscale"),
    ("pl_pesel", "02070803628", "gov.pl, Czym jest numer PESEL"),
    ("pl_pesel", "44051401359", "Wikipedia, PESEL"),
    ("nl_bsn", "111222333", "python-stdnum, nl.bsn"),
    ("nl_bsn", "999990019", "Test-BSN of the Dutch tax and care chains"),
    ("se_personnummer", "640823-3234", "Skatteverket, SKV 704, worked example"),
    ("se_personnummer", "701063-2391", "Skatteverket, samordningsnummer, worked example"),
    ("se_personnummer", "811218-9876", "Wikipedia, Personnummer"),
    ("no_fodselsnummer", "151086 95088", "python-stdnum, no.fodselsnummer"),
    ("fi_hetu", "131052-308T", "Digital and Population Data Services Agency, the personal identity code"),
    ("dk_cpr", "070761-4285", "CPR-kontoret, Personnummeret i CPR, worked example"),
    ("br_cpf", "390.533.447-05", "python-stdnum, br.cpf"),
    ("br_cpf", "111.444.777-35", "Receita Federal's rule, as commonly worked through"),
    ("in_aadhaar", "9999 4105 7058", "UIDAI, Aadhaar Authentication API, test data"),
    ("ca_sin", "046 454 286", "Wikipedia, Social insurance number, worked example"),
    ("card", "4242 4242 4242 4242", "Stripe, test cards"),
    ("card", "5555555555554444", "Stripe, test cards"),
    ("card", "3782 822463 10005", "Stripe, test cards"),
    ("card", "6011-1111-1111-1117", "Stripe, test cards"),
    ("card", "3056 930009 0200 04", "Stripe, test cards"),
    ("card", "36227206271667", "Stripe, test cards"),
    ("card", "3566002020360505", "Stripe, test cards"),
    ("card", "6200000000000005", "Stripe, test cards"),
    ("card", "2223003122003222", "Stripe, test cards"),
    ("iban", "DE89 3704 0044 0532 0130 00", "SWIFT IBAN registry"),
    ("iban", "GB29 NWBK 6016 1331 9268 19", "SWIFT IBAN registry"),
    ("iban", "MT84MALT011000012345MTLCAST001S", "SWIFT IBAN registry"),
    ("iban", "NO9386011117947", "SWIFT IBAN registry"),
    ("iban", "FR1420041010050500013M02606", "SWIFT IBAN registry"),
    ("iban", "LC55HEMM000100010012001200023015", "SWIFT IBAN registry"),
    ("iban", "SC18SSCB11010000000000001497USD", "SWIFT IBAN registry"),
    ("phone", "+1 (212) 555-0142", "NANPA, 555-0100 to 555-0199 for fiction"),
    ("phone", "+44 7700 900123", "Ofcom, telephone numbers for drama use"),
    ("phone", "(212) 555-0142", "NANPA, 555-0100 to 555-0199 for fiction"),
    ("phone", "1-800-555-0199", "NANPA, 555-0100 to 555-0199 for fiction"),
    ("ip", "192.0.2.1", "RFC 5737"),
    ("ip", "2001:db8::1", "RFC 3849"),
    ("ip", "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "RFC 4291 section 2.2"),
    ("ip", "2001:DB8::8:800:200C:417A", "RFC 4291 section 2.2"),
    ("ip", "FF01::101", "RFC 4291 section 2.2"),
    ("ip", "::1", "RFC 4291 section 2.2"),
    ("ip", "::13.1.68.3", "RFC 4291 section 2.2"),
    ("ip", "::FFFF:129.144.52.38", "RFC 4291 section 2.2"),
    ("email", "jdoe@machine.example", "RFC 5322 appendix A.1.1"),
    ("email", "john.q.public@example.com", "RFC 5322 appendix A.1.2"),
    ("email", "one@y.test", "RFC 5322 appendix A.1.2"),
    ("email", "sysservices@example.net", "RFC 5322 appendix A.1.2"),
    ("email", "user+mailbox@example.com", "RFC 3696 section 3"),
    ("email", "customer&department@example.com", "RFC 3696 section 3, its / as &"),
    ("api_key", "AKIAIOSFODNN7EXAMPLE", "AWS IAM user guide"),
    ("api_key", "ASIAIOSFODNN7EXAMPLE", "AWS STS API reference"),
    (
        "jwt",
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "RFC 7519 section 3.1",
    ),
    (
        "jwt",
        "eyJhbGciOiJub25lIn0"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
        "RFC 7519 section 6.1",
    ),
    (
        "jwt",
        "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.6KB707dM9YTIgHtLvtgWQ8mKwboJW3of9locizkDTHzBC2IlrT1oOQ"
        ".AxY8DCtDaGlsbGljb3RoZQ.KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY.U0m_YmjN04DJvceFICbCVQ",
        "RFC 7516 appendix A.3",
    ),
]

# forms of keys, by hand: letters and digits that are no one's
ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def chars(count):
    return "".join(pick.choice(ALPHANUMERIC) for _ in range(count - 1)) + "7"


def keys():
    upper = lambda count: "".join(pick.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(count))
    valid = [f"{prefix}{upper(16)}" for prefix in ("AKIA", "ASIA")]
    valid += [f"{prefix}_{chars(36)}" for prefix in ("ghp", "gho", "ghu", "ghs", "ghr", "npm")]
    valid += [f"github_pat_{chars(22)}_{chars(59)}", f"xoxb-{digits(12)}-{digits(12)}-{chars(24)}"]
    valid += [f"xoxp-{digits(12)}-{chars(24)}", f"sk_live_{chars(24)}", f"rk_live_{chars(24)}", f"AIza{chars(35)}"]
    valid += [f"sk-{chars(48)}", f"sk-proj-{chars(64)}", f"pypi-AgEIcHlwaS5vcmc{chars(150)}"]
    valid += [f"SG.{chars(22)}.{chars(43)}", f"glpat-{chars(20)}"]
    body = base64.encodebytes(hashlib.sha512(b"no key").digest() * 3).decode()
    for label in ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"):
        valid.append(f"-----BEGIN {label}-----\n{body}-----END {label}-----")
    invalid = [f"AKIA{upper(15)}", f"AKIA{upper(17)}", f"xAKIA{upper(16)}", f"ghp_{chars(35)}", "sk-learn-in-ten-lessons-of-one"]
    invalid += [f"task-{chars(48)}", f"SG.{chars(21)}.{chars(43)}", f"AIza{chars(34)}", f"npm_{chars(20)}", "xoxo-love"]
    invalid += ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----", "pypi-server-url"]
    # in two halves, so that no search for leaked keys finds these
    half = lambda key: [key[: len(key) // 2], key[len(key) // 2 :]]
    return [half(key) for key in valid], [half(key) for key in invalid]


def ninos():
    valid, invalid = [], ["QQ 12 34 56 C", "BG123456A", "DA123456A", "AO123456A", "AB12345C", "AB123456E", "AB1234567A", "ab123456c"]
    while len(valid) < EACH:
        prefix = pick.choice("ABCEGHJKLMNOPRSTWXYZ") + pick.choice("ABCEGHJKLMNPRSTWXYZ")
        if prefix in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"):
            continue
        number, suffix = digits(6), pick.choice("ABCD")
        valid.append([f"{prefix}{number}{suffix}", f"{prefix} {groups(number, 2, 2, 2)} {suffix}", f"{prefix} {number} {suffix}"][len(valid) % 3])
    return valid, invalid


ROOT = bytes(range(32))
DOMAIN = "notes"


def frame(text):
    raw = text.encode()
    return len(raw).to_bytes(4, "big") + raw


def token(message):
    info = frame("pseudonym") + frame(DOMAIN) + frame("")
    prk = hmac.digest(b"lakeveil.v1", ROOT, "sha256")
    subkey = hmac.digest(prk, info + b"\x01", "sha256")
    return hmac.digest(subkey, message.encode(), "sha256")[:16].hex()


def masked(instance):
    return "".join("*" if unicodedata.category(c)[0] in "LNM" else c for c in instance)


TEXTS = [
    ["Nothing to see here, 3 of 12 at 12:30:45 on 2024-05-12, version 1.2.3.4.5, pi 3.14159265358979."],
    ["Dear Ann, please write to ", ("email", "ann.lee@example.com"), " or call ", ("phone", "+44 20 7946 0958"), ". Thanks!"],
    ["<", ("email", "jörg.müller@straße.example"), ">; (", ("phone", "(212) 555-0142"), ")"],
    ["card ", ("card", "4111 1111 1111 1111"), " 123 exp 12/27, IBAN: ", ("iban", "DE89 3704 0044 0532 0130 00"), "."],
    ["login from ", ("ip", "192.0.2.1"), ":8080 and [", ("ip", "2001:db8::ff00:42:8329"), "]:443"],
    ["SSN ", ("us_ssn", "536-90-4399"), ", NINO ", ("uk_nino", "AB 12 34 56 C"), ", CF ", ("it_codice_fiscale", "RSSMRA85T10A562S"), ";"],
    ["PESEL=", ("pl_pesel", "44051401359"), "&user=", ("email", "jan@example.pl"), "&x"],
    ["NIR\u00a0: ", ("fr_nir", "2\u00a069\u00a005\u00a049\u00a0588\u00a0157\u00a080"), ", DNI ", ("es_dni", "12345678-Z"), " y NIE ", ("es_nie", "X1234567L")],
    ["CPF ", ("br_cpf", "390.533.447-05"), "\nCPR ", ("dk_cpr", "070740-4285"), "\nhetu ", ("fi_hetu", "131052-308T")],
    ["key ", ("api_key", "AKIAIOSFODNN7EXAMPLE"), " Bearer ", ("jwt", PUBLISHED[-3][1]), " end"],
    ["电话", ("phone", "+1 212 555 0142"), "，邮箱：", ("email", "li@example.cn"), "。"],
    ["שלום ", ("email", "דוד@דוגמה.קום"), " \u202e", ("ip", "::1"), "\u0000\u0301"],
    ["uuid 550e8400-e29b-41d4-a716-446655440000, sha 9e107d9d372bb6826bd81d3542a419d6, MAC 00:1a:2b:3c:4d:5e"],
    ["std::fmt, a::b, 1,234,567.89, 10.000.000,00 and 100 000 000; call 5 of 7. @noon #1 C++ a+b=c"],
]


def text_case(pieces):
    join = lambda change: "".join(p if isinstance(p, str) else change(*p) for p in pieces)
    return {
        "text": join(lambda kind, instance: instance),
        "label": join(lambda kind, instance: f"<{kind.upper()}>"),
        "mask": join(lambda kind, instance: masked(instance)),
        "pseudonym": join(lambda kind, instance: token(instance)),
        "found": [p[0] for p in pieces if not isinstance(p, str)],
    }


def main():
    valid, invalid = {}, {}
    for kind in WRITTEN:
        valid[kind], invalid[kind] = made(kind)
    # rules without a check digit
    invalid["us_ssn"] = ["000-12-3456", "666-12-3456", "900-12-3456", "999-12-3456", "123-00-4567", "123-45-0000",
                         "123-4-56789", "123456789", "123-45 6789", "1123-45-6789", "123-45-67890", "123-45-6789-1"]  # fmt: skip
    invalid["dk_cpr"] = ["321261-1234", "001261-1234", "101361-1234", "300261-1234", "0707614285", "070761 4285"]
    # right check digits under a wrong form: a day that never was, a number that is not given, a length that none has
    hetu_check = lambda code: "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(code[:6] + code[7:]) % 31]
    invalid["fi_hetu"] += [code + hetu_check(code) for code in ("131052-000", "131052-001", "310252-308", "131352A308")]
    invalid["se_personnummer"] += [code + luhn_digit(code) for code in ("811318987", "811200987", "811292987", "710229987")]
    invalid["se_personnummer"] += [f"17{code}{luhn_digit(code)}" for code in ("811218987",)]
    pesel_check = lambda body: str(-dot(body, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)
    invalid["pl_pesel"] += [body + pesel_check(body) for body in ("0213130758", "4402300135", "0001320000", "0000130000")]
    invalid["no_fodselsnummer"] += norwegian(["320186", "000186", "720186", "011386", "015386", "300286"])
    valid["no_fodselsnummer"] += norwegian(["015286", "419286", "019286"])
    invalid["card"] += [code + luhn_digit(code) for code in ("123456781234567", "4" + "1" * 13, "34" + "0" * 13, "50" * 9 + "1")]
    invalid["card"] += ["4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2", "4242 4242-4242 4242", "4242  4242  4242  4242"]
    invalid["iban"] += [f"{head}{98 - int(''.join(str(int(c, 36)) for c in body + head + '00')) % 97:02}{body}"
                        for head, body in (("DE", "3" * 17), ("DE", "3" * 19), ("US", "1" * 18), ("XX", "1" * 18))]  # fmt: skip
    invalid["br_cpf"] += ["11111111111", "000.000.000-00"]
    invalid["in_aadhaar"] += ["222222222222", "123412341234"]
    invalid["ca_sin"] += ["823456785", "000000000"]
    invalid["uk_nhs"] += ["0000000000"]
    invalid["nl_bsn"] += ["000000000"]
    invalid["de_steuer_id"] += [mod_11_10(body) for body in ("0123456788", "1123344556", "1111234567", "1234567890")]
    valid["uk_nino"], invalid["uk_nino"] = ninos()
    valid["phone"], invalid["phone"] = phones()
    key_halves = dict(zip(("valid", "invalid"), keys(), strict=True))
    for kind, text, _ in PUBLISHED:
        if kind in WRITTEN and text not in ("078-05-1120", "046 454 286", "701063-2391"):
            assert agrees(WRITTEN[kind][2], text), text
    document = {
        "about": "known answers for scrub; made by scrub_vectors.py",
        "source": "python-stdnum 2.2, phonenumbers 9.0.42, and the publications named beside each example",
        "root_hex": ROOT.hex(),
        "domain": DOMAIN,
        "valid": valid,
        "invalid": invalid,
        "key_halves": key_halves,
        "published": [{"kind": kind, "text": text, "source": source} for kind, text, source in PUBLISHED],
        "texts": [text_case(pieces) for pieces in TEXTS],
    }
    print(json.dumps(document, ensure_ascii=True, indent=1))


main()
