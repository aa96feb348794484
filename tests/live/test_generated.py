#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Machine-made names: a bot that walks through a generator's names is found, with what it found,
and its neighbours are not; single names are blocked only if all conditions hold."""
import json
import random
import time

import harness
from harness import LiveCase, SINKHOLE4, addresses, ask, rcode, wait_until, zone

REAL = "203.0.113.7"
BOT, TWIN, USER = "127.0.0.77", "127.0.0.78", "127.0.0.79"
N_NAMES = 200
ALIVE_AT = 90  # the place of the name that exists

# What people ask for; all of them exist here.
BENIGN = ["wikipedia", "postbank", "kernel", "openstreetmap", "spiegel", "lemonde", "heise",
          "github", "python", "debian", "sqlite", "nlnetlabs", "ripe", "ietf", "bahn", "kicker",
          "zalando", "booking", "weather", "guardian", "reuters", "nature", "arxiv", "elsevier"]


def letters(rng, n):
    """A generator of n names: 13 to 17 letters of a linear congruential sequence."""
    state = rng.getrandbits(31)
    names = []
    for i in range(n):
        label = ""
        for _ in range(13 + i % 5):
            state = (state * 1103515245 + 12345) & 0x7fffffff
            label += chr(ord("a") + (state >> 16) % 25)
        names.append(label + (".com", ".net")[i % 2])
    return names


WORDS = ("amber bitter candle danger eleven father garden hollow island jungle kettle ladder "
         "marble needle orange pepper quiver rocket silver temple urgent velvet window yellow "
         "zephyr broken cotton driven famous gentle humble insect").split()


def word_pairs(rng, n):
    """A generator of n distinct names, each of two words of a short list."""
    pairs = {}
    while len(pairs) < n:
        pairs[rng.choice(WORDS) + rng.choice(WORDS) + ".net"] = None
    return list(pairs)


class GeneratedCase(LiveCase):
    """The top-level domains com and net are here, so that names are what names are elsewhere."""

    mode = "monitor"
    options = "    local-zone: \"com.\" nodefault\n"

    @classmethod
    def prepare(cls):
        cls.rng = random.Random(20261127)
        cls.generated = letters(cls.rng, N_NAMES)
        cls.words = word_pairs(cls.rng, N_NAMES)
        cls.alive = cls.generated[ALIVE_AT]
        cls.settings = {"dga__mode": cls.mode, "domains__warm-up": "1s", "nod__mode": "off",
                        **getattr(cls, "more", {})}
        super().prepare()
        time.sleep(1.1)  # the warm-up

    @classmethod
    def start_upstream(cls):
        exist = [f"{label}.com" for label in BENIGN] + [cls.alive] + cls.exist()
        text = {"com": "", "net": ""}
        for name in exist:
            label, top = name.split(".")
            text[top] += f"{label} A {REAL}\n*.{label} A {REAL}\n"
        text["net"] += cls.records()
        cls.zones = {top: zone(lines, ttl=600) for top, lines in text.items()}
        nsd = super().start_upstream()
        cls.clauses = "".join(
            f'stub-zone:\n    name: "{top}"\n    stub-addr: {nsd.address}@{nsd.port}\n'
            for top in text)
        return nsd

    @classmethod
    def exist(cls):
        """More names that exist."""
        return []

    @classmethod
    def records(cls):
        """More records of the zone net."""
        return ""

    def asks(self, endpoint, names):
        return [ask(self.resolver.server, name, source=endpoint) for name in names]

    def findings(self, **filters):
        words = [w for k, v in filters.items() for w in (f"--{k}", v)]
        code, out, _ = self.policy.run("findings", *words, "--format", "json", ok=(0, 2))
        return json.loads(out)["rows"] if code == 0 and out else []

    def wait_finding(self, endpoint, check=lambda f: True, detector="dga"):
        found = []

        def probe():
            found[:] = [f for f in self.findings(endpoint=endpoint, detector=detector) if check(f)]
            return found

        wait_until(probe, lambda: f"a finding of {endpoint}; there are {self.findings()}")
        return found[0]


class Monitor(GeneratedCase):
    def test_bot_is_found(self):
        """Endpoint, kind and the name that resolves; nothing is blocked."""
        benign = [f"{label}.com" for label in BENIGN]
        self.asks(USER, benign + [f"www.{name}" for name in benign])
        for i, name in enumerate(self.generated):
            answer = ask(self.resolver.server, name, source=BOT)
            self.assertEqual("NOERROR" if name == self.alive else "NXDOMAIN", rcode(answer))
            if i % 3 == 0:
                ask(self.resolver.server, benign[i % len(benign)], source=BOT)
        self.asks(BOT, self.generated[:40])  # again, from the cache
        found = self.wait_finding(BOT, lambda f: f["domain"] == self.alive)
        self.assertEqual("dga", found["detector"])
        self.assertGreater(found["confidence"], 0.5)
        self.assertGreaterEqual(found["names"], 10)
        self.assertNotEqual("word list", found["kind"])
        self.assertEqual([], self.findings(endpoint=USER))
        self.assertEqual([REAL], addresses(self.ask(self.alive)))
        said = self.resolver.wait_said(f"finding dga: endpoint {BOT} ")
        self.assertEqual(1, len(said))

    def test_second_bot_is_found_from_the_cache(self):
        """Another endpoint with the same generator: its answers come from the cache."""
        self.asks(BOT, self.generated[:60])
        before = self.resolver.stats()["total.num.cachehits"]
        self.asks(TWIN, self.generated[:60])
        self.assertGreaterEqual(self.resolver.stats()["total.num.cachehits"] - before, 60)
        self.wait_finding(TWIN)

    def test_hits_of_single_names(self):
        """What the classifier would have blocked is a monitored hit with its score."""
        self.asks("127.0.0.80", letters(random.Random(5), 30))
        wait_until(lambda: self.rows(
            "SELECT count(*) FROM hits WHERE trigger = 'classifier' AND endpoint = '127.0.0.80'"
            " AND monitor AND action = 'passthru' AND score > 0")[0][0] >= 10, "ten hits")

    def test_words_are_found(self):
        """No single name of two words tells much; the series does."""
        self.asks("127.0.0.81", self.words)
        found = self.wait_finding("127.0.0.81")
        self.assertEqual("word list", found["kind"])

    def test_hosts_of_a_cloud_are_none(self):
        """Random hosts below one domain, special-use names and single labels say nothing."""
        rng = random.Random(3)
        odd = ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(16))
               for _ in range(60)]
        self.asks("127.0.0.82", [f"{o}.github.com" for o in odd] + [f"{o}.test" for o in odd] +
                  odd + [f"{o}.postbank.com" for o in odd])
        self.asks(BOT, self.generated[:40])
        self.wait_finding(BOT)  # so the others have been weighed, too
        self.assertEqual([], self.findings(endpoint="127.0.0.82"))


class Block(GeneratedCase):
    mode = "block"

    def test_candidate_is_blocked(self):
        """For every endpoint, out of the cache, until somebody excepts it, and over a restart."""
        self.assertEqual([REAL], addresses(self.ask(self.alive)))  # cached now
        self.asks(BOT, self.generated)
        found = self.wait_finding(BOT, lambda f: f["domain"] == self.alive)
        self.assertTrue(found["blocked_until"])
        wait_until(lambda: addresses(self.ask(self.alive)) == [SINKHOLE4], "the block")
        self.assertEqual([SINKHOLE4], addresses(self.ask(f"www.{self.alive}")))
        self.assertEqual([REAL], addresses(self.ask("debian.com")))
        _, out, _ = self.policy.run("explain", self.alive)
        self.assertIn("finding", out)
        self.resolver.stop()
        self.resolver.start()
        self.assertEqual([SINKHOLE4], addresses(self.ask(self.alive)))
        self.policy.allow(self.alive)
        self.assertEqual([REAL], addresses(self.ask(self.alive)))
        self.assertEqual(0, self.policy.status()["leaked"])


class BlockNames(GeneratedCase):
    """Single names: the strict threshold, newly observed, rare."""

    mode = "off"
    more = {"classify__mode": "block"}

    @classmethod
    def exist(cls):
        return cls.generated[:60]

    def blocked(self, endpoint, names):
        return [n for n, a in zip(names, self.asks(endpoint, names))
                if addresses(a) == [SINKHOLE4]]

    def test_blocked(self):
        names = self.generated[:30]
        blocked = self.blocked(BOT, names)
        self.assertGreaterEqual(len(blocked), 3)
        self.policy.allow(blocked[0])
        self.assertEqual([REAL], addresses(self.ask(blocked[0])))
        _, out, _ = self.policy.run("explain", blocked[1])
        self.assertRegex(out, "classifier")
        self.assertEqual([], self.blocked(USER, [f"{label}.com" for label in BENIGN]))


class Quiet(GeneratedCase):
    """Off is off; a young history blocks nothing."""

    mode = "off"
    more = {"classify__mode": "off", "beacon__mode": "off", "tunnel__mode": "off",
            "nxburst__mode": "off", "surge__mode": "off", "newrate__mode": "off",
            "bypass__mode": "off"}

    def test_off(self):
        self.asks(BOT, self.generated[:60])
        self.wait_traffic({"nxdomain": 1}, self.generated[59], BOT)
        self.assertEqual([], self.findings())
        self.assertEqual(0, self.policy.status()["scored"])


if __name__ == "__main__":
    harness.main()
