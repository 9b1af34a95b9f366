"""Known answers for `ip`, by an implementation that shares no code with ours.

Run once, by hand, with Python 3.9 or later:

    pip install cryptography==48.0.0
    python ip_vectors.py > ip-v1.json

AES-128 is that of the cryptography package (OpenSSL's), HKDF is RFC 5869 over hmac, ipcrypt-pfx follows the draft's
pseudocode bit by bit, addresses are read by the grammar of RFC 4291 section 2.2 and written by the rules of RFC 5952,
both spelled out here. Before it writes anything, the script checks itself against ipcrypt-pfx.json beside it.
"""

import hashlib
import hmac
import json
import re
import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# PropList.txt, White_Space
WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
OCTET = "(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
V4 = re.compile(rf"{OCTET}\.{OCTET}\.{OCTET}\.{OCTET}")
GROUP = re.compile("[0-9A-Fa-f]{1,4}")
ZONE = re.compile("[A-Za-z0-9._~-]+")
PORT = re.compile("0|[1-9][0-9]{0,4}")
MAPPED = bytes(10) + b"\xff\xff"


class Refused(Exception):
    """An error of the value."""


def read_v4(text):
    match = V4.fullmatch(text)
    if not match:
        raise Refused
    return bytes(int(octet) for octet in match.groups())


def read_groups(text, last):
    """The bytes of a list of groups; the last of an address may be an IPv4 address."""
    out = b""
    parts = text.split(":") if text else []
    for i, part in enumerate(parts):
        if GROUP.fullmatch(part):
            out += int(part, 16).to_bytes(2, "big")
        elif last and i == len(parts) - 1:
            out += read_v4(part)
        else:
            raise Refused
    return out


def read_v6(text):
    halves = text.split("::")
    if len(halves) == 1:
        out = read_groups(text, True)
        if len(out) != 16:
            raise Refused
        return out
    if len(halves) != 2:
        raise Refused
    head, tail = read_groups(halves[0], False), read_groups(halves[1], True)
    gap = 16 - len(head) - len(tail)
    if gap < 2:
        raise Refused
    return head + bytes(gap) + tail


def unmap(address):
    return address[12:] if len(address) == 16 and address.startswith(MAPPED) else address


def read(text, zone, port):
    """(address, port or None)."""
    text = text.strip(WHITE)
    with_port = None
    if text.startswith("["):
        text, bracket, after = text[1:].partition("]")
        if not bracket or not after.startswith(":") or ":" not in text:
            raise Refused
        with_port = after[1:]
    elif text.count(":") == 1:
        text, _, with_port = text.partition(":")
        if ":" in text:
            raise Refused
    if with_port is not None:
        if port is None or not PORT.fullmatch(with_port) or int(with_port) > 65535:
            raise Refused
        with_port = int(with_port)
    if ":" in text:
        text, percent, name = text.partition("%")
        if percent and (zone is None or not ZONE.fullmatch(name)):
            raise Refused
        return unmap(read_v6(text)), with_port
    return read_v4(text), with_port


def write(address):
    if len(address) == 4:
        return ".".join(map(str, address))
    groups = [int.from_bytes(address[i : i + 2], "big") for i in range(0, 16, 2)]
    # RFC 5952 section 4.2: the longest run of two or more zero groups, the first of equals
    start, length = 0, 0
    for i in range(8):
        run = next((n for n in range(8 - i) if groups[i + n]), 8 - i)
        if run > max(length, 1):
            start, length = i, run
    text = [f"{group:x}" for group in groups]
    if not length:
        return ":".join(text)
    return ":".join(text[:start]) + "::" + ":".join(text[start + length :])


def write_with_port(address, port, rule):
    if port is None or rule == "drop":
        return write(address)
    return f"{write(address)}:{port}" if len(address) == 4 else f"[{write(address)}]:{port}"


def aes(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def bit(data, position):
    """Position 0 is the least significant bit of the last byte, as the draft counts."""
    return data[15 - position // 8] >> position % 8 & 1


def encrypt(key, address):
    """ipcrypt-pfx."""
    k1, k2 = key[:16], key[16:]
    assert k1 != k2
    whole = MAPPED + address if len(address) == 4 else address
    start = 96 if len(address) == 4 else 0
    out = bytearray(whole[:12] + bytes(4) if start else bytes(16))
    prefix = (1 << 96 | 0xFFFF) if start else 1
    for length in range(start, 128):
        block = prefix.to_bytes(16, "big")
        cipher_bit = (aes(k1, block)[15] ^ aes(k2, block)[15]) & 1
        position = 127 - length
        original = bit(whole, position)
        out[15 - position // 8] |= (cipher_bit ^ original) << position % 8
        prefix = (prefix << 1 | original) % 2**128
    return bytes(out[12:]) if start else bytes(out)


def truncate(address, v4, v6):
    width, keep = (32, v4) if len(address) == 4 else (128, v6)
    number = int.from_bytes(address, "big")
    return (number >> (width - keep) << (width - keep)).to_bytes(width // 8, "big")


def hkdf_sha256(ikm, salt, info, length):
    prk = hmac.new(salt, ikm, hashlib.sha256).digest()
    out, block = b"", b""
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256).digest()
        out += block
    return out[:length]


def frame(text):
    return len(text.encode()).to_bytes(4, "big") + text.encode()


def subkey(root, domain, tenant):
    return hkdf_sha256(root, b"lakeveil.v1", frame("ip") + frame(domain) + frame(tenant), 32)


def check():
    for case in json.loads((Path(__file__).parent / "ipcrypt-pfx.json").read_text())["cases"]:
        made = encrypt(bytes.fromhex(case["key"]), read(case["ip"], None, None)[0])
        assert write(made) == case["encrypted_ip"], case


ROOTS = [bytes(range(32)), hashlib.sha256(b"ip, second root").digest()]
SPACES = [(ROOTS[0], "logs", ""), (ROOTS[0], "logs", "t1"), (ROOTS[1], "logs/eu%2Fwest", "ä")]

TEXTS = [
    "0.0.0.0",
    "255.255.255.255",
    "192.0.2.1",
    "192.0.2.2",
    "198.51.100.77",
    " 192.0.2.1\t",
    "\u3000192.0.2.1\u00a0",
    "::ffff:192.0.2.1",
    "::FFFF:c000:201",
    "0:0:0:0:0:ffff:192.0.2.1",
    "::",
    "::1",
    "::192.0.2.1",
    "::ffff:0:192.0.2.1",
    "64:ff9b::192.0.2.33",
    "2001:db8::1",
    "2001:0DB8:0000:0000:0000:0000:0000:0001",
    "2001:db8:0:0:1:0:0:1",
    "2001:db8:0:1:1:1:1:1",
    "2001:0:0:1:0:0:0:1",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "fe80::dead:beef",
    "ff02::fb",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    # refused always
    "",
    " ",
    "0",
    "192.0.2",
    "192.0.2.1.",
    "192.0.2.256",
    "192.0.2.01",
    "192.0.02.1",
    "0x7f.0.0.1",
    "3221225985",
    "192.0.2.1/32",
    "2001:db8::/32",
    "192.0.2.1%eth0",
    "192.0.2.1 192.0.2.2",
    "192.0.2.\u0661",
    "\u0301192.0.2.1",
    "192.0.2.1\0",
    "\x1c192.0.2.1",
    "\u200b192.0.2.1",
    "\u202e192.0.2.1",
    "::1::",
    ":::",
    ":1",
    "1:",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "::12345",
    "::g",
    "::1.2.3",
    "::1.2.3.04",
    "1.2.3.4::",
    "[::1]",
    "[192.0.2.1]",
    "[192.0.2.1]:80",
    "localhost",
    # with zones and ports
    "fe80::1%eth0",
    "fe80::1%1",
    "::ffff:192.0.2.1%eth0",
    "fe80::1%",
    "fe80::1%et h0",
    "fe80::1%\u00fc",
    "fe80::1%eth0%eth1",
    "192.0.2.1:443",
    "192.0.2.1:0",
    "192.0.2.1:65535",
    "[2001:db8::1]:443",
    "[::ffff:192.0.2.1]:443",
    "[fe80::1%eth0]:443",
    " [fe80::1%25]:1 ",
    "192.0.2.1:",
    "192.0.2.1:00",
    "192.0.2.1:0443",
    "192.0.2.1:65536",
    "192.0.2.1:+80",
    "192.0.2.1: 80",
    "192.0.2.1:443/tcp",
    "192.0.2.01:443",
    "[2001:db8::1]443",
    "[2001:db8::1]:",
    "[2001:db8::1]:99999",
    "[2001:db8::1",
    "[]:443",
    "2001:db8::1]:443",
    "[[2001:db8::1]]:443",
]

OPTIONS = [(None, None), ("drop", None), (None, "keep"), (None, "drop"), ("drop", "keep"), ("drop", "drop")]
PREFIXES = [(24, 48), (0, 0), (32, 128), (31, 127), (1, 1), (8, 65), (23, 32)]
BYTES = [
    "00000000",
    "c0000201",
    "ffffffff",
    "00" * 16,
    "20010db8000000000000000000000001",
    "00000000000000000000ffffc0000201",
    "0000000000000000ffff0000c0000201",
    "ff" * 16,
]
BAD_BYTES = ["", "00", "c00002", "c000020100", "00" * 15, "00" * 17, "3139322e302e322e31"]


def refused_as_none(made):
    try:
        return made()
    except Refused:
        return None


def main():
    check()
    document = {
        "source": "ip_vectors.py beside this file, which checks itself against the draft's vectors of ipcrypt-pfx",
        "encrypted": [],
        "truncated": [],
        "encrypted_bytes": [],
        "truncated_bytes": [],
        "refused_bytes_hex": BAD_BYTES,
        "counted": [],
    }

    def change(text, zone, port, how):
        address, number = read(text, zone, port)
        return write_with_port(how(address), number, port)

    for n, (root, domain, tenant) in enumerate(SPACES):
        key = subkey(root, domain, tenant)
        space = {"root_hex": root.hex(), "domain": domain, "tenant": tenant}
        for zone, port in OPTIONS if n == 0 else OPTIONS[-2:-1]:
            for text in TEXTS:
                made = refused_as_none(lambda: change(text, zone, port, lambda a: encrypt(key, a)))
                document["encrypted"].append({**space, "zone": zone, "port": port, "input": text, "output": made})
        for data in BYTES:
            raw = bytes.fromhex(data)
            made = encrypt(key, unmap(raw))
            made = MAPPED + made if len(made) < len(raw) else made
            document["encrypted_bytes"].append({**space, "input_hex": data, "output_hex": made.hex()})
    for v4, v6 in PREFIXES:
        for zone, port in OPTIONS[-2:-1]:
            for text in TEXTS:
                made = refused_as_none(lambda: change(text, zone, port, lambda a: truncate(a, v4, v6)))
                case = {"v4": v4, "v6": v6, "zone": zone, "port": port, "input": text, "output": made}
                document["truncated"].append(case)
        for data in BYTES:
            raw = bytes.fromhex(data)
            made = truncate(unmap(raw), v4, v6)
            made = MAPPED + made if len(made) < len(raw) else made
            document["truncated_bytes"].append({"v4": v4, "v6": v6, "input_hex": data, "output_hex": made.hex()})
    # kelora 2's mask_ip(n): the last n octets, or the last n groups of 16 bits, are zero
    for count in range(1, 9):
        for text in ["192.168.1.100", "2001:db8:1:2:3:4:5:6", "::1", "fe80::dead:beef"]:
            address = read(text, None, None)[0]
            size = 1 if len(address) == 4 else 2
            zeros = min(count * size, len(address))
            made = write(address[: len(address) - zeros] + bytes(zeros))
            document["counted"].append({"count": count, "input": text, "output": made})
    json.dump(document, sys.stdout, indent=None, separators=(",", ":"), ensure_ascii=True)
    print()


if __name__ == "__main__":
    main()
