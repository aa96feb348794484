#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Questions that come in by TLS, HTTPS, and through a proxy that names the real client (PROXY
protocol, version 2): judged as any other, and recorded for who asked."""
import ipaddress
import shutil
import socket
import ssl
import struct
import subprocess
import unittest

import dns.message

import harness
from harness import (CLOSED, LiveCase, addresses, ede, exchange_udp, query_message, rcode, zone)
from packets import read_octets
from programs import free_port
from test_rules import ORDER, TRIGGERS, ActionCase, allow_and_block, zones

REAL = "203.0.113.1"
CLIENT4, CLIENT6 = "198.51.100.7", "2001:db8:77::7"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def proxied(client, server, stream):
    """The head that a proxy puts before the client's octets (version 2, command PROXY)."""
    source, target = ipaddress.ip_address(client), ipaddress.ip_address(server)
    kind = (0x10 if source.version == 4 else 0x20) | (1 if stream else 2)
    places = source.packed + target.packed + struct.pack(">HH", 40000, 53)
    return SIGNATURE + struct.pack(">BBH", 0x21, kind, len(places)) + places


def exchange_stream(s, wire):
    """One question over a stream that is open."""
    s.sendall(struct.pack(">H", len(wire)) + wire)
    length = read_octets(s, 2)
    return read_octets(s, struct.unpack(">H", length)[0]) if length else CLOSED


class TransportCase(LiveCase):
    zones = {"test": zone(f"* A {REAL}\n")}

    @classmethod
    def before_start(cls):
        cls.policy.block("evil.test")

    def check(self, ask, endpoint, name):
        """A blocked name, an allowed one resolved, and the same from the cache."""
        for i in range(2):
            self.assert_sinkholed(ask(f"{name}.evil.test"))
            self.assert_passes(ask(f"{name}.test"), REAL)
        self.wait_hits([(endpoint, f"{name}.evil.test", "A", "local-block", "sinkhole", 2)],
                       "name = ?", f"{name}.evil.test")
        self.wait_traffic({"passed": 1, "cached": 1}, f"{name}.test", endpoint)


def certify(folder):
    """A certificate for resolver.test: the file, and what unbound.conf says of it."""
    if not shutil.which("openssl"):
        raise unittest.SkipTest("no openssl to make a certificate with")
    key, pem = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=resolver.test", "-addext", "subjectAltName=DNS:resolver.test",
                    "-keyout", key, "-out", pem], check=True, capture_output=True)
    key.chmod(0o644)
    return pem, f'    tls-service-key: "{key}"\n    tls-service-pem: "{pem}"\n'


def exchange_tls(port, trusted, wires, source):
    """The answers to some questions over one connection, in order."""
    context = ssl.create_default_context(cafile=trusted)
    with socket.create_connection(("127.0.0.1", port), 10, (source, 0)) as plain:
        with context.wrap_socket(plain, server_hostname="resolver.test") as s:
            return [exchange_stream(s, wire) for wire in wires]


class Tls(TransportCase):
    @classmethod
    def prepare(cls):
        cls.port = free_port()
        cls.trusted, text = certify(cls.scratch)
        cls.options = (f"{text}    tls-port: {cls.port}\n"
                       f"    interface: 127.0.0.1@{cls.port}\n")
        super().prepare()

    def exchange(self, wires, source):
        return exchange_tls(self.port, self.trusted, wires, source)

    def ask_tls(self, name, source="127.0.0.8"):
        return dns.message.from_wire(
            self.exchange([query_message(name).to_wire()], source)[0])

    def test_judged_and_recorded(self):
        self.check(self.ask_tls, "127.0.0.8", "tls")

    def test_several_over_one_connection(self):
        names = ["a.evil.test", "free.test", "b.evil.test"]
        wires = [query_message(name).to_wire() for name in names]
        answers = [dns.message.from_wire(a) for a in self.exchange(wires, "127.0.0.9")]
        self.assert_sinkholed(answers[0])
        self.assert_passes(answers[1], REAL)
        self.assert_sinkholed(answers[2])

    def test_what_one_way_stored_the_other_may_not_give(self):
        self.assert_passes(self.ask("later.test"), REAL)
        self.policy.block("=later.test")
        self.assert_sinkholed(self.ask_tls("later.test"))

    def test_dropped(self):
        self.policy.add_list("dropped", ["=drop.test"], action="drop")
        wire = query_message("drop.test").to_wire()
        self.assertEqual([CLOSED], self.exchange([wire], "127.0.0.8"))


class Proxy(TransportCase):
    @classmethod
    def prepare(cls):
        cls.port = free_port()
        cls.options = (f"    proxy-protocol-port: {cls.port}\n"
                       f"    interface: 127.0.0.1@{cls.port}\n"
                       "    access-control: 198.51.100.0/24 allow\n"
                       "    access-control: 2001:db8:77::/48 allow\n")
        super().prepare()

    def ask_udp(self, name, client=CLIENT4):
        """Through the proxy at 127.0.0.1. The answer comes without a head."""
        wire = query_message(name).to_wire()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(10)
            s.sendto(proxied(client, "127.0.0.1" if "." in client else "::1", False) + wire,
                     ("127.0.0.1", self.port))
            return dns.message.from_wire(s.recv(65535))

    def ask_tcp(self, name, client=CLIENT6):
        wire = query_message(name).to_wire()
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall(proxied(client, "127.0.0.1" if "." in client else "::1", True))
            return dns.message.from_wire(exchange_stream(s, wire))

    def test_udp(self):
        self.check(self.ask_udp, CLIENT4, "udp")

    def test_tcp(self):
        self.check(self.ask_tcp, CLIENT6, "tcp")

    def test_two_clients_of_one_proxy(self):
        for client in (CLIENT4, CLIENT6):
            self.assert_sinkholed(self.ask_udp("two.evil.test", client))
        self.wait_hits([(client, "two.evil.test", "A", "local-block", "sinkhole", 1)
                        for client in (CLIENT4, CLIENT6)], "name = 'two.evil.test'")

    def test_decision_id_is_the_clients(self):
        """The id that the client is told is that of its own row."""
        told = ede(self.ask_udp("id.evil.test"))[0][1].split("id ")[1][:8]
        self.wait_rows([(CLIENT4, told)],
                       "SELECT endpoint, decision FROM hits WHERE name = 'id.evil.test'")

    def test_without_the_head(self):
        """Unbound's own matter: such a packet is no question. Nothing of it is recorded."""
        wire = query_message("bare.evil.test").to_wire()
        self.assertIsNone(exchange_udp(wire, ("127.0.0.1", self.port), timeout=0.5))
        self.assert_sinkholed(self.ask_udp("after.evil.test"))
        self.wait_hits([(CLIENT4, "after.evil.test", "A", "local-block", "sinkhole", 1)],
                       "name IN ('bare.evil.test', 'after.evil.test')")


class EveryWay(ActionCase):
    """The table of test_rules.py, trigger by action, over every other transport; each way has an
    endpoint of its own, so what is recorded shows who is taken for the client."""

    zones = zones()
    ENDPOINTS = {"tls": "127.0.0.31", "https": "127.0.0.32", "proxy-udp": "192.0.2.33",
                 "proxy-tcp": "2001:db8:77::34", "mapped": "192.0.2.35"}

    @classmethod
    def prepare(cls):
        if not shutil.which("curl"):
            raise unittest.SkipTest("no curl to ask over HTTPS with")
        cls.tls, cls.https, cls.proxy = free_port(), free_port(), free_port()
        cls.trusted, text = certify(cls.scratch)
        interfaces = "".join(f"    interface: 127.0.0.1@{p}\n"
                             for p in (cls.tls, cls.https, cls.proxy))
        allowed = "".join(f"    access-control: {n} allow\n" for n in (
            "192.0.2.0/24", "2001:db8:77::/48", "::ffff:192.0.2.0/120", "::ffff:127.0.0.0/104"))
        cls.options = (f"{text}    tls-port: {cls.tls}\n    https-port: {cls.https}\n"
                       f"    proxy-protocol-port: {cls.proxy}\n{interfaces}{allowed}")
        super().prepare()

    @classmethod
    def before_start(cls):
        allow_and_block(cls.policy)

    def ask_tls(self, wire, client):
        return exchange_tls(self.tls, self.trusted, [wire], client)[0]

    def ask_https(self, wire, client):
        """RFC 8484, by POST over HTTP/2. CLOSED: there was no answer."""
        done = subprocess.run(
            ["curl", "-sS", "--http2", "--cacert", self.trusted, "--interface", client, "--resolve",
             f"resolver.test:{self.https}:127.0.0.1", "--max-time", "5", "-H",
             "content-type: application/dns-message", "--data-binary", "@-",
             f"https://resolver.test:{self.https}/dns-query"],
            input=wire, capture_output=True, check=False)
        return done.stdout or CLOSED

    def ask_proxy(self, wire, client, stream, drops=False):
        head = proxied(client, "127.0.0.1" if "." in client and ":" not in client else "::1",
                       stream)
        if stream:
            with socket.create_connection(("127.0.0.1", self.proxy), 10) as s:
                s.sendall(head)
                return exchange_stream(s, wire)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.25 if drops else 10)
            s.sendto(head + wire, ("127.0.0.1", self.proxy))
            try:
                return s.recv(65535)
            except TimeoutError:
                return None

    def ask_by(self, way, name, client, drops):
        wire = query_message(name).to_wire()
        if way == "mapped":
            client = f"::ffff:{client}"
        ask = {"tls": self.ask_tls, "https": self.ask_https}.get(way)
        got = ask(wire, client) if ask else \
            self.ask_proxy(wire, client, way == "proxy-tcp", drops)
        return got if got in (None, CLOSED) else dns.message.from_wire(got)

    def test_table(self):
        for way, endpoint in self.ENDPOINTS.items():
            stream = way not in ("proxy-udp", "mapped")
            for trigger in TRIGGERS:
                for n, action in enumerate(ORDER, 1):
                    real = f"198.51.100.{n}" if trigger == "response-ip" else REAL
                    client = f"127.9.9.{n}" if trigger == "client-ip" else endpoint
                    with self.subTest(way=way, trigger=trigger, action=action):
                        self.check(action, self.ask_by(way, f"{trigger}-{action}.test", client,
                                                       action == "drop"), real, stream)
        self.wait_rows(sorted((e, t) for e in self.ENDPOINTS.values()
                              for t in ("cname", "qname", "response-ip")),
                       "SELECT DISTINCT endpoint, trigger FROM hits WHERE name LIKE '%-sinkhole.test'"
                       " AND trigger <> 'client-ip' ORDER BY 1, 2")
        self.assertEqual(0, self.policy.status()["leaked"])


if __name__ == "__main__":
    harness.main()
