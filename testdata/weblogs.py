"""`lake/weblogs/`: lines of an invented web server, as CSV.

Addresses are those reserved for documentation (RFC 5737, RFC 3849) and private ones (RFC 1918), several in one /24 and
one /48; some have a port, some are IPv4 in an IPv6 form. Some users are those of `vectors/kelora-2.2.1.json`, so that
their tokens are known. Messages hold e-mail and IP addresses, telephone and card numbers, and JSON web tokens.
"""

import base64
import datetime
import gzip
import io
import json

import people

# logins of the known answers, the empty one and a blank included; the last two look alike and differ
KNOWN = ["alice@example.com", "Alice@Example.com", "", " ", "Ærøskøbing-Zoë", "Zoë", "Zoe\u0308"]
NETWORKS = ["192.0.2.{}", "198.51.100.{}", "203.0.113.{}", "2001:db8:1::7:{:x}", "2001:db8:2:7::{:x}"]
AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "curl/8.15.0",
]
PATHS = ["/", "/cart", "/help", "/account"]


def client(rng):
    network, host = rng.choice(NETWORKS), rng.randrange(1, 255)
    address = network.format(host)
    dice = rng.random()
    if dice < 0.1:
        port = rng.randrange(1024, 65536)
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    if dice < 0.2 and ":" not in address:
        return f"::ffff:{address}"
    return address


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token(rng):
    """Of the form of RFC 7515, signed by nobody."""
    header = json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode()
    payload = json.dumps({"sub": f"u{rng.randrange(1000)}"}, separators=(",", ":")).encode()
    return ".".join([base64url(header), base64url(payload), base64url(rng.randbytes(32))])


def message(rng):
    mail = f"{rng.choice(['alice', 'bob', 'carol'])}@{rng.choice(['example.com', 'example.org'])}"
    order = f"ORD-{rng.randrange(10**6):06}"
    return rng.choice(
        [
            None,
            "",
            f"rendered in {rng.randrange(10, 900)} ms",
            f"password reset sent to {mail}",
            f"too many attempts of {mail} from {rng.choice(NETWORKS).format(rng.randrange(1, 255))}",
            f"{order}: card {rng.choice(people.TEST_CARDS)} declined",
            f"{order}: courier could not reach +44 7700 900{rng.randrange(1000):03}",
            f"bearer {token(rng)} has expired",
        ]
    )


def row(rng, number):
    at = datetime.datetime(2026, 11, 20) + datetime.timedelta(seconds=number * 430 + rng.randrange(400))
    user = None if rng.random() < 0.2 else f"user{rng.randrange(1000, 1030)}"
    if number < 2 * len(KNOWN):
        user = KNOWN[number % len(KNOWN)]
    elif rng.random() < 0.1:
        user = rng.choice(["alice", "bob", "carol"]) + "@example.com"
    return {
        "at": at.isoformat() + "Z",
        "client_ip": client(rng),
        "via_ip": None if rng.random() < 0.6 else f"10.20.{rng.randrange(30, 32)}.{rng.randrange(1, 255)}",
        "user_id": user,
        "method": rng.choice(["GET", "POST"]),
        "path": rng.choice(PATHS),
        "status": str(rng.choice([200, 200, 200, 302, 404, 500])),
        "user_agent": rng.choice(AGENTS),
        "message": message(rng),
    }


def write(folder, rng):
    """200 lines in two files, plain and gzip."""
    folder.mkdir()
    rows = [row(rng, number) for number in range(200)]
    (folder / "weblogs-1.csv").write_bytes(people.csv_text(rows[:120]).encode())
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(people.csv_text(rows[120:]).encode())
    (folder / "weblogs-2.csv.gz").write_bytes(buffer.getvalue())
