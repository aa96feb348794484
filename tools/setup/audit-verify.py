#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Verify an audit trail of Sekisho without Sekisho.

    sekisho audit export | audit-verify.py [NUMBER:HASH...]

Reads the export (JSON lines) from standard input, computes every hash from what the rows say, and
holds them against each other and against anchors, which `sekisho audit seal` printed once. An export
that begins with a later row is taken from there on. Exit status 0: whole, 1: not, 2: wrong use."""
import hashlib
import json
import re
import sys

FIELDS = ("previous number time_ms user uid origin command verb object before after reason undoes"
          " n_changes changes").split()


def netstring(text):
    octets = str(text).encode("utf-8")
    return b"%d:%s," % (len(octets), octets)


def hash_of(row):
    fields = ["sekisho.audit/1"] + [row[name] for name in FIELDS]
    if row.get("state"):  # what the tables held after it
        fields = ["sekisho.audit/2"] + fields[1:] + [row["state"]]
    return hashlib.sha256(b"".join(netstring(field) for field in fields)).hexdigest()


def verify(lines, anchors):
    """Complaints, and the last row's seal."""
    previous, number = "0" * 64, 0
    for line in lines:
        row = json.loads(line)
        if number == 0 and row["number"] > 1:
            previous, number = row["previous"], row["number"] - 1
        number += 1
        if row["number"] != number:
            yield f"row {number} is missing"
            number = row["number"]
        if hash_of(row) != row["hash"]:
            yield f"row {number} was altered"
        elif row["previous"] != previous:
            yield f"row {number} does not follow the one before it"
        if anchors.pop(number, row["hash"]) != row["hash"]:
            yield f"row {number} is not the one of the anchor"
        previous = row["hash"]
    for missing in sorted(anchors):
        yield f"row {missing}, of the anchor, is not there"
    print(f"last row {number}:{previous}")


def main(args):
    if not all(re.fullmatch(r"\d+:[0-9a-f]{64}", arg) for arg in args):
        print(__doc__, file=sys.stderr)
        return 2
    anchors = {int(number): digest for number, digest in (arg.split(":") for arg in args)}
    sys.stdin.reconfigure(encoding="utf-8")
    complaints = list(verify(sys.stdin, anchors))
    print("\n".join(complaints or ["whole"]))
    return 1 if complaints else 0


sys.exit(main(sys.argv[1:]))
