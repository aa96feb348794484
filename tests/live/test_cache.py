#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The cache never lies: what policy forbids leaves it at once, what policy allows stays."""
import threading
import time

import harness
from harness import (SINKHOLE4, LiveCase, Load, Upstream, addresses, flags, rcode, records,
                     wait_until, zone)

IN_FORCE_S = 1.0  # from the command's return until every client sees a change
CLIENTS = [f"127.0.0.{i}" for i in range(2, 12)]
REAL = "203.0.113.1"
N_MANY = 500

ZONE = zone("* A 203.0.113.1\n* AAAA 2001:db8::1\n* TXT real\nstays CNAME stays-target\n"
            "stays-target A 203.0.113.1\n")


class CacheCase(LiveCase):
    def everyone(self, name, rdtype="A", **how):
        """The addresses that each client gets now."""
        return [addresses(self.ask(name, rdtype, source=c, **how)) for c in CLIENTS]

    def assert_in_force(self, name, expected, rdtype="A"):
        """Every client gets this soon after now, and for ever after."""
        start = time.monotonic()
        wait_until(lambda: self.everyone(name, rdtype) == [expected] * len(CLIENTS),
                   lambda: f"{name}: {expected} for everybody; now {self.everyone(name, rdtype)}",
                   IN_FORCE_S)
        self.assertLess(time.monotonic() - start, IN_FORCE_S)
        for _ in range(5):
            self.assertEqual([expected] * len(CLIENTS), self.everyone(name, rdtype))

    def warm(self, names, rdtype="A"):
        for name in names:
            self.assertEqual("NOERROR", rcode(self.ask(name, rdtype)))

    def misses(self):
        return self.resolver.stats()["total.num.cachemiss"]

    def leaked(self):
        return self.policy.status()["leaked"]


class OneThread(CacheCase):
    zones = {"test": ZONE}
    threads = 1

    def test_cached_then_blocked(self):
        self.assert_in_force("day.test", [REAL])
        self.assertGreater(records(self.ask("day.test").answer)[0][1], 86000)
        self.policy.block("=day.test")
        self.assert_in_force("day.test", [SINKHOLE4])
        self.assertNotIn(("day.test", "A"), self.resolver.cached())
        self.policy.unblock("=day.test")
        self.assert_in_force("day.test", [REAL])
        self.assertEqual(0, self.leaked())

    def test_only_what_changed_leaves(self):
        self.warm(["one.near.test", "two.near.test", "near.test", "xnear.test", "stays.test"])
        before = self.resolver.cached()
        self.policy.block("near.test")
        gone = before - self.resolver.cached()
        self.assertEqual({("one.near.test", "A"), ("two.near.test", "A"), ("near.test", "A")}, gone)
        before = self.resolver.cached()
        self.policy.unblock("near.test")
        self.assertEqual(set(), before - self.resolver.cached())

    def test_a_rule_that_blocks_nothing_removes_nothing(self):
        """Exceptions, lists that only watch, and actions that only record."""
        self.warm(["quiet.test", "a.quiet.test"])
        before = self.resolver.cached()
        self.policy.add_list("watch", ["quiet.test"], action="nxdomain", mode="monitor")
        self.policy.add_list("record", ["quiet.test"], action="log")
        self.policy.allow("quiet.test")
        self.assertEqual(set(), before - self.resolver.cached())

    def test_all_types_leave(self):
        for rdtype in ("A", "AAAA", "TXT", "MX"):
            self.ask("types.test", rdtype)
        self.policy.block("=types.test")
        self.assert_sinkholed(self.ask("types.test"))
        self.assert_sinkholed(self.ask("types.test", "AAAA"))
        for rdtype in ("TXT", "MX", "HTTPS"):
            self.assert_negative(self.ask("types.test", rdtype), "NOERROR", "types.test.")
        self.assertFalse([q for q in self.resolver.cached() if q[0] == "types.test"])

    def test_second_type_of_a_blocked_name(self):
        self.policy.block("=second.test")
        self.assert_sinkholed(self.ask("second.test"))
        self.assert_negative(self.ask("second.test", "TXT"), "NOERROR", "second.test.")
        self.assertFalse([q for q in self.resolver.cached() if q[0] == "second.test"])

    def test_checking_disabled(self):
        """CD is part of the cache's key for some types: both variants leave."""
        for rdtype in ("A", "AAAA"):
            for cd in (False, True):
                self.ask("cd.test", rdtype, cd=cd, do=True)
        self.policy.block("=cd.test")
        for rdtype in ("A", "AAAA"):
            for cd in (False, True):
                answer = self.ask("cd.test", rdtype, cd=cd, do=True)
                self.assert_sinkholed(answer)
                self.assertEqual(cd, "CD" in flags(answer))

    def test_blocked_answer_is_never_stored(self):
        """The first client's block must not be the second one's answer after the unblock."""
        self.policy.block("=first.test")
        self.assert_sinkholed(self.ask("first.test"))
        self.policy.unblock("=first.test")
        self.assert_passes(self.ask("first.test", source="127.0.0.9"), REAL)
        self.policy.add_list("nx", ["under.test"], action="nxdomain")
        self.assertEqual("NXDOMAIN", rcode(self.ask("under.test")))
        self.policy.mode("nx", "off")
        self.assert_passes(self.ask("under.test"), REAL)
        self.assert_passes(self.ask("a.under.test"), REAL)

    def test_negative_answers_leave(self):
        """A cached NODATA of a name that is sinkholed then."""
        self.assertEqual([], self.ask("neg.test", "MX").answer)
        self.policy.block("=neg.test")
        self.assert_negative(self.ask("neg.test", "MX"), "NOERROR", "neg.test.")

    def test_exception_below_a_block_is_cached(self):
        """On the way to it Unbound asks for the blocked name above (query name minimisation), which
        is kept out of the cache; the answer itself is not."""
        self.policy.block("upper.test")
        self.policy.allow("portal.upper.test")
        for name in ("portal.upper.test", "a.b.portal.upper.test"):
            self.assert_passes(self.ask(name), REAL)
            self.assertIn((name, "A"), self.resolver.cached())
        self.assertFalse([q for q in self.resolver.cached() if q[0] == "upper.test"])

    def test_exception_ends(self):
        """A block hidden by an exception comes into force for cached names when it ends."""
        self.policy.block("=exc.test")
        self.policy.allow("=exc.test")
        self.assert_in_force("exc.test", [REAL])
        self.policy.drop_exception("=exc.test")
        self.assert_in_force("exc.test", [SINKHOLE4])

    def test_life_times(self):
        """A block that ends by itself, and an exception that does: both without a command."""
        self.policy.block("=short.test", lifetime="2s")
        self.assert_sinkholed(self.ask("short.test"))
        self.policy.block("=opens.test")
        self.policy.allow("=opens.test", lifetime="2s")
        self.assert_passes(self.ask("opens.test"), REAL)
        wait_until(lambda: addresses(self.ask("short.test")) == [REAL], "the block ends", 5)
        wait_until(lambda: addresses(self.ask("opens.test")) == [SINKHOLE4],
                   "the exception ends, also for the answer in the cache", 5)
        self.assert_in_force("opens.test", [SINKHOLE4])

    def test_many_names(self):
        names = [f"n{i}.many.test" for i in range(N_MANY)]
        self.warm(names)
        blocked, others = names[::2], names[1::2]
        self.policy.add_list("many", ["=" + n for n in blocked], action="sinkhole")
        start = time.monotonic()
        for name in blocked:
            self.assertEqual([SINKHOLE4], addresses(self.ask(name)), name)
        misses = self.misses()
        for name in others:
            self.assertEqual([REAL], addresses(self.ask(name)), name)
        self.assertEqual(misses, self.misses(), "the others were all answered from the cache")
        self.assertFalse({(n, "A") for n in blocked} & self.resolver.cached())
        self.assertEqual(0, self.leaked())
        self.assertLess(time.monotonic() - start, 20)

    def test_under_load(self):
        """Blocks and unblocks of names that hundreds of queries a second ask for: from a command's
        return until the next command begins, everybody gets what policy says."""
        toggled = [f"t{i}.load.test" for i in range(20)]
        names = toggled + [f"f{i}.load.test" for i in range(200)]
        self.warm(names)
        load = Load(self.scratch / f"load{self.threads}", self.resolver.server, names, 8, qps=8000)
        wrong = []
        for turn in range(8):
            blocks = turn % 2 == 0
            (self.policy.block if blocks else self.policy.unblock)(*["=" + n for n in toggled])
            expected = [SINKHOLE4] if blocks else [REAL]
            for client in CLIENTS:
                for name in toggled:
                    got = addresses(self.ask(name, source=client))
                    if got != expected:
                        wrong.append((turn, name, client, got))
        self.assertEqual([], wrong)
        result = load.result()
        self.assertEqual({"NOERROR": result["completed"]}, result["rcodes"])
        self.assertEqual(0, result["lost"])
        self.assertEqual(0, self.leaked())


class FourThreads(OneThread):
    threads = 4


class Prefetch(CacheCase):
    """Prefetch on, and an upstream that can be held back."""

    options = "    prefetch: yes\n"

    @classmethod
    def start_upstream(cls):
        def answer(name, rdtype):
            if rdtype in ("NS", "DS", "DNSKEY"):
                return ""
            ttl = 10 if name.startswith("p") else 86400
            return f"{name}. {ttl} IN A {REAL}" if rdtype == "A" else ""

        upstream = Upstream(answer)
        cls.stack.callback(upstream.stop)
        return upstream

    def test_blocked_while_it_is_refreshed(self):
        """The refresh of a popular name was under way when the name was blocked."""
        name = "p1.test"
        self.assert_in_force(name, [REAL])
        asked = self.upstream.count(name)
        self.upstream.gate.clear()
        wait_until(lambda: self.ask(name) and self.upstream.count(name) > asked, "a prefetch", 15,
                   0.05)
        self.policy.block("=" + name)
        self.upstream.gate.set()
        self.assert_in_force(name, [SINKHOLE4])
        self.assertNotIn((name, "A"), self.resolver.cached())
        self.assertEqual(0, self.leaked())
        # a question of the resolver itself is nobody's hit
        hits = self.rows("SELECT count(DISTINCT endpoint) FROM hits WHERE name = ?", name)
        self.assertLessEqual(hits[0][0] if hits else 0, len(CLIENTS) + 1)

    def test_answer_in_flight_when_blocked(self):
        """Judged by the old policy, answered under the new one: two clients wait for it."""
        name = "flight.test"
        self.upstream.gate.clear()
        answers = []
        waiting = [threading.Thread(target=lambda c=c: answers.append(
            self.ask(name, source=c, timeout=10))) for c in CLIENTS[:2]]
        for thread in waiting:
            thread.start()
        wait_until(lambda: self.upstream.count(name), "the question upstream")
        self.policy.block("=" + name)
        self.upstream.gate.set()
        for thread in waiting:
            thread.join()
        for answer in answers:
            self.assert_sinkholed(answer)
        self.assertNotIn((name, "A"), self.resolver.cached())
        self.assert_in_force(name, [SINKHOLE4])

    def test_unblocked_in_flight_of_nobody(self):
        """Unblocked names are asked for again, and then kept."""
        self.policy.block("=again.test")
        self.assert_sinkholed(self.ask("again.test"))
        self.assertEqual(0, self.upstream.count("again.test"))
        self.policy.unblock("=again.test")
        self.assert_in_force("again.test", [REAL])
        self.assertEqual(1, self.upstream.count("again.test"))


class ServeExpired(CacheCase):
    """Stale answers of names blocked since are as bad as fresh ones."""

    timeout_ms = 0

    @classmethod
    def prepare(cls):
        cls.options = ("    serve-expired: yes\n    serve-expired-ttl: 86400\n"
                       "    serve-expired-reply-ttl: 17\n"
                       f"    serve-expired-client-timeout: {cls.timeout_ms}\n")
        super().prepare()

    @classmethod
    def start_upstream(cls):
        chains = {"c1.test": "target.test", "c2.test": "target2.test"}

        def answer(name, rdtype):
            if rdtype != "A":
                return ""
            if name in chains:
                return f"{name}. 1 IN CNAME {chains[name]}.\n{chains[name]}. 1 IN A {REAL}"
            return f"{name}. 1 IN A {REAL}"

        upstream = Upstream(answer)
        cls.stack.callback(upstream.stop)
        return upstream

    def tearDown(self):
        self.upstream.gate.set()

    def make_stale(self, name):
        """Have a stale answer in the cache, and no way to refresh it."""
        self.assert_passes(self.ask(name), REAL)
        self.upstream.gate.clear()

        def is_stale():
            answer = self.ask(name, timeout=1)
            if not answer:  # it left the cache altogether: once more
                self.upstream.gate.set()
                self.ask(name)
                self.upstream.gate.clear()
                return False
            return {ttl for _, ttl, _, _ in records(answer.answer)} == {17}

        wait_until(is_stale, f"{name} is served stale", 20, 0.05)

    def assert_nothing_real(self, name):
        """While the refresh that began before the block is under way, clients are made part of it
        by Unbound: they may wait for it, but never get the stale answer."""
        for client in CLIENTS[:3]:
            answer = self.ask(name, source=client, timeout=0.5)
            self.assertNotIn(REAL, addresses(answer) if answer else [])

    def test_question(self):
        self.make_stale("s1.test")
        self.policy.block("=s1.test")
        self.assert_nothing_real("s1.test")
        self.upstream.gate.set()
        self.assert_in_force("s1.test", [SINKHOLE4])
        self.assertEqual(0, self.leaked())
        self.policy.unblock("=s1.test")
        self.assert_in_force("s1.test", [REAL])

    def test_alias(self):
        """The question is not blocked, so it goes on to resolve; nothing stale may fill in."""
        self.make_stale("c1.test")
        self.policy.block("=target.test")
        self.upstream.gate.set()
        self.assert_in_force("c1.test", [SINKHOLE4])
        self.assertEqual(0, self.leaked())

    def test_refused(self):
        """An answer that is no message, only a code, is no failure to be papered over."""
        self.make_stale("r1.test")
        self.policy.add_list("ref", ["=r1.test"], action="refused")
        self.assert_nothing_real("r1.test")
        self.upstream.gate.set()
        for client in CLIENTS:
            self.assertEqual("REFUSED", rcode(self.ask("r1.test", source=client)))

    def test_drop(self):
        self.make_stale("x1.test")
        self.policy.add_list("drop", ["=x1.test"], action="drop")
        self.assert_nothing_real("x1.test")
        self.upstream.gate.set()
        for client in CLIENTS[:3]:
            self.assertIsNone(self.ask("x1.test", source=client, timeout=0.3))


class ServeExpiredAfterTimeout(ServeExpired):
    """Stale answers only for who has waited: they are given by a timer, past every module."""

    timeout_ms = 150


if __name__ == "__main__":
    harness.main()
