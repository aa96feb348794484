# SPDX-License-Identifier: BSD-3-Clause
"""Questions and answers on the wire, octet by octet where it matters."""
import socket
import struct
import sys
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype


def exchange_udp(wire, server, source=None, timeout=5.0):
    """The answer's octets, or None. Only packets with the query's id count."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        if source:
            s.bind((source, 0))
        end = time.monotonic() + timeout
        try:
            s.connect(server)
            s.send(wire)
            while True:
                s.settimeout(max(0.001, end - time.monotonic()))
                answer = s.recv(65535)
                if answer[:2] == wire[:2]:
                    return answer
        except (TimeoutError, ConnectionRefusedError):
            return None


def read_octets(s, n):
    octets = b""
    while len(octets) < n:
        more = s.recv(n - len(octets))
        if not more:
            return None
        octets += more
    return octets


CLOSED = "closed"  # the server closed the connection without an answer


def exchange_tcp(wire, server, source=None, timeout=5.0):
    """The answer's octets, CLOSED, or None after the time-out."""
    try:
        with socket.create_connection(server, timeout, (source, 0) if source else None) as s:
            s.sendall(struct.pack(">H", len(wire)) + wire)
            length = read_octets(s, 2)
            answer = length and read_octets(s, struct.unpack(">H", length)[0])
            return answer or CLOSED
    except ConnectionResetError:
        return CLOSED
    except TimeoutError:
        return None


def question_octets(wire):
    """The question section as it stands on the wire, which keeps the spelling (0x20)."""
    at = 12
    while wire[at]:
        at += 1 + wire[at]
    return wire[12:at + 5]


def query_message(name, rdtype="A", rdclass="IN", edns=True, do=False, cd=False, ad=False, rd=True):
    query = dns.message.make_query(name, rdtype, rdclass)
    query.flags = (dns.flags.RD if rd else 0) | (dns.flags.CD if cd else 0) | (
        dns.flags.AD if ad else 0)
    if edns or do:
        query.use_edns(0, dns.flags.DO if do else 0, 1232)
    else:
        query.use_edns(False)
    return query


ATTEMPTS, ATTEMPT_S = 3, 6.0  # as a stub resolver; a second one is told, since it hints at trouble


def ask(server, name, rdtype="A", *, tcp=False, source=None, timeout=None, **options):
    """One question to (address, port). Returns the message, None for silence, or CLOSED (TCP).
    With a time-out it is asked only once."""
    wire = query_message(name, rdtype, **options).to_wire()
    for attempt in range(1 if timeout else ATTEMPTS):
        if attempt:
            print(f"no answer to {name} {rdtype} within {ATTEMPT_S} s, asking again",
                  file=sys.stderr)
        answer = (exchange_tcp if tcp else exchange_udp)(wire, server, source, timeout or ATTEMPT_S)
        if answer is not None:
            break
    if answer is None or answer == CLOSED:
        return answer
    if question_octets(answer) != question_octets(wire):
        raise AssertionError(f"{name}/{rdtype}: the question came back changed: "
                             f"{question_octets(wire)!r} {question_octets(answer)!r}")
    return dns.message.from_wire(answer)


def ede(message):
    """(code, text) of each Extended DNS Error."""
    return [(int(o.code), o.text or "") for o in message.options
            if isinstance(o, dns.edns.EDEOption)]


def records(section):
    """The records as (owner, TTL, type, data), in order."""
    return [(r.name.to_text(), r.ttl, dns.rdatatype.to_text(r.rdtype), d.to_text())
            for r in section for d in r]


def addresses(message):
    """The addresses of an answer."""
    return sorted(d for _, _, t, d in records(message.answer) if t in ("A", "AAAA"))


def flags(message):
    return dns.flags.to_text(message.flags).split()


def rcode(message):
    return dns.rcode.to_text(message.rcode())


def notation(name):
    """A dns.name.Name as a list writes it, each unusual octet as \\DDD."""
    def octet(o):
        plain = chr(o) in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
        return chr(o) if plain else f"\\{o:03d}"
    return ".".join("".join(map(octet, label)) for label in name.labels if label)
