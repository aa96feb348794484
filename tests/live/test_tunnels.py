#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tunnels of real programs through the real resolver: dns2tcp and iodine are found within a minute of
their first query, with endpoint, domain and an estimate of what they carried; mode block cuts them,
and an exception lets them through again."""
import time
import unittest

import harness
from harness import IS_ROOT, LiveCase, name_server_addresses, wait_until
from tunnels import (Dns2tcp, Echo, Endpoint, Iodine, NETS, Transfer, missing,
                     why_no_packets)

FOUND_WITHIN_S = 60
CARRIED = 6000  # octets each way that are waited for
WRONG_BY = 3  # times, that an estimate may be off: headers, polls, and what is not told yet
STILL_S = 3  # a tunnel without an octet for so long is cut
STREAM, PACKETS = "office-files.net", "corp-backup.net"  # registered domains


class TunnelCase(LiveCase):
    """dns2tcp's endpoint is an address of loopback, iodine's a network namespace."""

    mode = "monitor"

    @classmethod
    def prepare(cls):
        if not IS_ROOT:
            raise unittest.SkipTest("the tunnels' clients ask port 53: for root only")
        if lacks := missing("dns2tcpc", "dns2tcpd"):
            raise unittest.SkipTest(f"{lacks} is not installed")
        cls.settings = {**{f"{detector}__mode": "off" for detector in
                           ("classify", "dga", "beacon", "nxburst", "fastflux", "shortlived",
                            "surge", "newrate", "bypass", "nod")},
                        "tunnel__mode": cls.mode, "domains__warm-up": "1s",
                        "answers__mode": "no"}
        [cls.listen] = name_server_addresses(1)
        cls.no_packets = why_no_packets()
        cls.start_tunnels()
        super().prepare()
        time.sleep(1.1)  # the warm-up

    @classmethod
    def start_tunnels(cls):
        echo = cls.keep(Echo())
        cls.stream = cls.keep(Dns2tcp(cls.scratch / "dns2tcp", f"d.{STREAM}", echo))
        servers, listen = {f"d.{STREAM}": cls.stream.port}, [cls.listen]
        if not cls.no_packets:
            cls.endpoint = cls.keep(Endpoint(cls.scratch))
            cls.packets = cls.keep(Iodine(cls.scratch / "iodine", f"t.{PACKETS}", cls.endpoint))
            servers[f"t.{PACKETS}"] = cls.packets.port
            listen.append(cls.endpoint.gateway)
        cls.clauses = "".join(
            f'stub-zone:\n    name: "{zone}"\n    stub-addr: 127.0.0.1@{port}\n'
            for zone, port in servers.items())
        # questions cut short (RFC 9156) confuse these servers: each would wait for a time-out
        cls.options = (f"    qname-minimisation: no\n    access-control: {NETS} allow\n" + "".join(
            f"    interface: {address}@53\n" for address in listen))

    @classmethod
    def keep(cls, thing):
        cls.stack.callback(thing.stop)
        return thing

    def findings(self):
        return self.rows("SELECT endpoint, domain, json_extract(evidence, '$.octets_out'),"
                         " json_extract(evidence, '$.octets_in'), mode FROM findings"
                         " WHERE detector = 'tunnel'")

    def found(self, endpoint, domain):
        return [row for row in self.findings() if row[:2] == (endpoint, domain)]

    def begin(self, tunnel, resolver):
        """A transfer through the tunnel has begun."""
        tunnel.join(resolver)
        self.addCleanup(tunnel.leave)
        transfer = Transfer(tunnel.connect)
        self.addCleanup(transfer.stop)
        return transfer

    def trouble(self, tunnel):
        return (f"a finding of {tunnel.domain}; there are {self.findings()}; the client said: "
                f"{tunnel.client.text()}")

    def needs_packets(self):
        if self.no_packets:
            self.skipTest(self.no_packets)


class Monitor(TunnelCase):
    def check_found(self, tunnel, resolver, endpoint, domain):
        """An estimate is told each time that it is twice what was told before: at least half of what
        there was then."""
        began = time.monotonic()
        transfer = self.begin(tunnel, resolver)
        wait_until(lambda: self.found(endpoint, domain), lambda: self.trouble(tunnel),
                   FOUND_WITHIN_S)
        print(f"{domain}: found after {time.monotonic() - began:.1f} s")
        transfer.wait_back(CARRIED)
        transfer.stop()
        tunnel.leave()
        n = transfer.back  # octets of the connection, each way
        low, high = n / WRONG_BY, n * WRONG_BY
        wait_until(lambda: all(low <= octets <= high
                               for _, _, out, into, _ in self.found(endpoint, domain)
                               for octets in (out, into)),
                   lambda: f"estimates of {n} octets: {self.findings()}")
        [(_, _, _, _, mode)] = self.found(endpoint, domain)
        self.assertEqual("monitor", mode)

    def test_stream(self):
        self.check_found(self.stream, self.listen, "127.0.0.1", STREAM)

    def test_packets(self):
        self.needs_packets()
        self.check_found(self.packets, self.endpoint.gateway, self.endpoint.address, PACKETS)


class Block(TunnelCase):
    mode = "block"

    def blocked(self, endpoint, domain):
        """Queries that the finding's block met."""
        return sum(n for n, in self.rows(
            "SELECT count FROM hits WHERE endpoint = ? AND domain = ? AND action = 'sinkhole'"
            " AND trigger = 'finding'", endpoint, domain))

    def check_cut(self, tunnel, resolver, endpoint, domain):
        transfer = self.begin(tunnel, resolver)
        wait_until(lambda: self.found(endpoint, domain), lambda: self.trouble(tunnel),
                   FOUND_WITHIN_S)
        wait_until(lambda: self.blocked(endpoint, domain), "hits of the block")
        transfer.wait_still(STILL_S)
        tunnel.leave()
        transfer.stop()
        n = self.blocked(endpoint, domain)
        again = self.begin(tunnel, resolver)
        wait_until(lambda: self.blocked(endpoint, domain) > n, "hits of another attempt")
        again.wait_still(STILL_S)
        self.assertEqual(0, again.back)
        again.stop()
        tunnel.leave()
        self.policy.allow(domain)
        self.begin(tunnel, resolver).wait_back(CARRIED)

    def test_stream(self):
        self.check_cut(self.stream, self.listen, "127.0.0.1", STREAM)

    def test_packets(self):
        self.needs_packets()
        self.check_cut(self.packets, self.endpoint.gateway, self.endpoint.address, PACKETS)


if __name__ == "__main__":
    harness.main()
