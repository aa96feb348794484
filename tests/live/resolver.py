# SPDX-License-Identifier: BSD-3-Clause
"""The two things under test: Unbound with the module, and the command with its databases.

Environment (set by CMake): SEK_UNBOUND, SEK_UNBOUND_SRC, SEK_MODULE, SEK_COMMAND, SEK_TESTBOUND
(may be empty).
"""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from packets import ask
from programs import (DEADLINE_S, IS_ROOT, Process, TOP_LEVELS, USER, free_port, owned,
                      sanitizer_libraries, wait_until)

UNBOUND = os.environ.get("SEK_UNBOUND", "")
UNBOUND_SRC = os.environ.get("SEK_UNBOUND_SRC", "")
TESTBOUND = os.environ.get("SEK_TESTBOUND", "")
MODULE = os.environ.get("SEK_MODULE", "")
COMMAND = os.environ.get("SEK_COMMAND", "")

SINKHOLE4, SINKHOLE6 = "192.0.2.53", "2001:db8::53"
TTL_S = 30
START_TRIES = 5


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
            table.setdefault(group, {})[option] = value
        text = "".join(f"{group}:\n" + "".join(f"  {k}: {v}\n" for k, v in options.items())
                       for group, options in table.items())
        (folder / "sekisho.yaml").write_text(text)
        return folder / "sekisho.yaml"

    def run(self, *words, stdin=None, ok=(0,)):
        """Run the command; returns (exit status, stdout, stderr), checked against `ok`."""
        env = dict(os.environ, SEKISHO_CONF=str(self.conf), LC_ALL="C.UTF-8")
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")  # the resolver is searched: see start()
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
        self.run("list", "import", name, "--as", "plain", "--force",
                 stdin="".join(e + "\n" for e in entries), ok=(0, 3))

    def mode(self, name, mode):
        self.run("list", "mode", name, mode, ok=(0, 3))

    def status(self):
        """The state of the resolver and its counters: {key: value}."""
        return self.json("status")["rows"][0]


class Resolver:
    """Unbound with the module. upstream: has address and port, answers for the root and below."""

    def __init__(self, folder, upstream, conf, *, threads=1, modules="dynlib validator iterator",
                 options="", clauses="", module=None, unbound=None, env=None, port=None):
        owned(folder)
        self.folder, self.port = folder, port or free_port()
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
        # as a busy resolver has it: what waits while we wait for a core is not lost
        buffer = "so-rcvbuf: 4m" if IS_ROOT else ""
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
    {buffer}
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
        log = self.folder / "log"
        before = log.stat().st_size if log.exists() else 0
        for tries_left in reversed(range(START_TRIES)):
            self.process = Process([self.unbound, "-dd", "-c", str(self.folder / "unbound.conf")],
                                   log, env)
            try:
                if wait:
                    self.wait_serving()
                return self
            except AssertionError:
                if not tries_left or not self.port_was_taken():
                    raise
            os.truncate(log, before)
            time.sleep(0.5)

    def port_was_taken(self):
        """By a socket of another test, which had the free port for a moment."""
        return (not self.process.alive() and
                "address already in use" in "".join(self.process.lines()[-3:]))

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
        """Lines of ours in its log. With one thread it tells them when somebody asks something."""
        if self.process.alive():
            ask(self.server, "version.bind", "TXT", rdclass="CH", timeout=0.2)
        return [line for line in self.process.lines() if "sekisho: " in line]

    def wait_said(self, pattern):
        return wait_until(lambda: [line for line in self.said() if re.search(pattern, line)],
                          lambda: f"a log line like {pattern}; said: {self.said()}")

    def stop(self, number=signal.SIGTERM, deadline_s=DEADLINE_S):
        return self.process.stop(number, deadline_s)
