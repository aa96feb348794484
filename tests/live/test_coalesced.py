#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Several clients waiting for one answer: each gets it, each is recorded by its own address."""
import threading

import harness
from harness import LiveCase, Upstream, ask, rcode, wait_until

REAL = "203.0.113.1"
CLIENTS = [f"127.0.1.{i}" for i in range(1, 11)]


class Coalesced(LiveCase):
    threads = 1

    @classmethod
    def start_upstream(cls):
        def answer(name, rdtype):
            if rdtype != "A":
                return ""
            if name.startswith("alias"):
                return f"{name}. 60 IN CNAME evil.test.\nevil.test. 60 IN A {REAL}"
            if name.startswith("nx"):
                return 3, ""
            if name.startswith("fail"):
                return 2, ""
            return f"{name}. 60 IN A {REAL}"

        upstream = Upstream(answer)
        cls.stack.callback(upstream.stop)
        return upstream

    @classmethod
    def before_start(cls):
        cls.policy.block("=evil.test")
        cls.policy.add_list("watch", ["watch.test"], action="log")

    def together(self, name, meanwhile=None):
        """All clients ask while the upstream is held back, and are then answered."""
        self.upstream.gate.clear()
        answers = {}

        def one(client):
            answers[client] = ask(self.resolver.server, name, source=client, timeout=10)

        threads = [threading.Thread(target=one, args=(c,)) for c in CLIENTS]
        for thread in threads:
            thread.start()
        wait_until(lambda: self.waiting() >= len(CLIENTS), "all questions are there")
        if meanwhile:
            meanwhile()
        self.upstream.gate.set()
        for thread in threads:
            thread.join()
        return [answers[c] for c in CLIENTS]

    def waiting(self):
        """Questions that came since the test began; none is answered while the gate is closed."""
        return self.resolver.stats()["total.num.queries"] - self.before

    def setUp(self):
        self.before = self.resolver.stats()["total.num.queries"]

    def wait_each_once(self, sql, *values):
        self.wait_rows([(c, 1) for c in CLIENTS], sql, *values)

    def test_passed(self):
        for answer in self.together("plain.test"):
            self.assert_passes(answer, REAL)
        for client in CLIENTS:
            self.wait_traffic({"passed": 1}, "plain.test", client)
        self.assertEqual(1, self.upstream.count("plain.test"))

    def test_recorded_only(self):
        for answer in self.together("www.watch.test"):
            self.assert_passes(answer, REAL)
        self.wait_each_once("SELECT endpoint, count FROM hits WHERE name = 'www.watch.test'"
                       " ORDER BY length(endpoint), endpoint")

    def test_blocked_alias(self):
        for answer in self.together("alias.test"):
            self.assert_sinkholed(answer, alias=True)
        self.wait_each_once("SELECT endpoint, count FROM hits WHERE name = 'alias.test'"
                       " AND trigger = 'cname' AND matched = 'evil.test'"
                       " ORDER BY length(endpoint), endpoint")

    def test_blocked_meanwhile(self):
        answers = self.together("later.test", lambda: self.policy.block("=later.test"))
        for answer in answers:
            self.assert_sinkholed(answer)
        self.wait_each_once("SELECT endpoint, count FROM hits WHERE name = 'later.test'"
                       " ORDER BY length(endpoint), endpoint")
        self.assertNotIn(("later.test", "A"), self.resolver.cached())

    def test_unblocked_meanwhile(self):
        """An exception given while the answer of a blocked alias is on its way."""
        answers = self.together("alias-free.test",
                                lambda: self.policy.allow("=alias-free.test"))
        for answer in answers:
            self.assert_passes(answer, REAL)

    def test_nxdomain_and_failure(self):
        for answer in self.together("nx.test"):
            self.assertEqual("NXDOMAIN", rcode(answer))
        self.setUp()
        for answer in self.together("fail.test"):
            self.assertEqual("SERVFAIL", rcode(answer))
        for client in CLIENTS:
            self.wait_traffic({"nxdomain": 1}, "nx.test", client)
            self.wait_traffic({"failed": 1}, "fail.test", client)

    def test_clients_that_give_up(self):
        """Gone before the answer comes: what was judged is recorded all the same."""
        self.upstream.gate.clear()
        for client in CLIENTS:
            self.assertIsNone(ask(self.resolver.server, "alias-gone.test", source=client,
                                  timeout=0.05))
        self.upstream.gate.set()
        self.wait_each_once("SELECT endpoint, count FROM hits WHERE name = 'alias-gone.test'"
                       " ORDER BY length(endpoint), endpoint")


if __name__ == "__main__":
    harness.main()
