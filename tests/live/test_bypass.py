#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a table of the site's tells of: endpoints that ask for other resolvers, anonymisers and
dynamic DNS by name are found, and canary names are answered as configured, also when the cache
holds the real answer; endpoints whose questions lead to a sinkhole are infected already."""
import json

import harness
from harness import SINKHOLE4, LiveCase, addresses, ask, ede, rcode, wait_until, zone

REAL = "203.0.113.7"
USER, PHONE, LAPTOP = "127.0.0.101", "127.0.0.102", "127.0.0.103"
FIREFOX, APPLE = "use-application-dns.net", ("mask.icloud.com", "mask-h2.icloud.com")
QUIET = {f"{detector}__mode": "off" for detector in
         ("classify", "dga", "beacon", "tunnel", "nxburst", "surge", "newrate", "nod")}


class BypassCase(LiveCase):
    """All of com, net, org and google exists."""

    settings = QUIET
    options = "    local-zone: \"com.\" nodefault\n"
    more = {}

    @classmethod
    def start_upstream(cls):
        cls.zones = {top: zone(f"* A {REAL}\n", ttl=600) for top in ("com", "net", "org", "google")}
        cls.zones.update(cls.more)
        nsd = super().start_upstream()
        cls.clauses = "".join(
            f'stub-zone:\n    name: "{top}"\n    stub-addr: {nsd.address}@{nsd.port}\n'
            for top in cls.zones)
        return nsd

    def asks(self, endpoint, *names):
        for name in names:
            ask(self.resolver.server, name, source=endpoint)

    def findings(self, endpoint):
        code, out, _ = self.policy.run("findings", "--detector", "resolver-bypass", "--endpoint",
                                       endpoint, "--format", "json", ok=(0, 2))
        return {f["kind"]: f for f in json.loads(out)["rows"]} if code == 0 and out else {}

    def wait_finding(self, endpoint, kind, check=lambda f: True):
        return wait_until(lambda: (f := self.findings(endpoint).get(kind)) and check(f) and f,
                          f"a finding {kind} of {endpoint}")


class Found(BypassCase):
    """Shipped settings: canary names resolve."""

    def test_kinds(self):
        """One finding for a kind, with the names as evidence; other names are none."""
        self.asks(USER, "www.example.com", "www.icloud.com", "nextdns.org", "www.quad9.net")
        self.asks(PHONE, "dns.google", "dns.quad9.net", "www.quad9.net", "mask.icloud.com",
                  "www.torproject.org", "cam7.ddns.net")
        doh = self.wait_finding(PHONE, "DoH", lambda f: f["names"] == 2)
        self.assertEqual(("T1572", None, "monitor"), (doh["technique"], doh["domain"], doh["mode"]))
        self.assertEqual({"dns.google", "dns.quad9.net"}, set(doh["evidence"]["examples"]))
        for kind, technique in (("relay", "T1090"), ("Tor", "T1090"), ("dynamic DNS", "T1568")):
            self.assertEqual(technique, self.wait_finding(PHONE, kind)["technique"])
        self.assertEqual({}, self.findings(USER))
        self.assertEqual(1, len(self.resolver.wait_said(
            f"finding resolver-bypass: endpoint {PHONE} asks for a relay: mask.icloud.com")))

    def test_canaries_resolve(self):
        for name in (FIREFOX, *APPLE):
            self.assertEqual([REAL], addresses(self.ask(name)), name)


class Canary(BypassCase):
    settings = {**QUIET, "bypass__canary": "nodata"}

    def assert_nodata(self, answer):
        self.assertEqual(("NOERROR", []), (rcode(answer), addresses(answer)))
        self.assertEqual([(15, True)], [(code, text.startswith(
            "blocked: canary name, as bypass.canary says; id ")) for code, text in ede(answer)])

    def test_answered(self):
        """Each, for any type and any spelling; neighbours resolve."""
        for name in (FIREFOX, *APPLE):
            self.assert_nodata(ask(self.resolver.server, name, source=LAPTOP))
            self.assert_nodata(ask(self.resolver.server, name.upper(), "AAAA", source=LAPTOP))
            self.assert_nodata(ask(self.resolver.server, name, "HTTPS", source=LAPTOP))
        for name in ("www.icloud.com", "a.mask.icloud.com", "application-dns.net"):
            self.assertEqual([REAL], addresses(self.ask(name)), name)
        self.wait_hits([(LAPTOP, FIREFOX, kind, "canary", "nodata", 1)
                        for kind in ("A", "AAAA", "HTTPS")], f"name = '{FIREFOX}'")
        self.assertEqual([("canary",)],
                         self.rows("SELECT DISTINCT trigger FROM hits WHERE name = ?", FIREFOX))
        code, out, _ = self.policy.run("hits", "--list", "canary", "-f", "json")
        self.assertEqual(0, code)
        self.assertIn(FIREFOX, out)
        self.wait_finding(LAPTOP, "relay", lambda f: f["names"] == 2)

    def test_explained(self):
        _, out, _ = self.policy.run("explain", "mask.icloud.com", "-f", "json")
        verdict = [part for part in json.loads(out)["verdict"]][0]
        self.assertEqual(("nodata", "canary", True),
                         (verdict["action"], verdict["list"], verdict["hit"]))
        self.assertIn("canary name, as bypass.canary says", verdict["ede_text"])

    def test_exception_wins(self):
        """For as long as it is there; and what was cached meanwhile is not served after it."""
        name = APPLE[1]
        self.policy.allow(name)
        self.assertEqual([REAL], addresses(self.ask(name)))
        self.assertEqual([REAL], addresses(self.ask(name)))
        self.policy.run("unblock", "--list", "local-allow", name, ok=(0, 1, 2))
        self.policy.run("list", "remove", "local-allow", "--yes", ok=(0, 1, 2))
        wait_until(lambda: addresses(self.ask(name)) == [], "the canary's answer")
        self.assert_nodata(self.ask(name))
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_block_rule_wins(self):
        self.policy.block(f"={FIREFOX}")
        answer = self.ask(FIREFOX)
        self.assertNotEqual([], addresses(answer))
        self.assertNotEqual([REAL], addresses(answer))
        self.policy.run("unblock", f"={FIREFOX}")
        wait_until(lambda: addresses(self.ask(FIREFOX)) == [], "the canary's answer")


class CanaryNxdomain(BypassCase):
    settings = {**QUIET, "bypass__canary": "nxdomain", "bypass__mode": "off"}

    def test_answered(self):
        for name in (FIREFOX, *APPLE):
            answer = self.ask(name)
            self.assertEqual(("NXDOMAIN", []), (rcode(answer), addresses(answer)))
        self.assertEqual([REAL], addresses(self.ask("www.icloud.com")))


SUNK, OWN, SERVER = "198.51.100.9", "198.51.100.77", "ns1.sinkhole.example."


class Sinkholed(BypassCase):
    """A table of the site's own: by address, by the name of a server of the zone, by a rule."""

    more = {"victim.org": zone(f"* A {REAL}\nwww A {SUNK}\n*.ns A {SUNK}\n"),
            "ruled.org": zone(f"* A {OWN}\n"),
            "taken.org": zone(f"* A {REAL}\n", ns=SERVER)}
    mode = "monitor"

    @classmethod
    def prepare(cls):
        table = cls.scratch / "sinkholes.tsv"
        table.write_text("198.51.100.8/31\tExample CERT\n"
                         "nsdname:sinkhole.example\tExample Researchers\n")
        cls.settings = {**QUIET, "bypass__mode": "off", "sinkholed__list": table,
                        "sinkholed__mode": cls.mode}
        super().prepare()

    def wait_sunk(self, endpoint, domain):
        return wait_until(lambda: self.sunk(endpoint).get(domain),
                          f"a finding of {endpoint} about {domain}")

    def sunk(self, endpoint):
        _, out, _ = self.policy.run("findings", "--detector", "sinkholed", "--endpoint", endpoint,
                                    "--format", "json", ok=(0, 2))
        return {f["domain"]: f for f in json.loads(out)["rows"]} if out else {}

    def test_found(self):
        self.asks(USER, "www.example.com", "mail.victim.org")  # of that domain, but led elsewhere
        self.ask("taken.org", "NS")  # a stub zone has no referral that would tell its servers
        self.asks(PHONE, "www.victim.org", "a.taken.org")
        self.asks(LAPTOP, "www.victim.org")  # from the cache
        for endpoint in (PHONE, LAPTOP):
            found = self.wait_sunk(endpoint, "victim.org")
            self.assertEqual(("T1071", "Example CERT", self.mode),
                             (found["technique"], found["kind"], found["mode"]))
            self.assertEqual({"kind": "Example CERT", "sinkhole": "198.51.100.8/31",
                              "address": SUNK, "queries": 1, "examples": ["www.victim.org"]},
                             found["evidence"])
        found = self.wait_sunk(PHONE, "taken.org")
        self.assertEqual(("Example Researchers", "nsdname:sinkhole.example"),
                         (found["kind"], found["evidence"]["sinkhole"]))
        self.policy.run("block", "--action", "log", f"sinkholed:{OWN}")
        self.asks(LAPTOP, "www.ruled.org")
        found = self.wait_sunk(LAPTOP, "ruled.org")
        self.assertEqual(("rule", f"sinkholed:{OWN}"), (found["kind"], found["evidence"]["sinkhole"]))
        self.assertEqual({}, self.sunk(USER))
        self.check_preview()
        self.assertEqual([REAL], addresses(self.ask("b.taken.org")))  # told, not blocked


    def check_preview(self):
        """What mode block would have done, from the minute of each finding on."""
        def would():
            _, out, _ = self.policy.run("preview", "detector", "sinkholed", "-f", "json")
            report = json.loads(out)
            names = {r["name"]: r for r in report["rows"]}
            return (set(names) == {"victim.org", "taken.org", "ruled.org"}
                    and names["victim.org"]["queries"] in (2, 3)  # USER's may be a minute older
                    and names["ruled.org"]["queries"] == 1
                    and {(r["now"], r["then"]) for r in names.values()} == {("resolves", "sinkhole")}
                    and {PHONE, LAPTOP} <= {r["endpoint"] for r in report["endpoints"]})
        wait_until(would, lambda: self.policy.run("preview", "detector", "sinkholed", "-f", "json"))


class SinkholedBlock(Sinkholed):
    mode = "block"

    def test_found(self):
        """The domain is blocked, for everybody, though the cache holds its answer."""
        self.asks(PHONE, "www.victim.org")
        self.assertTrue(self.wait_sunk(PHONE, "victim.org")["blocked_until"])
        wait_until(lambda: addresses(ask(self.resolver.server, "www.victim.org", source=USER)) ==
                   [SINKHOLE4], "the domain is blocked")
        self.assertEqual([REAL], addresses(self.ask("www.example.com")))


if __name__ == "__main__":
    harness.main()
