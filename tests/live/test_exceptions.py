#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Exceptions in a resolver: let through within a second of their approval, and gone within a second of
their end although nothing runs; for everybody, a group, one endpoint; two approvers at once."""
import os
import pwd
import subprocess
import time
import unittest

import harness
from harness import SINKHOLE4, SINKHOLE6, LiveCase, addresses, wait_until, zone

REAL = "203.0.113.1"
SOON_S = 1.0
KIOSK, OTHER, ONE = "127.0.1.1", "127.0.2.1", "127.0.3.1"


def login_uid_says_who():
    """Then no user can be played: it counts more than what sudo says."""
    try:
        with open("/proc/self/loginuid", encoding="ascii") as f:
            return int(f.read()) != 2**32 - 1
    except OSError:
        return False


@unittest.skipIf(os.geteuid() != 0 or login_uid_says_who(), "users can be played by root only")
class Exceptions(LiveCase):
    zones = {"test": zone("* 3600 IN A 203.0.113.1\n* AAAA 2001:db8::1\n")}

    @classmethod
    def before_start(cls):
        super().before_start()
        cls.policy.run("group", "add", "kiosk", "127.0.1.0/24")
        cls.policy.block("sudden.test", "raced.test", "one.test", "ends.test", "later.test")

    def start_as(self, user, *words):
        env = dict(os.environ, SEKISHO_CONF=str(self.policy.conf),
                   SUDO_UID=str(pwd.getpwnam(user).pw_uid))
        return subprocess.Popen([os.environ["SEK_COMMAND"], *words], env=env, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run_as(self, user, *words, ok=0):
        child = self.start_as(user, *words)
        out, err = child.communicate(timeout=30)
        self.assertEqual(ok, child.returncode, err)
        return out, err

    def request(self, *words):
        out, _ = self.run_as("games", "exception", "request", *words, "--reason", "it is needed",
                             "-f", "csv")
        return out.splitlines()[1].split(",")[0]

    def got(self, name, source="127.0.0.1"):
        return addresses(self.ask(name, source=source))

    def wait_got(self, expected, name, source="127.0.0.1"):
        wait_until(lambda: self.got(name, source) == expected, f"{name} is {expected}", SOON_S)

    def test_in_force_and_gone_by_itself(self):
        self.assertEqual([SINKHOLE4], self.got("www.ends.test"))
        one = self.request("ends.test", "--lifetime", "4s")
        self.assertEqual([SINKHOLE4], self.got("www.ends.test"))
        self.run_as("games", "exception", "approve", one, ok=1)
        self.assertEqual([SINKHOLE4], self.got("www.ends.test"))
        self.run_as("man", "exception", "approve", one)
        approved = time.time()
        self.wait_got([REAL], "www.ends.test")
        end = approved + 4  # or sooner, by the time that the command took
        while time.time() < end - 2:
            self.assertEqual([REAL], self.got("www.ends.test"))
            time.sleep(0.05)
        wait_until(lambda: self.got("www.ends.test") == [SINKHOLE4], "over by itself",
                   end + SOON_S - time.time())
        self.assertNotIn(("www.ends.test", "A"), self.resolver.cached())

    def test_for_a_group_and_an_endpoint(self):
        one = self.request("one.test", "--group", "kiosk", "--endpoint", ONE, "--lifetime", "1h")
        self.run_as("man", "exception", "approve", one)
        for source, expected in ((KIOSK, [REAL]), (ONE, [REAL]), (OTHER, [SINKHOLE4])):
            self.wait_got(expected, "www.one.test", source)
        for _ in range(3):  # from whatever cache
            for source, expected in ((KIOSK, [REAL]), (ONE, [REAL]), (OTHER, [SINKHOLE4])):
                self.assertEqual(expected, self.got("www.one.test", source))
        self.run_as("games", "exception", "revoke", one)
        for source in (KIOSK, ONE, OTHER):
            self.wait_got([SINKHOLE4], "www.one.test", source)

    def test_for_some_questions_from_a_moment_on(self):
        start = int(time.time()) + 3
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start))
        one = self.request("later.test", "--type", "A", "--start", text, "--lifetime", "1h")
        self.run_as("man", "exception", "approve", one)
        while time.time() < start - 0.2:
            self.assertEqual([SINKHOLE4], self.got("www.later.test"))
            time.sleep(0.05)
        wait_until(lambda: self.got("www.later.test") == [REAL], "begun by itself",
                   start + SOON_S - time.time())
        self.assertEqual([SINKHOLE6], addresses(self.ask("www.later.test", "AAAA")))

    def test_emergency(self):
        self.assertEqual([SINKHOLE4], self.got("sudden.test"))
        out, _ = self.run_as("games", "exception", "emergency", "=sudden.test", "--reason", "fire",
                             "--ticket", "INC-1", "-f", "csv")
        self.wait_got([REAL], "sudden.test")
        self.assertEqual([SINKHOLE4], self.got("www.sudden.test"))
        self.assertIn("EMERGENCY", self.policy.run("status")[1])
        self.run_as("man", "exception", "revoke", out.splitlines()[1].split(",")[0])
        self.wait_got([SINKHOLE4], "sudden.test")

    def test_two_approvers_at_once(self):
        one = self.request("raced.test", "--lifetime", "1h")
        children = [self.start_as(user, "exception", "approve", one) for user in ("man", "mail")]
        ends = [child.communicate(timeout=30)[1] for child in children]
        self.assertEqual([0, 1], sorted(child.returncode for child in children), ends)
        self.wait_got([REAL], "raced.test")


if __name__ == "__main__":
    harness.main()
