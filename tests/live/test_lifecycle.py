#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Starting, reloading and stopping, with everything there and with parts missing or damaged. The
resolver always starts and always resolves."""
import os
import shutil
import signal
import time
from pathlib import Path

import harness
from harness import (IS_ROOT, SINKHOLE4, LiveCase, Load, Policy, addresses, rcode, wait_until,
                     zone)

REAL = "203.0.113.1"
N_RELOADS = 100
STOP_S = 10.0  # a stop may wait for the database, not for ever


def open_files(resolver):
    return len(list(Path(f"/proc/{resolver.process.pid}/fd").iterdir()))


class Reload(LiveCase):
    threads = 2
    zones = {"test": zone(f"* A {REAL}\n")}

    @classmethod
    def before_start(cls):
        cls.policy.block("evil.test")

    def test_a_hundred_times(self):
        """Threads, files and policy are the same after each, and no hit is lost over them."""
        self.assert_sinkholed(self.ask("evil.test", source="127.0.0.8"))
        # the writer opens its database in its own time: now it has
        self.wait_hits([("127.0.0.8", "evil.test", "A", "local-block", "sinkhole", 1)],
                       "endpoint = '127.0.0.8'")
        threads, files = self.resolver.threads(), open_files(self.resolver)
        self.assertIn("sek-keeper", threads)
        self.assertIn("sek-observe", threads)
        asked = 0
        for i in range(N_RELOADS):
            self.resolver.control("reload")
            if i % 10 == 0:
                self.assert_sinkholed(self.ask("count.evil.test", source="127.0.0.9"))
                asked += 1
        self.resolver.wait_serving()
        self.assert_passes(self.ask("free.test"), REAL)
        self.assertEqual(threads, self.resolver.threads())
        # the writer opens its database in its own time
        wait_until(lambda: open_files(self.resolver) == files, f"{files} open files")
        self.wait_hits([("127.0.0.9", "count.evil.test", "A", "local-block", "sinkhole", asked)],
                       "endpoint = '127.0.0.9'")

    def test_under_load(self):
        """Nothing but blocks for the blocked name, whatever moment the reload comes."""
        self.resolver.wait_serving()
        load = Load(self.scratch / "load", self.resolver.server,
                    ["evil.test", "a.evil.test", "free.test", "x.test"], 6, qps=5000)
        reloads = 0
        while load.running():
            self.resolver.control("reload")
            reloads += 1
            for client in ("127.0.0.4", "127.0.0.5"):
                self.assert_sinkholed(self.ask("evil.test", source=client))
        self.assertGreater(reloads, 5)
        self.assertEqual({"NOERROR"}, set(load.result()["rcodes"]))
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_hang_up_signal(self):
        self.resolver.process.kill(signal.SIGHUP)
        wait_until(lambda: self.resolver.process.text().count("Restart of unbound") or
                   self.resolver.process.text().count("start of service") > 1, "a reload")
        self.resolver.wait_serving()
        self.assert_sinkholed(self.ask("hup.evil.test"))

    def test_policy_changed_while_reloading(self):
        for i in range(5):
            name = f"race{i}.test"
            self.assert_passes(self.ask(name), REAL)
            self.resolver.control("reload")
            self.policy.block(f"={name}")
            wait_until(lambda name=name: addresses(self.ask(name)) == [SINKHOLE4],
                       f"{name} is blocked", 5)

    def test_cache_kept_over_a_reload(self):
        """What was cached under no policy at all must not outlive the reload that brings one."""
        self.assert_passes(self.ask("kept.test"), REAL)
        self.resolver.control("reload_keep_cache")
        self.resolver.wait_serving()
        self.assert_passes(self.ask("kept.test"), REAL)
        self.policy.block("=kept.test")
        self.resolver.control("reload_keep_cache")
        self.resolver.wait_serving()
        self.assert_sinkholed(self.ask("kept.test"))


class Alone(LiveCase):
    """A resolver with one thread keeps its descriptors to itself, and ours keep theirs."""
    zones = {"test": zone(f"* A {REAL}\n")}

    @classmethod
    def before_start(cls):
        cls.policy.block("evil.test")

    def files(self, thread):
        """What a thread has open."""
        for task in Path(f"/proc/{self.resolver.process.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == thread:
                return sorted(os.readlink(f) for f in (task / "fd").iterdir())
        raise AssertionError(f"no thread {thread}")

    def sockets(self, thread):
        return [f for f in self.files(thread) if f.startswith("socket:")]

    def covered(self):
        """Numbers of the resolver's that lead nowhere in our table."""
        return sum(f.startswith("pipe:") for f in self.files("sek-keeper"))

    def test_descriptors(self):
        self.assert_sinkholed(self.ask("evil.test"))
        database = str(self.policy.events_db)
        wait_until(lambda: database in self.files("sek-write"), "the database is open")
        self.assertNotIn(database, self.files("unbound"))
        self.assertNotEqual([], self.sockets("unbound"))
        self.assertEqual([], self.sockets("sek-keeper"))
        self.assertIn(database, self.files("sek-keeper"))
        covered = self.covered()
        self.assertGreater(covered, 3)
        for _ in range(5):
            self.resolver.control("reload")
        self.resolver.wait_serving()
        wait_until(lambda: database in self.files("sek-write"), "the database is open again")
        # SQLite may keep a reader's descriptor until the writer's locks are gone
        self.assertLessEqual(self.files("sek-write").count(database), 2)
        self.assertEqual(covered, self.covered())
        self.assertEqual([], self.sockets("sek-keeper"))


class Stop(LiveCase):
    """Each test starts a resolver of its own."""

    zones = {"test": zone(f"* A {REAL}\n")}

    @classmethod
    def start_resolver(cls):
        return None

    def test_stop_under_load(self):
        self.policy.block("evil.test")
        resolver = self.launch("loaded", threads=4)
        load = Load(self.scratch / "load", resolver.server, ["evil.test", "b.evil.test"], 20)
        wait_until(lambda: self.policy.status()["queries"] > 1000, "load")
        start = time.monotonic()
        self.assertEqual(0, resolver.stop())
        self.assertLess(time.monotonic() - start, STOP_S)
        load.stop()
        self.assertFalse(self.policy.status_page.exists())

    def test_stop_at_once(self):
        for i in range(5):
            resolver = self.launch(f"quick{i}")
            self.assertEqual(0, resolver.stop())


class Trouble(LiveCase):
    """Parts missing or damaged. Each test has a policy and a resolver of its own."""

    zones = {"test": zone(f"* A {REAL}\n")}

    @classmethod
    def prepare(cls):
        cls.upstream = cls.start_upstream()

    def begin(self, **settings):
        self.folder = self.scratch / self._testMethodName
        self.folder.mkdir()
        self.policy = Policy(self.folder / "policy", **settings)
        return self.policy

    def start(self, **changes):
        self.resolver = self.launch(f"{self._testMethodName}/unbound",
                                    **{"conf": self.policy.conf, **changes})
        return self.resolver

    def assert_resolves(self, name="free.test"):
        self.assert_passes(self.ask(name), REAL)

    def assert_said_once(self, pattern):
        self.assertEqual(1, len(self.resolver.wait_said(pattern)), self.resolver.said())

    def assert_passive(self):
        """Nothing of ours at work: no thread, nothing blocked."""
        self.assertFalse([t for t in self.resolver.threads() if t.startswith("sek-")])
        self.assert_resolves("evil.test")
        self.assertEqual(1, len(self.resolver.said()), self.resolver.said())
        self.resolver.control("reload")
        self.resolver.wait_serving()
        self.assert_resolves("evil.test")

    # --- policy

    def test_no_policy_yet(self):
        self.begin()
        self.start()
        self.assert_resolves()
        self.assert_said_once(r"policy\.img.*unfiltered")
        self.policy.block("=evil.test")
        self.assert_sinkholed(self.ask("evil.test"))
        self.assert_said_once("policy generation .* in force")
        self.assertEqual(0, self.policy.status()["policy_errors"])

    def test_strict(self):
        """SERVFAIL until there is a policy; class CH is none of our business."""
        self.begin(policy__strict="yes")
        self.start()
        self.assert_said_once(r"policy\.img.*SERVFAIL")
        for how in ({}, {"cd": True}, {"tcp": True}):
            self.assertEqual("SERVFAIL", rcode(self.ask("free.test", **how)))
        self.assertEqual("NOERROR", rcode(self.ask("version.bind", "TXT", rdclass="CH")))
        self.policy.block("=evil.test")
        self.assert_resolves()
        self.assert_sinkholed(self.ask("evil.test"))

    def test_damaged_policy_at_the_start(self):
        self.begin().block("=evil.test")
        self.damage()
        self.start()
        self.assert_resolves()
        self.assert_resolves("evil.test")
        self.assert_said_once(r"policy\.img.*unfiltered")
        self.policy.block("=other.test")  # the command makes a new one
        self.assert_sinkholed(self.ask("evil.test"))

    def before_is_used(self, file):
        """The policy before a damaged one: used, loudly, until that one is mended."""
        self.damage(file)
        self.start()
        self.assert_sinkholed(self.ask("last.test"))
        self.assert_resolves()
        self.assert_said_once(rf"{file}.*previous policy goes on")
        status = self.policy.status()
        self.assertEqual(("failed", 1), (status["policy"], status["policy_errors"]))
        self.assertIn(file, status["policy_trouble"])
        before = status["in_force"]
        self.policy.run("list", "publish")
        self.assertEqual("ok", self.policy.status()["policy"])
        return before, self.policy.status()["in_force"]

    def test_damaged_delta_at_the_start(self):
        self.begin().block("=evil.test")
        self.policy.run("list", "publish", "--full")
        self.policy.block("=last.test")
        self.policy.block("=newest.test")
        before, after = self.before_is_used("policy.delta")
        self.assertEqual(before + 1, after)
        self.assert_sinkholed(self.ask("newest.test"))

    def test_damaged_image_at_the_start(self):
        """The one before is an image with its delta."""
        self.begin().block("=evil.test")
        self.policy.run("list", "publish", "--full")
        self.policy.block("=last.test")
        self.policy.run("list", "publish", "--full")
        before, after = self.before_is_used("policy.img")
        self.assertGreater(after, before)

    def damage(self, file="policy.img"):
        """Another octet in the middle, put in place by rename as every policy is."""
        image = self.policy.dir / file
        octets = bytearray(image.read_bytes())
        octets[len(octets) // 2] ^= 0xff
        (self.policy.dir / "damaged").write_bytes(octets)
        (self.policy.dir / "damaged").rename(image)

    def test_damaged_policy_later(self):
        """The last good one stays in force."""
        self.begin().block("=evil.test")
        self.start()
        self.assert_sinkholed(self.ask("evil.test"))
        self.damage()
        self.assert_said_once("previous policy goes on")
        self.assert_sinkholed(self.ask("evil.test"))
        self.assertEqual(1, self.policy.status()["policy_errors"])
        self.policy.block("=other.test")
        self.assert_sinkholed(self.ask("other.test"))
        self.assert_sinkholed(self.ask("evil.test"))

    def test_damaged_in_place(self):
        """Not replaced but overwritten, cut off and emptied, as cp and an editor do."""
        self.begin().block("=evil.test")
        self.start()
        self.assert_sinkholed(self.ask("evil.test"))
        image = self.policy.dir / "policy.img"
        good = image.read_bytes()
        for octets in (bytes(b ^ 255 for b in good), good[:100], b"", os.urandom(len(good))):
            with open(image, "r+b") as file:
                file.write(octets)
                file.truncate()
            for name in ("evil.test", "x.evil.test", "other.test"):
                self.ask(name)
            self.assert_sinkholed(self.ask("evil.test"))
        self.assertTrue(self.resolver.process.alive())
        self.assert_resolves("free.test")

    def test_empty_and_foreign_files(self):
        self.begin().block("=evil.test")
        self.start()
        for i, octets in enumerate((b"", b"\0" * 4096, os.urandom(100000), b"policy")):
            (self.policy.dir / "new").write_bytes(octets)
            (self.policy.dir / "new").rename(self.policy.dir / "policy.img")
            wait_until(lambda i=i: self.policy.status()["policy_errors"] == i + 1, "it is refused")
            self.assert_sinkholed(self.ask("evil.test"))

    def test_policy_taken_away(self):
        self.begin().block("=evil.test")
        self.start()
        shutil.rmtree(self.policy.dir)
        self.assert_said_once("previous policy goes on")
        self.assert_sinkholed(self.ask("evil.test"))
        self.resolver.control("reload")
        self.resolver.wait_serving()
        self.assert_resolves("evil.test")

    def test_unreadable_policy(self):
        if not IS_ROOT:
            self.skipTest("the resolver's user is this one")
        self.begin().block("=evil.test")
        self.policy.dir.chmod(0o700)
        self.start()
        if not self.resolver.preload:  # then it runs as root
            self.assert_resolves("evil.test")
            self.assert_said_once(r"policy\.img.*unfiltered")

    # --- events and status

    def test_no_events_folder(self):
        self.begin(events__db=self.scratch / "nowhere" / "events.db").block("=evil.test")
        self.start()
        self.assert_resolves()
        self.assert_sinkholed(self.ask("evil.test"))
        self.assert_said_once("events wait in memory: .*nowhere")
        self.assert_said_once("nowhere.* in memory only")

    def test_no_status_folder(self):
        self.begin(status__path=self.scratch / "nowhere" / "status").block("=evil.test")
        self.start()
        self.assert_resolves()
        self.assert_sinkholed(self.ask("evil.test"))
        self.assert_said_once("nowhere")

    # --- settings

    def test_damaged_settings(self):
        self.begin().block("=evil.test")
        text = self.policy.conf.read_text()
        for i, bad in enumerate(("answer:\n  ttl: soon\n", "no-such-group:\n  x: 1\n",
                                 "policy: [\n", "\0\1\2")):
            conf = self.folder / f"bad{i}.yaml"
            conf.write_text(bad)
            with self.subTest(bad):
                self.resolver = self.launch(f"{self._testMethodName}/unbound{i}", conf=conf)
                self.assert_passive()
                self.assertIn(str(conf), self.resolver.said()[0])
        self.policy.conf.write_text(text)

    def test_settings_are_not_there(self):
        self.begin().block("=evil.test")
        self.start(conf=self.folder / "absent.yaml")
        self.assert_passive()
        self.assertIn("absent.yaml", self.resolver.said()[0])

    def test_settings_mended_by_a_reload(self):
        self.begin().block("=evil.test")
        text = self.policy.conf.read_text()
        self.policy.conf.write_text("answer:\n  ttl: soon\n")
        self.start()
        self.assert_passive()
        self.policy.conf.write_text(text)
        self.resolver.control("reload")
        self.resolver.wait_serving()
        self.assert_sinkholed(self.ask("evil.test"))

    # --- place

    def test_not_the_first_module(self):
        for i, modules in enumerate(("validator dynlib iterator", "dns64 dynlib validator iterator",
                                     "respip dynlib validator iterator")):
            with self.subTest(modules):
                self.folder = self.scratch / f"{self._testMethodName}{i}"
                self.folder.mkdir()
                self.policy = Policy(self.folder / "policy")
                self.policy.block("=evil.test")
                self.resolver = self.launch(f"{self.folder.name}/unbound", modules=modules,
                                            conf=self.policy.conf)
                self.assert_passive()
                self.assertIn("must stand first", self.resolver.said()[0])


if __name__ == "__main__":
    harness.main()
