#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The module in an Unbound that it was not built for: one line, nothing of ours active, and the
resolver serves."""
import os
import re
import unittest
from pathlib import Path

import harness
from harness import (MODULE, UNBOUND, LiveCase, Load, Nsd, addresses, flags, rcode, sign_zone,
                     zone)

REAL = "203.0.113.1"


def other_unbound():
    """Another Unbound with dynlib on this machine: SEK_UNBOUND_OTHER, or one of set-up's."""
    given = os.environ.get("SEK_UNBOUND_OTHER")
    prefix = Path(os.environ.get("SEKISHO_PREFIX", "/opt/sekisho"))
    found = [Path(given)] if given else sorted(prefix.glob("unbound-*/sbin/unbound"))
    ours = build_id(UNBOUND)
    return next((p for p in found if build_id(p) not in (None, ours)), None)


def build_id(program):
    found = re.search(r"Build ID: ([0-9a-f]+)", harness.output("readelf", "-n", str(program)))
    return found[1] if found else None


class Foreign(LiveCase):
    """The same Unbound, and a module that names another one as its own."""

    @classmethod
    def start_upstream(cls):
        path, cls.ds = sign_zone(cls.scratch / "sign", "signed.test", zone(f"www A {REAL}\n"))
        nsd = Nsd(cls.scratch / "nsd", {
            "test": zone(f"* A {REAL}\nalias CNAME other\nother A {REAL}\n"), "signed.test": path})
        cls.stack.callback(nsd.stop)
        return nsd

    @classmethod
    def before_start(cls):
        cls.policy.block("evil.test", "other.test")
        cls.options = f'    trust-anchor: "{cls.ds}"\n'

    @classmethod
    def describe_resolver(cls, name, changes):
        foreign = cls.scratch / "foreign.so"
        octets = Path(MODULE).read_bytes()
        ids = set(re.findall(rb"build-id=([0-9a-f]{16,})\0", octets))
        for own in ids:
            octets = octets.replace(own, b"0" * len(own))
        foreign.write_bytes(octets)
        foreign.chmod(0o755)
        return super().describe_resolver(name, {"module": foreign, **changes})

    def assert_idle(self):
        self.assertFalse([t for t in self.resolver.threads() if t.startswith("sek-")])
        self.assertFalse(self.policy.status_page.exists())
        self.assertFalse(self.policy.events_db.exists())

    def test_one_line(self):
        said = self.resolver.said()
        self.assertEqual(1, len(said), said)
        self.assertRegex(said[0], "built for another Unbound .*" + build_id(self.resolver.unbound))
        self.assert_idle()

    def test_everything_resolves(self):
        for how in ({}, {"tcp": True}, {"cd": True, "do": True}, {"v6": True}, {"edns": False}):
            with self.subTest(**how):
                self.assert_passes(self.ask("www.evil.test", **how), REAL)
        self.assertEqual([REAL], addresses(self.ask("alias.test")))
        self.assertEqual("NOERROR", rcode(self.ask("version.bind", "TXT", rdclass="CH")))
        self.assertEqual("NOERROR", rcode(self.ask(".", "SOA")))
        self.assert_idle()

    def test_validation_works(self):
        """Subqueries are told to the module as well."""
        self.assertIn("AD", flags(self.ask("www.signed.test", do=True)))

    def test_reload(self):
        for _ in range(5):
            self.resolver.control("reload")
            self.resolver.wait_serving()
            self.assert_passes(self.ask("evil.test"), REAL)
        self.assert_idle()

    def test_under_load(self):
        load = Load(self.scratch / "load", self.resolver.server,
                    [f"n{i}.test" for i in range(2000)], 3, qps=3000)
        result = load.result()
        self.assertEqual({"NOERROR": result["completed"]}, result["rcodes"])
        self.assertGreater(result["completed"], 1000)


@unittest.skipUnless(UNBOUND and other_unbound(), "no other Unbound with dynlib on this machine")
class OtherVersion(Foreign):
    """Really another Unbound, with structures of another layout."""

    @classmethod
    def describe_resolver(cls, name, changes):
        return super(Foreign, cls).describe_resolver(name, {"unbound": other_unbound(), **changes})


if __name__ == "__main__":
    harness.main()
