#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the module costs a resolver, side by side with the same Unbound without it.

Three resolvers run at once on one CPU, and are loaded in turns of 0.3 s: Unbound as it is ("stock"),
Unbound with its own RPZ zone of N names ("rpz"), and Unbound with the module and the same N names
("sekisho"). The other CPU holds the load generator and one NSD that answers any name. What counts is the
server's CPU time per answered query, all its threads (the load generator saturates first on a small
machine), and its ratio to the peer's in the same round: a shared machine drifts by 20 % within a minute,
so only neighbouring seconds can be compared. One load comes after the other, all its rounds.

  hit    10,000 names that are in the cache
  miss   names never asked before, below registered domains as people register them: the classifier
         judges each
  block  names on the list

usage: resolver.py --unbound FILE --module FILE --command FILE [-n NAMES] [-r ROUNDS] [--special]
                   [--networks N] [--regexes N]
"""
import argparse
import glob
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

NSD_PORT = 5398
PORTS = {"stock": 5395, "rpz": 5396, "sekisho": 5397}
TURN_S = 0.3
PAUSE_S = 6  # between two loads: what the one leaves to be stored, within 5 s, is none of the next's
SERVER_CPU, LOAD_CPU = 0, os.cpu_count() - 1

# Of the forms that lists have; N: a number of its own.
REGEXES = [r"^(.+[_.-])?adserveN[0-9]*[_.-]", r"^trackN-[a-z0-9]{8,20}\.", r"(^|\.)cdnN\.adnet\.test$",
           r"^adsN[0-9]+\.[a-z]+\.(biz|info)$", r"telemetry.*Nx\.", r"^[a-z]{5}N[a-z]{3}\.(ru|cn|top)$"]

WORDS = """\
able about account action active address adult advice agency answer apple area army artist aspect autumn
bank base basket beach beauty bedroom benefit bicycle blue board boat book border bottle branch bread
bridge brother budget building business butter camera camp capital career carpet castle center chain
chair change charity child church circle city client clock cloud coast coffee college color company
concert copper corner country couple course cousin cover credit culture custom dance daughter debate
deer design dinner doctor dollar drama dream driver earth editor effort energy engine estate event exam
family farm fashion father field film finger fire fish flower forest frame friend fruit future garden
gate gift glass gold grass green guide hair hall hand harbor health heart history holiday home horse
hotel house idea image industry iron island jacket job journey judge juice kitchen lady lake land
language law leader leaf letter library light lion list machine magic market master meal media memory
metal milk mind mirror model money month moon morning mother mountain music nature network news night
north nurse object ocean office oil orange order owner page paint palace paper parent park party path
people period person phone photo piano picture planet plant player poem point police pool press price
prize profit project purple queen question radio rain record river road rock roof room rose salt school
science sea season secret series service shadow ship shoe shop silver sister skill sky smile snow
society song sound south space spirit sport spring square star station stone store story street student
studio style sugar summer sun table teacher team theory ticket time tool touch tour town toy trade train
travel tree trip truck uncle union value valley video village vision voice wall water wave way week west
wheel wind window wine winter wood word work world writer year youth zone
""".split()


def usual_names(count):
    """Registered domains that look like people's: two words and a common suffix."""
    rng = random.Random(7)
    names = {rng.choice(WORDS) + rng.choice(WORDS) + rng.choice([".com", ".com", ".net", ".org", ".de"])
             for _ in range(count * 2)}
    return rng.sample(sorted(names), count)


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


def ask(port, name):
    """rcode of one A query, or None."""
    packet = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0)
    packet += b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    packet += b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.25)
        try:
            sock.sendto(packet, ("127.0.0.1", port))
            return sock.recv(4096)[3] & 15
        except OSError:
            return None


def cpu_seconds(pid):
    """Of all threads, to the nanosecond."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path) as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def rss_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def pinned(cpu, command):
    return ["taskset", "-c", str(cpu)] + command


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.names = make_names(args.names)
        listed = set(self.names)
        self.unlisted = ([f"z{i}.example" for i in range(5003)] if args.special else
                         [n for n in usual_names(5003) if n not in listed])
        self.servers = {}
        self.turns = 0
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

    def unbound_conf(self, kind, modules, extra):
        return self.write(f"{kind}.conf", f"""server:
  interface: 127.0.0.1@{PORTS[kind]}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{self.path(kind + '.log')}"
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
        return self.unbound_conf("stock", "iterator", "")

    def conf_rpz(self):
        if not os.path.exists(self.path("rpz.zone")):
            with open(self.path("rpz.zone"), "w") as zone:
                zone.write("$ORIGIN rpz.test.\n$TTL 30\n@ SOA a. b. 1 3600 600 86400 30\n@ NS a.\n")
                zone.writelines(f"{n} CNAME .\n*.{n} CNAME .\n" for n in self.names)
        return self.unbound_conf(
            "rpz", "respip iterator", f'rpz:\n  name: "rpz.test."\n  zonefile: "{self.path("rpz.zone")}"\n')

    def conf_sekisho(self):
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
        if self.args.networks:
            some = random.Random(1)
            started = time.time()
            subprocess.run([self.args.command, "--config", self.path("sekisho.yaml"), "list",
                            "import", "networks", self.write("networks.txt", "".join(
                                f"response-ip:{some.randrange(16, 120)}.{some.randrange(256)}."
                                f"{some.randrange(256)}.{some.randrange(256)}\n"
                                for _ in range(self.args.networks))), "--as", "plain"],
                           check=True, stdout=subprocess.DEVNULL)
            print(f"the same of {self.args.networks} networks: {time.time() - started:.2f} s")
        if self.args.regexes:
            started = time.time()
            subprocess.run([self.args.command, "--config", self.path("sekisho.yaml"), "list",
                            "import", "regexes", self.write("regexes.txt", "".join(
                                REGEXES[i % len(REGEXES)].replace("N", str(i)) + "\n"
                                for i in range(self.args.regexes))), "--as", "regex"],
                           check=True, stdout=subprocess.DEVNULL)
            print(f"the same of {self.args.regexes} regular expressions: "
                  f"{time.time() - started:.2f} s")
            subprocess.run([self.args.command, "--config", self.path("sekisho.yaml"), "list",
                            "show"], check=True, stdout=subprocess.DEVNULL)
        return self.unbound_conf("sekisho", "dynlib iterator",
                                 f'dynlib:\n  dynlib-file: "{self.args.module}"\n')

    def start(self, kind):
        """(process, seconds until it blocks or answers, MiB)"""
        conf = getattr(self, f"conf_{kind}")()
        probe, want = (self.names[-1], 3) if kind != "stock" else ("ready.example", 0)
        env = dict(os.environ, SEKISHO_CONF=self.path("sekisho.yaml"))
        started = time.time()
        server = subprocess.Popen(pinned(SERVER_CPU, [self.args.unbound, "-d", "-c", conf]), env=env)
        self.servers[kind] = server
        while ask(PORTS[kind], probe) != want:
            if server.poll() is not None or time.time() - started > 90:
                with open(self.path(kind + ".log"), errors="replace") as log:
                    sys.exit(f"{kind}: no answer; the end of its log:\n{log.read()[-2000:]}")
            time.sleep(0.005)
        return time.time() - started, rss_mib(server.pid)

    def end(self, nsd):
        """All servers, and the folder."""
        for server in self.servers.values():
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        nsd.terminate()
        nsd.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def load(self, kind, queries, *extra):
        """One turn: CPU microseconds per answered query, answers/s, lost."""
        pid = self.servers[kind].pid
        before = cpu_seconds(pid)
        out = subprocess.run(
            pinned(LOAD_CPU, ["dnsperf", "-s", "127.0.0.1", "-p", str(PORTS[kind]), "-d", queries, "-l",
                              str(TURN_S), "-c", "8", "-q", "200", *extra]),
            capture_output=True, text=True, check=True).stdout
        def value(key):
            return float(next(l.split(":")[1].split()[0] for l in out.splitlines() if key in l))
        done = value("Queries completed")
        return ((cpu_seconds(pid) - before) / done * 1e6, value("Queries per second"),
                value("Queries lost"))

    def turn(self, load, kind):
        if load == "miss":
            self.turns += 1
            path = self.write("miss.txt", "".join(
                f"m{self.turns}x{i}.{self.unlisted[i % len(self.unlisted)]} A\n"
                for i in range(int(100000 * TURN_S))))
        else:
            path = self.path(f"{load}.txt")
        return self.load(kind, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--unbound", required=True, type=os.path.abspath)
    parser.add_argument("--module", required=True, type=os.path.abspath)
    parser.add_argument("--command", required=True, type=os.path.abspath)
    parser.add_argument("-n", "--names", type=int, default=1000000)
    parser.add_argument("--special", action="store_true",
                        help="misses below .example, which no detector judges")
    parser.add_argument("--networks", type=int, default=0,
                        help="also a list of so many response-ip rules, which no answer meets")
    parser.add_argument("--regexes", type=int, default=0,
                        help="also a list of so many regular expressions, which no name meets")
    parser.add_argument("-r", "--rounds", type=int, default=40)
    args = parser.parse_args()
    for program in ("nsd", "dnsperf", "taskset"):
        if not shutil.which(program):
            parser.error(f"{program} is not in the PATH; tests/run sets all programs up")
    folder = tempfile.mkdtemp(prefix="sekisho-bench-")
    bench = Bench(args, folder)
    nsd = bench.nsd()
    time.sleep(1)
    kinds = ["stock", "rpz", "sekisho"]
    cost = {}  # (kind, load): CPU µs per answered query, one for each round
    try:
        begin = {kind: bench.start(kind) for kind in kinds}
        for kind in kinds:
            bench.load(kind, bench.path("hit.txt"), "-n", "1")
        for load in ("hit", "miss", "block"):
            time.sleep(PAUSE_S)
            for number in range(args.rounds):
                print(f"round {number + 1:3d}", end="")
                for kind in kinds[number % 3:] + kinds[:number % 3]:
                    if (kind, load) == ("stock", "block"):
                        continue
                    micros, rate, lost = bench.turn(load, kind)
                    cost.setdefault((kind, load), []).append(micros)
                    print(f"  {kind} {load} {micros:.2f} µs {rate:.0f}/s"
                          + (f" {lost:.0f} lost" if lost else ""), end="", flush=True)
                print()
    finally:
        bench.end(nsd)
    report(args, kinds, begin, cost)


def report(args, kinds, begin, cost):
    def cell(kind, load):
        return f"{statistics.median(cost[kind, load]):7.2f}" if (kind, load) in cost else f"{'-':>7s}"

    def ratio(peer, load):
        """The peer's cost over ours, round by round: above 1 we are cheaper."""
        each = sorted(p / o for p, o in zip(cost[peer, load], cost["sekisho", load]))
        return f"{statistics.median(each):.3f}  ({each[len(each) // 4]:.3f} to {each[-1 - len(each) // 4]:.3f})"

    print(f"\n{args.names} names, medians of {args.rounds} rounds; CPU in µs per answered query")
    print(f"{'':8s} {'start s':>8s} {'MiB':>8s} {'hit':>7s} {'miss':>7s} {'block':>7s}")
    for kind in kinds:
        print(f"{kind:8s} {begin[kind][0]:8.2f} {begin[kind][1]:8.1f} " +
              " ".join(cell(kind, load) for load in ("hit", "miss", "block")))
    print(f"\nratios, with the middle half of the rounds (1.00 = the same, more is better for the module)\n"
          f"  cache hits against stock   {ratio('stock', 'hit')}   (wanted: 0.97)\n"
          f"  misses against stock       {ratio('stock', 'miss')}   (wanted: 0.95)\n"
          f"  blocked against own RPZ    {ratio('rpz', 'block')}   (wanted: 1.00)\n"
          f"  start added                {begin['sekisho'][0] - begin['stock'][0]:.2f} s"
          f" (wanted: 0.1)\n"
          f"  memory added               {begin['sekisho'][1] - begin['stock'][1]:.1f} MiB"
          f" (wanted: 40)")


if __name__ == "__main__":
    main()
