#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Which rule decides: scopes, exceptions, specificity, priority, modes."""
import harness
from harness import LiveCase, ede, rcode, zone

ZONE = zone("* A 203.0.113.1\nalias CNAME target\nfree-alias CNAME target.cnamex\n"
            "loose-alias CNAME target.loose\n")


class Scopes(LiveCase):
    zones = {"test": ZONE}

    def check(self, table):
        for name, blocked in table.items():
            with self.subTest(name):
                answer = self.ask(name)
                (self.assert_sinkholed if blocked else self.assert_passes)(answer)

    def test_subtree(self):
        self.policy.block("sub.test")
        self.check({"sub.test": True, "a.sub.test": True, "a.b.c.sub.test": True,
                    "notsub.test": False, "sub.test.test": False, "subb.test": False,
                    "ub.test": False})

    def test_exact(self):
        self.policy.block("=exact.test")
        self.check({"exact.test": True, "a.exact.test": False, "xexact.test": False})

    def test_below(self):
        self.policy.block("*.below.test")
        self.check({"below.test": False, "a.below.test": True, "a.b.below.test": True,
                    "xbelow.test": False})

    def test_exception_beats_block(self):
        self.policy.block("office.test")
        self.policy.allow("portal.office.test")
        self.check({"office.test": True, "x.office.test": True, "portal.office.test": False,
                    "a.portal.office.test": False})

    def test_wide_exception_beats_narrow_block(self):
        """Exceptions come first whatever the block's depth: what is allowed stays allowed."""
        self.policy.block("=deep.wide.test")
        self.policy.allow("wide.test")
        self.check({"wide.test": False, "deep.wide.test": False})

    def test_exact_exception(self):
        self.policy.block("ex.test")
        self.policy.allow("=ex.test")
        self.check({"ex.test": False, "a.ex.test": True})

    def test_exception_on_the_question_beats_a_block_on_the_target(self):
        self.policy.block("cnamex.test")
        self.assert_sinkholed(self.ask("free-alias.test"), alias=True)
        self.policy.allow("=free-alias.test")
        self.check({"free-alias.test": False, "target.cnamex.test": True})

    def test_exception_on_the_target_frees_the_target_only(self):
        self.policy.block("loose.test", "=blocked-owner.test")
        self.policy.allow("target.loose.test")
        self.check({"loose-alias.test": False, "target.loose.test": False, "x.loose.test": True})


class Lists(LiveCase):
    """Rules of several lists at work at the same name."""

    zones = {"test": ZONE}

    def outcome(self, name):
        answer = self.ask(name)
        listed = [text.split("list ")[1].split(";")[0] for _, text in ede(answer)]
        return rcode(answer), listed[0] if listed else None

    def test_most_specific_wins(self):
        self.policy.add_list("wide", ["spec.test"], action="nxdomain", priority=900)
        self.policy.add_list("narrow", ["a.spec.test"], action="refused", priority=-5)
        self.assertEqual(("NXDOMAIN", "wide"), self.outcome("spec.test"))
        self.assertEqual(("REFUSED", "narrow"), self.outcome("a.spec.test"))
        self.assertEqual(("REFUSED", "narrow"), self.outcome("x.a.spec.test"))

    def test_priority_among_equals(self):
        self.policy.add_list("low", ["prio.test"], action="nxdomain", priority=1)
        self.policy.add_list("high", ["prio.test"], action="refused", priority=2)
        self.assertEqual(("REFUSED", "high"), self.outcome("prio.test"))

    def test_first_list_among_the_same_priority(self):
        self.policy.add_list("one", ["same.test"], action="nxdomain")
        self.policy.add_list("two", ["same.test"], action="refused")
        self.assertEqual(("NXDOMAIN", "one"), self.outcome("same.test"))

    def test_monitor_changes_nothing_but_is_recorded(self):
        self.policy.add_list("watch", ["watch.test"], action="nxdomain", mode="monitor")
        self.assert_passes(self.ask("watch.test"), "203.0.113.1")
        self.assert_passes(self.ask("watch.test"), "203.0.113.1")  # from the cache
        self.wait_rows([(2, "passthru", "nxdomain", 1, "watch")],
                       "SELECT sum(count), action, would, monitor, list FROM hits"
                       " WHERE name = 'watch.test' GROUP BY action, would, monitor, list")

    def test_monitor_gives_way_to_a_block(self):
        """A wider rule that acts is not hidden by a narrower one that only watches."""
        self.policy.add_list("acts", ["both.test"], action="nxdomain")
        self.policy.add_list("watches", ["a.both.test"], action="refused", mode="monitor")
        self.assertEqual(("NXDOMAIN", "acts"), self.outcome("a.both.test"))

    def test_off_is_nothing(self):
        self.policy.add_list("unused", ["off.test"], action="nxdomain", mode="off")
        self.assert_passes(self.ask("off.test"), "203.0.113.1")

    def test_mode_turns_a_list(self):
        self.policy.add_list("turns", ["turns.test"], action="nxdomain", mode="monitor")
        self.assert_passes(self.ask("turns.test"), "203.0.113.1")
        self.policy.mode("turns", "block")
        self.assertEqual(("NXDOMAIN", "turns"), self.outcome("turns.test"))
        self.policy.mode("turns", "off")
        self.assert_passes(self.ask("turns.test"), "203.0.113.1")

    def test_monitored_exception_has_no_effect(self):
        self.policy.block("pass.test")
        self.policy.add_list("trial", ["pass.test"], action="passthru", mode="monitor")
        self.assert_sinkholed(self.ask("pass.test"))

    def test_ede_code_of_a_list(self):
        for code in (15, 16, 17, 18):
            name = f"ede{code}"
            self.policy.add_list(name, [f"{name}.test"], action="nxdomain", ede=code)
            with self.subTest(code):
                self.assert_negative(self.ask(f"{name}.test"), "NXDOMAIN", f"{name}.test.", code)

    def test_import_replaces(self):
        self.policy.add_list("feed", ["old.test", "kept.test"], action="nxdomain")
        self.assertEqual(("NXDOMAIN", "feed"), self.outcome("old.test"))
        self.policy.fill_list("feed", ["kept.test", "new.test"])
        self.assert_passes(self.ask("old.test"), "203.0.113.1")
        self.assertEqual(("NXDOMAIN", "feed"), self.outcome("kept.test"))
        self.assertEqual(("NXDOMAIN", "feed"), self.outcome("new.test"))


if __name__ == "__main__":
    harness.main()
