#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tracked names (udr.domains): an address that they never had is found, also when the resolver
fetched it for nobody; what was learned outlives restarts and kills. And what the history of domains
counts of each: queries and the lowest TTL."""
import json
import signal
import time

import harness
from harness import LiveCase, Upstream, addresses, ask, wait_until

ALICE, BOB = "127.0.0.95", "127.0.0.96"
OLD, NEAR, FAR, FARTHER = "198.51.100.7", "198.51.100.8", "203.0.113.9", "192.0.2.9"
LEARN_S = 2


class Tracked(LiveCase):
    settings = {**{f"{detector}__mode": "off" for detector in
                   ("classify", "dga", "beacon", "tunnel", "nxburst", "fastflux", "shortlived",
                    "surge", "newrate", "bypass", "nod")},
                "udr__domains": '[corp.net, "=portal.bank.net"]', "udr__learn": f"{LEARN_S}s"}
    options = "    serve-expired: yes\n    local-zone: \"net.\" nodefault\n"

    @classmethod
    def start_upstream(cls):
        cls.answers = {}  # name -> (TTL, addresses)

        def answer(name, rdtype):
            ttl, addrs = cls.answers.get(name, (1, [OLD]))
            return "".join(f"{name}. {ttl} IN A {a}\n" for a in addrs) if rdtype == "A" else ""

        upstream = Upstream(answer)
        cls.stack.callback(upstream.stop)
        cls.clauses = ('stub-zone:\n    name: "net"\n'
                       f'    stub-addr: {upstream.address}@{upstream.port}\n')
        return upstream

    def asks(self, endpoint, name):
        return addresses(ask(self.resolver.server, name, source=endpoint))

    def wait_asked(self, endpoint, name, *expected):
        wait_until(lambda: self.asks(endpoint, name) == sorted(expected),
                   f"{name} at {expected}")

    def responses(self, *words):
        code, out, _ = self.policy.run("nod", "responses", *words, "-f", "json", ok=(0, 1, 2))
        return json.loads(out)["rows"] if code == 0 else []

    def wait_responses(self, name, *expected):
        wait_until(lambda: {(r["address"], r["new"]) for r in self.responses(name)} ==
                   set(expected), lambda: f"{expected}; there are {self.responses(name)}")

    def found(self, name):
        code, out, _ = self.policy.run("findings", "--detector", "unique-response", "--domain",
                                       f"={name}", "-f", "json", ok=(0, 2))
        return json.loads(out)["rows"] if code == 0 and out else []

    def wait_found(self, name, n=1):
        wait_until(lambda: len(self.found(name)) >= n,
                   lambda: f"{n} findings of {name}; there are {self.found(name)}")
        return self.found(name)

    def learn(self, name):
        self.asks(ALICE, name)
        self.wait_responses(name, (OLD, "learned"))
        time.sleep(LEARN_S + 0.5)


class Monitor(Tracked):
    def test_1_moved(self):
        """Another address of its network is recorded, one of a new network is a finding; names that
        are not tracked are not."""
        self.learn("www.corp.net")
        self.asks(ALICE, "www.other.net")
        self.answers["www.corp.net"] = self.answers["www.other.net"] = (1, [NEAR])
        self.wait_asked(BOB, "www.corp.net", NEAR)
        self.wait_responses("www.corp.net", (OLD, "learned"), (NEAR, "address"))
        self.answers["www.corp.net"] = self.answers["www.other.net"] = (1, [NEAR, FAR])
        self.wait_asked(BOB, "www.corp.net", NEAR, FAR)
        self.wait_asked(BOB, "www.other.net", NEAR, FAR)
        self.wait_responses("www.corp.net", (OLD, "learned"), (NEAR, "address"), (FAR, "network"))
        [found] = self.wait_found("www.corp.net")
        self.assertEqual(("www.corp.net", BOB, "new network", FAR, 1, "T1584.002", "monitor"),
                         (found["domain"], found["endpoint"], found["kind"], found["new_address"],
                          found["new_addresses"], found["technique"], found["mode"]))
        evidence = found["evidence"]
        self.assertEqual((2, 1), (evidence["addresses"], evidence["networks"]))
        self.assertEqual([NEAR, OLD], evidence["earlier"])
        self.assertEqual([], self.responses("other.net"))
        self.resolver.wait_said("finding unique-response: endpoint 127.0.0.96 was given an address "
                                "in a new network for a tracked name: 203.0.113.9; suspected: "
                                "www.corp.net")
        self.assertEqual([NEAR, FAR], sorted(self.asks(BOB, "www.corp.net")))  # not blocked

    def test_2_from_the_cache(self):
        """The resolver fetches for nobody (serve-expired): the first who gets it shows it."""
        self.learn("cached.corp.net")
        self.answers["cached.corp.net"] = (3600, [FAR])
        self.assertEqual([OLD], self.asks(ALICE, "cached.corp.net"))  # stale, and a refresh
        self.wait_asked(ALICE, "cached.corp.net", FAR)
        self.wait_found("cached.corp.net")

    def test_3_restart_and_kill(self):
        """Nothing of what was learned is new to the next life, nor is learning begun anew."""
        self.learn("kept.corp.net")
        self.resolver.stop()
        self.resolver.start()
        self.assertEqual([OLD], self.asks(ALICE, "kept.corp.net"))
        time.sleep(0.5)
        self.assertEqual([], self.found("kept.corp.net"))
        self.answers["kept.corp.net"] = (1, [FAR])
        self.wait_asked(ALICE, "kept.corp.net", FAR)
        self.wait_found("kept.corp.net")
        self.wait_responses("kept.corp.net", (OLD, "learned"), (FAR, "network"))
        self.resolver.stop(signal.SIGKILL)
        self.resolver.start()
        for address in (OLD, FAR):
            self.answers["kept.corp.net"] = (1, [address])
            self.wait_asked(ALICE, "kept.corp.net", address)
        self.answers["kept.corp.net"] = (1, [FARTHER])
        self.wait_asked(ALICE, "kept.corp.net", FARTHER)
        found = self.wait_found("kept.corp.net", 2)
        self.assertEqual([FARTHER, FAR], [f["new_address"] for f in found])

    def test_4_dismissed(self):
        """A finding that was dismissed is told no more."""
        self.learn("moves.corp.net")
        self.answers["moves.corp.net"] = (1, [FAR])
        self.wait_asked(ALICE, "moves.corp.net", FAR)
        [found] = self.wait_found("moves.corp.net")
        self.policy.run("findings", "dismiss", str(found["id"]), "--everybody", "--reason", "moved")
        time.sleep(1.2)
        self.answers["moves.corp.net"] = (1, [FARTHER])
        self.wait_asked(BOB, "moves.corp.net", FARTHER)
        self.wait_responses("moves.corp.net", (OLD, "learned"), (FAR, "network"),
                            (FARTHER, "network"))
        self.assertEqual(1, len(self.found("moves.corp.net")))

    def test_5_queries_and_lowest_ttl(self):
        """What `nod show` tells of a domain: queries so far and the lowest TTL of its answers."""
        def show():
            return json.loads(self.policy.run("nod", "show", "count.net", "-f", "json",
                                              ok=(0, 1, 2))[1] or '{"rows":[{}]}')["rows"][0]

        for name, ttl in (("a.count.net", 300), ("b.count.net", 40), ("c.count.net", 600)):
            self.answers[name] = (ttl, [OLD])
            self.asks(ALICE, name)
        self.asks(BOB, "a.count.net")  # from the cache, with less of its life left
        wait_until(lambda: show().get("queries") == 4, lambda: f"4 queries: {show()}")
        row = show()
        self.assertEqual((40, 300, ALICE, "a.count.net", OLD, True),
                         (row["ttl_min_s"], row["first_ttl_s"], row["first_endpoint"],
                          row["first_name"], row["first_address"], row["resolved"]))
        self.answers["d.count.net"] = (7, [OLD])
        self.asks(ALICE, "d.count.net")
        wait_until(lambda: (show()["queries"], show()["ttl_min_s"]) == (5, 7), "a lower one")


class Full(Tracked):
    settings = {**Tracked.settings, "udr__addresses": 8}

    def test_full(self):
        """More than there is room for: counted, and told once."""
        for i in range(20):
            for _ in range(2):
                self.asks(ALICE, f"n{i}.corp.net")
        self.resolver.wait_said("the memory of tracked names is full .udr.addresses, 8")
        self.assertGreater(self.policy.status()["lost_responses"], 0)
        self.assertEqual(1, len([line for line in self.resolver.said() if "is full" in line]))


if __name__ == "__main__":
    harness.main()
