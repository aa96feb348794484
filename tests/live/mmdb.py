# SPDX-License-Identifier: BSD-3-Clause
"""Writes small databases of networks and countries in MaxMind's format (IPv4, version 2.0)."""
import ipaddress


def text(value):
    octets = value.encode()
    assert len(octets) < 285
    head = bytes([2 << 5 | len(octets)]) if len(octets) < 29 else bytes([2 << 5 | 29, len(octets) - 29])
    return head + octets


def number(value):
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([6 << 5 | len(octets)]) + octets


def table(pairs):
    return bytes([7 << 5 | len(pairs)]) + b"".join(text(k) + v for k, v in pairs.items())


def write(path, networks):
    """networks: {"192.0.2.0/24": (64496, "KP")}. The file takes the place of an older one at once."""
    nodes, data = [[0, 0]], b""
    for network, (asn, country) in networks.items():
        net, node = ipaddress.ip_network(network), 0
        record = len(data)
        data += table({"autonomous_system_number": number(asn),
                       "country": table({"iso_code": text(country)})})
        for bit in range(net.prefixlen):
            side = int(net.network_address) >> 31 - bit & 1
            if bit == net.prefixlen - 1:
                nodes[node][side] = ("data", record)
            elif nodes[node][side] == 0:
                nodes.append([0, 0])
                nodes[node][side] = len(nodes) - 1
            node = nodes[node][side] if bit < net.prefixlen - 1 else node
    n = len(nodes)

    def record_of(value):
        at = n + 16 + value[1] if isinstance(value, tuple) else value or n
        return at.to_bytes(3, "big")

    tree = b"".join(record_of(side) for node in nodes for side in node)
    facts = table({"binary_format_major_version": number(2), "binary_format_minor_version": number(0),
                   "build_epoch": number(1790000000), "database_type": text("Test"),
                   "ip_version": number(4), "node_count": number(n), "record_size": number(24)})
    fresh = path.with_suffix(".new")
    fresh.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + facts)
    fresh.chmod(0o644)
    fresh.rename(path)
