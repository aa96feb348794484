# SPDX-License-Identifier: BSD-3-Clause
"""A real Unbound with the module, a real NSD above it, the real command beside it: what a live test
is made of. Everything lives in a scratch folder and on loopback; ports are picked at run time.

    class Block(LiveCase):
        zones = {"test": zone("* A 203.0.113.1")}
        def test_x(self):
            self.policy.block("evil.test")
            self.assert_sinkholed(self.ask("evil.test"))

Tests take from here also what the other three files give: packets.py, programs.py, resolver.py.
"""
import atexit
import contextlib
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import unittest
from pathlib import Path

from packets import (CLOSED, addresses, ask, ede, exchange_tcp, exchange_udp, flags, notation,
                     query_message, rcode, records)
from programs import (DEADLINE_S, IS_ROOT, Load, NSD, Nsd, Process, Upstream,
                      name_server_addresses, output, owned, sign_zone, wait_until, zone)
from resolver import (COMMAND, MODULE, Policy, Resolver, SINKHOLE4, SINKHOLE6, TTL_S, UNBOUND)

__all__ = [  # what tests use besides LiveCase and main
    "CLOSED", "COMMAND", "DEADLINE_S", "IS_ROOT", "Load", "MODULE", "NSD", "Nsd", "Policy",
    "Resolver", "SINKHOLE4", "SINKHOLE6", "TTL_S", "UNBOUND", "Upstream", "addresses", "ask", "ede",
    "exchange_tcp", "exchange_udp", "flags", "name_server_addresses", "notation", "output", "owned",
    "query_message", "rcode", "records", "sign_zone", "wait_until", "zone"]


@contextlib.contextmanager
def scratch_folder(name):
    """Removed at the end, but kept and named when SEK_KEEP is set."""
    folder = Path(tempfile.mkdtemp(prefix=f"sekisho-{name}."))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if os.environ.get("SEK_KEEP"):
            print("kept:", folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


class LiveCase(unittest.TestCase):
    """One upstream, policy and resolver for all tests of a class; each test uses names of its own.
    A subclass sets zones and what else it needs, or overrides prepare() and starts things
    itself."""

    zones = {}
    threads = 1
    modules = "dynlib validator iterator"
    options = ""
    clauses = ""
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.scratch = cls.stack.enter_context(scratch_folder(cls.__name__.lower()))
        cls.prepare()

    @classmethod
    def prepare(cls):
        cls.upstream = cls.start_upstream()
        cls.policy = Policy(cls.scratch / "policy", **cls.settings)
        cls.before_start()
        cls.resolver = cls.start_resolver()

    @classmethod
    def start_upstream(cls):
        nsd = Nsd(cls.scratch / "nsd", cls.zones)
        cls.stack.callback(nsd.stop)
        return nsd

    @classmethod
    def before_start(cls):
        """Policy to be there when the resolver starts."""

    @classmethod
    def describe_resolver(cls, name, changes):
        """A resolver as the class describes it, not started."""
        given = {"threads": cls.threads, "modules": cls.modules, "options": cls.options,
                 "clauses": cls.clauses, "upstream": cls.upstream, **changes}
        conf = given.pop("conf", None) or cls.policy.conf
        return Resolver(cls.scratch / name, given.pop("upstream"), conf, **given)

    @classmethod
    def start_resolver(cls, name="unbound", **changes):
        """The resolver of all tests, stopped and checked at the end."""
        resolver = cls.describe_resolver(name, changes).start()
        cls.stack.callback(check_end, resolver)
        return resolver

    def launch(self, name, **changes):
        """A resolver of this test alone."""
        resolver = self.describe_resolver(name, changes)
        self.addCleanup(check_end, resolver)
        return resolver.start()

    # --- asking

    def ask(self, name, rdtype="A", **options):
        """Ask the class's resolver; v6=True asks over IPv6."""
        server = self.resolver.server6 if options.pop("v6", False) else self.resolver.server
        return ask(server, name, rdtype, **options)

    # --- asserting

    def assert_passes(self, answer, *expected):
        """Resolved by the upstream: these addresses, or (none given) any but the sinkhole's."""
        self.assertIsNotNone(answer)
        self.assertEqual(rcode(answer), "NOERROR")
        self.assertEqual([], ede(answer))
        if expected:
            self.assertEqual(sorted(expected), addresses(answer))
        else:
            self.assertFalse({SINKHOLE4, SINKHOLE6} & set(addresses(answer)))

    def assert_sinkholed(self, answer, alias=False):
        """Answered with the sinkhole's addresses under the question's name; alias: because of a
        name on the way to the answer."""
        self.assertIsNotNone(answer)
        self.assertEqual(rcode(answer), "NOERROR")
        self.assertIn(addresses(answer), ([SINKHOLE4], [SINKHOLE6], [SINKHOLE4, SINKHOLE6]))
        for owner, ttl, _, _ in records(answer.answer):
            self.assertEqual((owner, ttl), (answer.question[0].name.to_text(), TTL_S))
        self.assert_ours(answer, alias=alias)

    def assert_negative(self, answer, code, soa_owner, ede_code=15, alias=False):
        """Our NXDOMAIN or NODATA: nothing but the SOA."""
        self.assertIsNotNone(answer)
        self.assertEqual(rcode(answer), code)
        self.assertEqual([], answer.answer)
        self.assertEqual([(soa_owner.lower(), TTL_S, "SOA")],
                         [(o.lower(), ttl, t) for o, ttl, t, _ in records(answer.authority)])
        minimum = records(answer.authority)[0][3].split()[-1]
        self.assertEqual(str(TTL_S), minimum)
        self.assert_ours(answer, ede_code, alias)

    def assert_ours(self, answer, ede_code=15, alias=False):
        """The flags of an answer of ours, and why it was given."""
        self.assertEqual({"QR", "RD", "RA"}, set(flags(answer)) - {"CD"})
        self.assertEqual([], answer.additional)
        if answer.edns < 0:
            return
        self.assertEqual([ede_code], [code for code, _ in ede(answer)])
        why = "alias of a blocked name" if alias else "blocked"
        self.assertRegex(ede(answer)[0][1],
                         f"^{why}: list [a-z0-9._-]+; id [0-9a-f]{{8}}; help desk 1234$")

    # --- events

    def rows(self, sql, *values):
        """Rows of events.db, read as any other reader may; [] while it is not there or being
        made."""
        if not self.policy.events_db.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{self.policy.events_db}?mode=ro", uri=True,
                                                timeout=10)) as db:
            try:
                return db.execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def wait_rows(self, expected, sql, *values):
        """Wait until the query gives these rows."""
        seen = []

        def probe():
            seen[:] = self.rows(sql, *values)
            return seen == expected

        wait_until(probe, lambda: f"rows {expected} of {sql} {values}; there are {seen}")
        return seen

    def wait_hits(self, expected, where, *values):
        """Wait until these hits are written: (endpoint, name, type, list, what the rule says,
        count over all minutes), in this order."""
        return self.wait_rows(
            expected, "SELECT endpoint, name, type, list, would, sum(count) FROM hits"
            f" WHERE {where} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5", *values)

    def traffic(self, domain, endpoint="127.0.0.1"):
        """What a domain's queries of an endpoint came to: {outcome: count}, none of them 0."""
        columns = ("hits", "cached", "passed", "nxdomain", "failed", "local")
        found = self.rows("SELECT " + ", ".join(f"sum({c})" for c in columns) +
                          " FROM traffic_by_minute WHERE domain = ? AND endpoint = ?", domain,
                          endpoint)
        return {c: n for c, n in zip(columns, found[0]) if n} if found else {}

    def wait_traffic(self, expected, domain, endpoint="127.0.0.1"):
        wait_until(lambda: self.traffic(domain, endpoint) == expected,
                   lambda: f"{domain} of {endpoint}: {expected}; there is "
                           f"{self.traffic(domain, endpoint)}")


def check_end(resolver):
    """Stop a resolver: it must end by itself and well, with nothing to complain about."""
    if not resolver.process or not resolver.process.alive():
        return
    status = resolver.stop()
    text = resolver.process.text()
    bad = re.findall(r".*(?:Sanitizer|runtime error|assertion|fatal error).*", text)
    if status != 0 or bad:
        raise AssertionError(f"Unbound ended with {status}: {bad}\n" + text[-6000:])


def give_up(number, frame):
    print("out of time, or ended:", signal.Signals(number).name, file=sys.stderr)
    raise KeyboardInterrupt


def main():
    missing = [n for n, v in (("SEK_UNBOUND", UNBOUND), ("SEK_MODULE", MODULE),
                              ("SEK_COMMAND", COMMAND), ("nsd", NSD)) if not v]
    if missing:
        print("cannot run, missing:", " ".join(missing))
        raise SystemExit(77)
    atexit.register(Process.end_all)
    # ctest kills without a word what runs too long; end by ourselves before that
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, give_up)
    signal.alarm(int(os.environ.get("SEK_LIMIT_S", "0")))
    unittest.main(verbosity=2)
