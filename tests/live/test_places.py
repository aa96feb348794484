#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules about texts (regular expressions) and about places (networks, countries) of answers."""
import threading

import harness
import mmdb
from harness import LiveCase, addresses, zone

ZONE = zone("""
* 3600 IN A 203.0.113.1
far A 198.51.100.7
near A 192.0.2.7
alias CNAME ads1.test.
own CNAME far.test.
""")


class TextsAndPlaces(LiveCase):
    zones = {"test": ZONE}
    threads = 2

    @classmethod
    def prepare(cls):
        path = cls.scratch / "places.mmdb"
        mmdb.write(path, {"198.51.100.0/24": (64496, "KP"), "192.0.2.0/24": (64497, "DE")})
        cls.scratch.chmod(0o755)
        cls.settings = {"geo__asn": path}
        super().prepare()

    def assert_gone(self, name):
        self.assertFalse([q for q in self.resolver.cached() if q[0] == name])

    def test_regex(self):
        self.assert_passes(self.ask("ads1.test"), "203.0.113.1")  # cached from now on
        self.assert_passes(self.ask("alias.test"), "203.0.113.1")
        self.assert_passes(self.ask("bads1.test"), "203.0.113.1")
        self.policy.block(r"regex:^ADS[0-9]+\.")
        self.assert_sinkholed(self.ask("ads1.test"))
        self.assert_sinkholed(self.ask("aDs22.test"))
        self.assertNotIn("203.0.113.1", addresses(self.ask("alias.test")))
        self.assert_gone("ads1.test")
        self.assert_passes(self.ask("bads1.test"), "203.0.113.1")
        self.wait_rows([("ads1.test", "regex", "local-block")],
                       "SELECT DISTINCT name, trigger, list FROM hits WHERE name = 'ads1.test'")
        _, out, _ = self.policy.run("hits", "--name", "ads1.test")
        self.assertIn(r"regex:^ADS[0-9]+\.", out)
        self.policy.allow("regex:^ads1")
        self.assert_passes(self.ask("ads1.test"), "203.0.113.1")
        self.assert_sinkholed(self.ask("ads2.test"))
        self.policy.drop_exception("regex:^ads1")
        self.assert_sinkholed(self.ask("ads1.test"))
        self.policy.unblock(r"regex:^ADS[0-9]+\.")
        self.assert_passes(self.ask("ads1.test"), "203.0.113.1")
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_regex_by_many_threads(self):
        """Policies come and go while all threads match."""
        wrong, end = [], threading.Event()

        def client(kind):
            n = 0
            while not end.is_set():
                n += 1
                name = f"{kind}{n % 500}.test"
                got = addresses(self.ask(name))
                if ("203.0.113.1" in got) == (kind == "zap"):
                    wrong.append((name, got))

        self.policy.block("regex:^zap[0-9]")
        clients = [threading.Thread(target=client, args=(k,)) for k in ("zap", "sip") * 2]
        for c in clients:
            c.start()
        for i in range(6):
            self.policy.block(f"regex:^other{i}[a-z]")
        end.set()
        for c in clients:
            c.join()
        self.assertEqual([], wrong)
        self.policy.unblock("regex:^zap[0-9]")

    def test_places(self):
        for name, rule, address in (("far.test", "asn:64496", "198.51.100.7"),
                                    ("near.test", "country:de", "192.0.2.7")):
            self.assert_passes(self.ask(name), address)
            self.policy.block(rule)
            self.assert_sinkholed(self.ask(name))
            self.assert_gone(name)
            trigger = rule.split(":")[0]
            self.wait_rows([(name, trigger)],
                           f"SELECT DISTINCT name, trigger FROM hits WHERE name = '{name}'")
        self.assertNotIn("198.51.100.7", addresses(self.ask("own.test")))
        self.policy.allow("far.test")
        self.assert_passes(self.ask("far.test"), "198.51.100.7")
        self.policy.drop_exception("far.test")
        self.assert_sinkholed(self.ask("far.test"))
        _, out, _ = self.policy.run("explain", "far.test", "--answer", "198.51.100.7")
        self.assertIn("asn:64496", out)
        self.policy.unblock("asn:64496", "country:de")
        self.assert_passes(self.ask("far.test"), "198.51.100.7")
        self.assertEqual(0, self.policy.status()["leaked"])


class WithoutDatabase(LiveCase):
    zones = {"test": ZONE}

    def test_no_effect_is_told(self):
        self.policy.block("asn:64496")
        self.assert_passes(self.ask("far.test"), "198.51.100.7")
        _, out, _ = self.policy.run("status")
        self.assertIn("rules asn:… have no effect", out)
        _, out, _ = self.policy.run("check", ok=(0, 1))
        self.assertIn("geo.asn is not set", out)
        self.policy.unblock("asn:64496")


if __name__ == "__main__":
    harness.main()
