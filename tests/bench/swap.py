#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a new policy costs queries that come meanwhile, beside Unbound reloading its RPZ zone.

Each resolver is asked at a steady rate for names on the list and names in the cache while its policy of
N names is replaced: "one name" (the module: `sekisho block`), "all names" (the module: `list import` of
a list that differs in a hundred names; Unbound: auth_zone_reload of the zone). Every answer is held
against what it must be, before as after. Two things tell what is the machine's own: the lateness of the
quiet seconds before, and "elsewhere", the import of all names into a policy that no resolver has. The
commands run on the load generator's processor and give way to it.

usage: swap.py --unbound FILE --control FILE --module FILE --command FILE --paced FILE [-n NAMES] [-q RATE]
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import resolver
from resolver import LOAD_CPU, PORTS, Bench, pinned

QUIET_S = 5
LOAD_S = {"elsewhere": 18, "one name": 9, "all names": 15, "reload": 26}
CONTROL_PORT = 5394


class Swap(Bench):
    def __init__(self, args, folder):
        super().__init__(args, folder)
        listed = self.names[50:5050]
        self.write("mixed.txt", "".join(f"{name} 3\nw{i}.warm{i % 499}.example 0\n"
                                        for i, name in enumerate(listed)))
        os.mkdir(self.path("elsewhere"))
        self.write("elsewhere.yaml", f"""policy:
  db: {self.path('elsewhere.db')}
  dir: {self.path('elsewhere')}
events:
  db: {self.path('elsewhere-events.db')}
status:
  path: {self.path('elsewhere-status')}
""")
        # fifty names go, fifty come; those that are asked for stay
        self.write("changed.txt", "\n".join(self.names[50:] + [f"late{i}.example" for i in range(50)])
                   + "\n")

    def unbound_conf(self, kind, modules, extra):
        return super().unbound_conf(kind, modules, extra.replace(
            "rpz:\n", "remote-control:\n  control-enable: yes\n  control-use-cert: no\n"
            f"  control-interface: 127.0.0.1\n  control-port: {CONTROL_PORT}\nrpz:\n"))

    def sekisho(self, *words):
        return [self.args.command, "--config", self.path("sekisho.yaml"), *words]

    def control(self, *words):
        return [self.args.control, "-c", self.path("rpz.conf"), *words]

    def change(self, kind, what):
        if kind == "rpz":
            return self.control("auth_zone_reload", "rpz.test.")
        if what == "one name":
            return self.sekisho("block", "one-more.example")
        if what == "elsewhere":
            return [self.args.command, "--config", self.path("elsewhere.yaml"), "list", "import", "bench",
                    self.path("changed.txt"), "--action", "nxdomain", "--force"]
        return self.sekisho("list", "import", "bench", self.path("changed.txt"), "--action", "nxdomain",
                            "--force")

    def measure(self, kind, what):
        """Ask all the time, change after some quiet seconds; print what came of it."""
        load = subprocess.Popen(
            pinned(LOAD_CPU, [self.args.paced, str(PORTS[kind]), str(self.args.rate), str(LOAD_S[what]),
                              self.path("mixed.txt")]), stdout=subprocess.PIPE, text=True)
        time.sleep(QUIET_S)
        started = time.time()
        done = subprocess.run(pinned(LOAD_CPU, ["chrt", "--idle", "0", *self.change(kind, what)]), capture_output=True, text=True)
        took = time.time() - started
        if done.returncode:
            sys.exit(f"{kind}: {done.stderr or done.stdout}")
        rows = [line.split() for line in load.communicate()[0].splitlines()]
        tenths = [[int(cell) for cell in row] for row in rows if row[0] != "all"]
        # an answer that waits is counted at the tenth in which it was asked for
        end = int((QUIET_S + took) * 10) + 2
        quiet, during = tenths[5:QUIET_S * 10 - 2], tenths[QUIET_S * 10 - 2:end]
        print(f"{kind:8s} {what:10s} {took:7.2f} {sum(t[1] for t in during):9d} "
              f"{sum(t[2] for t in during):6d} {sum(t[3] for t in during):6d} "
              f"{max(t[4] for t in during) / 1000:10.2f} "
              f"{sorted(t[4] for t in during)[len(during) // 2] / 1000:10.2f} "
              f"{max(t[4] for t in quiet) / 1000:10.2f} "
              f"{sorted(t[4] for t in quiet)[len(quiet) // 2] / 1000:10.2f}", flush=True)
        if len(tenths) < end:
            print(f"{kind}: the change took longer than it was asked for; the rest is not counted")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("unbound", "control", "module", "command", "paced"):
        parser.add_argument(f"--{name}", required=True, type=os.path.abspath)
    parser.add_argument("-n", "--names", type=int, default=1000000)
    parser.add_argument("-q", "--rate", type=int, default=20000)
    return parser.parse_args()


def main():
    args = arguments()
    args.special, args.networks, args.regexes = True, 0, 0
    folder = tempfile.mkdtemp(prefix="sekisho-swap-")
    os.chmod(folder, 0o755)
    bench = Swap(args, folder)
    nsd = bench.nsd()
    time.sleep(1)
    try:
        for kind in ("sekisho", "rpz"):
            bench.start(kind)
            bench.turn("hit", kind)  # into the cache
        print(f"\n{args.names} names, {args.rate} queries a second; lateness in ms, the worst of a change and "
              "the median of its tenths of a second")
        print(f"{'':8s} {'change':10s} {'took, s':>7s} {'asked':>9s} {'lost':>6s} {'wrong':>6s} "
              f"{'worst':>10s} {'median':>10s} {'quiet:worst':>10s} {'median':>10s}")
        for kind, what in (("sekisho", "elsewhere"), ("sekisho", "one name"), ("sekisho", "all names"),
                           ("rpz", "reload")):
            bench.measure(kind, what)
    finally:
        for server in bench.servers.values():
            server.kill()
            server.wait()
        nsd.kill()
        nsd.wait()
        shutil.rmtree(folder, ignore_errors=True)


resolver.TURN_S = 2
if __name__ == "__main__":
    main()
