#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every action on every kind of question: the packets that a client gets."""
import dns.flags
import dns.name

import harness
from harness import (CLOSED, SINKHOLE4, SINKHOLE6, LiveCase, Nsd, addresses, ede, flags, notation,
                     rcode, records, sign_zone, zone)

TYPES = ("A", "AAAA", "TXT", "MX", "NS", "SOA", "ANY", "HTTPS", "SVCB", "DS", "DNSKEY", "CNAME",
         "PTR", "RRSIG", "NULL", "TYPE65400")

ZONE = zone("""
$ORIGIN test.
* A 203.0.113.1
* AAAA 2001:db8::1
* TXT "real"
free A 203.0.113.2
ttl.free A 203.0.113.2
""")


class Actions(LiveCase):
    zones = {"test": ZONE}

    @classmethod
    def before_start(cls):
        for action in ("nxdomain", "nodata", "sinkhole", "refused", "drop", "log"):
            cls.policy.add_list(f"l-{action}", [f"{action}.test"], action=action, mode="block")

    def each(self, *, types=TYPES):
        """Every way to ask each type."""
        for rdtype in types:
            for tcp in (False, True):
                for edns in (False, True):
                    yield rdtype, {"tcp": tcp, "edns": edns}

    def test_nxdomain(self):
        for rdtype, how in self.each():
            with self.subTest(rdtype, **how):
                self.assert_negative(self.ask("nxdomain.test", rdtype, **how), "NXDOMAIN",
                                     "nxdomain.test.")

    def test_below_the_rule_the_soa_stands_at_the_rule(self):
        self.assert_negative(self.ask("a.b.nxdomain.test"), "NXDOMAIN", "nxdomain.test.")
        self.assert_negative(self.ask("a.b.nodata.test"), "NOERROR", "nodata.test.")

    def test_nodata(self):
        for rdtype, how in self.each():
            with self.subTest(rdtype, **how):
                self.assert_negative(self.ask("nodata.test", rdtype, **how), "NOERROR",
                                     "nodata.test.")

    def test_sinkhole(self):
        expected = {"A": [SINKHOLE4], "AAAA": [SINKHOLE6], "ANY": [SINKHOLE4, SINKHOLE6]}
        for rdtype, how in self.each():
            with self.subTest(rdtype, **how):
                answer = self.ask("x.sinkhole.test", rdtype, **how)
                if rdtype in expected:
                    self.assert_sinkholed(answer)
                    self.assertEqual(expected[rdtype], addresses(answer))
                    self.assertEqual([], answer.authority)
                else:
                    self.assert_negative(answer, "NOERROR", "sinkhole.test.")

    def test_refused(self):
        for rdtype, how in self.each():
            with self.subTest(rdtype, **how):
                answer = self.ask("refused.test", rdtype, **how)
                self.assertEqual("REFUSED", rcode(answer))
                self.assertEqual([], answer.answer + answer.authority + answer.additional)
                self.assert_ours(answer)

    def test_drop(self):
        for rdtype in ("A", "TXT", "ANY", "TYPE65400"):
            with self.subTest(rdtype):
                self.assertIsNone(self.ask("drop.test", rdtype, timeout=0.3))
                self.assertEqual(CLOSED, self.ask("drop.test", rdtype, tcp=True))

    def test_log_changes_nothing(self):
        for rdtype, data in (("A", "203.0.113.1"), ("AAAA", "2001:db8::1"), ("TXT", '"real"')):
            with self.subTest(rdtype):
                answer = self.ask("log.test", rdtype)
                self.assertEqual([("log.test.", rdtype, data)],
                                 [(o, t, d) for o, _, t, d in records(answer.answer)])
                self.assertEqual([], ede(answer))

    def test_others_pass(self):
        answer = self.ask("ttl.free.test")
        self.assert_passes(answer, "203.0.113.2")
        self.assertEqual([("ttl.free.test.", 86400, "A", "203.0.113.2")], records(answer.answer))

    def test_ipv6_client(self):
        self.assert_sinkholed(self.ask("sinkhole.test", v6=True))
        self.assert_sinkholed(self.ask("sinkhole.test", v6=True, tcp=True))
        self.wait_hits([("::1", "sinkhole.test", "A", "l-sinkhole", "sinkhole", 2)],
                       "endpoint = '::1'")

    def test_spelling_is_kept(self):
        """0x20: the question comes back as it was written (asserted on every answer by ask())."""
        for name in ("NxDoMaIn.TeSt", "NXDOMAIN.TEST", "A.nxdomaiN.tesT"):
            with self.subTest(name):
                answer = self.ask(name)
                self.assertEqual("NXDOMAIN", rcode(answer))
                self.assertEqual(name + ".", answer.question[0].name.to_text())
        self.assert_sinkholed(self.ask("SinkHole.TEST"))

    def test_edns_echo(self):
        """An answer has EDNS exactly where the query had, with DO as asked."""
        for how in ({"edns": False}, {"edns": True}, {"do": True}):
            with self.subTest(**how):
                answer = self.ask("nxdomain.test", **how)
                self.assertEqual(-1 if how.get("edns") is False else 0, answer.edns)
                self.assertEqual(bool(how.get("do")), bool(answer.ednsflags & dns.flags.DO))

    def test_cd_and_ad_of_the_query(self):
        for how in ({"cd": True}, {"ad": True}, {"cd": True, "ad": True, "do": True}):
            with self.subTest(**how):
                answer = self.ask("nxdomain.test", **how)
                self.assert_negative(answer, "NXDOMAIN", "nxdomain.test.")
                self.assertEqual(bool(how.get("cd")), "CD" in flags(answer))
                self.assertNotIn("AD", flags(answer))

    def test_decision_id_is_the_row(self):
        """The id in the EDE text finds the row of events.db."""
        answer = self.ask("id.nxdomain.test")
        decision = ede(answer)[0][1].split("id ")[1].split(";")[0]
        self.wait_rows([("id.nxdomain.test", 1)], "SELECT name, count FROM hits"
                       " WHERE decision = ?", decision)

    def test_log_action_is_a_hit(self):
        self.ask("hit.log.test")
        self.wait_rows([(1, "passthru", "log", 0)], "SELECT count, action, would, monitor FROM hits"
                       " WHERE name = 'hit.log.test'")

    def test_class_chaos_is_untouched(self):
        """operate and callbacks see class CH, with no question at all in some of them."""
        answer = self.ask("version.bind", "TXT", rdclass="CH")
        self.assertEqual("NOERROR", rcode(answer))
        self.assertIn("unbound", records(answer.answer)[0][3])
        for name in ("nxdomain.test", "id.server", "."):
            with self.subTest(name):
                answer = self.ask(name, "TXT", rdclass="CH")
                self.assertNotIn(15, [code for code, _ in ede(answer)])
        self.assert_negative(self.ask("nxdomain.test"), "NXDOMAIN", "nxdomain.test.")

    def test_class_any_and_hesiod(self):
        for rdclass in ("HS", "ANY", "CLASS65280"):
            with self.subTest(rdclass):
                answer = self.ask("nxdomain.test", "A", rdclass=rdclass, timeout=2)
                if answer:
                    self.assertEqual([], ede(answer))
        self.assert_passes(self.ask("free.test"), "203.0.113.2")

    def test_root(self):
        for rdtype in ("SOA", "NS", "A", "DNSKEY", "ANY", "TXT"):
            with self.subTest(rdtype):
                answer = self.ask(".", rdtype)
                self.assertEqual("NOERROR", rcode(answer))
                self.assertEqual([], ede(answer))

    def test_not_recursive(self):
        """RD clear: blocked as well, and the flag stays clear."""
        answer = self.ask("nxdomain.test", rd=False)
        if rcode(answer) == "NXDOMAIN":
            self.assertNotIn("RD", flags(answer))
            self.assertEqual([], answer.answer)
        else:  # Unbound answers from its cache alone, which does not hold the name
            self.assertEqual([], answer.answer)


def wire_name(*labels):
    return dns.name.Name(list(labels) + [b""])


class OddNames(LiveCase):
    """Names at the limits of the protocol, and labels of any octet."""

    zones = {"test": ZONE}

    def test_longest_names(self):
        """255 octets on the wire, the longest label, the most labels."""
        longest = wire_name(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 56, b"test")
        self.assertEqual(255, len(longest.to_wire()))
        most = wire_name(*[b"x"] * 124, b"test")
        self.assertEqual(254, len(most.to_wire()))
        cases = [longest, most, wire_name(b"e" * 63, b"test"),
                 wire_name(b"f" * 63, b"f" * 63, b"f" * 63, b"f" * 55, b"test")]
        self.policy.block(*["=" + notation(name) for name in cases])
        for name in cases:
            with self.subTest(octets=len(name.to_wire())):
                self.assert_sinkholed(self.ask(name))
                self.assert_negative(self.ask(name, "TXT", tcp=True), "NOERROR", name.to_text())

    def test_below_the_longest(self):
        """A subtree rule near the limit covers what still fits below it."""
        base = wire_name(b"g" * 63, b"g" * 63, b"g" * 63, b"g" * 54, b"test")
        self.policy.block(notation(base))
        self.assert_sinkholed(self.ask(wire_name(b"h", *base.labels[:-1])))

    def test_odd_octets(self):
        """NUL, dot, blank, quote, backslash, control and high octets inside a label."""
        odd = [b"\x00", b"nul\x00in", b"a.b", b"a b", b'"', b"\\", b"\x07bell", b"\x7f", b"\x80",
               b"\xff\xfe", b"\xc3\xa9", b"*", b"_dmarc", b"@", b"$", b"(", b";", b"#x"]
        names = [wire_name(label, b"odd", b"test") for label in odd]
        self.policy.add_list("odd", ["=" + notation(n) for n in names])
        for name in names:
            with self.subTest(name.to_text()):
                self.assert_sinkholed(self.ask(name))

    def test_octets_do_not_collide(self):
        """An escaped dot is no label boundary; only ASCII letters fold."""
        self.policy.block(r"=a\.b.fold.test", "=k.fold.test")
        self.assert_sinkholed(self.ask(wire_name(b"a.b", b"fold", b"test")))
        self.assert_passes(self.ask("a.b.fold.test"))
        self.assert_sinkholed(self.ask("K.FOLD.test"))
        for label in (b"a?b", b"a\x00b", b"a\x0eb", b"\x0b", b"\xab", b"\xe2\x84\xaa"):
            with self.subTest(label):
                self.assert_passes(self.ask(wire_name(label, b"fold", b"test")))

    def test_folding_is_ascii_only(self):
        """'[' is '{' with bit 5 clear, '@' is '`': other names."""
        self.policy.block(r"=a\091.sym.test", r"=b\064.sym.test", r"=c\192.sym.test")
        self.assert_sinkholed(self.ask(wire_name(b"A[", b"sym", b"test")))
        self.assert_sinkholed(self.ask(wire_name(b"B@", b"sym", b"test")))
        self.assert_sinkholed(self.ask(wire_name(b"C\xc0", b"sym", b"test")))
        for label in (b"a{", b"b`", b"c\xe0"):
            with self.subTest(label):
                self.assert_passes(self.ask(wire_name(label, b"sym", b"test")))

    def test_odd_names_in_events(self):
        name = wire_name(b"e\x1b[31m", b"esc", b"test")
        self.policy.block("=" + notation(name))
        self.assert_sinkholed(self.ask(name))
        self.wait_rows([(1,)], "SELECT count FROM hits WHERE name = ?", notation(name))


class Signed(LiveCase):
    """The validator at work below us: our answers are insecure, others validate as ever."""

    @classmethod
    def start_upstream(cls):
        path, cls.ds = sign_zone(cls.scratch / "sign", "signed.test", zone(
            "ok A 203.0.113.3\nevil A 203.0.113.4\nalias CNAME evil\nnodata TXT x\n"))
        broken, cls.broken_ds = sign_zone(cls.scratch / "broken", "broken.test", zone(
            "www A 203.0.113.9\nlist A 203.0.113.9\n"))
        broken.write_text(broken.read_text().replace("203.0.113.9", "203.0.113.10"))
        nsd = Nsd(cls.scratch / "nsd", {"signed.test": path, "broken.test": broken, "test": ZONE})
        cls.stack.callback(nsd.stop)
        return nsd

    @classmethod
    def before_start(cls):
        anchors = "".join(f'trust-anchor: "{ds}"\n' for ds in (cls.ds, cls.broken_ds))
        cls.options = "    val-clean-additional: yes\n    " + anchors.replace("\n", "\n    ")
        cls.policy.block("evil.signed.test", "=list.broken.test")
        cls.policy.add_list("nx", ["nx.signed.test"], action="nxdomain")

    def test_allowed_is_authentic(self):
        answer = self.ask("ok.signed.test", do=True)
        self.assertIn("AD", flags(answer))
        self.assertEqual(["A", "RRSIG"], [t for _, _, t, _ in records(answer.answer)])
        self.assertIn("AD", flags(self.ask("ok.signed.test", ad=True)))

    def test_blocked_with_do_and_cd(self):
        for how in ({}, {"do": True}, {"cd": True}, {"do": True, "cd": True}, {"ad": True},
                    {"do": True, "tcp": True}):
            with self.subTest(**how):
                self.assert_sinkholed(self.ask("evil.signed.test", **how))
                self.assert_negative(self.ask("nx.signed.test", **how), "NXDOMAIN",
                                     "nx.signed.test.")

    def test_blocked_alias_in_a_signed_zone(self):
        for how in ({"do": True}, {"cd": True}, {}):
            with self.subTest(**how):
                answer = self.ask("alias.signed.test", **how)
                self.assertEqual([SINKHOLE4], addresses(answer))
                self.assertNotIn("AD", flags(answer))
                self.assertNotIn("RRSIG", [t for _, _, t, _ in records(answer.answer)])

    def test_keys_are_never_blocked_for_the_validator(self):
        """A rule on the zone itself answers who asks for it, not the validator's own questions."""
        self.policy.block("=signed.test")
        try:
            self.assert_negative(self.ask("signed.test", "DNSKEY"), "NOERROR", "signed.test.")
            answer = self.ask("nodata.signed.test", "TXT", do=True)
            self.assertIn("AD", flags(answer))
        finally:
            self.policy.unblock("=signed.test")

    def test_bogus_stays_bogus(self):
        self.assertEqual("SERVFAIL", rcode(self.ask("www.broken.test")))
        answer = self.ask("www.broken.test", cd=True)
        self.assertEqual(["203.0.113.10"], addresses(answer))
        self.assert_sinkholed(self.ask("list.broken.test"))


if __name__ == "__main__":
    harness.main()
