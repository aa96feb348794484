#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Names that come to a blocked one by CNAME and DNAME, however deep and wherever from."""
import harness
from harness import LiveCase, Upstream, addresses, rcode, records, zone

DEPTHS = (1, 2, 8)


def chain(prefix, depth):
    """prefix0 → prefix1 → … → prefix<depth>, which has an address."""
    links = "".join(f"{prefix}{i} CNAME {prefix}{i + 1}\n" for i in range(depth))
    return links + f"{prefix}{depth} A 203.0.113.1\n{prefix}{depth} AAAA 2001:db8::1\n"


ZONE = zone("".join(chain(f"d{n}-", n) for n in DEPTHS) + chain("mid", 4) + chain("own", 2) +
            chain("late", 2) + chain("warm", 3) + chain("log", 2) + chain("nx", 1) +
            chain("both", 2) + """
dn DNAME dn-target
www.dn-target A 203.0.113.5
away CNAME www.other.example.
gone CNAME nothing.example.
loop1 CNAME loop2
loop2 CNAME loop1
long DNAME dn.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
txt CNAME txt-target
txt-target TXT "real"
""")
OTHER = zone("www A 203.0.113.6\n")


class Chain(LiveCase):
    zones = {"test": ZONE, "other.example": OTHER, "example": zone("x A 203.0.113.7\n")}

    def test_target_at_any_depth(self):
        for n in DEPTHS:
            last = f"=d{n}-{n}.test"
            self.policy.block(last)
            with self.subTest(depth=n):
                for rdtype in ("A", "AAAA"):
                    self.assert_sinkholed(self.ask(f"d{n}-0.test", rdtype), alias=True)
                    self.assert_sinkholed(self.ask(f"d{n}-0.test", rdtype), alias=True)  # again
                self.assertFalse([q for q in self.resolver.cached()
                                  if q[0] == f"d{n}-0.test" and q[1] in ("A", "AAAA")])

    def test_in_the_middle(self):
        """A name on the way, with nothing blocked at either end."""
        self.policy.block("=mid2.test")
        for start in ("mid0.test", "mid1.test"):
            self.assert_sinkholed(self.ask(start), alias=True)
        self.assert_sinkholed(self.ask("mid2.test"))
        self.assert_passes(self.ask("mid3.test"), "203.0.113.1")

    def test_owner_blocked(self):
        """The first name is the question itself: no alias."""
        self.policy.block("=own0.test")
        self.assert_sinkholed(self.ask("own0.test"))
        self.assert_passes(self.ask("own1.test"), "203.0.113.1")

    def test_completed_from_the_cache(self):
        """Parts already in the cache: no response of an upstream shows the blocked name."""
        for name in ("warm3.test", "warm2.test", "warm1.test"):
            self.assert_passes(self.ask(name), "203.0.113.1")
        self.policy.block("=warm3.test")
        for name in ("warm0.test", "warm1.test", "warm2.test"):
            self.assert_sinkholed(self.ask(name), alias=True)
            self.assert_sinkholed(self.ask(name), alias=True)

    def test_cached_before_the_block(self):
        self.assert_passes(self.ask("late0.test"), "203.0.113.1")
        self.assert_passes(self.ask("late0.test", "AAAA"), "2001:db8::1")
        self.policy.block("=late2.test")
        self.assert_sinkholed(self.ask("late0.test"), alias=True)
        self.assert_sinkholed(self.ask("late0.test", "AAAA"), alias=True)
        self.assertEqual(0, self.policy.status()["leaked"])
        self.policy.unblock("=late2.test")
        self.assert_passes(self.ask("late0.test"), "203.0.113.1")

    def test_every_client_gets_the_same(self):
        """The first one's answer must not become the second one's cache hit."""
        self.policy.block("other.example")
        for i in range(2, 8):
            answer = self.ask("away.test", source=f"127.0.0.{i}")
            self.assert_sinkholed(answer, alias=True)
        self.wait_rows([(6, 6)], "SELECT sum(count), count(DISTINCT endpoint) FROM hits"
                       " WHERE name = 'away.test' AND trigger = 'cname'"
                       " AND matched = 'www.other.example' AND rule = 'other.example'")

    def test_dname(self):
        """Synthesised aliases: the target of the DNAME is judged."""
        self.assert_passes(self.ask("www.dn.test"), "203.0.113.5")
        self.policy.block("dn-target.test")
        self.assert_sinkholed(self.ask("www.dn.test"), alias=True)
        self.assert_negative(self.ask("nix.dn.test", "TXT"), "NOERROR", "nix.dn.test.", alias=True)
        self.policy.unblock("dn-target.test")
        self.assert_passes(self.ask("www.dn.test"), "203.0.113.5")

    def test_dname_that_grows_too_long(self):
        """YXDOMAIN of the upstream: never a crash, never an address."""
        name = ".".join(["x" * 60] * 3 + ["long.test"])
        self.policy.block("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test")
        answer = self.ask(name)
        self.assertEqual([], [a for a in addresses(answer) if a.startswith("203.")])

    def test_target_that_does_not_exist(self):
        self.assertEqual("NXDOMAIN", rcode(self.ask("gone.test")))
        self.policy.block("nothing.example")
        self.assert_sinkholed(self.ask("gone.test"), alias=True)

    def test_loop(self):
        """An alias of itself ends in a failure of Unbound's, with and without a rule in it."""
        self.assertEqual([], addresses(self.ask("loop1.test")))
        self.policy.block("=loop2.test")
        self.assertFalse([a for a in addresses(self.ask("loop1.test")) if a.startswith("203.")])
        self.assert_sinkholed(self.ask("loop2.test"))

    def test_other_types(self):
        self.policy.block("=txt-target.test")
        self.assert_negative(self.ask("txt.test", "TXT"), "NOERROR", "txt.test.", alias=True)
        answer = self.ask("txt.test", "CNAME")  # the alias record itself names the blocked one
        self.assertEqual([], [d for _, _, t, d in records(answer.answer) if t == "CNAME"])

    def test_actions_of_a_target(self):
        self.policy.add_list("nx", ["=nx1.test"], action="nxdomain")
        self.assert_negative(self.ask("nx0.test"), "NXDOMAIN", "nx0.test.", alias=True)

    def test_log_target_then_block_target(self):
        """A target that only records does not hide one further on that blocks."""
        self.policy.add_list("log", ["=log1.test", "=both1.test"], action="log")
        self.policy.block("=both2.test")
        self.assert_passes(self.ask("log0.test"), "203.0.113.1")
        self.assert_sinkholed(self.ask("both0.test"), alias=True)
        self.wait_rows([("log0.test", "log", "log1.test"),
                        ("both0.test", "sinkhole", "both2.test")],
                       "SELECT name, would, matched FROM hits WHERE name IN"
                       " ('log0.test', 'both0.test') ORDER BY name DESC")


class Stepwise(LiveCase):
    """An upstream that gives one link an answer, so that each is asked for and could be stored."""

    LINKS = {"s0.test": "s1.test", "s1.test": "below.s1.test", "below.s1.test": "s3.test",
             "t0.test": "deep.t1.test"}

    @classmethod
    def start_upstream(cls):
        def answer(name, rdtype):
            if name in cls.LINKS:
                return f"{name}. 86400 IN CNAME {cls.LINKS[name]}."
            return f"{name}. 86400 IN A 203.0.113.1" if rdtype == "A" else ""

        upstream = Upstream(answer)
        cls.stack.callback(upstream.stop)
        return upstream

    def test_a_link_that_leads_below_itself(self):
        """The chain goes on below the blocked name, as a minimised question would."""
        self.policy.block("=s1.test")
        for _ in range(3):
            self.assert_sinkholed(self.ask("s0.test"), alias=True)
            self.assertNotIn(("s0.test", "A"), self.resolver.cached())
        self.assert_passes(self.ask("below.s1.test"), "203.0.113.1")
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_only_a_name_above_the_target_is_blocked(self):
        """=t1.test stands above the target, which is allowed: only asked for on the way."""
        self.policy.block("=t1.test")
        self.assert_passes(self.ask("t0.test"), "203.0.113.1")
        self.assertIn(("t0.test", "A"), self.resolver.cached())
        self.assertFalse([q for q in self.resolver.cached() if q[0] == "t1.test"])


class DeadEnd(LiveCase):
    """Nobody answers for what is behind the alias: refused, which ends in a failure at once."""

    @classmethod
    def start_upstream(cls):
        def answer(name, rdtype):
            if name.startswith("alias"):
                return f"{name}. 86400 IN CNAME {name[5:]}."
            return 5, ""

        upstream = Upstream(answer)
        cls.stack.callback(upstream.stop)
        return upstream

    def test_alias_of_a_blocked_name(self):
        self.assertEqual("SERVFAIL", rcode(self.ask("alias1.test")))
        self.policy.block("=2.test")
        for _ in range(2):
            self.assert_sinkholed(self.ask("alias2.test"), alias=True)
        self.wait_rows([(2,)], "SELECT sum(count) FROM hits WHERE name = 'alias2.test'"
                       " AND matched = '2.test'")
        self.policy.unblock("=2.test")
        self.assertEqual("SERVFAIL", rcode(self.ask("alias2.test")))


class DeadEndNotAsked(DeadEnd):
    """Without a validator the servers behind a blocked alias do not learn of the query."""
    modules = "dynlib iterator"

    def test_alias_of_a_blocked_name(self):
        super().test_alias_of_a_blocked_name()
        self.policy.block("=3.test")
        self.assert_sinkholed(self.ask("alias3.test"), alias=True)
        self.assertEqual((1, 0), (self.upstream.count("alias3.test"), self.upstream.count("3.test")))


if __name__ == "__main__":
    harness.main()
