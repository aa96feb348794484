#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Feeds by zone transfer: real primaries (NSD, BIND), and one in Python for what those never do.
Whatever a primary sends, the list is what its zone says, or stays as it was."""
import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring

import harness
from programs import NSD, Process, free_port, wait_until

COMMAND = os.environ["SEK_COMMAND"]
NAMED = os.environ.get("NAMED") or shutil.which("named", path=os.environ["PATH"] + ":/usr/sbin")
ZONE = "rpz.test."
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0MTIzNA=="
KEYRING = dns.tsigkeyring.from_text({"feed.key": SECRET})


def zone_text(serial, names, refresh=300):
    return (f"$ORIGIN {ZONE}\n$TTL 60\n@ SOA ns.x. host.x. {serial} {refresh} 60 86400 60\n"
            "@ NS ns.x.\n" + "".join(f"{name} CNAME .\n" for name in names))


class FeedCase(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(harness.scratch_folder(self.id().rsplit(".", 1)[-1]))
        os.chmod(self.folder, 0o755)
        (self.folder / "policy").mkdir()
        self.conf = self.folder / "sekisho.yaml"
        self.conf.write_text(f"policy:\n  db: {self.folder}/policy/policy.db\n"
                             f"  dir: {self.folder}/policy\nevents:\n  db: {self.folder}/events.db\n"
                             f"status:\n  path: {self.folder}/status\n")
        self.key = self.key_file("key", SECRET)

    def key_file(self, name, secret):
        path = self.folder / name
        path.write_text(secret + "\n")
        path.chmod(0o600)
        return path

    def run_it(self, *words, code=0, stdin=None):
        done = subprocess.run([COMMAND, "-c", str(self.conf), *words], capture_output=True,
                              text=True, input=stdin, timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stdout[:2000] + done.stderr[:2000])
        return done

    def add(self, port, *options, key=True, name="rpz"):
        tsig = ["--tsig", f"feed.key:hmac-sha256:{self.key}"] if key else []
        self.run_it("feed", "add", name, "--from", "transfer", f"127.0.0.1:{port}", ZONE, *tsig,
                    *options)

    def update(self, *words, code=0):
        return self.run_it("feed", "update", "rpz", *words, code=code).stderr

    def feed(self):
        return json.loads(self.run_it("feed", "list", "-f", "json").stdout)["rows"][0]

    def rules(self):
        rows = json.loads(self.run_it("list", "show", "rpz", "-f", "json").stdout)["rows"]
        return {row["rule"].lstrip("=") for row in rows}

    def generation(self):
        return json.loads(self.run_it("status", "-f", "json", code=3).stdout)["rows"][0]["on_disk"]


class Primary:
    """NSD with one zone that changes."""
    sighup = signal.SIGHUP

    def __init__(self, folder, text, key=True, port=None):
        self.folder, self.port = folder, port or free_port()
        folder.mkdir()
        self.write(text)
        self.configure(key)
        wait_until(lambda: self.serial(), lambda: "it answers; its log: " + self.process.text())

    def write(self, text):
        (self.folder / "zone").write_text(text)

    def configure(self, key):
        (self.folder / "conf").write_text(f"""server:
    ip-address: 127.0.0.1@{self.port}
    username: ""
    zonesdir: "{self.folder}"
    database: ""
    pidfile: ""
    xfrdfile: "{self.folder}/xfrd"
    xfrdir: "{self.folder}"
    zonelistfile: "{self.folder}/zones"
    server-count: 1
remote-control:
    control-enable: no
key:
    name: feed.key
    algorithm: hmac-sha256
    secret: "{SECRET}"
zone:
    name: {ZONE}
    zonefile: zone
    store-ixfr: yes
    create-ixfr: yes
    provide-xfr: 127.0.0.1 {"feed.key" if key else "NOKEY"}
""")
        self.process = Process([NSD, "-d", "-c", str(self.folder / "conf")], self.folder / "log")

    def serial(self):
        query = dns.message.make_query(ZONE, "SOA")
        with contextlib.suppress(OSError, dns.exception.DNSException):
            answer = dns.query.tcp(query, "127.0.0.1", 0.5, self.port).answer
            return answer[0][0].serial if answer else None
        return None

    def change(self, serial, text):
        self.write(text)
        os.utime(self.folder / "zone", (time.time() + serial,) * 2)  # seen even within a second
        self.process.kill(self.sighup)
        wait_until(lambda: self.serial() == serial, lambda: f"serial {serial}: {self.process.text()}")

    def stop(self):
        self.process.stop()


class Bind(Primary):
    def configure(self, key):
        allow = "key feed.key" if key else "any"
        (self.folder / "conf").write_text(f"""
options {{ directory "{self.folder}"; pid-file none; session-keyfile none; recursion no;
    listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    dnssec-validation no; notify no; max-journal-size 10m; }};
controls {{ }};
key feed.key {{ algorithm hmac-sha256; secret "{SECRET}"; }};
zone "{ZONE}" {{ type primary; file "zone"; ixfr-from-differences yes; max-ixfr-ratio unlimited;
    allow-transfer {{ {allow}; }}; }};
""")
        self.process = Process([NAMED, "-g", "-c", str(self.folder / "conf")], self.folder / "log")


class Transfers:
    """With a real primary."""

    def start(self, text, **options):
        primary = self.primary(self.folder / "primary", text, **options)
        self.addCleanup(primary.stop)
        return primary

    def test_whole_then_changes(self):
        names = [f"n{i}.example" for i in range(5000)]
        primary = self.start(zone_text(1, names))
        self.add(primary.port)
        said = self.update()
        self.assertIn("AXFR to serial 1: 5001 records added", said)
        self.assertEqual(self.rules(), set(names))
        names = names[7:] + ["*.new.example", "other.example"]
        primary.change(2, zone_text(2, names))
        said = self.update()
        self.assertIn("IXFR to serial 2: 2 records added, 7 removed", said)
        self.assertEqual(self.rules(), set(names))
        names = ["again.example"] + names[:-1]
        primary.change(3, zone_text(3, names))
        names = ["more.example"] + names
        primary.change(4, zone_text(4, names))  # two deltas at once
        said = self.update()
        self.assertIn("IXFR to serial 4: 2 records added, 1 removed", said)
        self.assertEqual(self.rules(), set(names))
        self.assertEqual((self.feed()["serial"], self.feed()["outcome"]), (4, "updated"))
        # and the same by another way
        self.update("--force")
        self.assertEqual(self.rules(), set(names))

    def test_unchanged_costs_no_swap(self):
        primary = self.start(zone_text(1, ["a.example"]))
        self.add(primary.port)
        self.update()
        before = self.generation(), (self.folder / "policy/policy.img").stat().st_mtime_ns
        self.assertIn("unchanged", self.update())
        # a new serial with the same names is none either
        primary.change(2, zone_text(2, ["a.example"]))
        self.update()
        self.assertEqual(self.feed()["serial"], 2)
        self.assertEqual(before, (self.generation(),
                                  (self.folder / "policy/policy.img").stat().st_mtime_ns))

    def test_keys(self):
        primary = self.start(zone_text(1, ["a.example"]))
        self.add(primary.port)
        self.update()
        good = self.key.read_text()
        self.key.write_text("b3RoZXIgc2VjcmV0\n")
        said = self.update("--force", code=1)
        self.assertIn("TSIG", said)
        for secret in ("b3RoZXIgc2VjcmV0", SECRET):
            self.assertNotIn(secret, said + json.dumps(self.feed()))
        self.assertEqual((self.feed()["outcome"], self.rules()), ("failed", {"a.example"}))
        self.key.chmod(0o640)
        self.assertIn("chmod 0600", self.update(code=1))
        self.key.chmod(0o600)
        self.key.write_text(good)
        self.update()
        self.assertEqual(self.feed()["trouble"], None)
        self.run_it("feed", "remove", "rpz")
        self.add(primary.port, key=False)  # who has none gets nothing
        self.assertRegex(self.update(code=1), "REFUSED|NOTAUTH")

    def test_primary_down(self):
        primary = self.start(zone_text(1, ["a.example"]), key=False)
        self.add(primary.port, "--on-expiry", "open", "--expire", "1s", "--refresh", "1s",
                 "--retry", "1s", key=False)
        self.update()
        primary.stop()
        time.sleep(2.1)
        said = self.update(code=1)
        self.assertIn("cannot connect", said)
        self.assertIn("EXPIRED", said)
        feed = self.feed()
        self.assertEqual((feed["expired"], feed["mode"], feed["entries"]), (True, "off", 1))
        status = json.loads(self.run_it("status", "-f", "json", code=3).stdout)["rows"][0]
        self.assertIn("EXPIRED", status["feeds_trouble"])
        self.assertIn("EXPIRED", self.run_it("check", "--settings-only", code=1).stdout)
        again = self.primary(self.folder / "again", zone_text(1, ["a.example"]), key=False,
                             port=primary.port)
        self.addCleanup(again.stop)
        self.assertIn("mode block again", self.update())  # though nothing in it is new
        self.assertEqual((self.feed()["expired"], self.feed()["mode"]), (False, "block"))


class NsdTransfers(Transfers, FeedCase):
    primary = Primary

    def test_many_messages_few_signed(self):
        """NSD signs one message of 96: 100,000 records are some 140."""
        names = [f"name{i}.some-longer-domain-{i % 100}.example" for i in range(100000)]
        primary = self.start(zone_text(1, names))
        self.add(primary.port)
        said = self.update()
        self.assertIn("AXFR to serial 1: 100001 records", said)
        self.assertEqual(self.feed()["entries"], 100000)


@unittest.skipUnless(NAMED, "BIND is not installed")
class BindTransfers(Transfers, FeedCase):
    primary = Bind


class Fake:
    """A primary in Python: answer(question, number of it) returns messages (wire), or None to cut
    the connection; the last message may be cut as well."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer):
        with peer, contextlib.suppress(OSError):
            size = struct.unpack("!H", peer.recv(2, socket.MSG_WAITALL))[0]
            query = dns.message.from_wire(peer.recv(size, socket.MSG_WAITALL), keyring=KEYRING)
            self.asked.append(dns.rdatatype.to_text(query.question[0].rdtype))
            for wire in self.answer(query):
                if isinstance(wire, tuple):  # octets as they are, then the end
                    peer.sendall(wire[0])
                    return
                peer.sendall(struct.pack("!H", len(wire)) + wire)

    def stop(self):
        """A thread that is about to accept would take the number for the next test's socket."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


def soa(serial):
    return f"{ZONE} 60 IN SOA ns.x. host.x. {serial} 300 60 86400 60"


def block(name, target="."):
    return f"{name}.{ZONE} 60 IN CNAME {target}"


def message(query, records, rcode=0):
    """One message with these records, each in an RRset of its own, in this order."""
    reply = dns.message.make_response(query)
    reply.set_rcode(rcode)
    for record in records:
        owner, ttl, _, rdtype, data = record.split(" ", 4)
        reply.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", rdtype, data))
    return plain_wire(reply)


def plain_wire(reply):
    """dnspython would join RRsets of the same owner and type: SOA records must stay apart."""
    out = bytearray(struct.pack("!HHHHHH", reply.id, 0x8400 | int(reply.rcode()),
                                len(reply.question), len(reply.answer), 0, 0))
    for q in reply.question:
        out += q.name.to_wire() + struct.pack("!HH", q.rdtype, q.rdclass)
    for rrset in reply.answer:
        data = rrset[0].to_wire()
        out += rrset.name.to_wire() + struct.pack("!HHIH", rrset.rdtype, 1, rrset.ttl, len(data)) + data
    return bytes(out)


class Odd(FeedCase):
    """What a broken or hostile primary sends."""

    def setUp(self):
        super().setUp()
        self.serial, self.records = 1, [block("a.example"), block("b.example")]
        self.ixfr = None  # records in place of a refusal
        self.axfr = None
        self.fake = Fake(self.answer)
        self.addCleanup(self.fake.stop)

    def answer(self, query):
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        if kind == "SOA":
            return [message(query, [soa(self.serial)])]
        if kind == "IXFR":
            if self.ixfr is None:
                return [message(query, [], rcode=4)]
            return [message(query, part) for part in self.ixfr]
        if self.axfr is not None:
            return self.axfr(query)
        return [message(query, [soa(self.serial), *self.records, soa(self.serial)])]

    def begin(self, *options):
        self.add(self.fake.port, *options, key=False)
        self.update()
        self.assertEqual(self.rules(), {"a.example", "b.example"})

    def refuses(self, text, *words):
        said = self.update(*words, code=1)
        self.assertRegex(said, text)
        self.assertEqual(self.rules(), {"a.example", "b.example"})
        self.assertEqual(self.feed()["serial"], 1)
        return said

    def test_no_ixfr_there(self):
        self.begin()
        self.serial, self.records = 2, [block("b.example"), block("c.example")]
        self.assertIn("no IXFR, so AXFR: the primary answers NOTIMP", self.update())
        self.assertEqual(self.rules(), {"b.example", "c.example"})

    def test_deltas(self):
        self.begin()
        self.serial = 4
        self.ixfr = [[soa(4), soa(1), block("a.example")], [soa(2), block("c.example"), soa(2)],
                     [block("c.example"), soa(3), block("a.example"), soa(3)],
                     [soa(4), block("d.example"), soa(4)]]
        self.assertIn("IXFR to serial 4: 1 records added, 0 removed", self.update())
        self.assertEqual(self.rules(), {"a.example", "b.example", "d.example"})

    def test_deltas_that_do_not_fit(self):
        cases = {
            "removes a record that is not there": [soa(2), soa(1), block("x.example"), soa(2), soa(2)],
            "adds a record that is there": [soa(2), soa(1), soa(2), block("a.example"), soa(2)],
            "begin at another serial": [soa(2), soa(9), soa(2), soa(2)],
            "do not fit together": [soa(3), soa(1), soa(2), block("x.example"), soa(3), soa(3)],
            "leads backwards": [soa(2), soa(1), soa(0), block("x.example"), soa(2)],
            "behind its end": [soa(2), soa(1), soa(2), soa(2), block("x.example")],
        }
        for text, records in cases.items():
            with self.subTest(text):
                self.serial, self.records, self.ixfr = 1, [block("a.example"), block("b.example")], None
                self.begin()
                self.ixfr = [records]
                self.serial = 3 if "together" in text else 2
                self.records = [block("a.example"), block("z.example")]
                said = self.update()
                self.assertRegex(said, "no IXFR, so AXFR: .*" + text)
                self.assertEqual(self.rules(), {"a.example", "z.example"})
                self.run_it("feed", "remove", "rpz", "--with-list")

    def test_set(self):
        """Other settings keep the zone, so that changes of it come; another primary begins anew."""
        self.begin()
        self.run_it("feed", "set", "rpz", "--refresh", "5m", "--timeout", "1m")
        self.assertEqual((self.feed()["serial"], self.feed()["outcome"]), (1, "updated"))
        self.serial, self.ixfr = 2, [[soa(2), soa(1), block("a.example"), soa(2), soa(2)]]
        self.assertIn("IXFR to serial 2: 0 records added, 1 removed", self.update())
        other = Fake(self.answer)
        self.addCleanup(other.stop)
        self.run_it("feed", "set", "rpz", f"127.0.0.1:{other.port}", ZONE)
        self.assertEqual((self.feed()["serial"], self.feed()["outcome"]), (None, "never tried"))
        self.assertEqual(self.rules(), {"b.example"})
        self.serial = 1  # an older one than that of the other primary
        self.assertIn("AXFR to serial 1", self.update())
        self.assertEqual((other.asked[-1], self.rules()), ("AXFR", {"a.example", "b.example"}))

    def test_times_of_the_zone(self):
        """Times of a SOA that are not taken as they are, or cannot work, are told of."""
        record = lambda times: f"{ZONE} 60 IN SOA ns.x. host.x. {self.serial} {times} 60"
        self.axfr = lambda q: [message(q, [record(self.times), *self.records, record(self.times)])]
        self.add(self.fake.port, key=False)
        for times, text, taken in (
                ("300 60 86400", None, (300, 60, 86400)),
                ("10 5 20", r"says refresh 10s \(taken as 1m\), retry 5s .*, expire 20s \(taken as 1m\);", (60, 60, 60)),
                ("300 60 0", r"says expire 0s \(taken as 1w\);", (300, 60, 604800)),
                ("300 60 4294967295", r"expire .* \(taken as .*\)", (300, 60, 366 * 86400)),
                ("7200 60 3600", "expires after 1h, before its next update after 2h",
                 (7200, 60, 3600))):
            with self.subTest(times):
                self.times = times
                said = self.update("--force")
                self.serial += 1
                if text:
                    self.assertRegex(said, text)
                else:
                    self.assertNotRegex(said, "SOA|expires")
                feed = self.feed()
                self.assertEqual(tuple(feed[k] for k in ("refresh_s", "retry_s", "expire_s")), taken)
        self.assertEqual(feed["soa_refresh_s"], 7200)
        self.run_it("feed", "set", "rpz", "--expire", "1d")
        self.assertNotRegex(self.update("--force"), "expires")

    def test_whole_zone_for_ixfr(self):
        self.begin()
        self.serial = 2
        self.ixfr = [[soa(2), block("c.example")], [block("d.example"), soa(2)]]
        self.assertIn("AXFR to serial 2", self.update())
        self.assertEqual(self.fake.asked[-1], "IXFR")
        self.assertEqual(self.rules(), {"c.example", "d.example"})

    def test_serials(self):
        self.begin()
        self.serial = 0xFFFFFFFF  # before 1 in RFC 1982's circle
        self.refuses("4294967295 is not newer than ours, 1: --force")
        self.records = [block("b.example"), block("c.example")]
        self.update("--force")
        self.assertEqual(self.feed()["serial"], 0xFFFFFFFF)
        self.serial, self.records = 5, [block("b.example")]  # and on over the end
        self.update()
        self.assertEqual((self.feed()["serial"], self.rules()), (5, {"b.example"}))

    def test_cut(self):
        self.begin()
        self.serial = 2
        whole = lambda q: message(q, [soa(2), block("x.example"), soa(2)])
        half = lambda q: message(q, [soa(2), block("x.example")])
        for what, answer in {
            "closed the connection": lambda q: [(struct.pack("!H", len(whole(q))) + whole(q)[:40],)],
            "closed the connection ": lambda q: [half(q)],
            "closed the connection  ": lambda q: [],
            "empty message": lambda q: [half(q), message(q, [])],
            "another question": lambda q: [message(self.other(q), [soa(2)])],
            "zone changed while": lambda q: [half(q), message(q, [soa(3)])],
            "does not begin with a SOA": lambda q: [message(q, [block("x.example"), soa(2)])],
            "malformed|no answer": lambda q: [whole(q)[:-3]],
            "octets behind": lambda q: [whole(q) + b"x"],
            "no answer to the question": lambda q: [b"\0" * 5],
            # owner name is a pointer to itself
            "malformed": lambda q: [whole(q)[:12] + b"\xc0\x0c" + whole(q)[14:]],
        }.items():
            with self.subTest(what):
                self.axfr = answer
                self.refuses(what.strip())

    def other(self, query):
        reply = dns.message.make_query("other.test.", "AXFR")
        reply.id = query.id
        return reply

    def test_too_large(self):
        self.begin("--max-size", "20k")
        self.serial = 2
        self.axfr = lambda q: (message(q, [soa(2)] + [block(f"n{i}.example") for i in range(500)])
                               if i == 0 else
                               message(q, [block(f"n{i}-{k}.example") for k in range(500)])
                               for i in range(100000))
        self.refuses("larger than allowed")

    def test_slow(self):
        """Octets that come one by one end with --timeout, whatever --from says."""
        self.begin("--timeout", "2s")
        self.serial = 2
        gate = threading.Event()
        self.addCleanup(gate.set)

        def drip(query):
            yield message(query, [soa(2), block("x.example")])
            gate.wait(20)

        self.axfr = drip
        begun = time.monotonic()
        self.refuses("took longer than 2 s")
        self.assertLess(time.monotonic() - begun, 15)

    def test_signatures(self):
        def signed(wires_of, which):
            def answer(query):
                ctx, out = None, []
                wires = wires_of(query)
                for i, wire in enumerate(wires):
                    reply = dns.message.from_wire(wire, one_rr_per_rrset=True)
                    reply.id = query.id
                    if i in which:
                        reply.use_tsig(KEYRING, "feed.key", algorithm=dns.tsig.HMAC_SHA256)
                        reply.request_mac = query.mac
                        out.append(reply.to_wire(multi=True, tsig_ctx=ctx))
                        ctx = reply.tsig_ctx
                    else:
                        out.append(wire)
                        if ctx:
                            ctx.update(wire)
                return out
            return answer

        base = self.answer
        self.axfr = lambda q: [message(q, [soa(1), block("a.example")]),
                               message(q, [block("b.example")]), message(q, [soa(1)])]
        self.fake.answer = signed(base, {0, 1, 2})
        self.add(self.fake.port)
        self.update()
        self.assertEqual(self.rules(), {"a.example", "b.example"})
        self.fake.answer = signed(base, {0, 2})  # the one between counts for the next signature
        self.update("--force")
        for what, which in {"not signed": {1, 2}, "end of the answer is not signed": {0, 1}}.items():
            self.fake.answer = signed(base, which)
            self.refuses(what, "--force")
        changed = signed(base, {0, 2})

        def forged(query):
            wires = changed(query)
            if len(wires) == 3:
                wires[1] = wires[1].replace(b"\x01b", b"\x01c")
            return wires

        self.fake.answer = forged
        self.refuses("signature is wrong", "--force")

    def test_hostile_names(self):
        odd = ["\\000\\001.example", "\\\"quo\\;te\\(.example", "\\$origin.example", "x" * 63 + ".example",
               "*.wild.example", "\\@.example", "UPPER.Example", "a\\.b.example", "\\#.example"]
        self.records = [block("a.example"), block("b.example")] + [block(n) for n in odd] + [
            f"txt.example.{ZONE} 60 IN TXT \"a; b\" \"\\\"c\"",
            f"32.1.2.0.192.rpz-ip.{ZONE} 60 IN CNAME ."]
        self.add(self.fake.port, key=False)
        self.update()
        rules = self.rules()
        self.assertEqual(len(rules), 2 + len(odd) + 2)  # the address rule, and the record that is the answer
        self.assertTrue([r for r in rules if "192.0.2.1" in r], rules)
        for name in ("upper.example", "*.wild.example", "\\036origin.example", "x" * 63 + ".example",
                     "\\000\\001.example", "a\\.b.example"):
            self.assertIn(name, rules)
        # a zone is kept as it came: changes of odd names find them
        self.serial = 2
        self.ixfr = [[soa(2), soa(1), block("\\000\\001.example"),
                      f"txt.example.{ZONE} 60 IN TXT \"a; b\" \"\\\"c\"", soa(2), soa(2)]]
        self.assertIn("IXFR to serial 2: 0 records added, 2 removed", self.update())
        self.assertEqual(self.rules(), rules - {"\\000\\001.example", "txt.example"})

    def test_watch(self):
        """In place of a timer: what is added later and what changes comes by itself."""
        watch = subprocess.Popen([COMMAND, "-c", str(self.conf), "feed", "update", "--watch"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.terminate)
        self.add(self.fake.port, "--refresh", "1s", key=False)
        wait_until(lambda: self.feed()["serial"] == 1, "the first update", 60)
        self.serial, self.records = 2, [block("b.example"), block("c.example")]
        wait_until(lambda: self.feed()["serial"] == 2, "the next one", 60)
        self.assertEqual(self.rules(), {"b.example", "c.example"})
        self.assertIsNone(watch.poll())

    def test_shrinks(self):
        self.begin()
        self.serial, self.records = 2, []
        self.refuses("has no names|shrink")
        self.assertEqual(self.feed()["outcome"], "refused")


if __name__ == "__main__":
    harness.main()
