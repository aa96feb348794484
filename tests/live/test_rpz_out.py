#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The effective policy as a policy zone: served by NSD, read by BIND and by Unbound without the
module through real transfers, and each must answer as our module does."""
import random
import re
from pathlib import Path

import dns.name

import harness
from harness import LiveCase, addresses, ask, notation, wait_until, zone
from programs import free_port
from secondaries import (NAMED, Named, Primary, SILENCE, ask_all, policy_unbound, unbound_serial)

SEED = 20261127
ZONE = "rpz.example"
N_DOMAINS = 300
N_SAMPLES = 1000
N_CARRIED = 32  # names with an address of its own each
TYPES = ("A", "A", "A", "AAAA", "TXT")
README = Path(__file__).parents[2] / "policy" / "README.md"

# By addresses in answers: a network within another, exceptions, both families, what no zone can say.
CARRIED = (("carried-nx", "nxdomain", ("198.51.100.8/29", "2001:db8:77::10/124")),
           ("carried-nodata", "nodata", ("198.51.100.10", "2001:db8:77::8/125")),
           ("carried-free", "passthru", ("198.51.100.12/31", "2001:db8:77::1a")),
           ("carried-sink", "sinkhole", ("198.51.100.16/30",)),
           ("carried-watch", "log", ("198.51.100.20",)))

# Answers may differ from ours for these reasons only; each is explained in policy/README.md.
REFUSED = "no-refused"
ALIAS_DATA = "unbound-alias-data"


def entries(rng, n, depth):
    """Rules in list notation at random names of random domains."""
    found = set()
    while len(found) < n:
        labels = [rng.choice("abc") for _ in range(rng.randrange(depth))]
        name = ".".join(labels + [f"d{rng.randrange(N_DOMAINS)}", "test"])
        found.add(rng.choice(("", "", "=", "*.")) + name)
    return sorted(found)


def samples(rng, listed):
    """Names at, above, below and beside rules, and aliases of such."""
    names = set()
    while len(names) < N_SAMPLES:
        name = rng.choice(listed).lstrip("=*.")
        kind = rng.randrange(7)
        if kind == 1:
            name = rng.choice("abcx") + "." + name
        elif kind == 2:
            name = rng.choice("abcx") + "." + rng.choice("abcx") + "." + name
        elif kind == 3:
            name = name.split(".", 1)[1]
        elif kind == 4:
            name = f"{rng.choice('abcx')}.d{rng.randrange(N_DOMAINS)}.test"
        elif kind == 5:
            name = f"al{rng.randrange(N_DOMAINS)}.test"
        names.add(name)
    return [(name, rng.choice(TYPES)) for name in sorted(names)]


class Fleet(LiveCase):
    @classmethod
    def prepare(cls):
        cls.rng = random.Random(SEED)
        print("seed", SEED)
        cls.aliases = {f"al{i}.test": f"{cls.rng.choice('abc')}.{cls.rng.choice('abc')}.d{i}.test"
                       for i in range(N_DOMAINS)}
        aliases = "".join(f"{alias}. CNAME {name}.\n" for alias, name in cls.aliases.items())
        carried = "".join(f"n{i} A 198.51.100.{i}\nn{i} AAAA 2001:db8:77::{i}\n" for i in range(N_CARRIED))
        cls.zones = {"test": zone('* A 203.0.113.1\n* AAAA 2001:db8::1\n* TXT "real"\n' + aliases),
                     "carried.example": zone(carried),
                     "example": zone("* A 203.0.113.2\n")}
        super().prepare()
        cls.file = cls.scratch / "policy.zone"
        wait_until(lambda: ask_all([cls.resolver.server], [("ended.test", "A")])[0][0][1] ==
                   ("203.0.113.1",), "the rule of ended.test ends")
        cls.export()
        port, named_port = free_port(), free_port()
        cls.primary = Primary(cls.scratch / "primary", ZONE, cls.file, (port, named_port))
        cls.stack.callback(cls.primary.stop)
        cls.unbound = policy_unbound(cls.scratch / "stock", cls.upstream, ZONE, cls.primary,
                                     port=port).start()
        cls.stack.callback(cls.unbound.stop)
        cls.named = Named(cls.scratch / "named", cls.upstream, ZONE, cls.primary, named_port)
        cls.stack.callback(cls.named.stop)
        cls.wait_serial(cls.serial())

    @classmethod
    def before_start(cls):
        cls.listed = []
        lists = (("nx", 150, 4, {"action": "nxdomain"}), ("sink", 150, 4, {"action": "sinkhole"}),
                 ("nodata", 100, 4, {"action": "nodata"}), ("drop", 6, 3, {"action": "drop"}),
                 ("refused", 12, 4, {"action": "refused"}),
                 ("urgent", 60, 4, {"action": "nxdomain", "priority": 50}),
                 ("watch", 80, 4, {"action": "nxdomain", "mode": "monitor"}),
                 ("unused", 80, 4, {"action": "nxdomain", "mode": "off"}),
                 ("free", 60, 4, {"action": "passthru"}))
        for name, n, depth, row in lists:
            rules = entries(cls.rng, n, depth)
            cls.policy.add_list(name, rules, **row)
            cls.listed += rules
        rules = [e.lstrip("=*.") for e in entries(cls.rng, 60, 4)]
        cls.listed += rules
        cls.policy.add_list("data", [f'{e} data="A 192.0.2.{77 + i % 2}" data="TXT \\"walled\\""'
                                     for i, e in enumerate(rules)], priority=60)
        for name, action, nets in CARRIED:
            cls.policy.add_list(name, [f"response-ip:{net}" for net in nets], action=action)
        cls.policy.add_list("carried-data", ['response-ip:198.51.100.24/30 data="A 192.0.2.79"'])
        cls.policy.add_list("clients", ["client-ip:127.0.0.9", "client-ip:127.0.0.10 data=\"A 192.0.2.80\""],
                            action="nodata")
        cls.odd = [dns.name.Name((label, b"odd", b"test", b"")) for label in
                   (b"\0", b"a.b", b"a b", b'"', b";", b"@", b"$TTL", b"(", b"\\", b"\xff", b"#", b"1")]
        cls.policy.add_list("odd", ["=" + notation(n) for n in cls.odd], action="nodata")
        cls.policy.block("ended.test", lifetime="1s")
        cls.listed.append("ended.test")

    @classmethod
    def export(cls, *words):
        return cls.policy.run("policy", "export", "--zone", ZONE, "--output", str(cls.file),
                              *words)[2]

    @classmethod
    def serial(cls):
        return int(re.search(r"^ *(\d+) ; serial$", cls.file.read_text(), re.M)[1])

    @classmethod
    def wait_serial(cls, serial):
        wait_until(lambda: cls.named.serial() == serial,
                   lambda: f"named has {serial}; it has {cls.named.serial()}: {cls.named.text()}")
        wait_until(lambda: unbound_serial(cls.unbound) == serial,
                   lambda: f"Unbound has {serial}: " + cls.unbound.process.text())

    def wait_answer(self, name):
        """named puts a zone's new version in force some time after it serves it."""
        wait_until(lambda: len(set(ask_all(self.servers(), [(name, "A")])[0])) == 1,
                   f"all answer alike for {name}")

    def is_dropped(self, question):
        """Is silence the answer, by the longest match in the zone?"""
        name = self.aliases.get(str(question[0]), str(question[0]))
        labels = name.split(".")
        owners = [name] + ["*." + ".".join(labels[i:]) for i in range(1, len(labels))]
        text = self.file.read_text()
        return next((" CNAME rpz-drop." in text[at:text.index("\n", at + 1)] for at in
                     (text.find(f"\n{owner} ") for owner in owners) if at >= 0), False)

    def servers(self):
        return [self.resolver.server, self.unbound.server, self.named.server]

    def compare(self, questions, servers, reason=lambda question, answers: None):
        """Ask all; every difference from the first must have a reason. {reason: count}."""
        reasons, bad = {}, []
        for question, answers in zip(questions, ask_all(servers, questions, self.is_dropped)):
            if len(set(answers)) == 1:
                continue
            why = reason(question, answers)
            if why is None:
                bad.append(f"{question}: {answers}")
            reasons[why] = reasons.get(why, 0) + 1
        self.maxDiff = None
        self.assertEqual([], bad[:20], f"{len(bad)} of {len(questions)} differ")
        return reasons

    def test_answers(self):
        """1,000 names: the same code and addresses everywhere, but where we refuse."""
        self.assertNotIn("ended.test", self.file.read_text())
        questions = samples(self.rng, self.listed)
        seen = {}

        def reason(question, answers):
            ours, unbound, named = answers
            if ours == ("REFUSED", ()) and unbound == named:
                return REFUSED
            if question[0] in self.aliases and ours == named and ours[1] in (
                    (harness.SINKHOLE4,), (harness.SINKHOLE6,), ("192.0.2.77",), ("192.0.2.78",)):
                return ALIAS_DATA if unbound == ("NOERROR", ()) else None
            return None

        reasons = self.compare(questions, self.servers(), reason)
        print(reasons)
        for question, answer in zip(questions, ask_all([self.resolver.server], questions,
                                                       self.is_dropped)):
            kind = answer[0][0] if not answer[0][1] else answer[0][1][0]
            seen[kind] = seen.get(kind, 0) + 1
        print(seen)
        # a sample in which nothing is blocked would prove nothing
        for kind, least in (("NXDOMAIN", 100), ("NOERROR", 50), (harness.SINKHOLE4, 30), ("192.0.2.77", 5), ("192.0.2.78", 5),
                            ("203.0.113.1", 100), ("REFUSED", 1), (SILENCE[0], 1)):
            self.assertGreaterEqual(seen.get(kind, 0), least, kind)
        for why in reasons:
            self.assertIn(f"| `{why}` |", README.read_text())

    def test_addresses(self):
        """Rules about addresses in answers."""
        questions = [(f"n{i}.carried.example", rdtype) for i in range(N_CARRIED)
                     for rdtype in ("A", "AAAA", "TXT")]
        self.compare(questions, self.servers())
        answers = [a[0] for a in ask_all([self.resolver.server], questions)]
        for expected, least in ((("NXDOMAIN", ()), 10), (("NOERROR", ("198.51.100.12",)), 1),
                                (("NOERROR", (harness.SINKHOLE4,)), 4),
                                (("NOERROR", ("192.0.2.79",)), 4),
                                (("NOERROR", ("198.51.100.20",)), 1)):
            self.assertGreaterEqual(answers.count(expected), least, expected)

    def test_clients(self):
        """Rules about whoever asks."""
        for source, expected in (("127.0.0.9", []), ("127.0.0.10", ["192.0.2.80"]),
                                 ("127.0.0.11", ["198.51.100.1"])):
            self.assertEqual([expected] * 3, [addresses(ask(server, "n1.carried.example", source=source))
                                              for server in self.servers()], source)

    def test_odd_names(self):
        """Octets that mean something in a zone file."""
        questions = [(name, "A") for name in self.odd]
        self.compare(questions, self.servers())
        self.assertEqual([[("NOERROR", ())]] * len(questions),
                         ask_all([self.resolver.server], questions))

    def test_deltas(self):
        """A change reaches the fleet as a delta of the changed names, and only those."""
        self.assertIn("unchanged", self.export())
        before, stamp = self.serial(), self.file.stat().st_mtime_ns
        self.export()
        self.assertEqual((before, stamp), (self.serial(), self.file.stat().st_mtime_ns))
        self.policy.block("fresh.test", "=other.test")
        whole, _ = self.primary.transfers()
        self.export()
        after = self.serial()
        self.assertGreater(after, before)
        self.primary.reload(after)
        records = self.primary.delta(before)
        soas = [i for i, r in enumerate(records) if r[1] == "SOA"]
        self.assertEqual([0, 1, 2, len(records) - 1], soas)
        self.assertEqual([str(s) for s in (after, before, after, after)],
                         [records[i][2].split()[2] for i in soas])
        added = sorted({(name, data) for name, _, data in records[3:-1]})
        sinkhole = (harness.SINKHOLE4, harness.SINKHOLE6)
        self.assertEqual(sorted((f"{owner}.{ZONE}.", data) for data in sinkhole for owner in
                                ("fresh.test", "*.fresh.test", "other.test")), added)
        self.wait_serial(after)
        self.wait_answer("fresh.test")
        self.compare([(n, "A") for n in ("fresh.test", "a.fresh.test", "other.test",
                                         "a.other.test")], self.servers())
        self.policy.unblock("fresh.test")
        self.export()
        self.primary.reload(self.serial())
        gone = self.primary.delta(after)
        self.assertEqual({f"fresh.test.{ZONE}.", f"*.fresh.test.{ZONE}."},
                         {name for name, rdtype, _ in gone if rdtype != "SOA"})
        self.wait_serial(self.serial())
        self.wait_answer("fresh.test")
        self.compare([("fresh.test", "A"), ("a.fresh.test", "A"), ("other.test", "A")],
                     self.servers())
        self.assertEqual(whole, self.primary.transfers()[0], "a whole zone was transferred")

    def test_local_zones(self):
        """unbound.conf: as our module, but at names that the output says it cannot express."""
        text = self.policy.run("policy", "export", "--as", "unbound")[1]
        path = self.scratch / "local.conf"
        path.write_text(text)
        words = dict.fromkeys(("part", "wide", "answer", "action"), ())
        for word, name in re.findall(r"^# (part|wide|answer|action): (\S+)$", text, re.M):
            words[word] += (name,)
        self.assertTrue(all(words.values()), words)
        server = self.launch("local", modules="validator iterator",
                             clauses=f'include: "{path}"\n')
        questions = [q for q in samples(self.rng, self.listed) if q[0] not in self.aliases]

        def reason(question, answers):
            for word, names in words.items():
                if any(question[0] == n or question[0].endswith("." + n) for n in names):
                    return word
            return None

        reasons = self.compare(questions, [self.resolver.server, server.server], reason)
        print(reasons)


if __name__ == "__main__":
    if not NAMED:
        print("cannot run, missing: named")
        raise SystemExit(77)
    harness.main()
