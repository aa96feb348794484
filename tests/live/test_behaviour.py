#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Detectors over time: a beacon, a tunnel, a burst of names that do not exist and fast flux are
found, with the endpoint and the domain; neighbours and repeats from the cache are not; mode block
blocks."""
import random
import time

import harness
from harness import SINKHOLE4, addresses, ask, wait_until
from test_generated import BENIGN, BOT, REAL, USER, GeneratedCase

BEACON, TUNNEL, ROTATING = "steady-update.net", "files-backup.net", "piece{}-store.com"
N_PIECES = 60
BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def pieces(rng, n, length):
    """Labels that carry data, as base32 has it."""
    return ["".join(rng.choice(BASE32) for _ in range(length)) for _ in range(n)]


def fruits(n):
    """Domains that nobody has registered here, of no generator that a model would know."""
    kinds = ["apple", "pear", "cherry", "lemon", "plum", "quince", "melon", "grape", "olive", "fig"]
    return [f"{kind}{place}.com" for place in ("garden", "market", "kitchen") for kind in kinds][:n]


class BehaviourCase(GeneratedCase):
    """Short periods, so that a beacon takes some seconds."""

    mode = "off"
    detectors = "monitor"
    other = {}

    @classmethod
    def prepare(cls):
        cls.more = {"beacon__mode": cls.detectors, "beacon__period-min": "1s",
                    "beacon__span": "2s", "beacon__samples": "6",
                    "tunnel__mode": cls.detectors, **cls.other}
        super().prepare()

    @classmethod
    def exist(cls):
        return [BEACON, TUNNEL] + [ROTATING.format(i) for i in range(N_PIECES)]

    def found_by(self, detector, endpoint, check=lambda f: True):
        return self.wait_finding(endpoint, check, detector)

    def beacon(self, endpoint, n):
        for _ in range(n):
            ask(self.resolver.server, BEACON, source=endpoint)
            time.sleep(1.1)

    def tunnel(self, endpoint, n):
        for label in pieces(self.rng, n, 40):
            ask(self.resolver.server, f"{label}.{TUNNEL}", source=endpoint)


class Monitor(BehaviourCase):
    def test_beacon(self):
        """Once a second, from the cache; a user who asks for the same domain at will is none."""
        for pause in (0.3, 4.1, 0.1, 0.6, 2.2, 0.2, 5.0, 0.1, 0.4, 0.2):
            ask(self.resolver.server, BEACON, source=USER)
            time.sleep(pause)
        self.beacon(BOT, 14)
        found = self.found_by("beacon", BOT)
        self.assertEqual(BEACON, found["domain"])
        self.assertAlmostEqual(1.1, found["period_s"], delta=0.3)
        self.assertLess(found["jitter"], 0.3)
        self.assertEqual("monitor", found["mode"])
        self.assertEqual([], self.findings(endpoint=USER))
        self.assertEqual(1, len(self.resolver.wait_said(f"finding beacon: endpoint {BOT} ")))

    def test_tunnel(self):
        """200 names of 40 letters; the same ten names again and again are none."""
        again = [f"{label}.{TUNNEL}" for label in pieces(self.rng, 10, 40)]
        for _ in range(20):
            self.asks(USER, again)
        self.tunnel("127.0.0.83", 200)
        found = self.found_by("tunnel", "127.0.0.83", lambda f: f["names"] > 50)
        self.assertEqual((TUNNEL, "one domain"), (found["domain"], found["kind"]))
        self.assertGreater(found["octets_out"], 1000)
        self.assertEqual([REAL], addresses(self.ask(TUNNEL)))
        self.assertEqual([], self.findings(endpoint=USER))
        _, out, _ = self.policy.run("finding", str(found["id"]))
        self.assertIn("Octets out", out)

    def test_tunnel_over_many_domains(self):
        """A fresh domain for each piece."""
        for i, label in enumerate(pieces(self.rng, N_PIECES, 60)):
            ask(self.resolver.server, f"{label}.{ROTATING.format(i)}", source="127.0.0.84")
        found = self.found_by("tunnel", "127.0.0.84")
        self.assertEqual(("many domains", None), (found["kind"], found["domain"]))

    def test_burst(self):
        """Domains that do not exist; hosts below one that does, and a few of them, are none."""
        self.asks(USER, [f"host{i}.{BENIGN[i]}.com" for i in range(20)] + fruits(8))
        self.asks("127.0.0.85", fruits(25))
        found = self.found_by("nxdomain-burst", "127.0.0.85")
        self.assertIsNone(found["domain"])
        self.assertGreaterEqual(found["nxdomains"], 10)
        self.assertEqual([], self.findings(endpoint=USER))


class FastFlux(BehaviourCase):
    """Names with eight addresses each, all over the world; and as many in one network. Without a
    database of networks; that is said."""

    other = {"geo__asn": "/none/asn.mmdb"}

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.resolver.wait_said("geo.asn: /none/asn.mmdb: ")

    @classmethod
    def records(cls):
        return "".join(f"h{i}.moving-homes A 60.{8 * i + k}.{7 * k + 1}.{i + 1}\n"
                       f"h{i}.one-cloud A 61.1.{8 * i + k}.1\n"
                       for i in range(6) for k in range(8))

    def test_found(self):
        for i in range(6):
            self.asks(USER, [f"h{i}.one-cloud.net"])
            self.asks("127.0.0.87", [f"h{i}.moving-homes.net"])
        found = self.found_by("fast-flux", "127.0.0.87")
        self.assertEqual(("moving-homes.net", "flux"), (found["domain"], found["kind"]))
        self.assertTrue(found["basis"].startswith("reduced: address ranges"))
        self.assertGreaterEqual(found["addresses"], 24)
        self.assertEqual([], self.findings(endpoint=USER))


class Block(BehaviourCase):
    detectors = "block"

    def test_tunnel_is_blocked(self):
        self.tunnel(BOT, 200)
        found = self.found_by("tunnel", BOT)
        self.assertTrue(found["blocked_until"])
        wait_until(lambda: addresses(self.ask(f"x.{TUNNEL}")) == [SINKHOLE4], "the block")
        self.assertEqual([REAL], addresses(self.ask(BEACON)))
        self.policy.allow(TUNNEL)
        self.assertEqual([REAL], addresses(self.ask(f"x.{TUNNEL}")))


class Dismissed(BehaviourCase):
    """Once a finding is dismissed its block ends and it is not told again; until it is restored."""

    detectors = "block"

    def is_blocked(self):
        return addresses(self.ask(f"x.{TUNNEL}")) == [SINKHOLE4]

    def test_dismissed(self):
        self.tunnel(BOT, 120)
        found = self.found_by("tunnel", BOT)
        wait_until(self.is_blocked, "the block")
        self.policy.run("findings", "dismiss", str(found["id"]), "--reason", "our backup")
        wait_until(lambda: not self.is_blocked(), "the end of the block")
        before = self.found_by("tunnel", BOT)
        self.assertEqual("our backup", before["dismissed_why"])
        self.tunnel(BOT, 400)  # more than twice as much would be told again
        other = "127.0.0.87"
        self.tunnel(other, 120)  # another endpoint's, for the same domain, is none the less one
        self.assertIsNone(self.found_by("tunnel", other)["dismissed"])
        self.assertEqual(before["last"], self.found_by("tunnel", BOT)["last"])
        wait_until(self.is_blocked, "the other's block")
        self.policy.run("findings", "dismiss", str(found["id"]), "--everybody", "--reason", "backup")
        wait_until(lambda: not self.is_blocked(), "the end of that")
        self.resolver.stop()
        type(self).resolver = self.start_resolver()
        self.assertFalse(self.is_blocked())
        self.policy.run("findings", "restore", str(found["id"]))
        wait_until(self.is_blocked, "the block again")


class BlockRare(BehaviourCase):
    detectors = "block"

    def test_popular_is_not_blocked(self):
        """What many endpoints ask for is nobody's server."""
        for i in range(20):
            ask(self.resolver.server, BEACON, source=f"127.0.1.{i + 1}")
        self.beacon(BOT, 12)
        self.tunnel("127.0.0.86", 40)  # so the beacon has been looked at, too
        self.found_by("tunnel", "127.0.0.86")
        self.assertEqual([], self.findings(domain=BEACON))


class OneSeries(GeneratedCase):
    """With detector dga on, its finding tells all there is: no burst beside it."""

    mode = "monitor"

    def test_dga_only(self):
        self.asks(BOT, [name for name in self.generated if name != self.alive])
        self.wait_finding(BOT, lambda f: f["nxdomains"] > 20)
        self.assertEqual({"dga"}, {f["detector"] for f in self.findings(endpoint=BOT)})


if __name__ == "__main__":
    harness.main()
