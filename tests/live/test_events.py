#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every hit reaches events.db, whatever becomes of the resolver and of the disk; and whatever
becomes of the disk, the resolver goes on."""
import contextlib
import os
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

import harness
from harness import (IS_ROOT, LiveCase, Load, Policy, Upstream, addresses, ask, owned, rcode,
                     wait_until, zone)

REAL = "203.0.113.1"
LOAD_S = float(os.environ.get("SEK_LOAD_S", "10"))
KILL_LOSS_S = 1.0  # what a SIGKILL may lose
N_NAMES = 500
SUM = "SELECT coalesce(sum(count), 0) FROM hits"


class EventsCase(LiveCase):
    """Each test has a policy and a resolver of its own."""

    zones = {"test": zone(f"* A {REAL}\nalias CNAME evil\n"),
             "co.example": zone(f"* A {REAL}\n")}

    @classmethod
    def prepare(cls):
        cls.upstream = cls.start_upstream()

    def setUp(self):
        self.folder = self.scratch / self._testMethodName
        self.folder.mkdir()
        self.policy = Policy(self.folder / "policy")

    def start(self, **changes):
        self.resolver = self.launch(f"{self._testMethodName}/unbound",
                                    **{"conf": self.policy.conf, **changes})
        return self.resolver

    def again(self):
        """Start the resolver that was stopped or killed."""
        self.resolver.start()

    def assert_sound(self, path=None):
        with contextlib.closing(sqlite3.connect(path or self.policy.events_db)) as db:
            self.assertEqual([("ok",)], db.execute("PRAGMA integrity_check").fetchall())

    def assert_works(self):
        self.assert_sinkholed(self.ask("works.evil.test"))
        self.assertEqual([REAL], addresses(self.ask("works.test")))


class Counts(EventsCase):
    def test_every_hit_is_counted(self):
        """As many as Unbound had queries and the load generator answers, after SIGTERM."""
        self.policy.add_list("many", [f"n{i}.test" for i in range(N_NAMES)], action="nxdomain")
        stored = 0
        for threads in (1, 4):
            with self.subTest(threads=threads):
                self.resolver = self.launch(f"{self._testMethodName}/unbound{threads}",
                                            conf=self.policy.conf, threads=threads)
                before = self.queries()
                load = Load(self.folder / f"load{threads}", self.resolver.server,
                            [f"n{i}.test" for i in range(N_NAMES)], LOAD_S / 2)
                result = load.result()
                asked = self.queries() - before
                status = self.policy.status()
                self.assertEqual(0, self.resolver.stop())
                after = self.rows(SUM)[0][0]
                self.assertEqual(asked, after - stored)
                self.assertLessEqual(result["completed"], asked)
                self.assertLessEqual(asked, result["sent"])
                self.assertEqual({"NXDOMAIN": result["completed"]}, result["rcodes"])
                self.assertEqual((0, 0), (status["ring_dropped"], status["lost_hits"]))
                self.assertGreater(asked, 1000 * LOAD_S / 2)
                self.assert_sound()
                stored = after

    def queries(self):
        return self.resolver.stats()["total.num.queries"]

    def test_counters_of_status(self):
        self.policy.block("evil.test")
        self.policy.add_list("watch", ["watch.test"], action="nxdomain", mode="monitor")
        self.start()
        for name, times in (("evil.test", 3), ("a.watch.test", 2), ("free.test", 4)):
            for _ in range(times):
                self.ask(name)
        expected = {"queries": 9, "hits": 5, "blocked": 3, "monitored": 2, "cached": 3, "leaked": 0,
                    "ring_dropped": 0, "lost_hits": 0, "db_errors": 0}

        def counters():
            status = self.policy.status()
            return {key: status[key] for key in expected}

        # what the cache answers is counted behind the ring
        wait_until(lambda: all(n >= expected[key] for key, n in counters().items()),
                   "all are counted")
        self.assertEqual(expected, counters())

    def test_killed(self):
        """At most the last second is lost, and the database is sound."""
        self.policy.block("evil.test")
        self.start()
        answered = []
        stop = threading.Event()

        def client():
            while not stop.is_set():
                if ask(self.resolver.server, f"n{len(answered) % 50}.evil.test", timeout=0.5):
                    answered.append(time.monotonic())

        thread = threading.Thread(target=client)
        thread.start()
        wait_until(lambda: len(answered) > 500 and answered[-1] - answered[0] > 3, "load")
        killed = time.monotonic()
        self.resolver.process.kill(signal.SIGKILL)
        self.resolver.process.popen.wait()
        stop.set()
        thread.join()
        self.assert_sound()
        stored = self.rows(SUM)[0][0]
        safe = sum(1 for t in answered if t < killed - KILL_LOSS_S)
        self.assertGreaterEqual(stored, safe)
        self.assertLessEqual(stored, len(answered) + 1)
        self.again()
        self.assert_sinkholed(self.ask("after.evil.test"))
        self.wait_rows([(1,)], SUM + " WHERE name = 'after.evil.test'")
        self.assertEqual(stored + 1, self.rows(SUM)[0][0])

    def test_stopped_at_once(self):
        """A hit of the last millisecond is stored as well."""
        self.policy.block("evil.test")
        for i in range(5):
            self.resolver = self.launch(f"{self._testMethodName}/unbound{i}",
                                        conf=self.policy.conf)
            self.assert_sinkholed(self.ask(f"last{i}.evil.test"))
            self.assertEqual(0, self.resolver.stop())
            self.assertEqual([(i + 1,)], self.rows(SUM))


class Rows(EventsCase):
    def test_one_row_a_minute(self):
        self.policy.block("evil.test")
        self.start()
        begin = time.time() * 1000
        for _ in range(20):
            self.ask("evil.test")
            self.ask("evil.test", source="127.0.0.2")
            self.ask("evil.test", "TXT")
        self.wait_rows([("127.0.0.1", "A", 20), ("127.0.0.1", "TXT", 20), ("127.0.0.2", "A", 20)],
                       "SELECT endpoint, type, sum(count) FROM hits GROUP BY 1, 2 ORDER BY 1, 2")
        minutes = self.rows("SELECT count(DISTINCT minute) FROM hit")[0][0]
        self.assertLessEqual(self.rows("SELECT count(*) FROM hit")[0][0], 3 * minutes)
        first, last = self.rows("SELECT min(first_ms), max(last_ms) FROM hit_sum")[0]
        self.assertLessEqual(begin - 1000, first)
        self.assertLessEqual(first, last)
        self.assertLessEqual(last, time.time() * 1000 + 1000)

    def test_what_a_hit_tells(self):
        self.policy.add_list("feed", ["*.evil.test"], action="nxdomain", priority=7)
        self.policy.add_list("sink", ["=evil.test"], action="sinkhole")
        self.start()
        self.ask("WWW.Evil.TEST", "AAAA")
        self.ask("alias.test")
        columns = "name, domain, type, list, action, would, trigger, monitor, rule, matched"
        self.wait_rows([
            ("alias.test", "alias.test", "A", "sink", "sinkhole", "sinkhole", "cname", 0,
             "=evil.test", "evil.test"),
            ("www.evil.test", "evil.test", "AAAA", "feed", "nxdomain", "nxdomain", "qname", 0,
             "*.evil.test", "www.evil.test")], f"SELECT {columns} FROM hits ORDER BY name")

    def test_traffic(self):
        """Everything else by registered domain and outcome."""
        self.policy.block("evil.test")
        self.start()
        for name in ("a.one.test", "b.one.test", "a.one.test", "a.one.test"):
            self.ask(name, source="127.0.0.2")
        self.ask("nothing", source="127.0.0.2")
        self.ask("www.shop.co.example", source="127.0.0.2")
        self.ask("evil.test", source="127.0.0.2")
        self.ask("www.localhost", source="127.0.0.2")
        self.wait_traffic({"passed": 2, "cached": 2}, "one.test", "127.0.0.2")
        self.wait_traffic({"nxdomain": 1}, "nothing", "127.0.0.2")
        self.wait_traffic({"passed": 1}, "co.example", "127.0.0.2")
        self.wait_traffic({"hits": 1}, "evil.test", "127.0.0.2")
        self.wait_traffic({"local": 1}, "www.localhost", "127.0.0.2")


    def test_forgotten(self):
        """By the writer of the resolver that runs: what was stored, and what waits in memory."""
        self.policy.block("evil.test")
        self.start()
        self.ask("evil.test", source="127.0.0.2")
        self.wait_rows([("127.0.0.2", 1)], "SELECT endpoint, sum(count) FROM hits GROUP BY 1")
        for source in ("127.0.0.2", "127.0.0.3"):
            self.ask("evil.test", "TXT", source=source)
            self.ask("a.one.test", source=source)
        self.policy.run("forget", "127.0.0.2")
        self.assertEqual([("127.0.0.3",)], self.rows("SELECT DISTINCT endpoint FROM hits"))
        self.assertEqual([("127.0.0.3",)], self.rows("SELECT DISTINCT endpoint FROM traffic_by_minute"))
        self.assertEqual([("127.0.0.3",)], self.rows("SELECT address FROM endpoint"))
        self.ask("evil.test", source="127.0.0.2")  # like any other again
        self.wait_rows([("127.0.0.2",), ("127.0.0.3",)],
                       "SELECT DISTINCT endpoint FROM hits ORDER BY 1")
        self.assert_sound()


class Failures(EventsCase):
    @classmethod
    def start_upstream(cls):
        upstream = Upstream(lambda name, rdtype: (2, ""))
        cls.stack.callback(upstream.stop)
        return upstream

    def test_failures(self):
        """Those of the resolution, and those that the cache remembers."""
        self.start()
        for _ in range(3):
            self.assertEqual("SERVFAIL", rcode(self.ask("www.fail.test")))
        self.wait_traffic({"failed": 3}, "fail.test")
        self.assertEqual(3, self.policy.status()["failed"])


class Disk(EventsCase):
    def test_locked(self):
        """Another program holds the database: nothing waits, nothing is lost."""
        self.policy.block("evil.test")
        self.start()
        self.assert_sinkholed(self.ask("before.evil.test"))
        self.wait_rows([(1,)], SUM)
        with contextlib.closing(sqlite3.connect(self.policy.events_db, isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            for i in range(100):
                self.assert_sinkholed(self.ask(f"n{i}.evil.test"))
            wait_until(lambda: self.policy.status()["db_errors"], "it is noticed")
            self.assert_works()
            self.assertEqual([(1,)], db.execute("SELECT count(*) FROM hit").fetchall())
            db.execute("ROLLBACK")
        self.wait_rows([(102,)], SUM)
        self.assertEqual(0, self.policy.status()["lost_hits"])

    def test_garbage_at_the_start(self):
        """Put aside under its name and time, never deleted; a fresh one is begun."""
        self.policy.block("evil.test")
        garbage = os.urandom(50000)
        self.policy.events_db.write_bytes(garbage)
        self.start()
        self.assert_works()
        self.wait_rows([(1,)], SUM)
        aside = list(self.policy.events_db.parent.glob("events.db.corrupt-*"))
        self.assertEqual([garbage], [p.read_bytes() for p in aside])
        self.resolver.wait_said("corrupt-")

    def test_damaged_while_running(self):
        self.policy.block("evil.test")
        self.start()
        self.assert_sinkholed(self.ask("before.evil.test"))
        self.wait_rows([(1,)], SUM)
        with open(self.policy.events_db, "r+b") as f:
            f.write(os.urandom(65536))
            f.truncate(65536)
        for wal in self.policy.events_db.parent.glob("events.db-*"):
            with open(wal, "r+b") as f:
                f.write(os.urandom(4096))

        def is_back():
            self.assert_sinkholed(self.ask("after.evil.test"))
            with contextlib.suppress(sqlite3.DatabaseError):
                return self.rows("SELECT 1 FROM hits WHERE name = 'after.evil.test'")
            return False

        wait_until(is_back, lambda: f"a fresh database; said {self.resolver.said()}", pause_s=0.1)
        self.assertTrue(list(self.policy.events_db.parent.glob("events.db.corrupt-*")))
        self.assert_sound()

    def test_folder_comes_later(self):
        """No database, then one: what was kept in memory is stored."""
        self.policy.block("evil.test")
        events = self.policy.events_db.parent
        events.rmdir()
        self.start()
        for i in range(10):
            self.assert_sinkholed(self.ask(f"n{i}.evil.test"))
        wait_until(lambda: self.policy.status()["db_errors"] or self.resolver.said(), "it is told")
        owned(events)
        self.wait_rows([(10,)], SUM)

    @unittest.skipUnless(IS_ROOT, "mounts a small file system")
    def test_full(self):
        """The resolver goes on, the loss is told; with room again, writing goes on."""
        self.policy.block("evil.test")
        events = self.policy.events_db.parent
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0777", "tmpfs",
                                str(events)], capture_output=True, text=True)
        if mount.returncode:
            self.skipTest(mount.stderr)
        self.addCleanup(subprocess.run, ["umount", "-l", str(events)])
        self.start()
        self.assert_works()
        self.wait_rows([(1,)], SUM)
        ballast = events / "ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as f:
            while True:
                f.write(b"x" * 4096)
        for i in range(100):
            self.ask(f"n{i}.evil.test")
        wait_until(lambda: self.policy.status()["db_errors"], "it is noticed")
        self.assert_works()
        told = [line for line in self.resolver.said() if "events" in line]
        self.assertTrue(told)
        self.assertLess(len(told), 5, told)
        ballast.unlink()
        self.assert_sinkholed(self.ask("room.evil.test"))
        self.wait_rows([(1,)], SUM + " WHERE name = 'room.evil.test'")
        self.wait_rows([(103,)], SUM)
        self.assertEqual(0, self.policy.status()["lost_hits"])
        self.assert_sound()


if __name__ == "__main__":
    harness.main()
