"""Fictional customers: every name, address, number and date is made up.

Nothing here can reach a person. E-mail domains are reserved (RFC 2606, RFC 6761). Telephone numbers come from the
ranges set aside for fiction: North America 555-0100 to 555-0199, the United Kingdom's 7700 900xxx (Ofcom), France's
6 39 98 xx xx (ARCEP), Germany's 30 23125 xxx (Bundesnetzagentur). Card numbers are the ones that payment companies
publish for tests, or begin with 9999, which no issuer has.
"""

# (given name, family name); combining marks, right-to-left scripts and ideographs are here on purpose
NAMES = [
    ("Anna", "Kowalska"), ("Zażółć", "Gęślą-Jaźń"), ("Zoe\u0308", "Brønte"), ("Zoë", "Brønte"), ("Łukasz", "Żuraw"),
    ("Amélie", "D’Arc"), ("José", "Ñandú"), ("Jose\u0301", "Nandu"), ("Søren", "Ærø"), ("Straße", "Groß"),
    ("Νίκος", "Παπαδόπουλος"), ("Олена", "Вигадана"), ("שרה", "בדויה"), ("ليلى", "الخيالية"), ("太郎", "架空"),
    ("영희", "가상"), ("İpek", "Kurgu"), ("Thu\u031b\u0301", "Ha\u0306"), ("O'Brian", "Mc \"Mac\" Gee"), ("Ann-Marie", "van der Fictie"),
    ("Robin", "Example"), ("Sam", "Sample"), ("Kim", "Placeholder"), ("🙂", "Emoji"), ("Noor", "Verzonnen"),
]  # fmt: skip

DOMAINS = ["example.com", "example.org", "example.net", "mail.example.com", "bücher.example", "shop.test"]
COUNTRIES = ["PL", "DE", "FR", "GB", "US", "NO"]
TENANTS = ["acme", "globex", "initech"]

# published by payment companies for tests, all Luhn-valid
TEST_CARDS = [
    "4242424242424242", "4111111111111111", "4012888888881881", "5555555555554444", "5105105105105100",
    "2223003122003222", "378282246310005", "371449635398431", "6011111111111117", "30569309025904",
    "3530111333300000",
]  # fmt: skip

NOTES = [
    "called twice",
    'said "hello", then left',
    "first line\nsecond line",
    "ends with a newline\n",
    "comma, semicolon; tab\there",
    "prefers post to e-mail\r\nreally",
    "שלום, this runs both ways",
    " leading and trailing blanks ",
]

FIRST_ID = 10001


def luhn_digit(digits):
    """The check digit that makes `digits` plus itself Luhn-valid (ISO/IEC 7812-1, annex B)."""
    total = 0
    for i, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if i % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def card(rng):
    if rng.random() < 0.1:
        return None
    if rng.random() < 0.4:
        number = rng.choice(TEST_CARDS)
    else:
        body = "9999" + "".join(rng.choice("0123456789") for _ in range(11))
        number = body + luhn_digit(body)
    assert luhn_digit(number[:-1]) == number[-1]
    separator = rng.choice(["", "", " ", "-"])
    return separator.join(number[i : i + 4] for i in range(0, len(number), 4))


def phone(rng, country):
    if rng.random() < 0.08:
        return None
    local = rng.randrange(100)
    return {
        "US": f"+1 202-555-01{local:02}",
        "GB": f"+44 7700 900{rng.randrange(1000):03}",
        "FR": f"+33 6 39 98 {rng.randrange(100):02} {local:02}",
        "DE": f"+49 30 23125 {rng.randrange(1000):03}",
    }.get(country, f"(202) 555-01{local:02}")


def email(rng, number, given):
    """One in ten is null, empty or written otherwise than its owner wrote it the first time."""
    local = f"{given.lower()}.{number}" if given.isascii() and given.isalpha() else f"customer{number}"
    address = f"{local}@{DOMAINS[number % len(DOMAINS)]}"
    dice = rng.random()
    if dice < 0.03:
        return None
    if dice < 0.05:
        return ""
    if dice < 0.07:
        return "  " + address
    if dice < 0.10:
        return address.upper()
    return address


def customers(rng, count):
    """Rows as dicts of text; None is null, "" the empty string. A few e-mail addresses stand in two rows."""
    rows = []
    for i in range(count):
        number = FIRST_ID + i
        given, family = NAMES[rng.randrange(len(NAMES))]
        country = "XX" if rng.random() < 0.02 else rng.choice(COUNTRIES)
        born = (
            None
            if rng.random() < 0.05
            else f"{rng.randrange(1930, 2008)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
        )
        address = email(rng, number, given)
        if i % 40 == 39 and rows[i - 7]["email"]:
            address = rows[i - 7]["email"].strip().title()
        rows.append(
            {
                "customer_id": str(number),
                "email": address,
                "phone": phone(rng, country),
                "full_name": None if rng.random() < 0.01 else f"{given} {family}",
                "notes": rng.choice([None, "", *NOTES]),
                "card": card(rng),
                "birth_date": born,
                "country": country,
                "tenant_id": rng.choice(TENANTS),
                "created_at": f"2026-{rng.randrange(1, 11):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:{rng.randrange(60):02}:00Z",
            }
        )
    return rows


def csv_text(rows, newline="\n"):
    """CSV where an unquoted empty field is null and a quoted one the empty string, which Python's writer cannot say."""

    def field(value):
        if value is None:
            return ""
        if value == "" or any(c in value for c in ',"\r\n') or value != value.strip():
            return '"' + value.replace('"', '""') + '"'
        return value

    lines = [",".join(rows[0]), *(",".join(field(value) for value in row.values()) for row in rows)]
    return newline.join(lines) + newline
