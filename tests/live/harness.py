# SPDX-License-Identifier: BSD-3-Clause
"""A real Unbound with the module, a real NSD above it, the real command beside it: what the live
tests share. Everything lives in a scratch folder and on loopback; ports are picked at run time.

    class Block(LiveCase):
        zones = {"test": ZONE}
        def test_x(self):
            self.policy.block("evil.test")
            answer = self.ask("evil.test")

Environment (set by CMake): SEK_UNBOUND, SEK_UNBOUND_SRC, SEK_MODULE, SEK_COMMAND, SEK_TESTBOUND
(may be empty).
"""
import atexit
import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

UNBOUND = os.environ.get("SEK_UNBOUND", "")
UNBOUND_SRC = os.environ.get("SEK_UNBOUND_SRC", "")
TESTBOUND = os.environ.get("SEK_TESTBOUND", "")
MODULE = os.environ.get("SEK_MODULE", "")
COMMAND = os.environ.get("SEK_COMMAND", "")
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


# --- upstream -----------------------------------------------------------------------------------

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


# --- packets ------------------------------------------------------------------------------------

def exchange_udp(wire, server, source=None, timeout=5.0):
    """The answer's octets, or None. Only packets with the query's id count."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        if source:
            s.bind((source, 0))
        end = time.monotonic() + timeout
        try:
            s.connect(server)
            s.send(wire)
            while True:
                s.settimeout(max(0.001, end - time.monotonic()))
                answer = s.recv(65535)
                if answer[:2] == wire[:2]:
                    return answer
        except (TimeoutError, ConnectionRefusedError):
            return None


def read_octets(s, n):
    octets = b""
    while len(octets) < n:
        more = s.recv(n - len(octets))
        if not more:
            return None
        octets += more
    return octets


CLOSED = "closed"  # the server closed the connection without an answer


def exchange_tcp(wire, server, source=None, timeout=5.0):
    """The answer's octets, CLOSED, or None after the time-out."""
    try:
        with socket.create_connection(server, timeout, (source, 0) if source else None) as s:
            s.sendall(struct.pack(">H", len(wire)) + wire)
            length = read_octets(s, 2)
            answer = length and read_octets(s, struct.unpack(">H", length)[0])
            return answer or CLOSED
    except ConnectionResetError:
        return CLOSED
    except TimeoutError:
        return None


def question_octets(wire):
    """The question section as it stands on the wire, which keeps the spelling (0x20)."""
    at = 12
    while wire[at]:
        at += 1 + wire[at]
    return wire[12:at + 5]


def query_message(name, rdtype="A", rdclass="IN", edns=True, do=False, cd=False, ad=False, rd=True):
    query = dns.message.make_query(name, rdtype, rdclass)
    query.flags = (dns.flags.RD if rd else 0) | (dns.flags.CD if cd else 0) | (
        dns.flags.AD if ad else 0)
    if edns or do:
        query.use_edns(0, dns.flags.DO if do else 0, 1232)
    else:
        query.use_edns(False)
    return query


ATTEMPTS, ATTEMPT_S = 3, 6.0  # as a stub resolver; a second one is told, since it hints at trouble


def ask(server, name, rdtype="A", *, tcp=False, source=None, timeout=None, **options):
    """One question to (address, port). Returns the message, None for silence, or CLOSED (TCP).
    With a time-out it is asked only once."""
    wire = query_message(name, rdtype, **options).to_wire()
    for attempt in range(1 if timeout else ATTEMPTS):
        if attempt:
            print(f"no answer to {name} {rdtype} within {ATTEMPT_S} s, asking again",
                  file=sys.stderr)
        answer = (exchange_tcp if tcp else exchange_udp)(wire, server, source, timeout or ATTEMPT_S)
        if answer is not None:
            break
    if answer is None or answer == CLOSED:
        return answer
    if question_octets(answer) != question_octets(wire):
        raise AssertionError(f"{name}/{rdtype}: the question came back changed: "
                             f"{question_octets(wire)!r} {question_octets(answer)!r}")
    return dns.message.from_wire(answer)


def ede(message):
    """(code, text) of each Extended DNS Error."""
    return [(int(o.code), o.text or "") for o in message.options
            if isinstance(o, dns.edns.EDEOption)]


class Load:
    """dnsperf asking names of a file over and over until it is stopped or its time is over."""

    def __init__(self, folder, server, names, seconds, *, qps=None, clients=8):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "names").write_text("".join(f"{n} A\n" if " " not in n else n + "\n"
                                              for n in names))
        argv = ["dnsperf", "-s", server[0], "-p", str(server[1]), "-d", str(folder / "names"),
                "-l", str(seconds), "-c", str(clients), "-T", "1", "-q", "200"]
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


def records(section):
    """The records as (owner, TTL, type, data), in order."""
    return [(r.name.to_text(), r.ttl, dns.rdatatype.to_text(r.rdtype), d.to_text())
            for r in section for d in r]


def addresses(message):
    """The addresses of an answer."""
    return sorted(d for _, _, t, d in records(message.answer) if t in ("A", "AAAA"))


def flags(message):
    return dns.flags.to_text(message.flags).split()


def rcode(message):
    return dns.rcode.to_text(message.rcode())


def notation(name):
    """A dns.name.Name as a list writes it, each unusual octet as \\DDD."""
    def octet(o):
        plain = chr(o) in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
        return chr(o) if plain else f"\\{o:03d}"
    return ".".join("".join(map(octet, label)) for label in name.labels if label)


# --- policy -------------------------------------------------------------------------------------

SINKHOLE4, SINKHOLE6 = "192.0.2.53", "2001:db8::53"
TTL_S = 30


class Policy:
    """The command `sekisho` on databases of its own."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.dir = folder / "compiled"
        self.db = folder / "policy.db"
        self.dir.mkdir(parents=True)
        self.settings = settings
        self.conf = self.conf_for(folder / "run")
        self.events_db = folder / "run" / "events" / "events.db"
        self.status_page = folder / "run" / "status"

    def conf_for(self, folder, **settings):
        """A settings file with this policy, but events and status of its own in `folder`."""
        owned(folder)
        owned(folder / "events")
        table = {
            "policy": {"db": self.db, "dir": self.dir},
            "answer": {"ipv4": SINKHOLE4, "ipv6": SINKHOLE6, "ttl": f"{TTL_S}s",
                       "contact": "help desk 1234"},
            "events": {"db": folder / "events" / "events.db", "flush-ms": 100},
            "status": {"path": folder / "status"},
        }
        for key, value in {**self.settings, **settings}.items():
            group, option = key.split("__")
            table[group][option] = value
        text = "".join(f"{group}:\n" + "".join(f"  {k}: {v}\n" for k, v in options.items())
                       for group, options in table.items())
        (folder / "sekisho.yaml").write_text(text)
        return folder / "sekisho.yaml"

    def run(self, *words, stdin=None, ok=(0,)):
        """Run the command; returns (exit status, stdout, stderr), checked against `ok`."""
        env = dict(os.environ, SEKISHO_CONF=str(self.conf), LC_ALL="C.UTF-8")
        done = subprocess.run([COMMAND, *words], env=env, input=stdin, capture_output=True,
                              text=True, timeout=120)
        if ok is not None and done.returncode not in ok:
            raise AssertionError(f"sekisho {' '.join(words)}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done.returncode, done.stdout, done.stderr

    def json(self, *words):
        return json.loads(self.run(*words, "--format", "json", ok=(0, 1))[1])

    # Every policy change below returns when the command does. Resolver absent: the command then
    # tells so by its exit status 3, and the change is stored all the same.

    def block(self, *entries, lifetime=None):
        self.run("block", *entries, "--reason", "live test",
                 *(("--lifetime", lifetime) if lifetime else ()), ok=(0, 3))

    def allow(self, *entries, lifetime=None):
        self.run("allow", *entries, "--reason", "live test",
                 *(("--lifetime", lifetime) if lifetime else ()), ok=(0, 3))

    def unblock(self, *entries):
        self.run("unblock", *entries, ok=(0, 3))

    def drop_exception(self, *entries):
        self.run("unblock", "--list", "local-allow", *entries, ok=(0, 3))

    def add_list(self, name, entries=(), **row):
        """A list with these entries. row: action, mode, priority, ede."""
        options = [w for k, v in row.items() for w in (f"--{k}", str(v))]
        self.run("list", "add", name, *options, ok=(0, 3))
        if entries:
            self.fill_list(name, entries)

    def fill_list(self, name, entries):
        self.run("list", "import", name, "--as", "plain", "--force", stdin="".join(e + "\n" for e in entries),
                 ok=(0, 3))

    def mode(self, name, mode):
        self.run("list", "mode", name, mode, ok=(0, 3))

    def status(self):
        """The state of the resolver and its counters: {key: value}."""
        return self.json("status")["rows"][0]


# --- resolver -----------------------------------------------------------------------------------

class Resolver:
    """Unbound with the module. upstream: has address and port, answers for the root and below."""

    def __init__(self, folder, upstream, conf, *, threads=1, modules="dynlib validator iterator",
                 options="", clauses="", module=None, unbound=None, env=None):
        owned(folder)
        self.folder, self.port = folder, free_port()
        self.unbound = unbound or UNBOUND
        self.module = module or MODULE
        self.conf = conf
        self.env = env or {}
        self.preload = sanitizer_libraries(self.module)
        self.server, self.server6 = ("127.0.0.1", self.port), ("::1", self.port)
        self.control_socket = folder / "control"
        self.write_conf(upstream, threads, modules, options, clauses)
        self.process = None

    def write_conf(self, upstream, threads, modules, options, clauses):
        # LeakSanitizer stops threads by ptrace, which a process that changed its user cannot have
        user = "" if self.preload else USER
        # the root apart from its children: Unbound asks who serves the root, and by port 53
        stub = "" if not upstream else "".join(
            f'stub-zone:\n    name: "{name}"\n    stub-addr: {upstream.address}@{upstream.port}\n'
            for name in (".", *TOP_LEVELS))
        dynlib = f'dynlib:\n    dynlib-file: "{self.module}"\n' if "dynlib" in modules else ""
        (self.folder / "unbound.conf").write_text(f"""server:
    directory: "{self.folder}"
    chroot: ""
    username: "{user}"
    pidfile: ""
    use-syslog: no
    verbosity: 1
    log-time-ascii: yes
    interface: 127.0.0.1@{self.port}
    interface: ::1@{self.port}
    access-control: 127.0.0.0/8 allow_snoop
    access-control: ::1 allow_snoop
    do-not-query-localhost: no
    num-threads: {threads}
    so-reuseport: yes
    module-config: "{modules}"
    cache-max-ttl: 604800
    local-zone: "test." nodefault
    local-zone: "invalid." nodefault
    trust-anchor-signaling: no
    root-key-sentinel: no
    aggressive-nsec: no
{options}
remote-control:
    control-enable: yes
    control-use-cert: no
    control-interface: {self.control_socket}
{dynlib}{stub}{clauses}
""")

    def start(self, wait=True):
        env = dict(os.environ, SEKISHO_CONF=str(self.conf), **self.env)
        if self.preload:
            env["LD_PRELOAD"] = ":".join(self.preload)
            env.setdefault("ASAN_OPTIONS", "detect_leaks=1:exitcode=99")
            env.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
        self.process = Process([self.unbound, "-dd", "-c", str(self.folder / "unbound.conf")],
                               self.folder / "log", env)
        if wait:
            self.wait_serving()
        return self

    def wait_serving(self):
        wait_until(self.serves, lambda: "Unbound serves; its log: " + self.process.text())

    def serves(self):
        if not self.process.alive():
            raise AssertionError("Unbound ended: " + self.process.text())
        return ask(self.server, "version.bind", "TXT", rdclass="CH", timeout=0.2)

    def control(self, *words, ok=True):
        tool = Path(self.unbound).with_name("unbound-control")
        program = str(tool) if tool.exists() else shutil.which(
            "unbound-control", path=os.environ["PATH"] + ":/usr/sbin")
        done = subprocess.run([program, "-s", str(self.control_socket), "-c",
                               str(self.folder / "unbound.conf"), *words],
                              capture_output=True, text=True, timeout=60)
        if ok and done.returncode:
            raise AssertionError(f"unbound-control {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def cached(self):
        """The questions in the message cache: {(name, type)}."""
        found = re.findall(r"^msg (\S+) IN (\S+) ", self.control("dump_cache"), re.M)
        return {(name.rstrip(".").lower(), rdtype) for name, rdtype in found}

    def stats(self):
        lines = self.control("stats_noreset").splitlines()
        return {k: float(v) for k, v in (line.split("=", 1) for line in lines)}

    def threads(self):
        """Names of its threads."""
        return sorted((p / "comm").read_text().strip()
                      for p in Path(f"/proc/{self.process.pid}/task").iterdir())

    def said(self):
        """Lines of ours in its log."""
        return [line for line in self.process.lines() if "sekisho: " in line]

    def wait_said(self, pattern):
        return wait_until(lambda: [line for line in self.said() if re.search(pattern, line)],
                          lambda: f"a log line like {pattern}; said: {self.said()}")

    def stop(self, number=signal.SIGTERM, deadline_s=DEADLINE_S):
        return self.process.stop(number, deadline_s)


# --- test cases ---------------------------------------------------------------------------------

@contextlib.contextmanager
def scratch_folder(name):
    """Removed at the end, but kept and named when SEK_KEEP is set."""
    folder = Path(tempfile.mkdtemp(prefix=f"sekisho-{name}."))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if os.environ.get("SEK_KEEP"):
            print("kept:", folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


class LiveCase(unittest.TestCase):
    """One upstream, policy and resolver for all tests of a class; each test uses names of its own.
    A subclass sets zones and what else it needs, or overrides prepare() and starts things itself."""

    zones = {}
    threads = 1
    modules = "dynlib validator iterator"
    options = ""
    clauses = ""
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.scratch = cls.stack.enter_context(scratch_folder(cls.__name__.lower()))
        cls.prepare()

    @classmethod
    def prepare(cls):
        cls.upstream = cls.start_upstream()
        cls.policy = Policy(cls.scratch / "policy", **cls.settings)
        cls.before_start()
        cls.resolver = cls.start_resolver()

    @classmethod
    def start_upstream(cls):
        nsd = Nsd(cls.scratch / "nsd", cls.zones)
        cls.stack.callback(nsd.stop)
        return nsd

    @classmethod
    def before_start(cls):
        """Policy to be there when the resolver starts."""

    @classmethod
    def describe_resolver(cls, name, changes):
        """A resolver as the class describes it, not started."""
        given = {"threads": cls.threads, "modules": cls.modules, "options": cls.options,
                 "clauses": cls.clauses, "upstream": cls.upstream, **changes}
        conf = given.pop("conf", None) or cls.policy.conf
        return Resolver(cls.scratch / name, given.pop("upstream"), conf, **given)

    @classmethod
    def start_resolver(cls, name="unbound", **changes):
        """The resolver of all tests, stopped and checked at the end."""
        resolver = cls.describe_resolver(name, changes).start()
        cls.stack.callback(check_end, resolver)
        return resolver

    def launch(self, name, **changes):
        """A resolver of this test alone."""
        resolver = self.describe_resolver(name, changes)
        self.addCleanup(check_end, resolver)
        return resolver.start()

    # --- asking

    def ask(self, name, rdtype="A", **options):
        """Ask the class's resolver; v6=True asks over IPv6."""
        server = self.resolver.server6 if options.pop("v6", False) else self.resolver.server
        return ask(server, name, rdtype, **options)

    # --- asserting

    def assert_passes(self, answer, *expected):
        """Resolved by the upstream: these addresses, or (none given) anything but a block of ours."""
        self.assertIsNotNone(answer)
        self.assertEqual(rcode(answer), "NOERROR")
        self.assertEqual([], ede(answer))
        if expected:
            self.assertEqual(sorted(expected), addresses(answer))
        else:
            self.assertFalse({SINKHOLE4, SINKHOLE6} & set(addresses(answer)))

    def assert_sinkholed(self, answer, alias=False):
        """Answered with the sinkhole's addresses under the question's name; alias: because of a
        name on the way to the answer."""
        self.assertIsNotNone(answer)
        self.assertEqual(rcode(answer), "NOERROR")
        self.assertIn(addresses(answer), ([SINKHOLE4], [SINKHOLE6], [SINKHOLE4, SINKHOLE6]))
        for owner, ttl, _, _ in records(answer.answer):
            self.assertEqual((owner, ttl), (answer.question[0].name.to_text(), TTL_S))
        self.assert_ours(answer, alias=alias)

    def assert_negative(self, answer, code, soa_owner, ede_code=15, alias=False):
        """Our NXDOMAIN or NODATA: nothing but the SOA."""
        self.assertIsNotNone(answer)
        self.assertEqual(rcode(answer), code)
        self.assertEqual([], answer.answer)
        self.assertEqual([(soa_owner.lower(), TTL_S, "SOA")],
                         [(o.lower(), ttl, t) for o, ttl, t, _ in records(answer.authority)])
        minimum = records(answer.authority)[0][3].split()[-1]
        self.assertEqual(str(TTL_S), minimum)
        self.assert_ours(answer, ede_code, alias)

    def assert_ours(self, answer, ede_code=15, alias=False):
        """The flags of an answer of ours, and why it was given."""
        self.assertEqual({"QR", "RD", "RA"}, set(flags(answer)) - {"CD"})
        self.assertEqual([], answer.additional)
        if answer.edns < 0:
            return
        self.assertEqual([ede_code], [code for code, _ in ede(answer)])
        why = "alias of a blocked name" if alias else "blocked"
        self.assertRegex(ede(answer)[0][1],
                         f"^{why}: list [a-z0-9._-]+; id [0-9a-f]{{8}}; help desk 1234$")

    # --- events

    def rows(self, sql, *values):
        """Rows of events.db, read as any other reader may; [] while there is none."""
        if not self.policy.events_db.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{self.policy.events_db}?mode=ro", uri=True,
                                                timeout=10)) as db:
            return db.execute(sql, values).fetchall()

    def wait_rows(self, expected, sql, *values):
        """Wait until the query gives these rows."""
        seen = []

        def probe():
            try:
                seen[:] = self.rows(sql, *values)
            except sqlite3.OperationalError as error:  # being made
                seen[:] = [(str(error),)]
            return seen == expected

        wait_until(probe, lambda: f"rows {expected} of {sql} {values}; there are {seen}")
        return seen

    def wait_hits(self, expected, where, *values):
        """Wait until these hits are written: (endpoint, name, type, list, what the rule says,
        count over all minutes), in this order."""
        return self.wait_rows(
            expected, "SELECT endpoint, name, type, list, would, sum(count) FROM hits"
            f" WHERE {where} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5", *values)

    def traffic(self, domain, endpoint="127.0.0.1"):
        """What a domain's queries of an endpoint came to: {outcome: count}, none of them 0."""
        columns = ("hits", "cached", "passed", "nxdomain", "failed", "local")
        found = self.rows("SELECT " + ", ".join(f"sum({c})" for c in columns) +
                          " FROM traffic_by_minute WHERE domain = ? AND endpoint = ?", domain,
                          endpoint)
        return {c: n for c, n in zip(columns, found[0]) if n} if found else {}

    def wait_traffic(self, expected, domain, endpoint="127.0.0.1"):
        wait_until(lambda: self.traffic(domain, endpoint) == expected,
                   lambda: f"{domain} of {endpoint}: {expected}; there is "
                           f"{self.traffic(domain, endpoint)}")


def check_end(resolver):
    """Stop a resolver: it must end by itself and well, with nothing to complain about."""
    if not resolver.process or not resolver.process.alive():
        return
    status = resolver.stop()
    text = resolver.process.text()
    bad = re.findall(r".*(?:Sanitizer|runtime error|assertion|fatal error).*", text)
    if status != 0 or bad:
        raise AssertionError(f"Unbound ended with {status}: {bad}\n" + text[-6000:])


def give_up(number, frame):
    print("out of time, or ended:", signal.Signals(number).name, file=sys.stderr)
    raise KeyboardInterrupt


def main():
    missing = [n for n, v in (("SEK_UNBOUND", UNBOUND), ("SEK_MODULE", MODULE),
                              ("SEK_COMMAND", COMMAND), ("nsd", NSD)) if not v]
    if missing:
        print("cannot run, missing:", " ".join(missing))
        raise SystemExit(77)
    atexit.register(Process.end_all)
    # ctest kills without a word what runs too long; end by ourselves before that
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, give_up)
    signal.alarm(int(os.environ.get("SEK_LIMIT_S", "0")))
    unittest.main(verbosity=2)
