"""`golden/policies.json`: what the example policies must make of the lake, by code that the program shares nothing with.

    VENV/bin/pip install -r testdata/requirements.txt cryptography==48.0.0
    VENV/bin/python testdata/expected.py

Tokens come from `oracle.py`; FF1, ipcrypt-pfx, surrogates, noise and generalizations from the scripts beside the
vectors; AES-SIV is that of the cryptography package. What a policy says is written out below once more, by hand. Of
each file the first rows are listed, every column as text; `tests/it/examples/golden.rs` compares.
"""

import base64
import csv
import datetime
import decimal
import gzip
import json
import re
import sys
from pathlib import Path

import oracle
import pyarrow.parquet as pq
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "vectors"))

import fpe_vectors as fpe
import generalize_vectors as coarse
import ip_vectors as ip
import noise_vectors as noise
import surrogate_vectors as words

LAKE = HERE / "lake"
ROWS = 25
KEY, ROOT = oracle.active_key(HERE / "demo.keyring.json")


def read(path):
    """Rows as dicts; of CSV an empty field is None, and "" where it is quoted."""
    if path.name.endswith(".parquet"):
        return pq.read_table(path).to_pylist()
    data = path.read_bytes()
    if path.name.endswith(".gz"):
        data = gzip.decompress(data)
    if path.name.endswith(".zst"):
        data = zstandard.ZstdDecompressor().decompress(data)
    # Python's reader does not tell the two apart
    text = re.sub(r'(?<=,)""(?=[,\r\n])', '"\0"', data.decode())
    rows = csv.DictReader(text.splitlines(keepends=True))
    return [{name: value.replace("\0", "") if value else None for name, value in row.items()} for row in rows]


def token(domain, value, **options):
    return oracle.pseudonym(ROOT, domain, value, **options)


def known(function):
    """Null stays null."""
    return lambda value, *others: None if value is None else function(value, *others)


def login(text):
    """`[trim, lowercase]`, and null where nothing is left."""
    return None if text is None else oracle.trim(text).lower() or None


def host_ascii(host):
    return host.encode("idna").decode()


@known
def mail(address):
    local, _, host = address.rpartition("@")
    # all domains of the lake are directly under a top-level domain
    return f"{token('account-mails', local)}@{'.'.join(host_ascii(host).split('.')[-2:])}"


def surrogate(name, domain):
    key = oracle.subkey(ROOT, "surrogate", domain)
    return known(lambda value: words.entry(key, name, value.encode()))


@known
def moment(at):
    """As Arrow writes a timestamp: fractions in groups of three digits."""
    fraction = f"{at.microsecond:06}"
    short = fraction[:3] if fraction.endswith("000") else fraction
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{short}" if at.microsecond else "") + "Z"


def first_day(period):
    return known(lambda at: f"{coarse.firsts(at.date())[period]}T00:00:00Z")


@known
def network(address):
    return ip.write(ip.truncate(ip.read(address, None, None)[0], 24, 48))


def accounts(row):
    address = login(row["email"])
    return {
        "account_id": token("accounts", row["account_id"], prefix="acc_"),
        "customer_id": token("customers", row["customer_id"]),
        "email": mail(address),
        "email_key": token("users", address),
        "full_name": surrogate("full_name.en_GB@1", "account-names")(row["full_name"]),
        "birth_year": known(lambda born: coarse.labels(born)["year"])(row["birth_date"]),
        "signed_up_at": first_day("month")(row["signed_up_at"]),
        "last_seen_at": first_day("iso_week")(row["last_seen_at"]),
        "monthly_spend": known(lambda spend: coarse.width_label(spend, 25, 0))(row["monthly_spend"]),
        "last_ip": network(row["last_ip"]),
    }


SMALL_AREAS = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893".split()
HIERARCHY = (HERE / "hierarchy/diagnoses.csv").read_text().splitlines()
GROUPS = {line.split(";")[0]: line.split(";")[1] for line in HIERARCHY}


def offset(patient, days):
    """TOKENS.md section 3, `date_shift`."""
    key, span = oracle.subkey(ROOT, "date_shift", "study-7"), 2 * days + 1
    return words.number_below(key, patient.encode(), span) - days


@known
def glucose(value, stay):
    key = oracle.subkey(ROOT, "noise", "study-7-glucose")
    drawn = noise.draw(key, str(stay).encode(), "uniform", 0.25)
    made = noise.whole_sum(int(value.scaleb(2)), drawn, 2, -(10**6) + 1, 10**6 - 1, 0.0, None)
    return str(decimal.Decimal(made).scaleb(-2))


@known
def scrubbed_note(text):
    text = re.sub(r"P-[0-9]{5}", "<RECORD>", text)
    text = re.sub(r"\S+@[a-z.]+", "<EMAIL>", text)
    return re.sub(r"\+1 202-555-01..|\(202\) 555-01..", "<PHONE>", text)


def patients(row):
    shift = datetime.timedelta(days=offset(row["patient_id"], 182))
    area = row["postal_code"] and row["postal_code"][:3]
    return {
        "patient_id": token("study-7", row["patient_id"]),
        "stay_id": token("study-7-stays", str(row["stay_id"])),
        "physician": surrogate("full_name.en_US@1", "study-7-physicians")(row["physician"]),
        "admitted_on": str(row["admitted_on"] + shift),
        "discharged_on": known(lambda day: str(day + shift))(row["discharged_on"]),
        "recorded_at": moment(row["recorded_at"] + shift),
        "age_band": coarse.age_label(datetime.date(2026, 1, 1), row["birth_date"], 5, 90),
        "area": "000" if area in SMALL_AREAS else area,
        "diagnosis": GROUPS[row["diagnosis"]],
        "glucose": glucose(row["glucose"], row["stay_id"]),
        "notes": scrubbed_note(row["notes"]) or None,
        "sex": row["sex"],
    }


def client(address):
    key = oracle.subkey(ROOT, "ip", "log-ips")
    return ip.write(ip.encrypt(key, ip.read(address, None, "drop")[0]))


@known
def scrubbed_message(text):
    text = re.sub(r"ORD-[0-9]{6}", "<ORDER>", text)
    text = re.sub(r"bearer \S+", "bearer <JWT>", text)
    text = re.sub(r"\S+@\S+", lambda found: token("log-users", found[0]), text)
    text = re.sub(r"from \S+", "from <IP>", text)
    text = re.sub(r"card [0-9]+", lambda found: "card " + "*" * (len(found[0]) - 5), text)
    return re.sub(r"\+44 7700 900...", "<PHONE>", text)


def weblogs(row):
    return {
        "client_ip": client(row["client_ip"]),
        "via_ip": row["via_ip"] and "10.20.0.0",
        "user_id": token("log-users", login(row["user_id"])),
        "message": scrubbed_message(row["message"]) or None,
    }


@known
def card(number, merchant):
    key = oracle.subkey(ROOT, "fpe", "cards")
    return fpe.encrypt_text(key, merchant.encode(), fpe.DIGITS, fpe.SEPARATORS, number, luhn=True)


@known
def iban(number):
    return fpe.encrypt_iban(oracle.subkey(ROOT, "fpe", "ibans"), b"", number)


def payments(row):
    ids = oracle.subkey(ROOT, "fpe", "payments")
    return {
        "payment_id": fpe.encrypt_integer(ids, b"", "Int64", row["payment_id"]),
        "customer_id": token("customers", row["customer_id"]),
        "merchant_id": token("merchants", row["merchant_id"]),
        "card": card(row["card"], row["merchant_id"]),
        "iban": iban(row["iban"]),
        "amount": coarse.bucket_label(row["amount"], ["10", "50", "100", "500"], None),
        "paid_at": first_day("day")(row["paid_at"]),
    }


def encrypted(domain, tenant, value):
    cipher = AESSIV(oracle.subkey(ROOT, "encrypt", domain, tenant, 64))
    return base64.urlsafe_b64encode(cipher.encrypt(value.encode(), None)).decode().rstrip("=")


@known
def partner_mail(address, tenant):
    local, _, host = address.rpartition("@")
    return token("partner-export-emails", f"{local}@{host_ascii(host)}", tenant=tenant, encoding="uuid")


def partner(row):
    return {
        "partner_ref": encrypted("partner-export", row["tenant_id"], row["customer_id"]),
        "email": partner_mail(login(row["email"]), row["tenant_id"]),
        "signed_up_month": row["created_at"][:7],
    }


def for_partner(row):
    return row["country"] == "PL" and row["email"] is not None


def files(dataset, rows, kept=lambda row: True):
    """By input file, columns of text."""
    for path in sorted((LAKE / dataset).iterdir()):
        made = [rows(row) for row in read(path) if kept(row)][:ROWS]
        yield path.name, {name: [row[name] for row in made] for name in made[0]}


def hashed(name):
    return f"{oracle.path_token(ROOT, 'partner-export', name)}.csv"


def main():
    made = {
        "analytics": {f"accounts/{name}": columns for name, columns in files("accounts", accounts)},
        "health-research": {f"patients/{name}": columns for name, columns in files("patients", patients)},
        "logs": {f"weblogs/{name.split('.')[0]}.parquet": columns for name, columns in files("weblogs", weblogs)},
        "payments": {f"payments/{name}": columns for name, columns in files("payments", payments)},
        "partner-export": {
            f"partner-export/{hashed(name)}": columns for name, columns in files("customers", partner, for_partner)
        },
    }
    document = {"key": KEY, "fingerprint": oracle.fingerprint(ROOT), "rows": ROWS, "policies": made}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    # a line for each column
    text = re.sub(r"\[\n[^\]]*\]", lambda found: re.sub(r"\n\s*", "", found[0]).replace('",', '", '), text)
    (HERE / "golden" / "policies.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
