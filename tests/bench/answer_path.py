#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Heap allocations and system calls of the answer path, with the module and without.

One worker answers the same queries in a stock Unbound and in one with the module; allocations of the
worker's thread are counted by a preloaded library (count_calls.c), its system calls by strace. The
difference per query is what the module adds: it must be 0 for cache hits, and at most what Unbound's own
query state costs for blocked names.

usage: answer_path.py --unbound FILE --module FILE --command FILE --counter FILE.so [-q QUERIES]
"""
import argparse
import mmap
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time

PORT = 5396
WAITING = ("epoll_wait", "epoll_pwait")  # how often the worker finds nothing to do is chance


def packet(name, number):
    out = struct.pack(">6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0)
    out += b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return out + b"\0" + struct.pack(">2H", 1, 1)


def ask_all(names, count):
    """One after the other, each answered before the next: the numbers per query are then exact."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect(("127.0.0.1", PORT))
        for i in range(count):
            sock.send(packet(names[i % len(names)], i))
            sock.recv(4096)


class Server:
    def __init__(self, args, folder, with_module):
        self.args, self.folder = args, folder
        modules = "dynlib iterator" if with_module else "iterator"
        extra = f'dynlib:\n  dynlib-file: "{args.module}"\n' if with_module else ""
        zone = "".join(f'  local-data: "l{i}.local.example. A 192.0.2.9"\n' for i in range(10))
        self.conf = os.path.join(folder, "unbound.conf")
        with open(self.conf, "w") as out:
            out.write(f"""server:
  interface: 127.0.0.1@{PORT}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{folder}/log"
  num-threads: 1
  module-config: "{modules}"
{zone}
remote-control:
  control-enable: no
auth-zone:
  name: "warm.example"
  zonefile: "{folder}/warm.zone"
  for-downstream: no
  for-upstream: yes
{extra}""")
        self.count_file = os.path.join(folder, "count")
        with open(self.count_file, "wb") as out:
            out.write(bytes(8))
        env = dict(os.environ, LD_PRELOAD=args.counter, SEK_COUNT_FILE=self.count_file,
                   SEKISHO_CONF=f"{folder}/sekisho.yaml")
        self.process = subprocess.Popen([args.unbound, "-d", "-c", self.conf], env=env)
        for _ in range(200):
            try:
                ask_all(["w0.warm.example"], 1)
                break
            except OSError:
                time.sleep(0.02)
        with open(self.count_file, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 8)

    def allocations(self):
        return struct.unpack("=Q", self.map[:8])[0]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def syscalls(server, names, count):
    """Calls of the worker's thread for `count` queries."""
    report = os.path.join(server.folder, "strace")
    tracer = subprocess.Popen(["strace", "-c", "-o", report, "-p", str(server.process.pid)],
                              stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    ask_all(names, count)
    tracer.terminate()
    tracer.wait(10)
    with open(report) as file:
        rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", file.read(), re.M)
    print(f"  ({', '.join(f'{name} {calls}' for calls, name in rows if name != 'total')})")
    return sum(int(calls) for calls, name in rows if name not in ("total", *WAITING))


def measure(args, folder, with_module):
    server = Server(args, folder, with_module)
    out = {}
    loads = {"hit": [f"w{i}.warm.example" for i in range(50)]}
    if with_module:
        loads["block"] = [f"b{i}.blocked.example" for i in range(50)]
    try:
        for kind, names in loads.items():
            ask_all(names, 4 * len(names))
            before = server.allocations()
            ask_all(names, args.queries)
            out[kind] = ((server.allocations() - before) / args.queries,
                         syscalls(server, names, args.queries) / args.queries)
    finally:
        server.stop()
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("unbound", "module", "command", "counter"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("-q", "--queries", type=int, default=20000)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sekisho-bench-")
    with open(f"{folder}/warm.zone", "w") as zone:
        zone.write("$ORIGIN warm.example.\n$TTL 86400\n@ SOA a. b. 1 3600 600 86400 300\n@ NS a.\n* A 192.0.2.1\n")
    with open(f"{folder}/sekisho.yaml", "w") as conf:
        conf.write(f"policy:\n  db: {folder}/policy.db\n  dir: {folder}\n"
                   f"events:\n  db: {folder}/events.db\nstatus:\n  path: {folder}/status\n")
    subprocess.run([args.command, "--config", f"{folder}/sekisho.yaml", "block", "blocked.example",
                    "--reason", "bench", "--action", "nxdomain"], check=True, capture_output=True)
    try:
        stock, ours = (measure(args, folder, with_module) for with_module in (False, True))
        print(f"{'per query':20s} {'allocations':>12s} {'system calls':>13s}")
        for label, row in (("stock, cache hit", stock["hit"]), ("sekisho, cache hit", ours["hit"]),
                           ("sekisho, blocked", ours["block"])):
            print(f"{label:20s} {row[0]:12.3f} {row[1]:13.3f}")
        print(f"added to a cache hit {ours['hit'][0] - stock['hit'][0]:11.3f} "
              f"{ours['hit'][1] - stock['hit'][1]:13.3f}   (wanted: 0 and 0)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
