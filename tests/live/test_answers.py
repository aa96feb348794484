#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The memory of answers: real answers with aliases and both kinds of addresses, and a log of
connections checked against it."""
import json
import time
import unittest

import harness
from harness import (IS_ROOT, LiveCase, Nsd, addresses, ask, name_server_addresses, wait_until,
                     zone)

REAL4, REAL6, OTHER4, BLOCKED4 = "203.0.113.7", "2001:db8:7::7", "203.0.113.8", "203.0.113.9"
ALICE, BOB = "127.0.0.91", "127.0.0.92"


class Answers(LiveCase):
    settings = {f"{detector}__mode": "off" for detector in
                ("classify", "dga", "beacon", "tunnel", "nxburst", "nod")}
    options = "    local-zone: \"net.\" nodefault\n"

    @classmethod
    def start_upstream(cls):
        cls.zones = {"net": zone(f"www.a A {REAL4}\nwww.a AAAA {REAL6}\n"
                                 f"two.a A {OTHER4}\nalias.b CNAME www.a\n"
                                 f"bad.c A {BLOCKED4}\n", ttl=300)}
        nsd = super().start_upstream()
        cls.clauses = (f'stub-zone:\n    name: "net"\n'
                       f'    stub-addr: {nsd.address}@{nsd.port}\n')
        return nsd

    def given(self, address, *options):
        """(domain, endpoint) of each row."""
        code, out, _ = self.policy.run("answers", address, "--format", "json", *options, ok=(0, 2))
        rows = json.loads(out)["rows"] if out else []
        return sorted((row["domain"], row["endpoint"] or "") for row in rows)

    def test_1_given(self):
        """By the question's domain, also for what an alias leads to, and for who had it from the
        cache; not what was blocked."""
        self.policy.block("bad.c.net")
        server = self.resolver.server
        self.assertEqual([REAL4], addresses(ask(server, "www.a.net", source=ALICE)))
        self.assertEqual([OTHER4], addresses(ask(server, "two.a.net", source=ALICE)))
        ask(server, "www.a.net", "AAAA", source=ALICE)
        self.assertIn(REAL4, addresses(ask(server, "alias.b.net", source=ALICE)))
        ask(server, "alias.b.net", source=BOB)
        ask(server, "bad.c.net", source=BOB)
        wait_until(lambda: ("b.net", BOB) in self.given(REAL4), "answers in the database")
        self.assertEqual([("a.net", ALICE), ("b.net", ALICE), ("b.net", BOB)], self.given(REAL4))
        self.assertEqual([("a.net", ALICE)], self.given(REAL6))
        # a second name of the domain in the same minute
        self.assertEqual([("a.net", ALICE)], self.given(OTHER4))
        self.assertEqual([("b.net", BOB)], self.given(REAL4, "--endpoint", BOB))
        page = json.loads(self.policy.run("domain", "a.net", "--format", "json")[1])
        self.assertEqual({(300, 300)},
                         {(row["ttl_min_s"], row["ttl_max_s"]) for row in page["answers"]})
        self.assertEqual([], self.given(BLOCKED4))

    def test_2_connections(self):
        now = int(time.time())
        log = self.scratch / "log.csv"
        log.write_text("".join(f"{now},{source},{to}\n" for source, to in
                               ((ALICE, REAL4), (ALICE, REAL6), (BOB, REAL4), (BOB, REAL6),
                                (BOB, OTHER4), (ALICE, "198.51.100.1"))))
        _, out, _ = self.policy.run("answers", "--check", str(log), "--format", "json")
        rows = json.loads(out)["rows"]
        rows = sorted(((row["endpoint"], row["address"], row["given"], row["domain"])
                       for row in rows))
        self.assertEqual([(ALICE, "198.51.100.1", "never", None),
                          (BOB, REAL6, "to others", "a.net"),
                          (BOB, OTHER4, "to others", "a.net")], rows)


@unittest.skipUnless(IS_ROOT, "name servers of a real hierarchy listen on port 53")
class Servers(LiveCase):
    """Name servers as delegations and answers tell them, of a domain and of those beside it."""
    settings = Answers.settings

    @classmethod
    def start_upstream(cls):
        parent, child = name_server_addresses(2)
        top = "".join(f"{name} NS ns.{name}\nns.{name} A {child}\n{name} NS ns.shared\n"
                      for name in ("alpha", "beta"))
        held = {"parent": {".": zone(f"test. NS ns.nic.test.\nns.nic.test. A {parent}\n"),
                           "test": zone(f"{top}ns.shared A {child}\nns.nic A {parent}\n")},
                "child": {f"{name}.test": zone(f"ns A {child}\n@ NS ns.shared.test.\n* A {REAL4}\n",
                                               ns=f"ns.{name}.test.")
                          for name in ("alpha", "beta")}}
        for name, address in (("parent", parent), ("child", child)):
            cls.stack.callback(Nsd(cls.scratch / name, held[name], address, 53).stop)
        hints = cls.scratch / "root.hints"
        hints.write_text(f". 3600000 NS ns.nic.test.\nns.nic.test. 3600000 A {parent}\n")
        cls.options = f'    root-hints: "{hints}"\n'

    def page(self, name):
        code, out, _ = self.policy.run("domain", name, "--format", "json", ok=(0, 2))
        return json.loads(out) if out else {}

    def test_servers(self):
        for name in ("www.alpha.test", "www.beta.test"):
            self.assertEqual([REAL4], addresses(self.ask(name)))
        wait_until(lambda: len(self.page("beta.test").get("servers", [])) == 2, "name servers")
        page = self.page("alpha.test")
        self.assertEqual({("ns.alpha.test", 0), ("ns.shared.test", 1)},
                         {(row["server"], row["domains"]) for row in page["servers"]})
        self.assertEqual([("beta.test", "ns.shared.test", 1)],
                         [(row["domain"], row["server"], row["servers"])
                          for row in page["server_neighbours"]])


class Off(LiveCase):
    settings = {"answers__mode": "no"}
    zones = {"test": zone(f"* A {REAL4}")}

    def test_off(self):
        self.ask("www.test")
        wait_until(lambda: self.rows("SELECT 1 FROM traffic_by_minute"), "traffic")
        self.assertEqual([], self.rows("SELECT 1 FROM answer"))


if __name__ == "__main__":
    harness.main()
