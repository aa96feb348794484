# SPDX-License-Identifier: BSD-3-Clause
"""The programs around the resolver under test: how they are started and ended, the name servers
above it, the load on it."""
import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype

from packets import exchange_udp

NSD = os.environ.get("NSD") or shutil.which("nsd", path=os.environ["PATH"] + ":/usr/sbin")
IS_ROOT = os.geteuid() == 0
USER = "nobody" if IS_ROOT else ""  # what Unbound becomes
DEADLINE_S = float(os.environ.get("SEK_DEADLINE_S", "20"))  # of any one event


def wait_until(probe, what, deadline_s=DEADLINE_S, pause_s=0.01):
    """Call probe until it returns something true, and return that; fail after the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what() if callable(what) else what}")
        time.sleep(pause_s)


def free_port():
    """A port that is free for UDP and TCP on both loopback addresses."""
    while True:
        with contextlib.ExitStack() as stack:
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            try:
                for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                    tcp = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                    tcp.bind((address, port))
                return port
            except OSError:
                continue


def name_server_addresses(n):
    """Loopback addresses on which port 53 is free. Root only."""
    for i in range(os.getpid() % 200, 500):
        addresses = [f"127.53.{i % 250}.{k}" for k in range(1, n + 1)]
        with contextlib.ExitStack() as stack:
            try:
                for address in addresses:
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        s = stack.enter_context(socket.socket(socket.AF_INET, kind))
                        s.bind((address, 53))
                return addresses
            except OSError:
                continue
    raise AssertionError("no loopback address with a free port 53")


def output(*argv):
    """What a command prints."""
    return subprocess.run(argv, capture_output=True, text=True).stdout


def exports_symbols(program):
    """A program that a module can be loaded into shows its functions (-rdynamic)."""
    return " log_err" in output("nm", "-D", "--defined-only", program)


def sanitizer_libraries(path):
    """Runtime libraries that a program must preload to load a module built with sanitizers."""
    found = re.findall(r"=> (\S*/lib(?:asan|tsan|ubsan)\.so\S*)", output("ldd", path))
    return [f for f in found if "ubsan" not in f] or found


def owned(folder):
    """A folder that Unbound's user may write to."""
    folder.mkdir(parents=True, exist_ok=True)
    if IS_ROOT:
        user = pwd.getpwnam(USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


class Process:
    """A program in the foreground, its words in a file. None outlives the tests, whatever ends
    them."""

    started = []

    def __init__(self, argv, log, env=None):
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, env=env)
        self.pid = self.popen.pid
        Process.started.append(self)

    def alive(self):
        return self.popen.poll() is None

    def kill(self, number):
        self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, deadline_s=DEADLINE_S):
        """End it; returns its exit status (negative: the signal that killed it)."""
        if self.alive():
            self.kill(number)
        try:
            return self.popen.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise AssertionError(f"did not stop within {deadline_s} s; its log ends:\n"
                                 + "".join(self.lines()[-20:])) from None

    @classmethod
    def end_all(cls):
        for process in cls.started:
            if process.alive():
                process.popen.kill()

    def text(self):
        return Path(self.log).read_text(errors="replace")

    def lines(self):
        return self.text().splitlines(keepends=True)


# --- name servers -------------------------------------------------------------------------------

SOA = "@ 3600 SOA ns.nic.test. admin.nic.test. 1 3600 600 86400 300\n"


def zone(records, ns="ns.nic.test.", ttl=86400):
    """A zone's text: SOA and NS, then the records."""
    return f"$TTL {ttl}\n{SOA}@ NS {ns}\n{records}\n"


TOP_LEVELS = ("test", "example", "arpa")
ROOT_ZONE = zone("ns.nic.test. A 127.0.0.1")


class Nsd:
    """Authoritative for some zones on one address. zones: name → text, or a file's path."""

    def __init__(self, folder, zones, address="127.0.0.1", port=None):
        self.address, self.port = address, port or free_port()
        folder.mkdir(parents=True)
        zones = dict(zones)
        zones.setdefault(".", ROOT_ZONE)
        conf = [f"""server:
    ip-address: {address}@{self.port}
    username: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: ""
    xfrdfile: ""
    zonelistfile: "{folder}/zones"
    server-count: 1
    minimal-responses: no
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
remote-control:
    control-enable: no
"""]
        for i, (name, text) in enumerate(zones.items()):
            path = text if isinstance(text, Path) else folder / f"zone{i}"
            if path != text:
                path.write_text(f"$ORIGIN {name.rstrip('.')}.\n" + text)
            conf.append(f'zone:\n    name: "{name}"\n    zonefile: "{path}"\n')
        (folder / "nsd.conf").write_text("".join(conf))
        self.process = Process([NSD, "-d", "-c", str(folder / "nsd.conf")], folder / "log")
        wait_until(self._answers, lambda: "NSD answers; its log: " + self.process.text())

    def _answers(self):
        if not self.process.alive():
            raise AssertionError("NSD ended: " + self.process.text())
        query = dns.message.make_query(".", "SOA")
        return exchange_udp(query.to_wire(), (self.address, self.port), timeout=0.2)

    def stop(self):
        self.process.stop()


class Upstream:
    """A name server in Python for what NSD does not do: being slow, odd or counted. answer(question
    name as text, type as text) returns zone lines, or (rcode, zone lines), or None for silence;
    delay_s holds every answer back."""

    def __init__(self, answer, address="127.0.0.1", port=None):
        self.answer, self.delay_s = answer, 0.0
        self.asked = []  # (name, type) in order
        self.gate = threading.Event()  # closed: answers wait until it opens
        self.gate.set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port or 0))
        self.address, self.port = self.socket.getsockname()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                wire, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            if not wire:
                return
            threading.Thread(target=self._reply, args=(wire, peer), daemon=True).start()

    def _reply(self, wire, peer):
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        rdtype = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, rdtype))
        result = self.answer(name, rdtype)
        if result is None:
            return
        rcode, lines = result if isinstance(result, tuple) else (0, result)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        response.set_rcode(rcode)
        if lines:
            response.answer = dns.message.from_text(";ANSWER\n" + lines).answer
        else:
            response.authority = dns.message.from_text(
                ";AUTHORITY\n. 300 IN SOA a. b. 1 3600 600 86400 300").authority
        if self.delay_s:
            time.sleep(self.delay_s)
        self.gate.wait(DEADLINE_S)
        with contextlib.suppress(OSError):
            self.socket.sendto(response.to_wire(), peer)

    def count(self, name, rdtype="A"):
        return sum(1 for q in self.asked if q == (name, rdtype))

    def stop(self):
        self.gate.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def sign_zone(folder, name, text):
    """Sign a zone; returns (path of the signed file, its DS record as text)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "zone").write_text(f"$ORIGIN {name}.\n" + text)

    def run(*argv):
        return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout

    key = run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", name).strip()
    run("ldns-signzone", "-o", name, "zone", key)
    return folder / "zone.signed", (folder / f"{key}.ds").read_text().strip()


# --- load ---------------------------------------------------------------------------------------

class Load:
    """dnsperf asking names of a file over and over until it is stopped or its time is over."""

    def __init__(self, folder, server, names, seconds, *, qps=None, clients=8):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "names").write_text("".join(f"{n} A\n" if " " not in n else n + "\n"
                                              for n in names))
        argv = ["dnsperf", "-s", server[0], "-p", str(server[1]), "-d", str(folder / "names"),
                "-l", str(seconds), "-c", str(clients), "-T", "1", "-q", "200",
                "-b", "2048"]  # KiB: what waits while all of us wait for a core is not lost
        self.process = Process(argv + (["-Q", str(qps)] if qps else []), folder / "dnsperf.log")

    def running(self):
        return self.process.alive()

    def result(self, deadline_s=120):
        """{"sent": n, "completed": n, "lost": n, "rcodes": {text: n}} once it has ended."""
        self.process.popen.wait(deadline_s)
        text = self.process.text()

        def number(label):
            found = re.search(rf"Queries {label}: +(\d+)", text)
            if not found:
                raise AssertionError("dnsperf: " + text)
            return int(found[1])

        rcodes = re.search(r"Response codes: +(.*)", text)
        pairs = re.findall(r"(\w+) (\d+) \(", rcodes[1]) if rcodes else []
        return {"sent": number("sent"), "completed": number("completed"), "lost": number("lost"),
                "rcodes": {code: int(n) for code, n in pairs}}

    def stop(self):
        self.process.stop(signal.SIGINT)
