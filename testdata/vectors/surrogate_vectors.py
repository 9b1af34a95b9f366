"""Known answers for `surrogate`, by an implementation that shares no code with ours, over the same list files.

Run once, by hand, with Python 3.11, standard library only:

    python surrogate_vectors.py > surrogate-v1.json

TOKENS.md section 3: the entry of a value in a list is number `w mod span`, span being the number of entries and w the
first of the 64-bit big-endian words of HMAC-SHA256(subkey, frame(list "@" version) || frame(canonical) || be32(i)),
i = 0, 1, ..., that is below floor(2^64 / span) * span. In the lists of kind company, email, full_name, phone and
street_address a line stands for as many entries as its digits can be chosen (`#` 0 to 9, `%` 1 to 9), and `{list@n}` is
the value's entry in another list, `|ascii` its spelling in lower-case ASCII letters.
"""

import hashlib
import hmac
import itertools
import json
import pathlib
import re
import unicodedata

LISTS = pathlib.Path(__file__).parents[2] / "src/transforms/surrogate/lists"
PATTERNS = {"company", "email", "full_name", "phone", "street_address"}
ROOTS = [bytes(range(32)), b"correct horse battery staple", b"\xff" * 64]
VALUES = ["", "a", "anna.mueller@example.org", "Anna", "0171 3920001", "łódź \u0000 \u0301\u202e", "v" * 200, "42"]


def frame(s):
    return len(s).to_bytes(4, "big") + s


def subkey(root, purpose, domain, tenant):
    """HKDF-SHA256, RFC 5869, 32 bytes."""
    prk = hmac.new(b"lakeveil.v1", root, hashlib.sha256).digest()
    info = b"".join(frame(part.encode()) for part in (purpose, domain, tenant))
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def number_below(key, message, span):
    limit = 2**64 // span * span
    for i in itertools.count():
        block = hmac.new(key, message + i.to_bytes(4, "big"), hashlib.sha256).digest()
        for at in range(0, 32, 8):
            word = int.from_bytes(block[at : at + 8], "big")
            if word < limit:
                return word % span


def ascii_letters(name):
    for one, two in [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ł", "l")]:
        name = name.lower().replace(one, two)
    return "".join(c for c in unicodedata.normalize("NFD", name) if "a" <= c <= "z")


def choices(line):
    """Every way to put digits in, in ascending order: only counted and indexed, never listed, for long lines."""
    marks = re.findall("[#%]", re.sub(r"\{[^}]*\}", "", line))
    count = 1
    for mark in marks:
        count *= 10 if mark == "#" else 9
    return marks, count


def with_digits(line, index):
    marks, _ = choices(line)
    digits = []
    for mark in reversed(marks):
        index, digit = divmod(index, 10 if mark == "#" else 9)
        digits.append(str(digit + (mark == "%")))
    pieces = re.split(r"(\{[^}]*\}|[#%])", line)
    return "".join(digits.pop() if piece in ("#", "%") else piece for piece in pieces)


def entry(key, name, canonical):
    list_id, version = name.split("@")
    lines = (LISTS / f"{list_id}.v{version}.txt").read_bytes().decode().split("\n")[:-1]
    patterns = list_id.split(".")[0] in PATTERNS
    counts = [choices(line)[1] if patterns else 1 for line in lines]
    index = number_below(key, frame(name.encode()) + frame(canonical), sum(counts))
    for line, count in zip(lines, counts):
        if index < count:
            break
        index -= count
    if not patterns:
        return line

    def other(match):
        word = entry(key, match[1], canonical)
        return ascii_letters(word) if match[2] else word

    return re.sub(r"\{([^}|]*)(\|ascii)?\}", other, with_digits(line, index))


def main():
    cases = []
    ids = sorted(path.name.removesuffix(".v1.txt") for path in LISTS.glob("*.v1.txt"))
    for at, list_id in enumerate(ids):
        for nth, value in enumerate(VALUES):
            root = ROOTS[(at + nth) % len(ROOTS)]
            domain, tenant = ("people", "") if nth % 2 else (f"städte/{at}", "acme")
            key = subkey(root, "surrogate", domain, tenant)
            out = entry(key, f"{list_id}@1", value.encode())
            cases.append(
                dict(root_hex=root.hex(), domain=domain, tenant=tenant, canonical_utf8=value, list=list_id, version=1,
                     surrogate=out)
            )
    names = [path.read_text(encoding="utf-8") for path in LISTS.glob("*_name.*.txt") if "full" not in path.name]
    folded = {letter: ascii_letters(letter) for letter in sorted(set("".join(names))) if letter.isalpha()}
    about = "known answers for surrogate; made by surrogate_vectors.py over src/transforms/surrogate/lists"
    print('{"about": ' + json.dumps(about) + ',\n"cases": [')
    print(",\n".join(json.dumps(case, ensure_ascii=False) for case in cases))
    print('],\n"folded": [')
    print(",\n".join(json.dumps(dict(letter=one, ascii=two), ensure_ascii=False) for one, two in folded.items()))
    print("]}")


if __name__ == "__main__":
    main()
