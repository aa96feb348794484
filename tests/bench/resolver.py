#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the module costs a resolver, side by side with the same Unbound without it.

Three resolvers are measured in turns, several rounds, on one CPU each: Unbound as it is ("stock"),
Unbound with its own RPZ zone of N names ("rpz"), and Unbound with the module and the same N names
("sekisho"). The other CPU holds the load generator and one NSD that answers any name. What counts is the
server's CPU time per answered query (the load generator saturates first on a small machine), and its
ratio to the peer's in the same round.

  hit    10,000 names that are in the cache
  miss   names never asked before
  block  names on the list

usage: resolver.py --unbound FILE --module FILE --command FILE [-n NAMES] [-t SECONDS] [-r ROUNDS]
"""
import argparse
import os
import random
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

NSD_PORT, PORT = 5398, 5397
SERVER_CPU, LOAD_CPU = 0, os.cpu_count() - 1
TICK = os.sysconf("SC_CLK_TCK")


def make_names(count):
    """Distinct names of 2 or 3 labels, 10 to 30 octets, the same in every run."""
    rng = random.Random(20261123)
    consonants, vowels = "bcdfghjklmnprstvwz", "aeiouy"
    suffixes = ["com"] * 10 + ["net"] * 3 + ["org", "info", "top", "xyz", "de", "jp", "co.uk", "com.br"]
    heads = ["www", "cdn", "ads", "mail", "login", "t", "px"]
    seen = set()
    while len(seen) < count:
        word = "".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(rng.randint(3, 7)))
        name = f"{word}{rng.choice(['', '', rng.randint(0, 99)])}.{rng.choice(suffixes)}"
        if rng.random() < 0.35:
            name = f"{rng.choice(heads)}.{name}"
        seen.add(name)
    return sorted(seen)


def ask(name):
    """rcode of one A query, or None."""
    packet = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0)
    packet += b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    packet += b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.25)
        try:
            sock.sendto(packet, ("127.0.0.1", PORT))
            return sock.recv(4096)[3] & 15
        except OSError:
            return None


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def pinned(cpu, command):
    return ["taskset", "-c", str(cpu)] + command


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.names = make_names(args.names)
        self.round = 0
        self.write("list.txt", "\n".join(self.names) + "\n")
        self.write("hit.txt", "".join(f"w{i}.warm{i % 499}.example A\n" for i in range(10000)))
        sample = random.Random(1).sample(self.names, min(20000, len(self.names)))
        self.write("block.txt", "".join(f"{name} A\n" for name in sample))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)
        return self.path(name)

    def nsd(self):
        self.write("root.zone", "$ORIGIN .\n$TTL 3600\n@ SOA a. b. 1 3600 600 86400 300\n"
                                "@ NS a.\na. A 127.0.0.1\n* A 192.0.2.1\n")
        conf = self.write("nsd.conf", f"""server:
  ip-address: 127.0.0.1@{NSD_PORT}
  username: ""
  zonesdir: "{self.folder}"
  pidfile: "{self.path('nsd.pid')}"
  xfrdfile: "{self.path('xfrd')}"
  zonelistfile: "{self.path('zonelist')}"
  database: ""
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "root.zone"
""")
        return subprocess.Popen(pinned(LOAD_CPU, ["nsd", "-d", "-c", conf]),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def unbound_conf(self, modules, extra):
        return self.write("unbound.conf", f"""server:
  interface: 127.0.0.1@{PORT}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{self.path('unbound.log')}"
  num-threads: 1
  do-not-query-localhost: no
  msg-cache-size: 256m
  rrset-cache-size: 512m
  outgoing-range: 4096
  num-queries-per-thread: 4096
  so-rcvbuf: 4m
  module-config: "{modules}"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{NSD_PORT}
{extra}
""")

    def conf_stock(self):
        return self.unbound_conf("iterator", "")

    def conf_rpz(self):
        if not os.path.exists(self.path("rpz.zone")):
            with open(self.path("rpz.zone"), "w") as zone:
                zone.write("$ORIGIN rpz.test.\n$TTL 30\n@ SOA a. b. 1 3600 600 86400 30\n@ NS a.\n")
                zone.writelines(f"{n} CNAME .\n*.{n} CNAME .\n" for n in self.names)
        return self.unbound_conf(
            "respip iterator", f'rpz:\n  name: "rpz.test."\n  zonefile: "{self.path("rpz.zone")}"\n')

    def conf_sekisho(self):
        """The policy is compiled once; every round starts with an empty events.db."""
        for name in ("events.db", "events.db-wal", "events.db-shm"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        if not os.path.exists(self.path("policy.db")):
            self.write("sekisho.yaml", f"""policy:
  db: {self.path('policy.db')}
  dir: {self.folder}
events:
  db: {self.path('events.db')}
status:
  path: {self.path('status')}
""")
            started = time.time()
            subprocess.run([self.args.command, "--config", self.path("sekisho.yaml"), "list", "import",
                            "bench", self.path("list.txt"), "--action", "nxdomain", "--force"],
                           check=True, stdout=subprocess.DEVNULL)
            print(f"list import and compile: {time.time() - started:.2f} s for {len(self.names)} names")
        return self.unbound_conf("dynlib iterator",
                                 f'dynlib:\n  dynlib-file: "{self.args.module}"\n')

    def load(self, pid, queries, seconds, *extra):
        """CPU microseconds per answered query, answers/s, lost."""
        before = cpu_seconds(pid)
        out = subprocess.run(
            pinned(LOAD_CPU, ["dnsperf", "-s", "127.0.0.1", "-p", str(PORT), "-d", queries, "-l",
                              str(seconds), "-c", "8", "-q", "200", *extra]),
            capture_output=True, text=True, check=True).stdout
        def value(key):
            return float(next(l.split(":")[1].split()[0] for l in out.splitlines() if key in l))
        done = value("Queries completed")
        return ((cpu_seconds(pid) - before) / done * 1e6, value("Queries per second"),
                value("Queries lost"))

    def measure(self, kind):
        conf = getattr(self, f"conf_{kind}")()
        blocks = kind != "stock"
        probe, want = (self.names[-1], 3) if blocks else ("ready.example", 0)
        env = dict(os.environ, SEKISHO_CONF=self.path("sekisho.yaml"))
        started = time.time()
        server = subprocess.Popen(pinned(SERVER_CPU, [self.args.unbound, "-d", "-c", conf]), env=env)
        try:
            while ask(probe) != want:
                if server.poll() is not None or time.time() - started > 90:
                    sys.exit(f"{kind}: no answer; see {self.path('unbound.log')}")
                time.sleep(0.005)
            row = {"start": time.time() - started, "rss": rss_mib(server.pid)}
            self.load(server.pid, self.path("hit.txt"), 1, "-n", "1")
            seconds = self.args.seconds
            row["hit"], row["hit/s"], lost = self.load(server.pid, self.path("hit.txt"), seconds)
            self.round += 1
            fresh = self.write("miss.txt", "".join(
                f"m{self.round}x{i}.z{i % 5003}.example A\n" for i in range(100000 * seconds)))
            row["miss"], row["miss/s"], more = self.load(server.pid, fresh, seconds)
            lost += more
            if blocks:
                row["block"], row["block/s"], more = self.load(server.pid, self.path("block.txt"), seconds)
                lost += more
            row["lost"] = lost
            return row
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--unbound", required=True)
    parser.add_argument("--module", required=True)
    parser.add_argument("--command", required=True)
    parser.add_argument("-n", "--names", type=int, default=1000000)
    parser.add_argument("-t", "--seconds", type=int, default=4)
    parser.add_argument("-r", "--rounds", type=int, default=3)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sekisho-bench-")
    bench = Bench(args, folder)
    nsd = bench.nsd()
    time.sleep(1)
    kinds = ["stock", "rpz", "sekisho"]
    rows = {kind: [] for kind in kinds}
    try:
        for number in range(args.rounds):
            for kind in kinds:
                row = bench.measure(kind)
                rows[kind].append(row)
                print(f"round {number + 1} {kind:8s} " + " ".join(f"{k} {v:.2f}" for k, v in row.items()),
                      flush=True)
    finally:
        nsd.terminate()
        nsd.wait()
        shutil.rmtree(folder, ignore_errors=True)

    def median(kind, key):
        return statistics.median(r[key] for r in rows[kind])

    def ratio(peer, key):
        """The peer's cost over ours, round by round: above 1 we are cheaper."""
        return statistics.median(p[key] / o[key] for p, o in zip(rows[peer], rows["sekisho"]))

    print(f"\n{args.names} names, medians of {args.rounds} rounds; CPU in µs per answered query")
    print(f"{'':8s} {'start s':>8s} {'MiB':>8s} {'hit':>7s} {'miss':>7s} {'block':>7s}")
    for kind in kinds:
        block = f"{median(kind, 'block'):7.2f}" if kind != "stock" else f"{'-':>7s}"
        print(f"{kind:8s} {median(kind, 'start'):8.2f} {median(kind, 'rss'):8.1f} "
              f"{median(kind, 'hit'):7.2f} {median(kind, 'miss'):7.2f} {block}")
    print(f"\nratios (1.00 = the same, more is better for the module)\n"
          f"  cache hits against stock   {ratio('stock', 'hit'):.3f}   (wanted: 0.97)\n"
          f"  misses against stock       {ratio('stock', 'miss'):.3f}   (wanted: 0.95)\n"
          f"  blocked against own RPZ    {ratio('rpz', 'block'):.3f}   (wanted: 1.00)\n"
          f"  start added                {median('sekisho', 'start') - median('stock', 'start'):.2f} s"
          f" (wanted: 0.1)\n"
          f"  memory added               {median('sekisho', 'rss') - median('stock', 'rss'):.1f} MiB"
          f" (wanted: 40)")


main()
