"""Writes hash-v1.json: digests by hashlib and the PyPI packages blake3 and xxhash.

pip install blake3 xxhash && python3 testdata/vectors/hash_vectors.py > testdata/vectors/hash-v1.json
"""

import hashlib
import json

import blake3
import xxhash

VALUES = ["", "abc", "anna@example.com", "42", "-7", "Ærøskøbing-Zoë", "日本語テスト🙂", "\0", "x" * 64, "x" * 1000]

print(
    json.dumps(
        {
            "source": "hashlib (FIPS 180-4), blake3 and xxhash of PyPI",
            "hash": [
                {
                    "canonical_utf8": value,
                    "sha256": hashlib.sha256(value.encode()).hexdigest(),
                    "sha512": hashlib.sha512(value.encode()).hexdigest(),
                    "blake3": blake3.blake3(value.encode()).hexdigest(),
                    "xxh3": xxhash.xxh3_64(value.encode()).hexdigest(),
                }
                for value in VALUES
            ],
        },
        ensure_ascii=False,
        indent=1,
    )
)
