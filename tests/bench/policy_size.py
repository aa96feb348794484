#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A policy of N names (default 10,000,000) from end to end, against the figures to hold.

First bench_policy, for N and N/10 names: size of the image, time and memory to build, time to open, and
of a lookup. Then the same number of names as an administrator meets them: imported into policy.db, in
force in a resolver, in a second one beside it, and one name more, a hundred times in a row. Each new name
is asked for until the resolver blocks it; the time runs from the start of the command.

  private memory  what a process adds to the machine's: Private_* of /proc/PID/smaps_rollup, less that
                  of the same resolver with an empty policy; memory that both share counts once
  in force        from the start of the resolver, the quickest of 5; less that with an empty policy

Status pages lie in /dev/shm, as they do in /run.

usage: policy_size.py --unbound FILE --module FILE --command FILE [--bench FILE] [-n NAMES] [-a ADDED]
"""
import argparse
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from resolver import ask

PORTS = {"empty": 5385, "first": 5386, "second": 5387}
STARTS = 5
LETTERS = "eaionrtslcdmupghbfykvwxjzq0123456789"


def name(i):
    """Distinct for distinct i < 2^31, 10 to 18 octets."""
    x, word = (i * 2654435761) % 2**32, ""
    while x or len(word) < 6:
        word += LETTERS[x % 36]
        x //= 36
    filler = "" if i % 3 else LETTERS[i % 26] + LETTERS[i // 26 % 26] + "a"
    return f"{word}{filler}.{('com', 'com', 'net', 'org', 'de', 'info', 'top', 'co.uk')[i // 7 % 8]}"


def private_mib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rows:
        return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1024


class Site:
    """One policy, and resolvers that have it in force."""

    def __init__(self, args, folder, run_folder):
        self.args, self.folder, self.run_folder, self.servers = args, folder, run_folder, {}

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, file, text):
        with open(self.path(file), "w") as out:
            out.write(text)
        return self.path(file)

    def conf(self, kind, policy):
        self.write(f"{kind}.yaml", f"""policy:
  db: {self.path(policy + '.db')}
  dir: {self.path(policy)}
events:
  db: {self.path(kind + '-events.db')}
domains:
  file: {self.path(kind + '-domains')}
status:
  path: {self.run_folder}/{kind}
""")
        return self.path(f"{kind}.yaml")

    def command(self, kind, *words):
        out = subprocess.run([self.args.command, "--config", self.path(f"{kind}.yaml"), *words],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if out.returncode != 0:
            sys.exit(f"sekisho {' '.join(words)}: {out.stderr}")

    def start(self, kind, probe):
        """Seconds until the resolver blocks the name."""
        conf = self.write(f"{kind}.conf", f"""server:
  interface: 127.0.0.1@{PORTS[kind]}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{self.path(kind + '.log')}"
  num-threads: 1
  module-config: "dynlib iterator"
dynlib:
  dynlib-file: "{self.args.module}"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@9
""")
        started = time.time()
        server = subprocess.Popen([self.args.unbound, "-d", "-c", conf],
                                  env=dict(os.environ, SEKISHO_CONF=self.path(f"{kind}.yaml")))
        self.servers[kind] = server
        while ask(PORTS[kind], probe) != 3:
            if server.poll() is not None or time.time() - started > 90:
                sys.exit(f"{kind}: {probe} is not blocked; see {self.path(kind + '.log')}")
            time.sleep(0.002)
        return time.time() - started

    def quickest(self, kind, probe):
        """Seconds, of some starts; the last one runs on."""
        times = [self.start(kind, probe)]
        for _ in range(STARTS - 1):
            self.stop(kind)
            times.append(self.start(kind, probe))
        return min(times)

    def add(self, kind, text):
        """Seconds from the start of the command until the resolver blocks the name."""
        started = time.time()
        command = subprocess.Popen(
            [self.args.command, "--config", self.path(f"{kind}.yaml"), "block", text, "--reason",
             "bench", "--action", "nxdomain"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        while ask(PORTS[kind], text) != 3:
            if command.poll() not in (None, 0) or time.time() - started > 60:
                sys.exit(f"{text} is not blocked: {command.stderr.read().decode()}")
            time.sleep(0.002)
        took = time.time() - started
        command.communicate()
        return took

    def stop(self, kind):
        self.servers[kind].send_signal(signal.SIGTERM)
        self.servers.pop(kind).wait()


def say(what, value, unit, limit=None):
    mark = "" if limit is None else f"   (to hold: {limit:g}{'' if value <= limit else ', NOT HELD'})"
    print(f"{what:<46} {value:10.2f} {unit}{mark}", flush=True)


def run(args, site):
    for kind, policy in (("empty", "small"), ("first", "large"), ("second", "large")):
        os.makedirs(site.path(policy), exist_ok=True)
        site.conf(kind, policy)
    with open(site.path("list.txt"), "w") as out:
        out.writelines(f"{name(i)}\n" for i in range(args.names))
    started = time.time()
    site.command("first", "list", "import", "bench", site.path("list.txt"), "--action", "nxdomain",
                 "--force")
    say(f"import of {args.names} names, and the image", time.time() - started, "s")
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    say("its peak of memory", usage.ru_maxrss / 1024, "MiB", 2048)
    say("image", os.path.getsize(site.path("large", "policy.img")) / 1e6, "MB", 16 * args.names / 1e6)

    site.command("empty", "block", "probe.example", "--reason", "bench", "--action", "nxdomain")
    base_s = site.quickest("empty", "probe.example")
    base_mib = private_mib(site.servers["empty"].pid)
    for kind in ("first", "second"):
        took = site.quickest(kind, name(args.names - 1)) - base_s
        say(f"{kind} resolver: in force", took * 1000, "ms", 100)
        time.sleep(1)
        say(f"{kind} resolver: private memory", private_mib(site.servers[kind].pid) - base_mib, "MiB",
            5 if kind == "second" else None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    times = sorted(site.add("first", f"added{i}.example") for i in range(args.added))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    say(f"one name more, {args.added} times: median", statistics.median(times), "s", 1)
    say("one name more: longest", times[-1], "s", 1)
    say("one name more: processor time of the command",
        (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / args.added, "s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option in ("--unbound", "--module", "--command"):
        parser.add_argument(option, required=True)
    parser.add_argument("--bench", help="bench_policy; without it the second part only")
    parser.add_argument("-n", "--names", type=int, default=10000000)
    parser.add_argument("-a", "--added", type=int, default=100)
    args = parser.parse_args()
    if args.bench:
        subprocess.run([args.bench, str(args.names // 10), str(args.names)], check=True)
        print(flush=True)
    folder = tempfile.mkdtemp(prefix="policy_size.")
    run_folder = tempfile.mkdtemp(prefix="policy_size.", dir="/dev/shm")
    site = Site(args, folder, run_folder)
    try:
        run(args, site)
    finally:
        for kind in list(site.servers):
            site.stop(kind)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(run_folder, ignore_errors=True)


if __name__ == "__main__":
    main()
