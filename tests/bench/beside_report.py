#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What reports do to the resolver that writes the events.db which they read.

One Unbound with the module on one CPU, whose events.db has HITS hits and ROWS rows of queries by minute
(as bench_report.py fills it), is loaded in turns as in resolver.py: without reports, and
while `report weekly --format html`, `hits --since 24h` and `endpoint` of the busiest endpoint run one
after the other on the other CPU, which is also the load generator's. A stock Unbound, which has nothing
to do with that events.db, is loaded in the same turns: what it loses is the machine's doing, whose
processors share memory and a cache.

What counts is the resolver's CPU time per answered query, all its threads, and its ratio in the same
round; and how long a commit of the resolver's writer takes, as seen by who waits for the next one: the
age of the newest hit in events.db, asked for every 20 ms.

usage: beside_report.py --unbound FILE --module FILE --command FILE [-n NAMES] [-r ROUNDS]
                        [--hits N] [--rows N]
"""
import argparse
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import bench_report
import resolver

# names of the cache, names never asked, listed names
TURNS = (("stock", "hit"), ("sekisho", "hit"), ("stock", "miss"), ("sekisho", "miss"),
         ("sekisho", "block"))
BUSIEST = "10.0.0.1"  # bench_report: few endpoints have most hits


class Reports(threading.Thread):
    """All of them in a loop, until stopped."""
    def __init__(self, bench):
        super().__init__(daemon=True)
        self.bench, self.end, self.times, self.failed = bench, threading.Event(), {}, None
        self.child = None

    def run(self):
        out = self.bench.path("report.html")
        commands = (("report", "weekly", "--format", "html", "-o", out),
                    ("hits", "--since", "24h"), ("endpoint", BUSIEST))
        while not self.end.is_set():
            for words in commands:
                if self.end.is_set():
                    return
                begun = time.monotonic()
                self.child = subprocess.Popen(
                    resolver.pinned(resolver.LOAD_CPU, [self.bench.args.command, "--config",
                                                        self.bench.path("sekisho.yaml"), *words]),
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                said = self.child.communicate()[1]
                if self.child.returncode and not self.end.is_set():
                    self.failed = f"{' '.join(words)}: status {self.child.returncode}: {said}"
                    return
                self.times.setdefault(words[0], []).append(time.monotonic() - begun)

    def stop(self):
        self.end.set()
        if self.child:
            self.child.terminate()
        self.join()
        if self.failed:
            sys.exit(self.failed)


class Ages(threading.Thread):
    """How old the newest hit is, while names on the list are asked for."""
    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.end, self.ages = path, threading.Event(), []

    def run(self):
        db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        while not self.end.wait(0.02):
            newest = db.execute("SELECT last_ms FROM hit_sum ORDER BY id DESC LIMIT 1").fetchone()
            self.ages.append(time.time() * 1000 - newest[0])
        db.close()

    def stop(self):
        self.end.set()
        self.join()
        return self.ages[len(self.ages) // 4:]  # before the first commit of the turn it is older


def one_turn(bench, kind, load, cost, ages, reports):
    watch = Ages(bench.path("events.db")) if load == "block" else None
    if watch:
        watch.start()
    micros, _, lost = bench.turn(load, kind)
    if watch:
        ages.setdefault(reports, []).extend(watch.stop())
    cost.setdefault((kind, load, reports), []).append(micros)
    print(f"  {'beside' if reports else 'alone'} {kind} {load} {micros:.2f} µs"
          + (f" {lost:.0f} lost" if lost else ""), end="", flush=True)


def middle(ratios):
    each = sorted(ratios)
    return (f"{statistics.median(each):.3f} ({each[len(each) // 4]:.3f} to"
            f" {each[-1 - len(each) // 4]:.3f})")


def report(cost, ages, times):
    print("\nCPU in µs per answered query; ratio: alone over beside, round by round, with the middle half")
    for kind, load in TURNS:
        alone, beside = cost[kind, load, False], cost[kind, load, True]
        print(f"  {kind:8s} {load:6s} alone {statistics.median(alone):6.2f} µs"
              f"  beside {statistics.median(beside):6.2f} µs"
              f"  ratio {middle(a / b for a, b in zip(alone, beside))}")
    print("ratio of ours over the stock Unbound's, round by round (wanted: 0.98)")
    for load in ("hit", "miss"):
        print(f"  {load:6s} " + middle(
            (a / b) / (c / d) for a, b, c, d in zip(
                cost["sekisho", load, False], cost["sekisho", load, True],
                cost["stock", load, False], cost["stock", load, True])))
    for reports, name in ((False, "alone"), (True, "beside")):
        some = sorted(ages[reports])
        print(f"  newest hit in events.db, {name:6s}: median {some[len(some) // 2]:.0f} ms old,"
              f" 99 % {some[len(some) * 99 // 100]:.0f} ms, most {some[-1]:.0f} ms")
    for words, each in times.items():
        print(f"  {words}: {len(each)} times, median {statistics.median(each):.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--unbound", required=True, type=os.path.abspath)
    parser.add_argument("--module", required=True, type=os.path.abspath)
    parser.add_argument("--command", required=True, type=os.path.abspath)
    parser.add_argument("-n", "--names", type=int, default=10000)
    parser.add_argument("-r", "--rounds", type=int, default=40)
    parser.add_argument("--hits", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=5_000_000)
    args = parser.parse_args()
    args.special, args.networks, args.regexes = False, 0, 0
    folder = tempfile.mkdtemp(prefix="sekisho-bench-")
    bench = resolver.Bench(args, folder)
    nsd = bench.nsd()
    cost, ages, times = {}, {}, {}
    try:
        time.sleep(1)
        bench.start("sekisho")  # makes events.db, which is filled while nobody has it open
        server = bench.servers.pop("sekisho")
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        bench_report.fill(bench.path("events.db"), args.hits, args.rows, int(time.time()))
        for kind in ("sekisho", "stock"):
            bench.start(kind)
            bench.load(kind, bench.path("hit.txt"), "-n", "1")
        for number in range(args.rounds):
            print(f"round {number + 1:3d}", end="")
            for reports in ((False, True), (True, False))[number % 2]:
                loop = Reports(bench) if reports else None
                if loop:
                    loop.start()
                for kind, load in TURNS:
                    one_turn(bench, kind, load, cost, ages, reports)
                if loop:
                    loop.stop()
                    for words, each in loop.times.items():
                        times.setdefault(words, []).extend(each)
            print()
    finally:
        bench.end(nsd)
    report(cost, ages, times)


if __name__ == "__main__":
    main()
