#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Captures and dnstap files for the golden tests of `packets`, and a reader of its own.

    captures make         into the folder: ring-1.pcap, ring-2.pcap.gz (later, nanoseconds),
                          cut.pcap (half a packet at its end), empty.pcap, raw.pcap (another link
                          type), dns.dnstap
    captures show FILE    what is in one, a line a packet or frame
"""
import gzip
import ipaddress
import struct
import sys

BEGIN_S = 1795168800  # 2026-11-20T10:00:00Z
SERVER = "192.0.2.53"
CONTENT = b"protobuf:dnstap.Dnstap"


def name(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")) + b"\0"


def message(text, answer=b""):
    flags, n = (0x8180, 1) if answer else (0x0100, 0)
    return struct.pack(">6H", 7, flags, 1, n, 0, 0) + name(text) + b"\0\1\0\1" + answer


def alias(target):
    data = name(target)
    return b"\xc0\x0c\0\5\0\1\0\0\0\x3c" + struct.pack(">H", len(data)) + data


def ip(source, to, protocol, data):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0,
                       ipaddress.ip_address(source).packed,
                       ipaddress.ip_address(to).packed) + data


def udp(source, to, data, ports):
    return ip(source, to, 17, struct.pack(">4H", *ports, 8 + len(data), 0) + data)


def tcp(source, to, ports, seq, flags, data=b""):
    return ip(source, to, 6, struct.pack(">HHIIBBHI", *ports, seq, 0, 0x50, flags, 65535, 0) + data)


def ask(client, text):
    return udp(client, SERVER, message(text), (4000, 53))


def reply(client, text, answer):
    return udp(SERVER, client, message(text, answer), (53, 4000))


def connection(client, text):
    """SYN, SYN+ACK, the query in two segments, FIN."""
    wire = message(text)
    wire = struct.pack(">H", len(wire)) + wire
    ports, back = (4100, 53), (53, 4100)
    return [tcp(client, SERVER, ports, 99, 2), tcp(SERVER, client, back, 499, 18),
            tcp(client, SERVER, ports, 100, 16, wire[:5]),
            tcp(client, SERVER, ports, 105, 16, wire[5:]),
            tcp(client, SERVER, ports, 100 + len(wire), 17)]


def pcap(packets, at_ms, ns=None, link=1):
    """One packet a second."""
    out = struct.pack("<IHHiIII", 0xa1b2c3d4 if ns is None else 0xa1b23c4d, 2, 4, 0, 0, 65535, link)
    ether = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" if link == 1 else b""
    for i, packet in enumerate(packets):
        frame, ms = ether + packet, at_ms + i * 1000
        part = ms % 1000 * 1000 if ns is None else ms % 1000 * 1000000 + ns
        out += struct.pack("<4I", BEGIN_S + ms // 1000, part, len(frame), len(frame)) + frame
    return out


def field(number, data):
    if isinstance(data, int):
        out = b""
        while data >= 0x80:
            out, data = out + bytes([data & 0x7f | 0x80]), data >> 7
        return bytes([number << 3]) + out + bytes([data])
    assert len(data) < 16384
    size = bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 0x7f | 0x80, len(data) >> 7])
    return bytes([number << 3 | 2]) + size + data


def tap(client, text, at_s):
    inner = field(1, 5) + field(4, ipaddress.ip_address(client).packed) + field(6, 4000) + \
        field(8, BEGIN_S + at_s) + field(10, message(text))
    frame = field(15, 1) + field(14, inner)
    return struct.pack(">I", len(frame)) + frame


def make():
    ring = pcap([ask("192.0.2.7", "evil.example"), reply("192.0.2.7", "evil.example", alias("x.example")),
                 ask("192.0.2.8", "good.example"), reply("192.0.2.8", "good.example", alias("cdn.evil.example")),
                 *connection("192.0.2.8", "www.evil.example"),
                 udp("192.0.2.7", SERVER, b"no DNS", (123, 123))], 250)
    later = pcap([ask("192.0.2.7", "portal.example"), ask("2.2.2.2", "other.example")], 60000, 123456)
    start = struct.pack(">5I", 0, 12 + len(CONTENT), 2, 1, len(CONTENT)) + CONTENT
    taps = start + tap("192.0.2.7", "evil.example", 1) + tap("192.0.2.8", "good.example", 2) + \
        struct.pack(">3I", 0, 4, 3)
    for path, octets in {"ring-1.pcap": ring, "ring-2.pcap.gz": gzip.compress(later),
                         "cut.pcap": ring[:-5], "empty.pcap": b"", "dns.dnstap": taps,
                         "raw.pcap": pcap([ask("192.0.2.7", "evil.example")], 0, link=101)}.items():
        with open(path, "wb") as f:
            f.write(octets)


def text_of(wire):
    if len(wire) < 17:
        return "-"
    labels, at = [], 12
    while wire[at]:
        labels.append(wire[at + 1:at + 1 + wire[at]].decode())
        at += 1 + wire[at]
    return ".".join(labels)


def show_packet(seconds, part, digits, packet):
    source, to = (ipaddress.ip_address(packet[i:i + 4]) for i in (12, 16))
    data = packet[20:]
    if packet[9] == 17:
        what = f"udp {text_of(data[8:])}"
    else:
        what = f"tcp flags {data[13]}, {len(data) - 20} octets"
    print(f"{seconds - BEGIN_S}.{part:0{digits}} {source} > {to} {what}")


def show_pcap(data):
    magic, *_, link = struct.unpack("<IHHiIII", data[:24])
    digits, at = (9 if magic == 0xa1b23c4d else 6), 24
    assert magic in (0xa1b23c4d, 0xa1b2c3d4)
    print(f"pcap, link type {link}")
    while at < len(data):
        seconds, part, size, sent = struct.unpack("<4I", data[at:at + 16])
        frame, at = data[at + 16:at + 16 + size], at + 16 + size
        assert len(frame) == size == sent
        show_packet(seconds, part, digits, frame[14:] if link == 1 else frame)


def show_dnstap(data):
    at, ends = 12 + 8 + len(CONTENT), False
    assert data[20:at] == CONTENT
    print("dnstap")
    while at < len(data):
        size, = struct.unpack(">I", data[at:at + 4])
        if size == 0:
            ends, at = data[at + 8:at + 12] == b"\0\0\0\3", at + 12
            continue
        print(f"frame of {size} octets with {text_of(data[data.index(b'R', at) + 2:])}")
        at += 4 + size
    assert ends, "no STOP"


def show(path):
    with open(path, "rb") as f:
        data = f.read()
    if data[:4] == b"\0\0\0\0":
        show_dnstap(data)
    else:
        show_pcap(data)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make()
    else:
        show(sys.argv[2])
