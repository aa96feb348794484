#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every trigger with every action over every transport, as one table; and the conditions and manner
of single rules: question types, a first moment, EDE, TTL, recording."""
import time
import unittest

import harness
from harness import (CLOSED, IS_ROOT, SINKHOLE4, LiveCase, Nsd, addresses, ede, flags,
                     name_server_addresses, rcode, records, wait_until, zone)

REAL = "203.0.113.1"
GARDEN = "203.0.113.77"
LOCAL = "192.0.2.77"

# What block is told, per action.
ACTIONS = {
    "nxdomain": ("--action", "nxdomain"),
    "nodata": ("--action", "nodata"),
    "sinkhole": (),
    "refused": ("--action", "refused"),
    "drop": ("--action", "drop"),
    "tcp-only": ("--action", "tcp-only"),
    "log": ("--action", "log"),
    "local": ("--data", f"A {LOCAL}", "--data", 'TXT "go away"'),
    "alias": ("--data", "CNAME garden.test"),
    "wild": ("--data", "CNAME *.garden.test"),
    "passthru": (),
}
ORDER = list(ACTIONS)


def entry(trigger, action):
    """The rule of a row."""
    n = ORDER.index(action) + 1
    return {"qname": f"=qname-{action}.test", "cname": f"=target-{action}.test",
            "response-ip": f"response-ip:198.51.100.{n}",
            "client-ip": f"client-ip:127.9.9.{n}"}[trigger]


TRIGGERS = ("qname", "cname", "response-ip", "client-ip")


def zones():
    top = [f"* A {REAL}", f"garden A {GARDEN}", f"*.garden A {GARDEN}"]
    for n, action in enumerate(ORDER, 1):
        top += [f"qname-{action} A {REAL}", f"cname-{action} CNAME target-{action}",
                f"target-{action} A {REAL}", f"response-ip-{action} A 198.51.100.{n}",
                f"client-ip-{action} A {REAL}"]
    return {"test": zone("\n".join(top) + "\n")}


def allow_and_block(policy):
    """The rules of the table."""
    for action, options in ACTIONS.items():
        command = "allow" if action == "passthru" else "block"
        policy.run(command, *options, *(entry(t, action) for t in TRIGGERS), ok=(0, 3))
    # what an exception excepts from
    policy.block("=qname-passthru.test", "=target-passthru.test",
                 f"response-ip:198.51.100.{ORDER.index('passthru') + 1}")


class ActionCase(LiveCase):

    def check(self, action, answer, real, tcp):
        if action == "drop":
            self.assertEqual(answer, CLOSED if tcp else None)
        elif action == "nxdomain":
            self.assertEqual(("NXDOMAIN", []), (rcode(answer), answer.answer))
        elif action == "nodata":
            self.assertEqual(("NOERROR", []), (rcode(answer), answer.answer))
            self.assertEqual(["SOA"], [t for _, _, t, _ in records(answer.authority)])
        elif action == "refused":
            self.assertEqual("REFUSED", rcode(answer))
        elif action == "sinkhole":
            self.assertEqual([SINKHOLE4], addresses(answer))
        elif action == "local":
            self.assertEqual([LOCAL], addresses(answer))
            self.assertEqual(1, len(records(answer.answer)))
        elif action in ("alias", "wild"):
            owner = answer.question[0].name.to_text()
            target = "garden.test." if action == "alias" else owner + "garden.test."
            if action == "wild":
                target = owner.rstrip(".") + ".garden.test."
            self.assertEqual([(owner, "CNAME", target), (target, "A", GARDEN)],
                             [(o, t, d) for o, _, t, d in records(answer.answer)])
        elif action == "tcp-only" and not tcp:
            self.assertIn("TC", flags(answer))
            self.assertEqual([], answer.answer)
        else:
            self.assertNotIn("TC", flags(answer))
            self.assertEqual([real], addresses(answer))
        if answer not in (None, CLOSED):
            self.assertNotIn("AD", flags(answer))


class Table(ActionCase):
    zones = zones()

    @classmethod
    def before_start(cls):
        allow_and_block(cls.policy)

    def test_table(self):
        for trigger in TRIGGERS:
            for n, action in enumerate(ORDER, 1):
                real = f"198.51.100.{n}" if trigger == "response-ip" else REAL
                source = f"127.9.9.{n}" if trigger == "client-ip" else None
                for tcp in (False, True, False):
                    with self.subTest(trigger=trigger, action=action, tcp=tcp):
                        how = {"timeout": 0.25} if action == "drop" and not tcp else {}
                        answer = self.ask(f"{trigger}-{action}.test", tcp=tcp, source=source, **how)
                        self.check(action, answer, real, tcp)
        shown = [q for q in self.resolver.cached()
                 if any(a in q[0] for a in ORDER if a not in ("log", "passthru"))
                 and "garden" not in q[0] and not q[0].startswith("client-ip") and q[1] == "A"
                 and not q[0].startswith("ns.")]
        self.assertEqual([], shown)
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_hits_are_recorded(self):
        self.ask("qname-alias.test", source="127.0.0.21")
        self.ask("qname-tcp-only.test", source="127.0.0.21")
        self.ask("qname-tcp-only.test", source="127.0.0.21", tcp=True)
        self.wait_hits([("127.0.0.21", "qname-alias.test", "A", "local-block", "local-data", 1),
                        ("127.0.0.21", "qname-tcp-only.test", "A", "local-block", "tcp-only", 2)],
                       "endpoint = '127.0.0.21'")

    def test_records_of_other_types(self):
        text = self.ask("qname-local.test", "TXT")
        self.assertEqual(['"go away"'], [d for _, _, _, d in records(text.answer)])
        self.assert_negative(self.ask("qname-local.test", "MX"), "NOERROR", "qname-local.test.")
        self.assertEqual(2, len(records(self.ask("qname-local.test", "ANY").answer)))

    def test_alias_itself(self):
        answer = self.ask("qname-alias.test", "CNAME")
        self.assertEqual([("qname-alias.test.", "CNAME", "garden.test.")],
                         [(o, t, d) for o, _, t, d in records(answer.answer)])
        none = self.ask("qname-alias.test", "MX")
        self.assertEqual(("NOERROR", ["CNAME"], ["SOA"]), (
            rcode(none), [t for _, _, t, _ in records(none.answer)],
            [t for _, _, t, _ in records(none.authority)]))

    def test_alias_to_nowhere(self):
        self.policy.run("block", "lost.test", "--data", "CNAME nothing.invalid")
        answer = self.ask("lost.test")
        self.assertEqual("NXDOMAIN", rcode(answer))
        self.assertEqual(["CNAME"], [t for _, _, t, _ in records(answer.answer)])
        # the target of an alias is resolved, whatever rules say of it
        self.policy.run("block", "=to-sunk.test", "--data", "CNAME qname-sinkhole.test")
        self.assertEqual([REAL], addresses(self.ask("to-sunk.test")))
        self.assert_sinkholed(self.ask("qname-sinkhole.test"))


class Circles(LiveCase):
    """Aliases whose target lies under their own rule, or under another one."""
    zones = {"test": zone(f"search 600 A {REAL}\nsafe.search 777 A {GARDEN}\nin.safe.search 700 A {LOCAL}\n"
                          "other CNAME safe.search\nround.search 500 CNAME step.search\n"
                          f"step.search 400 A {REAL}\nsunk 333 A {GARDEN}\n")}

    def short(self, name, rdtype="A"):
        return [(o, ttl, t, d) for o, ttl, t, d in records(self.ask(name, rdtype).answer)]

    def lives(self, name, wanted, rdtype="A"):
        """The records, each with the TTL of its server, less what it was in the cache."""
        got = self.short(name, rdtype)
        self.assertEqual([(o, t, d) for o, _, t, d in wanted], [(o, t, d) for o, _, t, d in got])
        for (_, most, _, _), (_, ttl, _, _) in zip(wanted, got):
            self.assertTrue(most - 20 <= ttl <= most, (wanted, got))

    def test_target_under_its_own_rule(self):
        self.policy.run("block", "search.test", "--data", "CNAME safe.search.test")
        safe = ("safe.search.test.", 777, "A", GARDEN)
        for _ in range(2):
            self.lives("safe.search.test", [safe])
            self.lives("www.search.test",
                       [("www.search.test.", 30, "CNAME", "safe.search.test."), safe])
            self.lives("search.test", [("search.test.", 30, "CNAME", "safe.search.test."), safe])
            self.lives("in.safe.search.test",
                       [("in.safe.search.test.", 30, "CNAME", "safe.search.test."), safe])
            self.lives("other.test", [("other.test.", 86400, "CNAME", "safe.search.test."), safe])
        self.assertIn("safe.search.test", [q[0] for q in self.resolver.cached()])
        explained = self.policy.run("explain", "safe.search.test")[1]
        self.assertIn("leads to this very name", explained)
        self.assertEqual(0, self.policy.status()["leaked"])

    def test_target_leads_back_under_the_rule(self):
        self.policy.run("block", "search.test", "--data", "CNAME round.search.test")
        for _ in range(2):
            self.lives("round.search.test", [("round.search.test.", 500, "CNAME", "step.search.test."),
                                             ("step.search.test.", 400, "A", REAL)])
            self.lives("www.search.test",
                       [("www.search.test.", 30, "CNAME", "round.search.test."),
                        ("round.search.test.", 500, "CNAME", "step.search.test."),
                        ("step.search.test.", 400, "A", REAL)])

    def test_target_under_another_rule(self):
        self.policy.run("block", "=to-sunk.test", "--data", "CNAME sunk.test")
        self.policy.block("sunk.test")
        for _ in range(2):
            self.lives("to-sunk.test", [("to-sunk.test.", 30, "CNAME", "sunk.test."),
                                        ("sunk.test.", 333, "A", GARDEN)])
            self.assert_sinkholed(self.ask("sunk.test"))

    def test_the_very_name(self):
        self.policy.run("block", "search.test", "--data", "CNAME search.test")
        self.lives("search.test", [("search.test.", 600, "A", REAL)])
        self.lives("www.search.test", [("www.search.test.", 30, "CNAME", "search.test."),
                                       ("search.test.", 600, "A", REAL)])
        self.policy.run("block", "=search.test", "--data", "CNAME search.test", ok=(2,))


@unittest.skipUnless(IS_ROOT, "name servers of a real hierarchy listen on port 53")
class Servers(ActionCase):
    """The same for rules about the server of a zone, one after the other."""

    @classmethod
    def start_upstream(cls):
        parent, cls.child = name_server_addresses(2)
        top = zone(f"shop NS ns.shop\nns.shop A {cls.child}\nns.nic A {parent}\n"
                   f"garden A {GARDEN}\n*.garden A {GARDEN}\n")
        for name, address, held in (
                ("parent", parent, {".": zone(f"test. NS ns.nic.test.\nns.nic.test. A {parent}\n"),
                                    "test": top}),
                ("child", cls.child, {"shop.test": zone(f"ns A {cls.child}\n* A {REAL}\n",
                                                        ns="ns.shop.test.")})):
            cls.stack.callback(Nsd(cls.scratch / name, held, address, 53).stop)
        hints = cls.scratch / "root.hints"
        hints.write_text(f". 3600000 NS ns.nic.test.\nns.nic.test. 3600000 A {parent}\n")
        cls.options = f'    root-hints: "{hints}"\n'

    def test_table(self):
        for trigger, rule in (("nsdname", "nsdname:=ns.shop.test"), ("nsip", f"nsip:{self.child}")):
            for action in ORDER:
                if action == "passthru":
                    continue
                self.policy.run("block", *ACTIONS[action], rule)
                for tcp in (False, True):
                    with self.subTest(trigger=trigger, action=action, tcp=tcp):
                        how = {"timeout": 0.25} if action == "drop" and not tcp else {}
                        name = f"{trigger}-{action}.shop.test"
                        self.check(action, self.ask(name, tcp=tcp, **how), REAL, tcp)
            self.policy.unblock(rule)


class Terms(LiveCase):
    zones = {"test": zone(f"* A {REAL}\n* AAAA 2001:db8::1\n* TXT \"real\"\n"
                          "alias CNAME target\nlater CNAME begun\n"
                          f"target A {REAL}\ntarget AAAA 2001:db8::1\nbegun A {REAL}\n")}

    def test_types(self):
        self.policy.run("block", "types.test", "--type", "A,TXT")
        for _ in range(2):
            self.assert_sinkholed(self.ask("types.test"))
            self.assertEqual(["2001:db8::1"], addresses(self.ask("types.test", "AAAA")))
            self.assert_negative(self.ask("types.test", "TXT"), "NOERROR", "types.test.")
        self.assert_sinkholed(self.ask("types.test", "ANY"))

    def test_types_of_a_chain(self):
        self.assertEqual([REAL], addresses(self.ask("alias.test")))
        self.policy.run("block", "target.test", "--type", "A")
        for _ in range(2):
            self.assertEqual(["2001:db8::1"], addresses(self.ask("alias.test", "AAAA")))
            self.assert_sinkholed(self.ask("alias.test"), alias=True)
        self.policy.run("block", "target.test", "--type", "!A")
        for _ in range(2):
            self.assertEqual([REAL], addresses(self.ask("alias.test")))
            self.assert_sinkholed(self.ask("alias.test", "AAAA"), alias=True)

    def test_start_and_end(self):
        """In force within a second of its start, gone within a second of its end, though cached."""
        start = int(time.time()) + 3
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start))
        self.policy.run("block", "begun.test", "--start", text, "--lifetime", "6s")
        self.assertEqual([REAL], addresses(self.ask("later.test")))
        self.assertEqual([REAL], addresses(self.ask("begun.test")))
        self.assertLess(time.time(), start)
        for name in ("later.test", "begun.test"):
            wait_until(lambda: addresses(self.ask(name)) == [SINKHOLE4], lambda: "it began")
        self.assertLess(time.time(), start + 1)
        wait_until(lambda: addresses(self.ask("begun.test")) == [REAL], lambda: "it ended")
        self.assertLess(time.time(), start + 5)

    def test_hours(self):
        now = time.gmtime()
        days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        near = f"{days[now.tm_wday - 1]},{days[now.tm_wday]},{days[(now.tm_wday + 1) % 7]} UTC"
        far = f"{days[(now.tm_wday + 3) % 7]} UTC"
        self.policy.run("block", "open.test", "--schedule", far)
        self.policy.run("block", "closed.test", "--schedule", near)
        self.assertEqual([REAL], addresses(self.ask("open.test")))
        self.assert_sinkholed(self.ask("closed.test"))

    def test_manner(self):
        self.policy.run("block", "manner.test", "--ede", "17", "--ede-text", "Ask IT", "--ttl", "7")
        answer = self.ask("manner.test")
        self.assertEqual([7], [ttl for _, ttl, _, _ in records(answer.answer)])
        self.assertEqual(17, ede(answer)[0][0])
        self.assertRegex(ede(answer)[0][1], "^Ask IT; id [0-9a-f]{8}; help desk 1234$")
        negative = self.ask("manner.test", "TXT")
        self.assertEqual([7], [ttl for _, ttl, _, _ in records(negative.authority)])
        self.assertEqual("7", records(negative.authority)[0][3].split()[-1])
        self.wait_hits([("127.0.0.1", "manner.test", "A", "local-block", "sinkhole", 1),
                        ("127.0.0.1", "manner.test", "TXT", "local-block", "sinkhole", 1)],
                       "name = 'manner.test'")

    def test_log_none(self):
        before = self.policy.status()["hits"]
        self.policy.run("block", "quiet.test", "--log", "none")
        self.policy.run("block", "loud.test")
        self.assert_sinkholed(self.ask("quiet.test"))
        self.assert_sinkholed(self.ask("loud.test"))
        self.wait_hits([("127.0.0.1", "loud.test", "A", "local-block", "sinkhole", 1)],
                       "name IN ('loud.test', 'quiet.test')")
        wait_until(lambda: self.policy.status()["hits"] >= before + 2, lambda: "both are counted")


if __name__ == "__main__":
    harness.main()
