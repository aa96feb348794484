#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Newly observed domains: recorded or held behind a warm-up, released by themselves, learned from
logs, and known over restarts and kills."""
import calendar
import json
import os
import re
import signal
import time

import harness
from harness import LiveCase, SINKHOLE4, addresses, ask, ede, rcode, wait_until, zone

REAL = "203.0.113.7"
ALICE, BOB = "127.0.0.91", "127.0.0.92"
WARM_UP_S = 2
HOLD_S = 4


class NewDomains(LiveCase):
    """All of net and com exists: each name of these tests is a domain of its own."""

    settings = {**{f"{detector}__mode": "off" for detector in
                   ("classify", "dga", "beacon", "tunnel", "nxburst", "fastflux", "shortlived",
                    "surge", "newrate", "bypass", "sinkholed", "udr")},
                "domains__warm-up": f"{WARM_UP_S}s"}
    options = "    local-zone: \"net.\" nodefault\n"

    @classmethod
    def start_upstream(cls):
        cls.zones = {"net": zone(f"* A {REAL}\n", ttl=1),
                     "com": zone(f"* A {REAL}\nalias.old CNAME target.young.net.\n", ttl=1)}
        nsd = super().start_upstream()
        cls.clauses = "".join(
            f'stub-zone:\n    name: "{top}"\n    stub-addr: {nsd.address}@{nsd.port}\n'
            for top in cls.zones)
        return nsd

    @classmethod
    def wait_warm(cls):
        time.sleep(WARM_UP_S + 1.1)

    def asks(self, endpoint, *names):
        return [addresses(ask(self.resolver.server, name, source=endpoint)) for name in names]

    def show(self, name):
        """What is known of a name's domain; None: nothing."""
        code, out, _ = self.policy.run("nod", "show", name, "--format", "json", ok=(0, 1, 2))
        return json.loads(out)["rows"][0] if code == 0 else None

    def wait_known(self, name):
        return wait_until(lambda: self.show(name), f"{name} in the history")

    def nod_hits(self, endpoint, domain):
        return self.rows("SELECT name, monitor, action, list FROM hits WHERE trigger = 'nod'"
                         " AND endpoint = ? AND domain = ? ORDER BY name", endpoint, domain)

    def soon_hit(self, domain):
        """Is there a hit of it within a second or two?"""
        for _ in range(20):
            if self.nod_hits(ALICE, domain):
                return True
            time.sleep(0.1)
        return False


class Monitor(NewDomains):
    def test_1_warm_up_and_hits(self):
        """Nothing is new before the warm-up; behind it one query of an endpoint is a hit."""
        self.assertEqual([[REAL]], self.asks(ALICE, "www.early.net"))
        self.wait_known("early.net")
        self.wait_warm()
        names = [f"n{i}.fresh.net" for i in range(5)]
        self.assertEqual([[REAL]] * 5, self.asks(ALICE, *names))
        self.assertEqual([[REAL]], self.asks(BOB, "other.fresh.net"))
        wait_until(lambda: self.nod_hits(ALICE, "fresh.net") and self.nod_hits(BOB, "fresh.net"),
                   "hits of both")
        hits = self.nod_hits(ALICE, "fresh.net")
        self.assertLessEqual(len(hits), 2)  # two where counts were written in between
        self.assertEqual(("n0.fresh.net", 1, "passthru", "nod"), hits[0])
        self.assertEqual([], self.nod_hits(ALICE, "early.net"))
        wait_until(lambda: self.policy.status()["monitored"] >= 2, "the counter of both")

    def test_2_known_by_whom(self):
        """Since when, and who asked first by which name."""
        self.asks(BOB, "mail.first.net")
        self.asks(ALICE, "www.first.net")
        self.wait_known("first.net")
        row = wait_until(lambda: (r := self.show("first.net"))["first_endpoint"] and r, "the first")
        self.assertEqual((BOB, "mail.first.net", "A", True),
                         (row["first_endpoint"], row["first_name"], row["first_type"],
                          row["resolved"]))
        self.assertEqual((REAL, 1), (row["first_address"], row["first_ttl_s"]))
        listed = json.loads(self.policy.run("nod", "list", "--since", "1h", "-f", "json")[1])
        self.assertIn("first.net", [r["domain"] for r in listed["rows"]])

    def test_3_import_while_it_runs(self):
        """A log makes names known at once, and the history older."""
        log = self.scratch / "unbound.log"
        begin = int(time.time()) - 90 * 86400
        log.write_text("".join(
            f"[{begin + 388 * i}] unbound[1:0] info: 192.0.2.{i % 200} www.logged{i}.net. A IN\n"
            for i in range(20000)) + "no line of a log\n")
        _, _, said = self.policy.run("nod", "import", str(log))
        self.assertIn("unbound.log:20001: ", said)
        self.assertRegex(said, r"taken over by the resolver: \d+ domains known")
        self.assertEqual([[REAL]] * 2,
                         self.asks(ALICE, "www.logged7.net", "unlogged.net"))
        wait_until(lambda: self.nod_hits(ALICE, "unlogged.net"), "the hit of the other")
        self.assertEqual([], self.nod_hits(ALICE, "logged7.net"))
        stats = json.loads(self.policy.run("nod", "stats", "-f", "json")[1])["rows"][0]
        self.assertEqual(0, stats["warm_up_left_s"])
        self.assertGreaterEqual(stats["known"], 20000)
        self.assertRegex(stats["since"], time.strftime("^%Y-%m-%dT", time.gmtime(begin)))
        self.resolver.wait_said("import of domains: 20000 taken over")

    def test_4_restart_and_kill(self):
        """A stop loses nothing, a kill the last second at most."""
        self.asks(ALICE, "stopped.net")
        time.sleep(0.3)  # the way from query to collector
        self.resolver.stop()
        before = self.show("stopped.net")
        self.assertTrue(before["resolved"])
        self.resolver.start()
        self.assertEqual(before["first"], self.show("stopped.net")["first"])
        self.asks(ALICE, "killed.net")
        time.sleep(1.3)
        self.resolver.stop(signal.SIGKILL)
        self.assertEqual(before["first"], self.show("stopped.net")["first"])
        self.assertTrue(self.show("killed.net")["resolved"])
        self.resolver.start()
        self.asks(ALICE, "killed.net")
        time.sleep(0.5)
        self.assertEqual([], self.nod_hits("127.0.0.1", "killed.net"))

    def test_5_import_without_resolver(self):
        """The command writes the store itself, and the resolver goes on with it; what a killed
        resolver left of an import is taken over by the next one."""
        store = self.policy.events_db.with_name("domains.seen")
        self.resolver.stop()
        owner = store.stat().st_uid
        self.policy.run("nod", "import", "-", stdin="offline.net 2026-11-01\n")
        self.assertTrue(self.show("offline.net"))
        waiting = store.with_name("domains.seen.import")
        waiting.write_text("waiting.net\t2026-11-01\t2026-11-02\t1\tyes\n")
        os.chown(waiting, owner, -1)
        self.resolver.start()
        self.wait_known("waiting.net")
        self.assertFalse(waiting.exists())
        # the first question of all: its domain is new, unless the machine is very busy
        for name in ("online1.net", "online2.net", "online3.net"):
            self.asks(ALICE, name)
            if self.soon_hit(name):
                break
            self.resolver.stop()
            self.resolver.start()
        else:
            self.fail("no first question was a hit")
        self.assertEqual([[REAL]], self.asks(ALICE, "offline.net"))
        self.wait_traffic({"passed": 1}, "offline.net", ALICE)
        self.assertEqual([], self.nod_hits(ALICE, "offline.net"))
        store.unlink()
        self.resolver.stop()
        store.unlink(missing_ok=True)
        self.policy.run("nod", "import", "-", stdin="offline.net 2026-11-01\n")
        # where the command made the file, too, it is for the user whose folder it is in
        self.assertEqual(store.parent.stat().st_uid, store.stat().st_uid)
        self.resolver.start()
        self.assertEqual([], [line for line in self.resolver.said() if "history of domains" in line
                              and "error" in line])


class Hold(NewDomains):
    settings = {**NewDomains.settings, "nod__mode": "hold", "nod__hold": f"{HOLD_S}s",
                "nod__exclude": "[spared.net]"}

    @classmethod
    def prepare(cls):
        super().prepare()
        ask(cls.resolver.server, "alias.old.com")  # its domain is known from here on
        cls.wait_warm()
        time.sleep(HOLD_S - WARM_UP_S)

    def test_held_and_released(self):
        """Sinkholed for everybody with the time in the answer, then it resolves by itself."""
        began = time.time()
        answer = ask(self.resolver.server, "www.held.net", source=ALICE)
        self.assertEqual([SINKHOLE4], addresses(answer))
        self.assertEqual("NOERROR", rcode(answer))
        [(code, text)] = ede(answer)
        self.assertEqual(15, code)
        self.assertRegex(text, r"^blocked: newly observed domain, until [0-9-]+T[0-9:]+Z; id ")
        until = time.strptime(re.search(r"until (\S+);", text)[1], "%Y-%m-%dT%H:%M:%SZ")
        self.assertAlmostEqual(began + HOLD_S, calendar.timegm(until), delta=1.1)
        self.wait_known("held.net")
        self.assertEqual([[SINKHOLE4]], self.asks(BOB, "held.net"))
        _, out, _ = self.policy.run("explain", "held.net")
        self.assertIn("newly observed domain, until ", out)
        wait_until(lambda: self.asks(ALICE, "www.held.net") == [[REAL]], "the release")
        self.assertGreaterEqual(time.time() - began, HOLD_S - 1)
        self.wait_hits([(ALICE, "www.held.net", "A", "nod", "sinkhole", self.count(ALICE))],
                       "name = 'www.held.net' AND action = 'sinkhole'")
        wait_until(lambda: self.asks(ALICE, "www.held.net") and self.show("held.net")["resolved"],
                   "noted as resolved")
        self.assertEqual(0, self.policy.status()["leaked"])

    def count(self, endpoint):
        """Queries of the name that were sinkholed."""
        return self.rows("SELECT sum(count) FROM hits WHERE name = 'www.held.net'"
                         " AND action = 'sinkhole' AND endpoint = ?", endpoint)[0][0]

    def test_excepted(self):
        """An exception, nod.exclude, and a known name whose alias leads to a new one."""
        self.assertEqual([[SINKHOLE4]], self.asks(ALICE, "allowed.net"))
        self.policy.allow("allowed.net")
        self.assertEqual([[REAL]], self.asks(ALICE, "www.allowed.net"))
        self.assertEqual([[REAL]], self.asks(ALICE, "a.spared.net"))
        self.assertEqual([REAL], addresses(self.ask("alias.old.com")))
        self.assertEqual([[SINKHOLE4]], self.asks(ALICE, "target.young.net"))
        self.policy.block("=known.old.com")
        self.assertEqual([[SINKHOLE4]], self.asks(ALICE, "known.old.com"))
        self.wait_hits([(ALICE, "known.old.com", "A", "local-block", "sinkhole", 1)],
                       "name = 'known.old.com'")


class Off(NewDomains):
    settings = {**NewDomains.settings, "nod__mode": "off"}

    def test_off(self):
        """Nothing is held, recorded or kept."""
        self.wait_warm()
        self.asks(ALICE, "any.net")
        self.wait_traffic({"passed": 1}, "any.net", ALICE)
        self.assertIsNone(self.show("any.net"))


if __name__ == "__main__":
    harness.main()
