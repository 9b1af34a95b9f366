"""Checks what Cargo.lock brings in: licences that fit MIT OR Apache-2.0, and one version each of the columnar crates.

python3 .ci/check_deps.py
"""

import json
import re
import subprocess
import sys

# permissive licences that the tree holds today; a new one is a decision, not an accident
ALLOWED = {
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}

# two versions of these mean two sets of types that do not fit together
ONCE = ["arrow", "arrow-array", "arrow-schema", "datafusion", "object_store", "parquet"]


def permitted(expression):
    """Whether an SPDX expression can be met by ALLOWED alone: OR needs one side, AND needs both."""
    # "MIT/Apache-2.0" is how OR was written before SPDX
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def any_of():
        met = all_of()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = all_of() or met
        return met

    def all_of():
        met = licence()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = licence() and met
        return met

    def licence():
        name = tokens.pop(0)
        if name == "(":
            met = any_of()
            tokens.pop(0)
            return met
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            name += f" WITH {tokens.pop(0)}"
        return name in ALLOWED

    return any_of()


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    packages = metadata["packages"]
    problems = []
    for package in packages:
        expression = package["license"]
        if expression is None:
            problems.append(f"{package['name']} {package['version']} declares no licence expression")
        elif not permitted(expression):
            problems.append(
                f"{package['name']} {package['version']} is {expression}, which .ci/check_deps.py does not allow"
            )
    for name in ONCE:
        versions = sorted(package["version"] for package in packages if package["name"] == name)
        if len(versions) != 1:
            problems.append(f"{name} must stand once in Cargo.lock, not {len(versions)} times: {', '.join(versions)}")
    if problems:
        sys.exit("\n".join(problems))
    print(f"{len(packages)} packages: licences allowed; once each: {', '.join(ONCE)}")


if __name__ == "__main__":
    main()
