#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Play Unbound's own scenarios of RPZ (testdata/rpz_*.rpl of UNBOUND_SRC) with our policy in its place.

The zones of a scenario become lists, the first with the highest priority, and its modules are the
same but for "dynlib" where "respip" was. What must be the same: response code, question and answer.
Not so: AA, which an answer of ours does not set as it is none of the zone's servers, and records in
the other sections (Unbound adds the policy zone's SOA; ours is the name's own). Where a step differs
any answer does, and the rest is played on, so every difference is seen; those that are explained stand in
rpz_known.tsv, any other fails the test, and so does an explained one that is gone.

usage: rpz_scenarios.py [SCENARIO...]     environment: as replay.py
exit: 0 as explained, 1 not, 77 cannot run here (no testbound that exports its symbols)
"""
import re
import sys
import tempfile
from pathlib import Path

from programs import exports_symbols
from replay import play, tail
from resolver import MODULE, Policy, TESTBOUND, UNBOUND_SRC

KNOWN = Path(__file__).with_name("rpz_known.tsv")
LEFT_OUT = {
    "rpz_axfr": "the zone comes by a transfer that testbound plays; transfers are the command's",
    "rpz_ixfr": "the zone comes by a transfer that testbound plays; transfers are the command's",
}


def known_differences():
    """{(scenario, step): why}"""
    rows = {}
    for line in KNOWN.read_text().splitlines():
        if line and not line.startswith("#"):
            scenario, step, why = line.split("\t", 2)
            rows[scenario, step] = why
    return rows


class Scenario:
    def __init__(self, path):
        self.name = path.stem
        head, _, self.rest = path.read_text().partition("CONFIG_END")
        self.zones = []  # (name, content, override)
        self.head = re.sub(r"^rpz:\n(.*?)TEMPFILE_END\n", self.take_zone, head, flags=re.M | re.S)
        self.modules = re.search(r'module-config:\s*"([^"]*)"', self.head).group(1)
        self.head = re.sub(r"\n\s*module-config:.*", "", self.head)
        self.rest = re.sub(r"(CHECK_ANSWER\nENTRY_BEGIN\nMATCH )all\b", r"\1rcode question answer",
                           self.rest)

    def take_zone(self, match):
        options, _, content = match.group(1).partition("TEMPFILE_CONTENTS")
        settings = dict(re.findall(r"^\s*([a-z-]+):\s*\"?([^\"\n]*)\"?", options, re.M))
        override = settings.get("rpz-action-override", "given")
        if override == "cname":
            override += " " + settings["rpz-cname-override"]
        self.zones.append((settings["name"].rstrip("."), content.partition("\n")[2], override))
        return ""

    def steps(self):
        return re.findall(r"^STEP\s+(\d+)\s+CHECK_ANSWER", self.rest, re.M)

    def text(self, without, silent):
        """without: steps that any answer meets; silent: those that get none, left out."""
        rest = self.rest
        for step in silent:
            rest = re.sub(rf"^STEP\s+\d+\s+QUERY\b(?:(?!^STEP).)*^STEP\s+{step}\s+CHECK_ANSWER\n"
                          r".*?ENTRY_END\n", "", rest, flags=re.M | re.S)
        for step in without:
            rest = re.sub(rf"^(STEP\s+{step}\s+CHECK_ANSWER\nENTRY_BEGIN\n)MATCH.*", r"\1MATCH opcode",
                          rest, flags=re.M)
        ours = self.modules.replace("respip", "dynlib")
        return (self.head + f'\nserver:\n\tmodule-config: "{ours}"\n'
                f'dynlib:\n\tdynlib-file: "{MODULE}"\nCONFIG_END' + rest)


def make_policy(scenario, folder):
    policy = Policy(folder)
    for i, (name, content, override) in enumerate(scenario.zones):
        path = folder / f"{name}.zone"
        path.write_text(content)
        policy.run("list", "import", name, str(path), "--as", "rpz", "--force")
        policy.run("list", "set", name, "--priority", str(1000 - i), "--override", override)
    return policy


def differences(path, scratch):
    """{step: end of the log} of those that differ."""
    scenario = Scenario(path)
    folder = scratch / scenario.name
    folder.mkdir()
    policy = make_policy(scenario, folder / "policy")
    found, silent = {}, []
    while True:
        run = folder / f"run{len(found) + len(silent)}"
        run.mkdir()
        copy = run / path.name
        copy.write_text(scenario.text(found, silent))
        if play(copy, run, policy.conf_for(run)) == 0:
            return found
        steps = re.findall(r"do STEP (\d+) CHECK_ANSWER", (run / "log").read_text(errors="replace"))
        if not steps or steps[-1] in silent:
            return {**found, "?": tail(run / "log", 40)}
        if steps[-1] in found:
            silent.append(steps[-1])
        else:
            found[steps[-1]] = tail(run / "log", 40)


def main():
    if not TESTBOUND or not exports_symbols(TESTBOUND):
        print("no testbound that exports its symbols (link it with -rdynamic); skipped")
        return 77
    scenarios = sorted((Path(UNBOUND_SRC) / "testdata").glob("rpz_*.rpl"))
    if sys.argv[1:]:
        scenarios = [s for s in scenarios if s.stem in sys.argv[1:]]
    if not scenarios:
        print("no scenario of RPZ in", UNBOUND_SRC)
        return 1
    known, failed, steps = known_differences(), 0, 0
    with tempfile.TemporaryDirectory(prefix="sekisho-rpz.") as scratch:
        for path in scenarios:
            if path.stem in LEFT_OUT:
                print(f"  {path.stem}\tleft out: {LEFT_OUT[path.stem]}")
                continue
            steps += len(Scenario(path).steps())
            found = differences(path, Path(scratch))
            for step, log in found.items():
                why = known.get((path.stem, step))
                failed += why is None
                print(f"  {path.stem}\tstep {step}: " + (why or f"NOT EXPLAINED; its log:\n{log}"))
            for scenario, step in known:
                if scenario == path.stem and step not in found:
                    failed += 1
                    print(f"  {path.stem}\tstep {step} is as in Unbound: drop its row")
    print(f"{steps} answers compared, {failed} differences that are not explained")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
