#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What detectors remember outlives a restart: findings that need what was seen before it. A file
that cannot be used is put aside with a line, and everything works all the same."""
import os
import signal
import time

import harness
from harness import addresses, ask, wait_until
from test_behaviour import BEACON, TUNNEL, BehaviourCase, pieces
from test_generated import REAL

N_BEFORE = 20  # names of 40 letters, some 700 octets: less than an hour's threshold
PERIOD_S = 2.0  # longer than a reload
N_VISITS = 48  # at most
BACK = r"detectors: what they remembered .* is there again"


class Remembered(BehaviourCase):
    # restarts take their time, and the tests share a domain
    other = {"tunnel__hour": "1000", "tunnel__day": "1000", "domains__rare": "30"}

    @property
    def state(self):
        return self.policy.events_db.with_name("detectors.state")

    def names(self, endpoint, n):
        """Asked, and known to the detectors."""
        for label in pieces(self.rng, n, 40):
            ask(self.resolver.server, f"{label}.{TUNNEL}", source=endpoint)
        self.seen[endpoint] = self.seen.get(endpoint, 0) + n
        self.wait_traffic({"passed": self.seen[endpoint]}, TUNNEL, endpoint)

    def setUp(self):
        super().setUp()
        self.seen = {}

    def said(self, words):
        """Over all starts."""
        return [line for line in self.resolver.said() if words in line]

    def restart(self, number=signal.SIGTERM):
        status = self.resolver.stop(number)
        if number == signal.SIGTERM:
            self.assertEqual(0, status)
            self.assertTrue(self.state.exists(), self.resolver.said())
            self.assertEqual(0o600, os.stat(self.state).st_mode & 0o777)
        self.resolver.start()

    def goes_on(self, endpoint):
        """Half was before the restart; neither half alone is a finding."""
        other = endpoint + "0"
        self.names(other, N_BEFORE)
        self.names(endpoint, N_BEFORE)
        found = self.found_by("tunnel", endpoint)
        self.assertGreater(found["names"], N_BEFORE)
        self.assertEqual([], self.findings(endpoint=other))

    def test_tunnel_over_a_reload(self):
        self.names("127.0.0.11", N_BEFORE)
        self.resolver.control("reload")
        self.resolver.wait_said(BACK)
        self.goes_on("127.0.0.11")

    def test_tunnel_over_a_restart(self):
        self.names("127.0.0.12", N_BEFORE)
        self.restart()
        self.goes_on("127.0.0.12")

    def test_beacon_over_reloads(self):
        """Between two reloads are fewer visits than a finding needs. Where reloads take long the
        period suffers, and it takes more visits to see it."""
        started = time.monotonic()
        for visit in range(N_VISITS):  # by the clock, however long a reload takes
            time.sleep(max(0.0, started + visit * PERIOD_S - time.monotonic()))
            ask(self.resolver.server, BEACON, source="127.0.0.13")
            if visit % 4 == 3:
                self.resolver.control("reload")
                if self.findings(endpoint="127.0.0.13"):
                    break
        found = self.found_by("beacon", "127.0.0.13")
        self.assertEqual(BEACON, found["domain"])
        self.assertGreaterEqual(found["visits"], 6)

    def test_no_file_that_can_be_used(self):
        """Damaged, cut off, foreign, a folder: said in one line, and no more than that."""
        self.names("127.0.0.14", N_BEFORE)
        self.resolver.stop()
        whole = self.state.read_bytes()
        cases = {"damaged": whole[:100] + b"\0\0\0" + whole[103:], "cut off": whole[:-7],
                 "empty": b"", "foreign": b"SQLite format 3\0" * 20,
                 "of another version": whole[:12] + b"\x09" + whole[13:]}
        aside = self.state.with_name("detectors.state.aside")
        for label, octets in cases.items():
            with self.subTest(label):
                self.state.write_bytes(octets)
                before = self.said("detectors begin anew")
                self.resolver.start()
                line, = wait_until(lambda: self.said("detectors begin anew")[len(before):], "a line")
                self.assertIn(str(self.state), line)
                self.assertEqual(octets, aside.read_bytes())
                self.assertEqual([REAL], addresses(self.ask(TUNNEL)))
                self.resolver.stop()
        self.state.unlink(missing_ok=True)
        self.state.mkdir()
        self.resolver.start()
        self.resolver.wait_said("is not a regular file but a folder; the detectors begin anew")
        self.assertEqual([REAL], addresses(self.ask(TUNNEL)))
        self.names("127.0.0.15", 1)
        self.resolver.stop()
        self.state.rmdir()
        self.resolver.start()
        self.names("127.0.0.16", N_BEFORE)
        self.restart()
        self.goes_on("127.0.0.16")

    def test_killed(self):
        """The file of the last stop is there still, and no other is left beside it."""
        self.names("127.0.0.17", N_BEFORE)
        self.restart()
        self.restart(signal.SIGKILL)
        self.goes_on("127.0.0.17")
        self.assertEqual([], list(self.state.parent.glob("detectors.state.tmp.*")))


if __name__ == "__main__":
    harness.main()
