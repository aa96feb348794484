#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""How soon a finding can be read: its row's own time is that of the query that completed it, and a
reader must see the row within five seconds of that, with all settings of time as shipped. Surges,
which need hours before, and the others again: tests/unit/test_prompt.c."""
import sqlite3
import threading
import time

import harness
from harness import ask, wait_until
from test_behaviour import BEACON, BehaviourCase, TUNNEL, fruits, pieces

WITHIN_S = 5


class Prompt(BehaviourCase):
    other = {"events__flush-ms": 500, "dga__mode": "monitor"}

    @classmethod
    def records(cls):
        return "".join(f"h{i}.moving-homes A 60.{8 * i + k}.{7 * k + 1}.{i + 1}\n"
                       for i in range(6) for k in range(8))

    def watch(self):
        """Note when each row is seen first: {(detector, endpoint): seconds after its time}."""
        late, end = {}, threading.Event()

        def look():
            while not end.wait(0.02):
                try:
                    rows = self.rows("SELECT f.detector, f.endpoint, g.end_ms FROM findings f"
                                     " JOIN finding g ON g.id = f.id")
                except sqlite3.OperationalError:  # being made
                    continue
                for detector, endpoint, end_ms in rows:
                    late.setdefault((detector, endpoint), time.time() - end_ms / 1000)

        thread = threading.Thread(target=look)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(end.set)
        return late

    def give(self):
        """Evidence for each of these; {(detector, endpoint)}."""
        resolver = self.resolver.server
        self.asks("127.0.0.111", [n for n in self.generated if n != self.alive][:60])
        for label in pieces(self.rng, 100, 40):
            ask(resolver, f"{label}.{TUNNEL}", source="127.0.0.112")
        self.asks("127.0.0.113", fruits(25))
        self.asks("127.0.0.114", [f"h{i}.moving-homes.net" for i in range(6)])
        ask(resolver, "dns.google", source="127.0.0.115")
        for _ in range(13):
            ask(resolver, BEACON, source="127.0.0.116")
            time.sleep(1.1)
        return {(detector, f"127.0.0.{111 + i}") for i, detector in enumerate(
            ("dga", "tunnel", "nxdomain-burst", "fast-flux", "resolver-bypass", "beacon"))}

    def test_within_seconds(self):
        late = self.watch()
        wanted = self.give()
        wait_until(lambda: wanted <= late.keys(), lambda: f"{wanted}; there are {late}")
        for (detector, endpoint), seconds in sorted(late.items()):
            print(f"{detector} of {endpoint}: {seconds:.2f} s")
            self.assertGreater(seconds, 0)
            self.assertLessEqual(seconds, WITHIN_S, detector)


if __name__ == "__main__":
    harness.main()
