#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Groups of endpoints: what one may have and another may not, from the same cache, at once."""
import threading
import time

import harness
from harness import (SINKHOLE4, SINKHOLE6, LiveCase, Nsd, addresses, flags, rcode, records, sign_zone,
                     wait_until, zone)

REAL = "203.0.113.1"
KIDS = [f"127.0.1.{i}" for i in range(1, 5)]
STAFF = [f"127.0.2.{i}" for i in range(1, 5)]
ROUNDS = 40

ZONE = zone("* 3600 IN A 203.0.113.1\n* AAAA 2001:db8::1\nalias CNAME games\ngames A 203.0.113.1\n"
            "short 2 IN A 203.0.113.1\n")


class GroupsCase(LiveCase):
    zones = {"test": ZONE}

    @classmethod
    def before_start(cls):
        super().before_start()
        cls.policy.run("group", "add", "kids", "127.0.1.0/24")

    def got(self, name, source, rdtype="A", **how):
        return addresses(self.ask(name, rdtype, source=source, **how))

    def assert_split(self, name, allowed, refused):
        """The first get the real address, the others the sinkhole; cold, then warm."""
        for _ in range(3):
            for source in allowed:
                self.assertEqual([REAL], self.got(name, source), f"{name} for {source}")
            for source in refused:
                self.assertEqual([SINKHOLE4], self.got(name, source), f"{name} for {source}")


class OneThread(GroupsCase):
    threads = 1

    def test_blocked_for_one_group(self):
        for source in KIDS + STAFF:  # cached for all before the change
            self.assertEqual([REAL], self.got("day.test", source))
        self.policy.run("block", "--group", "kids", "day.test")
        wait_until(lambda: self.got("day.test", KIDS[0]) == [SINKHOLE4], "blocked for the group", 1)
        self.assert_split("day.test", STAFF, KIDS)
        self.assert_split("new.day.test", STAFF, KIDS)
        self.assertNotIn(("day.test", "A"), self.resolver.cached())

    def test_alias_that_only_some_may_follow(self):
        self.policy.run("block", "--group", "kids", "=games.test")
        wait_until(lambda: self.got("games.test", KIDS[0]) == [SINKHOLE4], "blocked", 1)
        for _ in range(3):
            self.assertEqual([REAL], self.got("alias.test", STAFF[0]))
            self.assertEqual([SINKHOLE4], self.got("alias.test", KIDS[0]))

    def test_life_time_counts_down_and_ends(self):
        self.policy.run("block", "--group", "kids", "short.test")
        first = self.ask("short.test", source=STAFF[0])
        self.assertLessEqual(first.answer[0].ttl, 2)
        start = self.resolver.stats()["total.num.cachemiss"]
        wait_until(lambda: self.ask("short.test", source=STAFF[0]).answer[0].ttl < 2,
                   "a shorter life time")
        time.sleep(2.1)
        self.assertEqual([REAL], self.got("short.test", STAFF[1]))
        self.assertGreater(self.resolver.stats()["total.num.cachemiss"], start)

    def test_exception_for_one_group(self):
        self.policy.block("shop.test")
        self.policy.run("allow", "--group", "kids", "shop.test")
        wait_until(lambda: self.got("shop.test", KIDS[0]) == [REAL], "excepted for the group", 1)
        self.assert_split("shop.test", KIDS, STAFF)

    def test_group_rule_beats_an_exception_for_everybody(self):
        self.policy.allow("play.test")
        self.policy.run("block", "--group", "kids", "play.test")
        self.policy.allow("=good.play.test")
        wait_until(lambda: self.got("play.test", KIDS[0]) == [SINKHOLE4], "blocked", 1)
        self.assert_split("x.play.test", STAFF, KIDS)
        self.assert_split("good.play.test", STAFF + KIDS, [])

    def test_list_for_all_but_a_group(self):
        self.policy.add_list("ads", ["ad.test"])
        self.policy.run("list", "audience", "ads", "kids", "--except")
        wait_until(lambda: self.got("ad.test", KIDS[0]) == [REAL], "not for the group", 1)
        self.assert_split("ad.test", KIDS, STAFF)
        self.policy.run("list", "audience", "ads")
        wait_until(lambda: self.got("ad.test", KIDS[0]) == [SINKHOLE4], "for everybody", 1)

    def test_transports_and_families(self):
        self.policy.run("group", "add", "kids", "::1")
        self.policy.run("block", "--group", "kids", "wire.test")
        wait_until(lambda: self.got("wire.test", KIDS[0]) == [SINKHOLE4], "blocked", 1)
        for tcp in (False, True):
            self.assertEqual([SINKHOLE4], self.got("wire.test", KIDS[1], tcp=tcp))
            self.assertEqual([REAL], self.got("wire.test", STAFF[1], tcp=tcp))
        for rdtype, real in (("AAAA", ["2001:db8::1"]),):
            self.assertEqual(real, self.got("wire.test", STAFF[0], rdtype))
            self.assertNotEqual(real, self.got("wire.test", KIDS[0], rdtype))


class Dns64(GroupsCase):
    """A module between us and the servers that stores by itself what it makes."""
    modules = "dynlib dns64 validator iterator"
    options = "    dns64-prefix: 64:ff9b::/96\n"
    zones = {"test": zone("* A 203.0.113.1\nalias CNAME games\ngames A 203.0.113.1\n")}

    def test_made_for_some(self):
        self.policy.run("block", "--group", "kids", "four.test")
        self.policy.run("block", "--group", "kids", "=games.test")
        wait_until(lambda: self.got("games.test", KIDS[0]) == [SINKHOLE4], "blocked", 1)
        for name in ("four.test", "alias.test"):
            for _ in range(3):
                self.assertEqual(["64:ff9b::cb00:7101"], self.got(name, STAFF[0], "AAAA"))
                self.assertEqual([SINKHOLE6], self.got(name, KIDS[0], "AAAA"))
        self.assertEqual(0, self.policy.status()["leaked"])


class Subnets(GroupsCase):
    """A cache that stands between us and the iterator."""
    modules = "dynlib subnetcache validator iterator"
    options = "    send-client-subnet: 127.0.0.1\n    max-client-subnet-ipv4: 24\n"

    def test_cached_for_some(self):
        self.policy.run("block", "--group", "kids", "net.test")
        self.policy.run("block", "--group", "kids", "=games.test")
        wait_until(lambda: self.got("net.test", KIDS[0]) == [SINKHOLE4], "blocked", 1)
        for name in ("net.test", "alias.test"):
            self.assert_split(name, STAFF, KIDS)
        self.assertEqual(0, self.policy.status()["leaked"])


class Signed(GroupsCase):
    """The validator at work: what some may have is as authentic, or as bogus, the second time."""

    @classmethod
    def start_upstream(cls):
        path, good = sign_zone(cls.scratch / "sign", "signed.test", zone(
            "game A 203.0.113.1\nlink CNAME game\n"))
        broken, bad = sign_zone(cls.scratch / "broken", "broken.test", zone("game A 203.0.113.1\n"))
        broken.write_text(broken.read_text().replace("203.0.113.1", "203.0.113.9"))
        nsd = Nsd(cls.scratch / "nsd", {"signed.test": path, "broken.test": broken, "test": ZONE})
        cls.stack.callback(nsd.stop)
        cls.options = f'    trust-anchor: "{good}"\n    trust-anchor: "{bad}"\n'
        return nsd

    @classmethod
    def before_start(cls):
        super().before_start()
        cls.policy.run("block", "--group", "kids", "game.signed.test", "game.broken.test")

    def test_authentic_from_either_cache(self):
        for name, types in (("game.signed.test", ["A", "RRSIG"]),
                            ("link.signed.test", ["CNAME", "RRSIG", "A", "RRSIG"])):
            for _ in range(3):
                answer = self.ask(name, source=STAFF[0], do=True)
                self.assertIn("AD", flags(answer))
                self.assertEqual(types, [t for _, _, t, _ in records(answer.answer)])
                self.assertEqual([], [t for _, _, t, _ in records(
                    self.ask(name, source=STAFF[0]).answer) if t == "RRSIG"])
                refused = self.ask(name, source=KIDS[0], do=True)
                self.assertEqual([SINKHOLE4], addresses(refused))
                self.assertNotIn("AD", flags(refused))
        for _ in range(3):
            gone = self.ask("none.game.signed.test", source=STAFF[0], do=True)
            self.assertEqual("NXDOMAIN", rcode(gone))
            self.assertIn("AD", flags(gone))
            self.assertIn("NSEC", [t for _, _, t, _ in records(gone.authority)])

    def test_bogus_is_served_only_unchecked(self):
        name = "game.broken.test"
        for _ in range(3):
            self.assertEqual("SERVFAIL", rcode(self.ask(name, source=STAFF[0])))
            unchecked = self.ask(name, source=STAFF[0], cd=True)
            self.assertEqual(["203.0.113.9"], addresses(unchecked))
            self.assertNotIn("AD", flags(unchecked))
            self.assertEqual([SINKHOLE4], self.got(name, KIDS[0]))


class Restricted(GroupsCase):
    threads = 2

    def test_allow_only(self):
        self.policy.run("group", "add", "kiosk", "127.0.3.0/24")
        self.policy.run("allow", "--group", "kiosk", "work.test")
        for source in ("127.0.3.1", STAFF[0]):
            self.assertEqual([REAL], self.got("www.test", source))
        self.policy.run("group", "mode", "kiosk", "monitor")
        self.assertEqual([REAL], self.got("mon.test", "127.0.3.1"))
        self.wait_rows([("mon.test", "kiosk", "client-ip", 1)],
                       "SELECT name, list, trigger, monitor FROM hits WHERE name = 'mon.test'")
        self.policy.run("group", "mode", "kiosk", "block")
        wait_until(lambda: rcode(self.ask("www.test", source="127.0.3.1")) == "NXDOMAIN",
                   "restricted", 1)
        for _ in range(3):
            self.assertEqual([REAL], self.got("www.test", STAFF[0]))
            self.assertEqual("NXDOMAIN", rcode(self.ask("www.test", source="127.0.3.1")))
            self.assertEqual([REAL], self.got("a.work.test", "127.0.3.1"))
        self.policy.allow("www.test")  # for everybody: not for those who are restricted
        time.sleep(0.3)
        self.assertEqual("NXDOMAIN", rcode(self.ask("www.test", source="127.0.3.1")))
        self.policy.run("group", "mode", "kiosk", "off")
        wait_until(lambda: self.got("www.test", "127.0.3.1") == [REAL], "no longer restricted", 1)

    def test_quarantine(self):
        sick, well = "127.0.4.7", STAFF[2]
        for source in (sick, well):
            self.assertEqual([REAL], self.got("q.test", source))
        self.policy.run("quarantine", sick, "--reason", "test", "--lifetime", "1h")
        wait_until(lambda: self.got("q.test", sick) == [SINKHOLE4], "quarantined", 1)
        self.policy.run("allow", "--group", "quarantine", "mend.test")
        wait_until(lambda: self.got("mend.test", sick) == [REAL], "a remediation name", 1)
        for name in ("q.test", "ns.test", "never-asked.test"):
            self.assert_split(name, [well], [sick])
        self.wait_rows([("127.0.4.7", "quarantine")],
                       "SELECT DISTINCT endpoint, list FROM hits WHERE name = 'never-asked.test'")
        self.policy.run("release", sick)
        wait_until(lambda: self.got("q.test", sick) == [REAL], "released", 1)

    def test_quarantine_ends_by_itself(self):
        sick = "127.0.4.8"
        self.policy.run("quarantine", sick, "--reason", "test", "--lifetime", "3s")
        start = time.monotonic()
        wait_until(lambda: self.got("ends.test", sick) == [SINKHOLE4], "quarantined", 1)
        wait_until(lambda: self.got("ends.test", sick) == [REAL], "over", 5)
        self.assertLess(time.monotonic() - start, 5)


class Contested(GroupsCase):
    """64 clients of two groups ask the same cold, then warm names at once."""
    threads = 4
    per_group = 32

    def test_every_answer_is_right(self):
        self.policy.run("block", "--group", "kids", "fight.test")
        kids = [f"127.0.1.{i}" for i in range(10, 10 + self.per_group)]
        staff = [f"127.0.2.{i}" for i in range(10, 10 + self.per_group)]
        wait_until(lambda: self.got("fight.test", kids[0]) == [SINKHOLE4], "blocked", 1)
        wrong, failed = [], []
        barrier = threading.Barrier(2 * self.per_group)

        def client(source, expected):
            barrier.wait()
            for i in range(ROUNDS):
                name = f"n{i // 4}.fight.test"  # four times each: cold, then warm
                try:
                    got = self.got(name, source, timeout=5)
                except OSError as e:
                    failed.append((name, source, str(e)))
                    continue
                if got != expected:
                    wrong.append((name, source, got))

        threads = [threading.Thread(target=client, args=(s, [SINKHOLE4])) for s in kids]
        threads += [threading.Thread(target=client, args=(s, [REAL])) for s in staff]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([], wrong[:5])
        self.assertEqual([], failed[:5])


class Tags(GroupsCase):
    """Groups made of Unbound's own tags, against Unbound: a local zone is only for clients with the
    tag, so it shows who has it."""

    OWN = "192.0.2.99"
    SOURCES = ["127.0.0.1", *KIDS, *STAFF, "127.0.1.65", "127.0.1.127", "127.0.1.128", "127.3.0.1",
               "127.3.1.1", "127.3.2.1"]
    options = """    define-tag: "kids staff"
    access-control-tag: 127.0.1.0/24 "kids"
    access-control-tag: 127.0.2.0/24 "staff"
    access-control: 127.0.1.64/26 allow
    access-control-tag: 127.3.0.0/22 "staff kids"
    access-control-tag: 127.3.1.0/24 "staff"
    access-control-tag: 127.3.1.9/24 "kids"
    local-zone: "tagged.test." redirect
    local-data: "tagged.test. A 192.0.2.99"
    local-zone-tag: "tagged.test." "kids"
"""

    @classmethod
    def before_start(cls):
        """No group yet."""

    def test_as_unbound(self):
        for source in self.SOURCES:  # cached for all before there are groups
            self.assertEqual([REAL], self.got("day.test", source))
        conf = self.resolver.folder / "unbound.conf"
        self.policy.run("group", "import", "--unbound-conf", str(conf))
        self.policy.run("block", "--group", "kids", "day.test")
        wait_until(lambda: self.got("day.test", KIDS[0]) == [SINKHOLE4], "blocked for the group", 2)
        tagged = [s for s in self.SOURCES if self.got("www.tagged.test", s) == [self.OWN]]
        self.assertEqual(7, len(tagged), tagged)
        others = [s for s in self.SOURCES if s not in tagged]
        self.assert_split("day.test", others, tagged)  # cold, then warm, turn about
        self.assert_split("new.day.test", others, tagged)
        self.assertEqual(0, self.policy.status()["leaked"])


if __name__ == "__main__":
    harness.main()
