#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Unbound in a chroot (its option of that name): the module is loaded, reads policy and writes
events inside of it, also over a reload, and the command outside sees all of that."""
import os
import re
import shutil
import unittest
from pathlib import Path

import harness
from harness import IS_ROOT, LiveCase, MODULE, Policy, output, owned, wait_until, zone
from programs import sanitizer_libraries

REAL = "203.0.113.1"


def copy_into(jail, path):
    """A file under its own path, with what the path's links lead to."""
    target = jail / str(path).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target)  # follows links


@unittest.skipUnless(IS_ROOT, "only root may chroot")
@unittest.skipIf(MODULE and sanitizer_libraries(MODULE), "a sanitizer needs /proc inside")
class Chroot(LiveCase):
    zones = {"test": zone(f"* A {REAL}\n")}

    @classmethod
    def prepare(cls):
        cls.upstream = cls.start_upstream()
        cls.jail = owned(cls.scratch / "jail")
        # the same paths inside as outside, so that one settings file serves both
        inside = cls.jail / str(cls.jail).lstrip("/")
        inside.parent.mkdir(parents=True)
        inside.symlink_to("/")
        for library in re.findall(r"(/\S+) \(0x", output("ldd", MODULE)):
            copy_into(cls.jail, library)
        for path in map(Path, ("/usr/share/publicsuffix/public_suffix_list.dafsa",
                               "/usr/share/publicsuffix/public_suffix_list.dat")):
            if path.exists():
                copy_into(cls.jail, path)
        copy_into(cls.jail, MODULE)
        copy_into(cls.jail, Path(MODULE).parent.parent / "share" / "sekisho" / "dga.model")
        cls.policy = Policy(cls.jail / "policy", **cls.settings)
        cls.policy.block("evil.test")
        cls.resolver = cls.start_resolver(
            "jail/unbound", module=cls.jail / MODULE.lstrip("/"),
            options=f'    chroot: "{cls.jail}"\n')

    def test_blocks_and_records(self):
        root = os.readlink(f"/proc/{self.resolver.process.pid}/root")
        self.assertEqual(str(self.jail), root)
        self.assert_sinkholed(self.ask("a.evil.test"))
        self.assert_passes(self.ask("free.test"), REAL)
        self.wait_hits([("127.0.0.1", "a.evil.test", "A", "local-block", "sinkhole", 1)],
                       "name = 'a.evil.test'")
        self.wait_traffic({"passed": 1}, "free.test")
        said = self.resolver.said()
        self.assertEqual([], [line for line in said if " in force" not in line])

    def test_changes_come_into_force(self):
        self.assert_passes(self.ask("later.test"), REAL)
        self.policy.block("=later.test")
        self.assert_sinkholed(self.ask("later.test"))

    def test_reload(self):
        """The process is inside by then: paths are resolved anew."""
        self.resolver.control("reload")
        self.resolver.wait_serving()
        self.assert_sinkholed(self.ask("b.evil.test"))
        self.policy.block("=reloaded.test")
        self.assert_sinkholed(self.ask("reloaded.test"))
        status = self.policy.status()
        self.assertEqual(("ok", "ok"), (status["policy"], status["events"]))
        wait_until(lambda: self.rows("SELECT * FROM hits WHERE name = 'b.evil.test'"), "its row")


if __name__ == "__main__":
    harness.main()
