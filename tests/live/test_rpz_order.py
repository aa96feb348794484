#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Several policy zones: an earlier one comes before a later one whatever the rules are about, and in
each the most specific one counts alone, whatever it does, as in BIND with the same zones; and what
waits for an answer is never in the cache.

SEK_SEED=N makes other zones."""
import os
import random

import harness
from harness import LiveCase, wait_until, zone
from packets import ask, rcode, records
from secondaries import NAMED, Named, short

SEED = int(os.environ.get("SEK_SEED", "20261128"))
ZONES = ("z1.example", "z2.example", "z3.example")
N_NAMES, N_ALIASES = 150, 50
N_DEEP, N_NETS = 100, 64
CLIENT = "127.0.0.2"  # whom the second zone has a rule about
ACTIONS = (lambda k: "CNAME .", lambda k: "CNAME *.", lambda k: f"A 192.0.2.{k}")
ALL_ACTIONS = (*ACTIONS, lambda k: "CNAME rpz-passthru.")


def within(rng, k):
    """Wider and narrower rules about the same: names below each other, and networks."""
    lines = []
    for i in range(N_DEEP):
        for owner in (f"a.b.deep{i}", f"*.b.deep{i}", f"*.deep{i}"):
            if rng.random() < 0.3:
                lines.append(f"{owner}.test {rng.choice(ALL_ACTIONS)(k * 10 + 3)}")
    for bits in (32, 30, 28):
        for i in range(0, N_NETS, 1 << 32 - bits):
            if rng.random() < 0.3:
                lines.append(f"{bits}.{i}.113.0.203.rpz-ip {rng.choice(ALL_ACTIONS)(k * 10 + 4)}")
    return lines


class Order(LiveCase):
    @classmethod
    def prepare(cls):
        print("SEK_SEED =", SEED)
        rng, more = random.Random(SEED), random.Random(SEED + 1)
        names = [f"n{i}" for i in range(N_NAMES)]
        aliases = {f"al{i}": rng.choice(names) for i in range(N_ALIASES)}
        cls.zones = {"test": zone("".join(f"{n} A 198.51.100.{i}\n" for i, n in enumerate(names)) +
                                  "fixed A 198.51.100.200\n" +
                                  "".join(f"a.b.deep{i} A 198.51.100.202\n" for i in range(N_DEEP)) +
                                  "".join(f"net{i} A 203.0.113.{i}\n" for i in range(N_NETS)) +
                                  "".join(f"{a} CNAME {t}\n" for a, t in aliases.items()))}
        cls.files, cls.asked = {}, [f"{n}.test" for n in (*names, *aliases, "fixed", "gone",
                                                       *(f"a.b.deep{i}" for i in range(N_DEEP)))]
        cls.by_address = [f"net{i}.test" for i in range(N_NETS)]
        for k, name in enumerate(ZONES):
            lines = [f"$ORIGIN {name}.\n$TTL 30\n@ SOA localhost. nobody.invalid. 1 3600 600 86400 30"
                     "\n@ NS localhost."]
            for i, owner in enumerate((*names, *aliases)):
                if rng.random() < 0.3:
                    lines.append(f"{owner}.test {rng.choice(ACTIONS)(k * 10 + 1)}")
                # an exception on the way covers the name alone here, and in BIND what is behind it
                elif k == 0 and owner not in aliases.values() and rng.random() < 0.2:
                    lines.append(f"{owner}.test CNAME rpz-passthru.")
                if owner in names and rng.random() < 0.3:
                    lines.append(f"32.{i}.100.51.198.rpz-ip {rng.choice(ACTIONS)(k * 10 + 2)}")
            if k == 0:
                lines.append("32.200.100.51.198.rpz-ip A 192.0.2.1")
            if k == 2:
                lines += ["fixed.test CNAME .", "gone.test A 192.0.2.21"]
            if k == 1:
                lines.append("32.2.0.0.127.rpz-client-ip A 192.0.2.19")
            lines += within(more, k)
            cls.files[name] = cls.scratch / f"{name}.zone"
            cls.files[name].write_text("\n".join(lines) + "\n")
        super().prepare()
        *before, last = cls.files.items()
        cls.named = Named(cls.scratch / "named", cls.upstream, *last, before=before)
        cls.stack.callback(cls.named.stop)
        wait_until(lambda: short(ask(cls.named.server, "fixed.test"))[1] == ("192.0.2.1",),
                   lambda: "named has the zones: " + cls.named.text())

    @classmethod
    def before_start(cls):
        for k, (name, path) in enumerate(cls.files.items()):
            cls.policy.run("list", "import", name, str(path), "--as", "rpz", ok=(0, 3))
            cls.policy.run("list", "set", name, "--priority", str(10 - k), ok=(0, 3))

    def test_as_in_bind(self):
        differ, seen = [], set()
        for source in ("127.0.0.1", CLIENT):
            # an exception of an address lifts no block of the client here
            for name in self.asked + (self.by_address if source != CLIENT else []):
                ours, bind = (short(ask(server, name, source=source))
                              for server in (self.resolver.server, self.named.server))
                seen.add(ours)
                if ours != bind:
                    differ.append(f"{name} from {source}: {ours}, BIND {bind}")
        self.maxDiff = None
        self.assertEqual([], differ[:20], f"{len(differ)} differ")
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.11", "192.0.2.12", "192.0.2.21",
                        "192.0.2.22", "192.0.2.19", "192.0.2.3", "192.0.2.13", "192.0.2.4",
                        "192.0.2.14"):
            self.assertIn(("NOERROR", (address,)), seen, "a kind of rule never decides")
        # nothing that is blocked by name is left for whoever asks next
        blocked = {n for n in self.asked if short(ask(self.named.server, n))[0] == "NXDOMAIN"}
        self.assertTrue(blocked)
        self.assertFalse(blocked & {name for name, _ in self.resolver.cached()})
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_explain(self):
        """The same walk, by hand."""
        text = self.policy.run("explain", "fixed.test", "--client", "127.0.0.1",
                               "--format", "jsonl")[1]
        self.assertIn("unless a policy zone before it", text)
        self.assertIn('"answer":"NXDOMAIN', text)
        text = self.policy.run("explain", "fixed.test", "--client", "127.0.0.1", "--answer",
                               "198.51.100.200", "--format", "jsonl")[1]
        self.assertIn('"answer":"NOERROR, A 192.0.2.1,', text)


class Text(LiveCase):
    """One zone as people write it: names, types, data and TTLs are those of BIND."""
    zones = {"test": zone("* 600 A 198.51.100.1\nsearch 600 A 198.51.100.1\n"
                          "safe.search 777 A 198.51.100.2\n")}

    @classmethod
    def prepare(cls):
        cls.path, more = cls.scratch / "rpz.zone", cls.scratch / "more.zone"
        more.write_text("inner.test IN 44 A 192.0.2.4\n")
        cls.path.write_text(f"""$TTL 1h
@ IN SOA localhost. nobody.invalid. 1 3600 600 86400 30
@ NS localhost.
plain.test A 192.0.2.1
ttl.test 77 A 192.0.2.2
\tIN 1m17s A 192.0.2.3
turned.test in 1m30s CNAME garden.test.
mixed.test 120 A 192.0.2.5
mixed.test 60 AAAA 2001:db8::5
mixed.test 180 TXT "t"
mixed.test 120 A 192.0.2.6
gone.test IN 5 CNAME .
*.search.test 66 CNAME safe.search.test.
$GENERATE 1-3 gen${{0,2}}.test 55 A 192.0.2.$
$INCLUDE {more}
after.test A 192.0.2.9
""")
        super().prepare()
        cls.named = Named(cls.scratch / "named", cls.upstream, ZONES[0], cls.path)
        cls.stack.callback(cls.named.stop)
        wait_until(lambda: short(ask(cls.named.server, "plain.test"))[1] == ("192.0.2.1",),
                   lambda: "named has the zone: " + cls.named.text())

    @classmethod
    def before_start(cls):
        cls.policy.run("list", "import", "feed", str(cls.path), "--as", "rpz", ok=(0, 3))

    def test_ttl_of_a_type(self):
        for rdtype, ttl in (("A", 120), ("AAAA", 60), ("TXT", 180)):
            with self.subTest(rdtype):
                ours, bind = (sorted(r[1:] for r in records(ask(server, "mixed.test", rdtype).answer))
                              for server in (self.resolver.server, self.named.server))
                self.assertEqual(bind, ours)
                self.assertEqual({ttl}, {r[0] for r in ours})

    def test_as_in_bind(self):
        for name, n, least in (
                ("plain", 1, 3600), ("ttl", 2, 77), ("turned", 2, 90), ("gone", 0, 0),
                ("www.search", 2, 66), ("safe.search", 1, 757), ("gen02", 1, 55), ("gen04", 1, 580),
                ("inner", 1, 44), ("after", 1, 3600)):
            with self.subTest(name):
                answers = [ask(server, name + ".test")
                           for server in (self.resolver.server, self.named.server)]
                ours, bind = (sorted((o, t, d) for o, _, t, d in records(a.answer)) for a in answers)
                self.assertEqual((rcode(answers[1]), bind), (rcode(answers[0]), ours))
                self.assertEqual(n, len(ours))
                for answer in answers:
                    for ttl in [r[1] for r in records(answer.answer)][:1]:
                        self.assertTrue(least <= ttl <= least + 20, (name, ttl))


if __name__ == "__main__":
    if not NAMED:
        print("cannot run, missing: named")
        raise SystemExit(77)
    harness.main()
