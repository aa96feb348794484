#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Unbound's own means at work beside the module: each keeps its effect, and ours keeps its own."""
import ipaddress

import harness
from harness import SINKHOLE6, LiveCase, addresses, ede, flags, rcode, zone

REAL = "203.0.113.1"


def prefixed(address):
    """An IPv4 address as DNS64 writes it into the well-known prefix."""
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) +
                                     int(ipaddress.IPv4Address(address))))


class Zones(LiveCase):
    """Local zones, auth zones, stubs and forwarders."""

    zones = {"test": zone(f"* A {REAL}\n"), "fwd.test": zone(f"* A {REAL}\nx.up A {REAL}\n"),
             "stub.test": zone(f"* A {REAL}\n"), "down.test": zone(f"* A {REAL}\n")}

    @classmethod
    def before_start(cls):
        auth = cls.scratch / "auth.zone"
        auth.write_text(zone("www A 192.0.2.20\nevil A 192.0.2.21\n", ns="ns.auth.test."))
        inner = cls.scratch / "inner.zone"
        inner.write_text(zone("www A 192.0.2.30\nevil A 192.0.2.31\n", ns="ns.inner.test."))
        cls.options = """
    local-zone: "local.test." static
    local-data: "host.local.test. 60 A 192.0.2.10"
    local-data: "blocked.local.test. 60 A 192.0.2.11"
    local-zone: "refuse.test." always_refuse
    local-zone: "through.test." transparent
    local-data: "host.through.test. 60 A 192.0.2.12"
"""
        address = f"{cls.upstream.address}@{cls.upstream.port}"
        cls.clauses = f"""
auth-zone:
    name: "auth.test."
    zonefile: "{auth}"
    for-downstream: yes
    for-upstream: yes
auth-zone:
    name: "inner.test."
    zonefile: "{inner}"
    for-downstream: no
    for-upstream: yes
stub-zone:
    name: "stub.test."
    stub-addr: {address}
forward-zone:
    name: "fwd.test."
    forward-addr: {address}
    forward-no-cache: yes
forward-zone:
    name: "keep.test."
    forward-addr: {address}
"""
        cls.policy.block("blocked.local.test", "evil.auth.test", "evil.inner.test",
                         "evil.stub.test", "evil.fwd.test", "evil.keep.test", "=up.fwd.test",
                         "evil.through.test")

    def test_local_data_answers_first(self):
        """Unbound asks its local zones before any module: what they say stands, also for a name on
        a list, and is counted as local."""
        self.assertEqual(["192.0.2.10"], addresses(self.ask("host.local.test", source="127.0.0.2")))
        self.assertEqual(["192.0.2.11"],
                         addresses(self.ask("blocked.local.test", source="127.0.0.2")))
        self.assertEqual("NXDOMAIN", rcode(self.ask("no.local.test", source="127.0.0.2")))
        self.wait_traffic({"local": 3}, "local.test", "127.0.0.2")
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_refusing_zone(self):
        self.assertEqual("REFUSED", rcode(self.ask("www.refuse.test")))
        self.assertEqual([], ede(self.ask("www.refuse.test")))

    def test_transparent_zone(self):
        self.assertEqual(["192.0.2.12"], addresses(self.ask("host.through.test")))
        self.assert_passes(self.ask("other.through.test"), REAL)
        self.assert_sinkholed(self.ask("evil.through.test"))

    def test_auth_zone_for_clients(self):
        self.assertEqual(["192.0.2.20"], addresses(self.ask("www.auth.test")))
        self.assertIn("AA", flags(self.ask("www.auth.test")))
        self.assertEqual(["192.0.2.21"], addresses(self.ask("evil.auth.test")))

    def test_auth_zone_for_the_resolver(self):
        """One that only replaces an upstream is asked below us."""
        self.assertEqual(["192.0.2.30"], addresses(self.ask("www.inner.test")))
        self.assert_sinkholed(self.ask("evil.inner.test"))

    def test_stub(self):
        self.assert_passes(self.ask("www.stub.test"), REAL)
        self.assert_sinkholed(self.ask("evil.stub.test"))

    def test_forward(self):
        self.assert_passes(self.ask("www.keep.test"), REAL)
        self.assertIn(("www.keep.test", "A"), self.resolver.cached())
        self.assert_sinkholed(self.ask("evil.keep.test"))

    def test_forward_no_cache_stays_uncached(self):
        """Nobody's wish to keep an answer out of the cache is overruled, also not where we kept a
        name on the way out of it."""
        for name in ("www.fwd.test", "x.up.fwd.test"):
            self.assert_passes(self.ask(name), REAL)
            self.assert_passes(self.ask(name), REAL)
        self.assert_sinkholed(self.ask("evil.fwd.test"))
        self.assert_sinkholed(self.ask("up.fwd.test"))
        self.assertFalse([q for q in self.resolver.cached() if q[0].endswith("fwd.test")])


class Dns64(LiveCase):
    """AAAA made of A below us: judged by the name, never kept for who may not have it."""

    modules = "dynlib dns64 validator iterator"
    options = "    dns64-prefix: 64:ff9b::/96\n"
    zones = {"test": zone(f"* A {REAL}\nalias CNAME target\ntarget A {REAL}\n"
                          "six AAAA 2001:db8::6\nsix A 203.0.113.9\n")}

    def test_synthesis(self):
        self.assertEqual([prefixed(REAL)], addresses(self.ask("four.test", "AAAA")))
        self.assertEqual(["2001:db8::6"], addresses(self.ask("six.test", "AAAA")))
        self.assertEqual([REAL], addresses(self.ask("four.test")))

    def test_blocked(self):
        self.policy.block("=evil.test")
        for client in ("127.0.0.2", "127.0.0.3"):
            self.assertEqual([SINKHOLE6],
                             addresses(self.ask("evil.test", "AAAA", source=client)))
            self.assert_sinkholed(self.ask("evil.test", source=client))
        self.policy.unblock("=evil.test")
        self.assertEqual([prefixed(REAL)], addresses(self.ask("evil.test", "AAAA")))

    def test_cached_then_blocked(self):
        self.assertEqual([prefixed(REAL)], addresses(self.ask("late.test", "AAAA")))
        self.policy.block("=late.test")
        self.assertEqual([SINKHOLE6], addresses(self.ask("late.test", "AAAA")))
        self.assertFalse([q for q in self.resolver.cached() if q[0] == "late.test"])

    def test_nodata_is_not_filled_in(self):
        """An AAAA of a name answered by NODATA must not be synthesised from an address."""
        self.policy.add_list("nodata", ["=none.test"], action="nodata")
        self.assert_negative(self.ask("none.test", "AAAA"), "NOERROR", "none.test.")

    def test_alias(self):
        self.assertIn(prefixed(REAL), addresses(self.ask("alias.test", "AAAA")))
        self.policy.block("=target.test")
        for client in ("127.0.0.2", "127.0.0.3"):
            self.assertEqual([SINKHOLE6],
                             addresses(self.ask("alias.test", "AAAA", source=client)))
        self.assertEqual(0, self.policy.status()["leaked"])


class ResponsePolicy(LiveCase):
    """Unbound's RPZ and response-ip."""

    modules = "dynlib respip validator iterator"
    zones = {"test": zone(f"* A {REAL}\nbadip A 203.0.113.77\nrpzip A 203.0.113.88\n"
                          "evilip A 203.0.113.77\nodd CNAME badip2\nbadip2 A 203.0.113.77\n")}

    @classmethod
    def before_start(cls):
        rpz = cls.scratch / "rpz.zone"
        rpz.write_text("$TTL 60\n@ SOA a. b. 1 3600 600 86400 60\n@ NS a.\n"
                       "nx.test CNAME .\nboth.test CNAME .\npass.test CNAME rpz-passthru.\n"
                       "local.test A 192.0.2.99\n32.88.113.0.203.rpz-ip CNAME .\n")
        cls.options = "    response-ip: 203.0.113.77/32 redirect\n" \
                      '    response-ip-data: 203.0.113.77/32 "A 192.0.2.98"\n'
        cls.clauses = f'rpz:\n    name: "rpz.test."\n    zonefile: "{rpz}"\n'
        cls.policy.block("=evil.test", "=both.test", "=pass.test", "=evilip.test")

    def test_rpz_by_name(self):
        answer = self.ask("nx.test", source="127.0.0.2")
        self.assertEqual("NXDOMAIN", rcode(answer))
        self.assertFalse([text for _, text in ede(answer) if "list" in text])
        self.assertEqual(["192.0.2.99"], addresses(self.ask("local.test")))
        self.wait_traffic({"local": 1}, "nx.test", "127.0.0.2")

    def test_both_block(self):
        """RPZ by name comes before the modules."""
        self.assertEqual("NXDOMAIN", rcode(self.ask("both.test")))

    def test_its_passthru_is_not_ours(self):
        self.assert_sinkholed(self.ask("pass.test"))

    def test_rpz_by_address(self):
        for _ in range(2):
            self.assertEqual("NXDOMAIN", rcode(self.ask("rpzip.test")))

    def test_response_ip(self):
        for _ in range(2):
            self.assertEqual(["192.0.2.98"], addresses(self.ask("badip.test")))

    def test_ours_beside(self):
        for _ in range(2):
            self.assert_sinkholed(self.ask("evil.test"))
            self.assert_sinkholed(self.ask("evilip.test"))
            self.assert_passes(self.ask("free.test"), REAL)

    def test_alias_to_a_redirected_address(self):
        self.assertIn("192.0.2.98", addresses(self.ask("odd.test")))
        self.policy.block("=badip2.test")
        self.assert_sinkholed(self.ask("odd.test"), alias=True)


class Subnets(LiveCase):
    """With client subnets (the default of Debian's Unbound) every query has a state of its own,
    and answers are kept in a cache that nobody can walk: it stands right of us."""

    modules = "dynlib subnetcache validator iterator"
    options = "    send-client-subnet: 127.0.0.1\n    max-client-subnet-ipv4: 24\n"
    zones = {"test": zone(f"* A {REAL}\nalias CNAME target\ntarget A {REAL}\n")}

    def test_blocked(self):
        self.policy.block("=evil.test")
        for client in ("127.0.0.2", "127.1.0.2", "127.2.0.2"):
            self.assert_sinkholed(self.ask("evil.test", source=client))
        self.assert_passes(self.ask("free.test"), REAL)

    def test_cached_then_blocked(self):
        for client in ("127.0.0.2", "127.1.0.2"):
            self.assert_passes(self.ask("late.test", source=client), REAL)
            self.assertIn(REAL, addresses(self.ask("alias.test", source=client)))
        self.policy.block("=late.test", "=target.test")
        for client in ("127.0.0.2", "127.1.0.2", "127.2.0.2"):
            self.assert_sinkholed(self.ask("late.test", source=client))
            self.assert_sinkholed(self.ask("alias.test", source=client), alias=True)


if __name__ == "__main__":
    harness.main()
