#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hold Prometheus' text format (version 0.0.4) on standard input against its grammar, and against what
`promtool check metrics` asks for. Prints how much there is of what."""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(\{{{LABEL}(?:,{LABEL})*\}})? (-?\d+(?:\.\d+)?)")
UNITS = ("milliseconds", "minutes", "hours", "days", "kilobytes", "megabytes", "kib", "mib", "percent")


def main(text):
    assert text.endswith("\n"), "no end of line"
    kinds, helps, done, seen, current = {}, {}, set(), set(), None
    for number, line in enumerate(text[:-1].split("\n"), 1):
        where = f"line {number}: {line!r}"
        assert line and line.isprintable(), where
        if m := re.fullmatch(rf"# HELP ({NAME}) ((?:[^\\]|\\\\|\\n)+)", line):
            assert m[1] not in helps and m[1] not in kinds, f"HELP twice, or behind TYPE: {where}"
            helps[m[1]] = m[2]
            continue
        if m := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge)", line):
            assert m[1] not in kinds and m[1] in helps, f"TYPE twice, or no HELP: {where}"
            kinds[m[1]] = m[2]
            done.add(current)
            current = m[1]
            continue
        m = SAMPLE.fullmatch(line)
        assert m, f"no sample: {where}"
        assert m[1] == current and m[1] not in done, f"not within its family: {where}"
        assert (m[1], m[2]) not in seen, f"a series twice: {where}"
        seen.add((m[1], m[2]))
        labels = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="', m[2] or "")
        assert len(set(labels)) == len(labels) and not any(x.startswith("__") for x in labels), where
    for name, kind in kinds.items():
        assert (kind == "counter") == name.endswith("_total"), f"{name}: counters end in _total"
        assert not name.endswith(("_count", "_sum", "_bucket", "_gauge")), name
        assert name == name.lower() and not any(u in name.split("_") for u in UNITS), name
        assert helps[name] != name, f"{name}: no help"
    print(f"{len(kinds)} families, {len(seen)} series")


if __name__ == "__main__":
    main(sys.stdin.read())
