#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules about what answers carry: addresses, hints, servers; and about clients by address."""
import json
import threading
import unittest

import harness
from harness import (IS_ROOT, SINKHOLE4, LiveCase, Nsd, addresses, name_server_addresses, rcode,
                     wait_until, zone)

GOOD = "203.0.113.1"

ZONE = zone("""
* 3600 IN A 203.0.113.1
* AAAA 2001:db8::1
bad A 198.51.100.7
bad AAAA 2001:db8:bad::7
mixed A 203.0.113.1
mixed A 198.51.100.7
mixed TXT "of no address"
log A 198.51.101.1
nx A 198.51.102.1
nodata A 198.51.103.1
refused A 198.51.104.1
drop A 198.51.105.1
mon A 198.51.106.1
spared A 198.51.107.1
late A 198.51.108.1
late AAAA 2001:db8:1a7e::1
ends A 198.51.109.1
alias CNAME target
target A 198.51.110.1
hint HTTPS 1 . alpn=h2 ipv4hint=203.0.113.9,198.51.111.1
hint A 203.0.113.1
hint6 SVCB 1 . ipv6hint=2001:db8:bad6::1
kid A 198.51.112.1
warm A 198.51.113.1
many A 198.51.114.1
many AAAA 2001:db8:114::1
sunk A 198.51.115.1
""")
PUBLIC = zone("inside.pub A 10.1.2.3\ninside.pub AAAA fd00::1\nknown.pub A 10.1.2.4\n"
              "x.pub A 203.0.113.1\n")


class ResponseCase(LiveCase):
    zones = {"test": ZONE, "org": PUBLIC}

    def got(self, name, rdtype="A", **how):
        return addresses(self.ask(name, rdtype, **how))

    def assert_blocked(self, name, rdtype="A"):
        for _ in range(2):
            answer = self.ask(name, rdtype)
            self.assertIn(addresses(answer), ([SINKHOLE4], ["2001:db8::53"], []), name)
        self.assertFalse([q for q in self.resolver.cached() if q == (name, rdtype)])


class Triggers(ResponseCase):
    def test_address_of_both_families(self):
        self.policy.block("response-ip:198.51.100.0/24", "response-ip:2001:db8:bad::/48")
        self.assert_sinkholed(self.ask("bad.test"))
        self.assert_sinkholed(self.ask("bad.test", "AAAA"))
        self.assert_blocked("bad.test")
        self.assert_blocked("bad.test", "AAAA")
        self.assert_passes(self.ask("x.test"), GOOD)
        self.assertEqual([SINKHOLE4, "2001:db8::53"], self.got("bad.test", "ANY"))
        # one of several is enough; what has no address is of no concern
        self.assert_sinkholed(self.ask("mixed.test"))
        self.assertEqual("NOERROR", rcode(self.ask("mixed.test", "TXT")))
        self.assertTrue(self.ask("mixed.test", "TXT").answer)
        self.wait_rows([("bad.test", "response-ip", "local-block", "=24.0.100.51.198.rpz-ip",
                         "32.7.100.51.198.rpz-ip")],
                       "SELECT DISTINCT name, trigger, list, rule, matched FROM hits"
                       " WHERE name = 'bad.test' AND type = 'A'")
        code, out, _ = self.policy.run("hits", "--name", "bad.test", "-f", "json", ok=(0, 1))
        met = {(hit["rule"], hit["matched"]) for hit in json.loads(out)["rows"]}
        self.assertEqual({("response-ip:198.51.100.0/24", "198.51.100.7"),
                          ("response-ip:2001:db8:bad::/48", "2001:db8:bad::7")}, met)

    def test_actions(self):
        for action, number in (("nxdomain", 102), ("nodata", 103), ("refused", 104),
                               ("drop", 105), ("log", 101)):
            self.policy.add_list(f"a-{action}", [f"response-ip:198.51.{number}.0/24"],
                                 action=action)
        self.assert_negative(self.ask("nx.test"), "NXDOMAIN", "nx.test.")
        self.assert_negative(self.ask("nodata.test"), "NOERROR", "nodata.test.")
        self.assertEqual("REFUSED", rcode(self.ask("refused.test")))
        self.assertIsNone(self.ask("drop.test", timeout=1))
        self.assert_passes(self.ask("log.test"), "198.51.101.1")
        self.assert_passes(self.ask("log.test"), "198.51.101.1")  # from the cache: recorded as well
        self.wait_rows([("a-log", "log", "response-ip", 2)],
                       "SELECT list, would, trigger, sum(count) FROM hits WHERE name = 'log.test'")

    def test_monitor_mode(self):
        self.policy.add_list("mon", ["response-ip:198.51.106.0/24"], mode="monitor")
        self.assert_passes(self.ask("mon.test"), "198.51.106.1")
        self.wait_rows([("mon", 1, "sinkhole", "passthru")],
                       "SELECT list, monitor, would, action FROM hits WHERE name = 'mon.test'")
        self.policy.mode("mon", "block")
        self.assert_sinkholed(self.ask("mon.test"))

    def test_exceptions(self):
        self.policy.block("response-ip:198.51.107.0/24")
        self.assert_sinkholed(self.ask("spared.test"))
        self.policy.allow("spared.test")  # the name beats what its answer carries
        self.assert_passes(self.ask("spared.test"), "198.51.107.1")
        self.policy.drop_exception("spared.test")
        self.assert_sinkholed(self.ask("spared.test"))
        self.policy.allow("response-ip:198.51.107.1")
        self.assert_passes(self.ask("spared.test"), "198.51.107.1")

    def test_cached_then_listed(self):
        for _ in range(2):
            self.assert_passes(self.ask("late.test"), "198.51.108.1")
            self.assert_passes(self.ask("late.test", "AAAA"), "2001:db8:1a7e::1")
        self.policy.block("response-ip:198.51.108.1")
        self.assert_blocked("late.test")
        self.assert_passes(self.ask("late.test", "AAAA"), "2001:db8:1a7e::1")  # not listed
        self.policy.unblock("response-ip:198.51.108.1")
        self.assert_passes(self.ask("late.test"), "198.51.108.1")
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_ends_by_itself(self):
        self.policy.block("response-ip:198.51.109.0/24", lifetime="2s")
        self.assert_sinkholed(self.ask("ends.test"))
        wait_until(lambda: self.got("ends.test") == ["198.51.109.1"], "over", 5)

    def test_behind_an_alias(self):
        self.assert_passes(self.ask("target.test"), "198.51.110.1")
        self.policy.block("response-ip:198.51.110.0/24")
        self.assert_blocked("alias.test")
        self.assert_blocked("target.test")

    def test_hints(self):
        self.assertTrue(self.ask("hint.test", "HTTPS").answer)
        self.policy.block("response-ip:198.51.111.0/24", "response-ip:2001:db8:bad6::/48")
        self.assert_negative(self.ask("hint.test", "HTTPS"), "NOERROR", "hint.test.")
        self.assert_negative(self.ask("hint6.test", "SVCB"), "NOERROR", "hint6.test.")
        self.assert_passes(self.ask("hint.test"), GOOD)

    def test_foreign_sinkhole(self):
        self.policy.run("block", "--action", "log", "sinkholed:198.51.115.1")
        self.assert_passes(self.ask("sunk.test"), "198.51.115.1")
        self.wait_rows([("sinkholed", "log")],
                       "SELECT trigger, would FROM hits WHERE name = 'sunk.test'")


@unittest.skipUnless(IS_ROOT, "name servers of a real hierarchy listen on port 53")
class Servers(ResponseCase):
    """Zones shop.test and bait.test are served by ns.evil.test, good.test by its own server."""

    @classmethod
    def start_upstream(cls):
        parent, cls.child, cls.other = name_server_addresses(3)
        top = zone(f"evil NS ns.evil\nns.evil A {cls.child}\nshop NS ns.evil\nbait NS ns.evil\n"
                   f"good NS ns.good\nns.good A {cls.other}\nns.nic A {parent}\n")
        rest = zone(f"* A {GOOD}\n", ns="ns.evil.test.")
        for name, address, zones in (
                ("parent", parent, {".": zone(f"test. NS ns.nic.test.\nns.nic.test. A {parent}\n"),
                                    "test": top}),
                ("child", cls.child, {"evil.test": zone(f"ns A {cls.child}\n", ns="ns.evil.test."),
                                      "shop.test": rest, "bait.test": rest}),
                ("other", cls.other, {"good.test": zone(
                    f"ns A {cls.other}\nto CNAME www.shop.test.\n* A {GOOD}\n",
                    ns="ns.good.test.")})):
            cls.stack.callback(Nsd(cls.scratch / name, zones, address, 53).stop)
        hints = cls.scratch / "root.hints"
        hints.write_text(f". 3600000 NS ns.nic.test.\nns.nic.test. 3600000 A {parent}\n")
        cls.options = f'    root-hints: "{hints}"\n'

    def check(self, rule, trigger):
        for name in ("www.shop.test", "to.good.test", "www.good.test"):
            self.assert_passes(self.ask(name), GOOD)
        self.policy.block(rule)
        fresh = f"{trigger}.bait.test"
        for name in (fresh, "www.shop.test", "to.good.test"):
            self.assert_blocked(name)
        self.assert_passes(self.ask("www.good.test"), GOOD)
        self.assert_passes(self.ask(f"{trigger}.good.test"), GOOD)
        self.wait_rows([(trigger,)], "SELECT DISTINCT trigger FROM hits WHERE name = ?", fresh)
        self.policy.allow("www.shop.test")
        self.assert_passes(self.ask("www.shop.test"), GOOD)
        self.policy.drop_exception("www.shop.test")
        self.policy.unblock(rule)
        for name in (fresh, "www.shop.test", "to.good.test"):
            self.assert_passes(self.ask(name), GOOD)
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_name(self):
        self.check("nsdname:=ns.evil.test", "nsdname")

    def test_name_below(self):
        self.policy.add_list("below", ["nsdname:*.evil.test"])
        self.assert_blocked("below.shop.test")
        self.policy.mode("below", "off")

    def test_address(self):
        self.check(f"nsip:{self.child}", "nsip")

    def test_monitor(self):
        self.policy.add_list("watched", ["nsdname:evil.test"], mode="monitor")
        self.assert_passes(self.ask("seen.shop.test"), GOOD)
        self.wait_rows([("nsdname", "watched", 1)],
                       "SELECT trigger, list, monitor FROM hits WHERE name = 'seen.shop.test'")
        self.policy.mode("watched", "off")


class Clients(ResponseCase):
    threads = 2

    def test_by_address(self):
        for source in ("127.0.5.1", "127.0.6.1"):
            self.assert_passes(self.ask("c.test", source=source), GOOD)
        self.policy.block("client-ip:127.0.5.0/24")
        self.policy.block("=blocked.test")
        self.policy.allow("client-ip:127.0.7.1")
        for _ in range(3):
            self.assertEqual([SINKHOLE4], self.got("c.test", source="127.0.5.1"))
            self.assertEqual([GOOD], self.got("c.test", source="127.0.6.1"))
            self.assertEqual([SINKHOLE4], self.got("blocked.test", source="127.0.6.1"))
            self.assertEqual([GOOD], self.got("blocked.test", source="127.0.7.1"))
        self.wait_rows([("client-ip", "local-block")],
                       "SELECT DISTINCT trigger, list FROM hits WHERE endpoint = '127.0.5.1'")
        self.policy.unblock("client-ip:127.0.5.0/24")
        self.assertEqual([GOOD], self.got("c.test", source="127.0.5.1"))


class Audience(ResponseCase):
    threads = 4

    @classmethod
    def before_start(cls):
        super().before_start()
        cls.policy.run("group", "add", "kids", "127.0.1.0/24")

    def test_for_a_group(self):
        for source in ("127.0.1.1", "127.0.2.1"):
            self.assert_passes(self.ask("kid.test", source=source), "198.51.112.1")
        self.policy.run("block", "--group", "kids", "response-ip:198.51.112.0/24")
        for _ in range(6):
            self.assertEqual([SINKHOLE4], self.got("kid.test", source="127.0.1.1"))
            self.assertEqual(["198.51.112.1"], self.got("kid.test", source="127.0.2.1"))

    def test_many_at_once(self):
        """Four threads, both types, cold and warm: nobody sees what is blocked for him."""
        self.policy.run("block", "--group", "kids", "response-ip:198.51.114.0/24",
                        "response-ip:2001:db8:114::/48")
        wrong, failed = [], []
        start = threading.Barrier(24)

        def client(source, refused):
            start.wait()
            for i in range(30):
                rdtype = "A" if i % 2 else "AAAA"
                try:
                    got = self.got("many.test", rdtype, source=source, timeout=5)
                except OSError as e:
                    failed.append(str(e))
                    continue
                real = got in (["198.51.114.1"], ["2001:db8:114::1"])
                if real == refused:
                    wrong.append((source, rdtype, got))

        threads = [threading.Thread(target=client, args=(f"127.0.{g}.{i}", g == 1))
                   for g in (1, 2) for i in range(10, 22)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([], wrong[:5])
        self.assertEqual([], failed[:5])


class Leaks(ResponseCase):
    """Blocked for everybody, under load of four threads, with stale answers and prefetch on."""
    threads = 4
    options = "    serve-expired: yes\n    prefetch: yes\n"

    def test_no_answer_after_the_command(self):
        names = [f"n{i}.test" for i in range(50)] + ["warm.test"]
        stop, seen = threading.Event(), []
        since = [None]

        def client(source):
            i = 0
            while not stop.is_set():
                name = names[i % len(names)] if i % 3 else "warm.test"
                i += 1
                in_force = since[0] is not None
                got = self.got(name, source=source, timeout=5)
                if in_force and "198.51.113.1" in got:
                    seen.append((name, got))

        threads = [threading.Thread(target=client, args=(f"127.0.8.{i}",)) for i in range(1, 7)]
        for t in threads:
            t.start()
        try:
            wait_until(lambda: ("warm.test", "A") in self.resolver.cached(), "cached")
            self.policy.block("response-ip:198.51.113.0/24")
            since[0] = True
            for _ in range(100):
                self.assertEqual([SINKHOLE4], self.got("warm.test"))
        finally:
            stop.set()
            for t in threads:
                t.join()
        self.assertEqual([], seen[:3])
        self.assertEqual(0, self.policy.status()["leaked"])
        self.assertNotIn(("warm.test", "A"), self.resolver.cached())


class Rebinding(ResponseCase):
    settings = {"rebinding__mode": "block", "rebinding__exclude": "[\"known.pub.org\"]"}

    @classmethod
    def before_start(cls):
        super().before_start()
        cls.clauses = ('stub-zone:\n    name: "org"\n    stub-addr: '
                       f"{cls.upstream.address}@{cls.upstream.port}\n")

    def test_private_address_of_a_public_name(self):
        for rdtype in ("A", "AAAA"):
            answer = self.ask("inside.pub.org", rdtype)
            self.assertEqual([], addresses(answer))
            self.assertEqual("NOERROR", rcode(answer))
        self.assert_passes(self.ask("known.pub.org"), "10.1.2.4")
        self.assert_passes(self.ask("x.pub.org"), GOOD)
        self.assertNotIn(("inside.pub.org", "A"), self.resolver.cached())
        self.wait_rows([("rebinding", "rebinding", "nodata", "32.3.2.1.10.rpz-ip")],
                       "SELECT DISTINCT list, trigger, action, matched FROM hits"
                       " WHERE name = 'inside.pub.org' AND type = 'A'")
        self.policy.allow("inside.pub.org")
        self.assert_passes(self.ask("inside.pub.org"), "10.1.2.3")


class Zones(ResponseCase):
    """The same rules out of an RPZ zone file, and back."""

    RPZ = """$ORIGIN rpz.example.
$TTL 60
@ SOA localhost. nobody.invalid. 1 3600 600 86400 60
@ NS localhost.
24.0.100.51.198.rpz-ip CNAME .
48.zz.bad.db8.2001.rpz-ip CNAME *.
32.9.0.0.10.rpz-client-ip CNAME rpz-passthru.
ns.evil.example.rpz-nsdname CNAME .
*.evil.example.rpz-nsdname CNAME .
32.zz.db9.2001.rpz-nsip CNAME rpz-drop.
24.1.100.51.198.rpz-ip CNAME .
x.rpz-other CNAME .
"""

    def test_in_and_out(self):
        _, _, said = self.policy.run("list", "import", "zone", "--as", "rpz", stdin=self.RPZ,
                                     ok=(0, 3))
        self.assertIn("has bits set behind its prefix", said)
        self.assertIn("trigger rpz-other is not known", said)
        self.assert_negative(self.ask("bad.test"), "NXDOMAIN", "bad.test.")
        self.assert_negative(self.ask("bad.test", "AAAA"), "NOERROR", "bad.test.")
        _, out, _ = self.policy.run("list", "export", "zone", "--as", "rpz")
        lines = [line for line in out.splitlines() if "rpz-" in line]
        for line in self.RPZ.splitlines()[4:10]:
            self.assertIn(line, lines)
        _, plain, _ = self.policy.run("list", "export", "zone")
        self.policy.run("list", "import", "again", "--as", "rpz", stdin=out, ok=(0, 3))
        _, again, _ = self.policy.run("list", "export", "again", "--as", "rpz")
        self.assertEqual(out.replace(" zone ", " again "), again)
        rules = {row["rule"] for row in self.policy.json("list", "show", "zone")["rows"]}
        self.assertIn("response-ip:198.51.100.0/24", rules)
        self.assertIn("nsip:2001:db9::/32", rules)
        shown = self.policy.json("explain", "www.test", "--answer", "198.51.100.9")
        self.assertIn("response-ip:198.51.100.0/24", str(shown))


if __name__ == "__main__":
    harness.main()
