#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The resolver's own questions: never broken by a block, never anybody's hit, never a way around
it through the cache."""
import unittest

import harness
from harness import (IS_ROOT, LiveCase, Nsd, addresses, flags, name_server_addresses, rcode,
                     sign_zone, zone)

REAL = "203.0.113.1"


@unittest.skipUnless(IS_ROOT, "name servers of a real hierarchy listen on port 53")
class NameServers(LiveCase):
    """A hierarchy with referrals. Zone shop.test is served by ns.evil.test, whose address must be
    asked for (no glue), and zone evil.test by its own ns."""

    @classmethod
    def start_upstream(cls):
        parent, child = name_server_addresses(2)
        delegations = (f"evil NS ns.evil\nns.evil A {child}\n"
                       "shop NS ns.evil\nshop2 NS ns.evil\nshop3 NS ns.evil\nother NS ns.other\n"
                       f"ns.other A {child}\n")
        top = zone(delegations, ns="ns.nic.test.")
        nic = f"\nns.nic A {parent}\n"
        upper = Nsd(cls.scratch / "parent", {
            ".": zone(f"test. NS ns.nic.test.\nns.nic.test. A {parent}\n"), "test": top + nic},
            parent, 53)
        cls.stack.callback(upper.stop)
        rest = zone(f"* A {REAL}\n", ns="ns.evil.test.")
        lower = Nsd(cls.scratch / "child", {
            "evil.test": zone(f"ns A {child}\nwww A 203.0.113.66\n", ns="ns.evil.test."),
            "shop.test": rest, "shop2.test": rest, "shop3.test": rest,
            "other.test": zone(f"ns A {child}\n* A {REAL}\n", ns="ns.other.test.")}, child, 53)
        cls.stack.callback(lower.stop)
        hints = cls.scratch / "root.hints"
        hints.write_text(f". 3600000 NS ns.nic.test.\nns.nic.test. 3600000 A {parent}\n")
        cls.options = f'    root-hints: "{hints}"\n'
        return None

    @classmethod
    def before_start(cls):
        cls.policy.block("evil.test")

    def test_zones_below_a_blocked_name_server_resolve(self):
        self.assert_passes(self.ask("a.shop.test"), REAL)
        self.assert_passes(self.ask("a.other.test"), REAL)
        self.assert_sinkholed(self.ask("www.evil.test"))

    def test_its_address_never_becomes_a_cache_hit(self):
        self.assert_passes(self.ask("b.shop2.test"), REAL)
        for client in ("127.0.0.2", "127.0.0.3"):
            self.assert_sinkholed(self.ask("ns.evil.test", source=client))
        self.assertFalse([q for q in self.resolver.cached() if q[0].endswith("evil.test")])
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_nobody_is_told_to_have_asked(self):
        """Hits of this endpoint are what it asked, not what the resolver asked for it."""
        self.assert_passes(self.ask("c.shop.test", source="127.0.0.7"), REAL)
        self.assert_sinkholed(self.ask("mark.evil.test", source="127.0.0.7"))
        self.wait_rows([("mark.evil.test", 1)], "SELECT name, sum(count) FROM hits"
                       " WHERE endpoint = '127.0.0.7' GROUP BY name")

    def test_referrals_stay_cached(self):
        """Keeping blocked answers out of the cache must not keep referrals out."""
        self.assert_passes(self.ask("first.other.test"), REAL)
        self.assertIn("ns.other.test.", self.resolver.control("dump_cache"))

    def test_block_of_the_zone_above(self):
        """Everything below a block is blocked, but what is excepted still resolves through it."""
        self.policy.block("shop3.test")
        self.policy.allow("free.shop3.test")
        self.assert_sinkholed(self.ask("x.shop3.test"))
        self.assert_passes(self.ask("free.shop3.test"), REAL)


@unittest.skipUnless(IS_ROOT, "name servers of a real hierarchy listen on port 53")
class Validator(LiveCase):
    """Keys and signatures below a rule are fetched as ever."""

    @classmethod
    def start_upstream(cls):
        top, middle, low = name_server_addresses(3)
        kid, kid_ds = sign_zone(cls.scratch / "kid", "kid.sig.test",
                                zone(f"ns A {low}\nwww A {REAL}\nmail A {REAL}\n",
                                     ns="ns.kid.sig.test."))
        sig, cls.ds = sign_zone(cls.scratch / "sig", "sig.test", zone(
            f"ns A {middle}\nkid NS ns.kid\nns.kid A {low}\n" + kid_ds + "\n",
            ns="ns.sig.test."))
        for name, address, zones in (
                ("top", top, {".": zone(f"test. NS ns.nic.test.\nns.nic.test. A {top}\n"),
                              "test": zone(f"ns.nic A {top}\nsig NS ns.sig\nns.sig A {middle}\n")}),
                ("middle", middle, {"sig.test": sig}), ("low", low, {"kid.sig.test": kid})):
            nsd = Nsd(cls.scratch / name, zones, address, 53)
            cls.stack.callback(nsd.stop)
        hints = cls.scratch / "root.hints"
        hints.write_text(f". 3600000 NS ns.nic.test.\nns.nic.test. 3600000 A {top}\n")
        cls.options = f'    root-hints: "{hints}"\n    trust-anchor: "{cls.ds}"\n'
        return None

    @classmethod
    def before_start(cls):
        cls.policy.block("sig.test")
        cls.policy.allow("www.kid.sig.test", "mail.kid.sig.test")

    def test_allowed_below_a_block_is_still_authentic(self):
        """DS and DNSKEY of two blocked zones are needed for that."""
        answer = self.ask("www.kid.sig.test", do=True)
        self.assertIn("AD", flags(answer))
        self.assertEqual([REAL], addresses(answer))
        self.assertEqual("NOERROR", rcode(answer))

    def test_keys_are_answered_by_policy(self):
        for rdtype in ("DNSKEY", "DS", "NS", "SOA"):
            for name in ("sig.test", "kid.sig.test"):
                with self.subTest(name=name, type=rdtype):
                    self.assert_negative(self.ask(name, rdtype, do=True), "NOERROR", "sig.test.")
        self.assertFalse([q for q in self.resolver.cached()
                          if q[0] in ("sig.test", "kid.sig.test") and q[1] in ("DNSKEY", "DS")])

    def test_no_hit_of_the_resolver(self):
        self.ask("mail.kid.sig.test", source="127.0.0.8")
        self.ask("mail.kid.sig.test", source="127.0.0.8")
        self.wait_traffic({"passed": 1, "cached": 1}, "sig.test", "127.0.0.8")
        self.assertEqual([], self.rows("SELECT name FROM hits WHERE endpoint = '127.0.0.8'"))


if __name__ == "__main__":
    harness.main()
