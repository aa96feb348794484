#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Play Unbound's own replay scenarios (testdata/*.rpl of UNBOUND_SRC) with the module leftmost.

Each scenario runs twice in Unbound's testbound: as it is, and with "dynlib" put in front of its
module-config and a policy that concerns none of its names. One that fails only with the module is
a difference; differences that are explained stand in replay_known.tsv, any other fails the test,
and so does an explained one that is gone (the list must stay true).

usage: replay.py [SCENARIO...]     environment: SEK_TESTBOUND, SEK_UNBOUND_SRC, SEK_MODULE,
                                   SEK_COMMAND
exit: 0 as explained, 1 not, 77 cannot run here (no testbound that exports its symbols)
"""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from programs import exports_symbols
from resolver import MODULE, Policy, TESTBOUND, UNBOUND_SRC

LIMIT_S = 120  # of one scenario; the longest takes some seconds
KNOWN = Path(__file__).with_name("replay_known.tsv")


def known_differences():
    rows = {}
    for line in KNOWN.read_text().splitlines():
        if line and not line.startswith("#"):
            scenario, why = line.split("\t", 1)
            rows[scenario] = why
    return rows


def default_modules():
    """What an Unbound without module-config runs, which depends on how it was built."""
    has_subnet = subprocess.run([TESTBOUND, "-c"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL).returncode == 0
    return ("subnetcache " if has_subnet else "") + "validator iterator"


def with_module(text, modules):
    """The scenario with our module in front of the modules that it configures."""
    head, end, rest = text.partition(b"CONFIG_END")
    pattern = re.compile(rb'^(\s*module-config:\s*)"?([^"\n#]*)"?', re.M)
    found = pattern.findall(head)
    if found:
        modules = found[-1][1].decode().strip()
    head = pattern.sub(b"", head)
    ours = f'\nserver:\n\tmodule-config: "dynlib {modules}"\ndynlib:\n\tdynlib-file: "{MODULE}"\n'
    return head + ours.encode() + end + rest


def play(scenario, folder, conf):
    env = dict(os.environ)
    env["SEKISHO_CONF"] = str(conf) if conf else "/nonexistent"
    with open(folder / "log", "wb") as log:
        try:
            return subprocess.run([TESTBOUND, "-p", str(scenario)], cwd=UNBOUND_SRC, env=env,
                                  stdout=log, stderr=subprocess.STDOUT,
                                  timeout=LIMIT_S).returncode
        except subprocess.TimeoutExpired:
            return "time-out"


class Player:
    def __init__(self, scratch):
        self.scratch = scratch
        self.modules = default_modules()
        self.policy = Policy(scratch / "policy")
        self.policy.block("name-of-no-scenario.invalid")

    def run(self, scenario):
        """(name, exit status without the module, exit status with it, path of the latter's log)"""
        folder = self.scratch / scenario.stem
        (folder / "plain").mkdir(parents=True)
        (folder / "ours").mkdir()
        plain = play(scenario, folder / "plain", None)
        copy = folder / scenario.name
        copy.write_bytes(with_module(scenario.read_bytes(), self.modules))
        conf = self.policy.conf_for(folder / "ours")
        ours = play(copy, folder / "ours", conf)
        return scenario.name, plain, ours, folder / "ours" / "log"


def tail(path, n=12):
    return "\n".join("      | " + line for line in
                     path.read_text(errors="replace").splitlines()[-n:])


def report(results):
    known = known_differences()
    unexplained, gone = [], []
    both = sum(1 for _, plain, ours, _ in results if plain == 0 and ours == 0)
    print(f"{len(results)} scenarios: {both} pass with and without the module")
    for name, plain, ours, log in results:
        if plain == 0 and ours == 0:
            if name in known:
                gone.append(name)
        elif plain != 0:
            print(f"  {name}\tfails without the module ({plain}), with it: {ours}; not ours")
        elif name in known:
            print(f"  {name}\texit {ours}, explained: {known[name]}")
        else:
            unexplained.append(name)
            print(f"  {name}\texit {ours}, NOT EXPLAINED; the end of its log:\n{tail(log)}")
    for name in gone:
        print(f"  {name}\tpasses, but replay_known.tsv explains why it does not: drop its row")
    return 1 if unexplained or gone else 0


def main():
    if not TESTBOUND or not exports_symbols(TESTBOUND):
        print("no testbound that exports its symbols (link it with -rdynamic); skipped")
        return 77
    scenarios = sorted((Path(UNBOUND_SRC) / "testdata").glob("*.rpl"))
    if sys.argv[1:]:
        scenarios = [s for s in scenarios if s.name in sys.argv[1:] or s.stem in sys.argv[1:]]
    if not scenarios:
        print("no scenario to play in", UNBOUND_SRC)
        return 1
    with tempfile.TemporaryDirectory(prefix="sekisho-replay.") as scratch:
        player = Player(Path(scratch))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return report(list(pool.map(player.run, scenarios)))


if __name__ == "__main__":
    sys.exit(main())
