# SPDX-License-Identifier: BSD-3-Clause
"""The other side of a policy zone: NSD as its primary, and resolvers that read it: BIND's named, and
Unbound without the module."""
import os
import shutil
import socket
import struct
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dns.message
import dns.rdatatype

from packets import addresses, ask, exchange_udp, query_message, rcode, read_octets
from programs import IS_ROOT, NSD, Process, USER, free_port, owned, wait_until
from resolver import Resolver

NAMED = os.environ.get("NAMED") or shutil.which("named", path=os.environ["PATH"] + ":/usr/sbin")


class Primary:
    """NSD serving one zone file, with deltas made at each reload; secondaries are told by NOTIFY."""

    def __init__(self, folder, name, path, secondaries=()):
        self.folder, self.name, self.path = folder, name, path
        self.address, self.port = "127.0.0.1", free_port()
        self.conf = folder / "nsd.conf"
        folder.mkdir(parents=True)
        notify = "".join(f"    notify: 127.0.0.1@{port} NOKEY\n" for port in secondaries)
        self.conf.write_text(f"""server:
    ip-address: {self.address}@{self.port}
    username: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: ""
    xfrdfile: ""
    zonelistfile: "{folder}/zones"
    server-count: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: yes
    control-interface: "{folder}/control"
zone:
    name: "{name}"
    zonefile: "{path}"
    create-ixfr: yes
    store-ixfr: yes
    provide-xfr: 127.0.0.1 NOKEY
{notify}""")
        self.process = Process([NSD, "-d", "-c", str(self.conf)], folder / "log")
        wait_until(lambda: self.serial(), lambda: "NSD serves: " + self.process.text())

    def control(self, *words):
        done = subprocess.run([str(Path(NSD).with_name("nsd-control")), "-c", str(self.conf),
                               *words], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise AssertionError(f"nsd-control {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def serial(self):
        return soa_serial((self.address, self.port), self.name)

    def reload(self, serial):
        """Read the file again, and wait until this serial is served."""
        self.control("reload", self.name)
        wait_until(lambda: self.serial() == serial, lambda: f"NSD serves {serial}; it has "
                   f"{self.serial()}: " + self.process.text())

    def transfers(self):
        """(whole zones, deltas) asked for so far."""
        stats = dict(line.split("=") for line in self.control("stats_noreset").split() if "=" in line)
        return int(stats["num.raxfr"]), int(stats["num.rixfr"])

    def delta(self, since):
        """A real IXFR request (RFC 1995): all records of the answer, in order, as (owner, type,
        data) of text."""
        query = dns.message.make_query(self.name, "IXFR")
        query.authority = dns.message.from_text(
            f";AUTHORITY\n{self.name}. 0 IN SOA . . {since} 0 0 0 0").authority
        wire, found = query.to_wire(), []
        with socket.create_connection((self.address, self.port), 10) as s:
            s.sendall(struct.pack(">H", len(wire)) + wire)
            while len(found) < 2 or found[0] != found[-1]:
                length = struct.unpack(">H", read_octets(s, 2))[0]
                message = dns.message.from_wire(read_octets(s, length), one_rr_per_rrset=True,
                                                xfr=True)
                found += [(r.name.to_text().lower(), dns.rdatatype.to_text(r.rdtype), d.to_text())
                          for r in message.answer for d in r]
        return found

    def stop(self):
        self.process.stop()


def soa_serial(server, name):
    answer = exchange_udp(query_message(name, "SOA", edns=False).to_wire(), server, timeout=0.3)
    records = dns.message.from_wire(answer).answer if answer else []
    return records[0][0].serial if records else None


def policy_unbound(folder, upstream, name, source, policies="", **changes):
    """Unbound without the module, with a policy zone: a primary, or a file. Not started."""
    port = changes.pop("port", None)
    where = (f'zonefile: "{source}"' if isinstance(source, Path) else
             f"primary: {source.address}@{source.port}\n    allow-notify: 127.0.0.1")
    return Resolver(folder, upstream, "/nonexistent", modules="respip validator iterator",
                    clauses=f'rpz:\n    name: "{name}"\n    {where}\n{policies}', port=port,
                    **changes)


def unbound_serial(resolver):
    words = resolver.control("list_auth_zones").split()
    return int(words[-1]) if words[-1:] and words[-1].isdigit() else None


class Named:
    """BIND's named as a resolver with a policy zone: a primary, or a file. upstream: answers for all
    names. before: zones that come before it, {name: file}."""

    def __init__(self, folder, upstream, name, source, port=None, before=()):
        owned(folder)
        earlier = dict(before)
        self.folder, self.name, self.port = folder, name, port or free_port()
        self.server = ("127.0.0.1", self.port)
        where = (f'type primary; file "{source}";' if isinstance(source, Path) else
                 f'type secondary; file "policy"; masterfile-format text; allow-notify {{ any; }}; '
                 f"primaries {{ {source.address} port {source.port}; }};")
        (folder / "named.conf").write_text(f"""options {{
    directory "{folder}";
    pid-file none;
    session-keyfile none;
    managed-keys-directory "{folder}";
    listen-on port {self.port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    allow-query {{ any; }};
    recursion yes;
    dnssec-validation no;
    empty-zones-enable no;
    notify no;
    forward only;
    forwarders {{ {upstream.address} port {upstream.port}; }};
    qname-minimization off;
    response-policy {{ {"".join(f'zone "{n}"; ' for n in earlier)}zone "{name}" min-update-interval 0; }} max-policy-ttl 7d qname-wait-recurse no;
}};
controls {{ }};
{"".join(f'zone "{n}" {{ type primary; file "{path}"; }};' for n, path in earlier.items())}
zone "{name}" {{ {where} }};
""")
        user = ["-u", USER] if IS_ROOT else []
        self.process = Process([NAMED, "-f", "-n", "1", "-c", str(folder / "named.conf"), *user,
                                "-L", str(folder / "named.log")], folder / "log")
        wait_until(self.serves, lambda: "named serves: " + self.text())

    def serves(self):
        if not self.process.alive():
            raise AssertionError("named ended: " + self.text())
        return self.serial()

    def serial(self):
        return soa_serial(self.server, self.name)

    def text(self):
        log = self.folder / "named.log"
        return self.process.text() + (log.read_text(errors="replace") if log.exists() else "")

    def stop(self):
        self.process.stop()


# --- asking thousands of questions ---------------------------------------------------------------

SILENCE = ("silence", ())


def short(answer):
    """What of an answer is compared: its code and its addresses."""
    if answer is None:
        return SILENCE
    return rcode(answer), tuple(addresses(answer))


def ask_all(servers, questions, silent=lambda question: False):
    """[[short answer a server] a question]. servers: (address, port). silent(question): no answer
    is likely, so it is not waited for long."""
    lock = threading.Lock()
    results = [[None] * len(servers) for _ in questions]
    todo = [(i, k) for i in range(len(questions)) for k in range(len(servers))]

    def worker():
        while True:
            with lock:
                if not todo:
                    return
                i, k = todo.pop()
            name, rdtype = questions[i]
            timeout = 1.0 if silent(questions[i]) else None
            results[i][k] = short(ask(servers[k], name, rdtype, timeout=timeout))

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(worker) for _ in range(16)]:
            done.result()
    return results
