"""A second implementation of the `pseudonym` and `path` families of the token specification, version 1.

Written from the specification with Python's hmac and hashlib only, and shares no code with the program: what both
compute alike is most likely right. `generate.py` makes the golden tokens with it.

    python3 testdata/oracle.py VECTORS.json      check this file against known answers
"""

import base64
import hmac
import json
import sys
from pathlib import Path

SALT = b"lakeveil.v1"

# Unicode property White_Space (PropList.txt); str.strip() would also take U+001C to U+001F, which are not in it
WHITE_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def hkdf_sha256(ikm, salt, info, length):
    """HKDF[salt, info](ikm, length) - RFC 5869."""
    prk = hmac.digest(salt, ikm, "sha256")
    okm, block = b"", b""
    while len(okm) < length:
        block = hmac.digest(prk, block + info + bytes([len(okm) // 32 + 1]), "sha256")
        okm += block
    return okm[:length]


def frame(text):
    """be32(len(s)) || s over UTF-8 bytes."""
    data = text.encode() if isinstance(text, str) else text
    return len(data).to_bytes(4, "big") + data


def subkey(root, purpose, domain, tenant="", length=32):
    return hkdf_sha256(root, SALT, frame(purpose) + frame(domain) + frame(tenant), length)


def fingerprint(root):
    return hkdf_sha256(root, SALT, frame("fingerprint"), 8).hex()


def encode(token, encoding):
    """The text encodings of section 3; `token` is the cut HMAC."""
    if encoding == "hex":
        return token.hex()
    if encoding == "base32":
        return base64.b32encode(token).decode().rstrip("=").lower()
    if encoding == "base64url":
        return base64.urlsafe_b64encode(token).decode().rstrip("=")
    if encoding == "uuid":
        b = bytearray(token)
        b[6] = b[6] & 0x0F | 0x80
        b[8] = b[8] & 0x3F | 0x80
        h = b.hex()
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
    raise ValueError(f"no text encoding is called {encoding}")


def pseudonym(root, domain, canonical, tenant="", bits=128, encoding="hex", prefix=""):
    """HMAC-SHA256[subkey](canonical), cut to `bits` - RFC 2104; null stays null."""
    if canonical is None:
        return None
    data = canonical.encode() if isinstance(canonical, str) else canonical
    token = hmac.digest(subkey(root, "pseudonym", domain, tenant), data, "sha256")
    return prefix + encode(token[: bits // 8], encoding)


def path_token(root, dataset, path):
    """How records name inputs where paths hold data, and file names under `names: hash`."""
    return hmac.digest(subkey(root, "path", dataset), path.encode(), "sha256")[:16].hex()


def trim(text):
    return text.strip(WHITE_SPACE)


def secret_bytes(secret):
    kind, _, body = secret.partition(":")
    if kind == "hex":
        return bytes.fromhex(body)
    if kind == "base64":
        return base64.b64decode(body, validate=True)
    if kind == "text":
        return body.encode()
    raise ValueError(f"a secret begins with hex:, base64: or text:, not {kind}:")


def active_key(keyring_path):
    """Id and root bytes of a keyring's active key."""
    keys = json.loads(Path(keyring_path).read_text())["keys"]
    (key,) = [key for key in keys if key["state"] == "active"]
    return key["id"], secret_bytes(key["secret"])


def check(vectors):
    """Number of known answers met; raises on the first that is not."""
    root = {}

    def key(case):
        return root.setdefault(case["root_hex"], bytes.fromhex(case["root_hex"]))

    met = 0
    for case in vectors["fingerprint"]:
        assert fingerprint(key(case)) == case["fingerprint"], case
        met += 1
    for case in vectors["subkey"]:
        got = subkey(key(case), case["purpose"], case["domain"], case["tenant"], case["length"])
        assert got.hex() == case["hex"], case
        met += 1
    for case in vectors["pseudonym"]:
        # binary tokens stand in the vectors as hex
        encoding = case["encoding"].replace("binary", "hex")
        got = pseudonym(key(case), case["domain"], case["canonical_utf8"], case["tenant"], case["bits"], encoding)
        assert got == case["token"], case
        met += 1
    for case in vectors["path"]:
        assert path_token(key(case), case["dataset"], case["path"]) == case["hex"], case
        met += 1
    return met


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"{check(json.loads(Path(sys.argv[1]).read_text()))} known answers met")
