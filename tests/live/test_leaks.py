#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ways of a blocked answer into the shared cache, where the next client would find it, and what the
guard against them must not cost: other answers, referrals, the counter's truth."""
import socket
import struct
import threading
import unittest

import harness
from harness import (IS_ROOT, LiveCase, Nsd, Upstream, addresses, ask, name_server_addresses,
                     query_message, rcode, records, wait_until, zone)

REAL = "203.0.113.1"
CLIENTS = [f"127.0.0.{i}" for i in range(2, 10)]


def one_link_an_answer(name, rdtype):
    """<word>0.test → <word>1.test → <word>2.test → <word>3.test, which has an address."""
    word, number = name.split(".")[0][:-1], name.split(".")[0][-1:]
    if rdtype in ("A", "AAAA", "TXT", "CNAME") and number in ("0", "1", "2"):
        return f"{name}. 86400 IN CNAME {word}{int(number) + 1}.test."
    return f"{name}. 86400 IN A {REAL}" if rdtype == "A" else ""


class Links(LiveCase):
    """An alias chain of which every link comes in an answer of its own."""

    threads = 4

    @classmethod
    def start_upstream(cls):
        upstream = Upstream(one_link_an_answer)
        cls.stack.callback(upstream.stop)
        return upstream

    def flood(self, name, count=80):
        """Ask from several clients at once. Returns the real addresses that anybody got."""
        got, lock = set(), threading.Lock()

        def client(source):
            for i in range(count):
                answer = self.ask(name, source=source, cd=i % 2 == 1)
                with lock:
                    got.update(addresses(answer))

        threads = [threading.Thread(target=client, args=(c,)) for c in CLIENTS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return got & {REAL}

    def assert_no_way(self, word):
        for n in "01":
            self.assertEqual(set(), self.flood(f"{word}{n}.test"))
        self.assertFalse([q for q in self.resolver.cached() if q[0] in (f"{word}0.test",
                                                                       f"{word}1.test")])
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_middle_blocked_with_all_parts_cached(self):
        for n in "3210":
            self.assertIn(REAL, addresses(self.ask(f"p{n}.test")))
        self.policy.block("=p2.test")
        self.assert_no_way("p")
        self.assert_passes(self.ask("p3.test"), REAL)

    def test_middle_blocked_with_nothing_cached(self):
        self.policy.block("=n2.test")
        self.assert_no_way("n")

    def test_end_blocked_with_parts_cached(self):
        for n in "3210":
            self.assertIn(REAL, addresses(self.ask(f"e{n}.test")))
        self.policy.block("=e3.test")
        self.assert_no_way("e")

    def test_unblocked_chain_comes_back(self):
        self.assertIn(REAL, addresses(self.ask("u0.test")))
        self.policy.block("=u2.test")
        self.assert_no_way("u")
        self.policy.unblock("=u2.test")
        # what is stored within the second of a blocked answer may still be short-lived
        wait_until(lambda: addresses(self.ask("u0.test")) == [REAL] and
                   ("u0.test", "A") in self.resolver.cached(), "it is cached again")


class LinksUnvalidated(Links):
    modules = "dynlib iterator"


class LinksSubnetcache(Links):
    """subnetcache lets an answer be stored again with every question that it sends."""

    modules = "dynlib subnetcache validator iterator"
    options = "    send-client-subnet: 192.0.2.1\n"


class LinksDns64(Links):
    """dns64 stores every answer by itself."""

    threads = 1
    modules = "dynlib dns64 validator iterator"
    options = "    dns64-prefix: 64:ff9b::/96\n"

    def test_both_types_at_once(self):
        """dns64's own question for A meets a client's: it must not build on our answer."""
        self.policy.block("=both3.test")
        self.upstream.delay_s = 0.1
        self.addCleanup(setattr, self.upstream, "delay_s", 0.0)
        answers = {}

        def client(rdtype, source):
            answers[rdtype] = self.ask("both0.test", rdtype, source=source, timeout=10)

        waiting = [threading.Thread(target=client, args=("AAAA", CLIENTS[0])),
                   threading.Thread(target=client, args=("A", CLIENTS[1]))]
        waiting[0].start()
        # the last link of the first one: dns64 asks for A next, and joins the second one
        wait_until(lambda: self.upstream.count("both3.test", "AAAA"), "the end of the chain")
        waiting[1].start()
        for thread in waiting:
            thread.join()
        for rdtype in ("A", "AAAA"):
            self.assert_sinkholed(answers[rdtype], alias=True)
        self.wait_rows([("A", 1), ("AAAA", 1)], "SELECT type, sum(count) FROM hits"
                       " WHERE name = 'both0.test' GROUP BY type ORDER BY type")


@unittest.skipUnless(IS_ROOT, "name servers of a real hierarchy listen on port 53")
class Referrals(LiveCase):
    """What the resolver learns about who serves a zone stays, blocked or not."""

    @classmethod
    def start_upstream(cls):
        parent, child = name_server_addresses(2)
        top = zone(f"office NS ns.office\nns.office A {child}\n", ns="ns.nic.test.")
        upper = Nsd(cls.scratch / "parent", {
            ".": zone(f"test. NS ns.nic.test.\nns.nic.test. A {parent}\n"),
            "test": top + f"\nns.nic A {parent}\n"}, parent, 53)
        cls.stack.callback(upper.stop)
        lower = Nsd(cls.scratch / "child", {
            "office.test": zone(f"ns A {child}\n* A {REAL}\n", ns="ns.office.test.")}, child, 53)
        cls.stack.callback(lower.stop)
        hints = cls.scratch / "root.hints"
        hints.write_text(f". 3600000 NS ns.nic.test.\nns.nic.test. 3600000 A {parent}\n")
        cls.options = f'    root-hints: "{hints}"\n'
        return None

    @classmethod
    def before_start(cls):
        cls.policy.block("office.test")
        cls.policy.allow("portal.office.test", "shop.office.test")

    def servers_of(self, owner):
        return [line for line in self.resolver.control("dump_cache").splitlines()
                if line.startswith(owner + ".\t") and "\tNS\t" in line]

    def test_of_a_blocked_zone_above_an_exception(self):
        self.assert_passes(self.ask("portal.office.test"), REAL)
        self.assertTrue(self.servers_of("office.test"))
        self.assert_passes(self.ask("shop.office.test"), REAL)
        self.assert_sinkholed(self.ask("www.office.test"))

    def test_not_recursive_is_no_leak(self):
        """RD clear: Unbound answers by itself with what it knows of the zone's servers."""
        self.assert_passes(self.ask("portal.office.test"), REAL)
        for cd in (False, True):
            answer = self.ask("www.office.test", rd=False, cd=cd)
            self.assertEqual([], [d for _, _, t, d in records(answer.answer) if d == REAL])
        self.assertEqual(0, self.policy.status()["leaked"])


class Leavers(LiveCase):
    """Clients that close their connection before the answer is there have asked all the same."""

    @classmethod
    def start_upstream(cls):
        upstream = Upstream(lambda name, rdtype: f"{name}. 60 IN CNAME t.test."
                            if name.startswith("alias") else
                            f"{name}. 60 IN A {REAL}" if rdtype == "A" else "")
        cls.stack.callback(upstream.stop)
        return upstream

    def ask_and_leave(self, name, source):
        wire = query_message(name).to_wire()
        with socket.socket() as sock:
            sock.bind((source, 0))
            sock.connect(self.resolver.server)
            sock.sendall(struct.pack(">H", len(wire)) + wire)
            wait_until(lambda: self.upstream.count(name), "the question upstream")

    def leave(self, name, source):
        self.upstream.gate.clear()
        self.addCleanup(self.upstream.gate.set)
        self.ask_and_leave(name, source)
        wait_until(lambda: self.ask("version.bind", "TXT", rdclass="CH"), "it goes on")
        self.upstream.gate.set()

    def test_monitored_name(self):
        self.policy.add_list("watch", ["=seen.test"], mode="monitor")
        self.leave("seen.test", "127.0.0.7")
        self.wait_hits([("127.0.0.7", "seen.test", "A", "watch", "sinkhole", 1)],
                       "name = 'seen.test'")

    def test_blocked_alias(self):
        self.policy.block("=t.test")
        self.leave("alias.test", "127.0.0.8")
        self.wait_hits([("127.0.0.8", "alias.test", "A", "local-block", "sinkhole", 1)],
                       "name = 'alias.test'")


class Failing(LiveCase):
    """A monitored name is a hit also when it does not resolve."""

    @classmethod
    def start_upstream(cls):
        upstream = Upstream(lambda name, rdtype: (2, "") if name.startswith("fail") else "")
        cls.stack.callback(upstream.stop)
        return upstream

    def test_failure_fresh_and_cached(self):
        self.policy.add_list("watch", ["=fail.test"], mode="monitor")
        for _ in range(2):
            self.assertEqual("SERVFAIL", rcode(self.ask("fail.test", source="127.0.0.9")))
        self.wait_hits([("127.0.0.9", "fail.test", "A", "watch", "sinkhole", 2)],
                       "name = 'fail.test'")


if __name__ == "__main__":
    harness.main()
