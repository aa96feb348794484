#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A receiver of syslog: log_server PATH|tcp|udp N prints where it listens, then N messages, a line each.

TCP messages have their length in front (RFC 6587, section 3.4.1); PATH takes datagrams."""
import socket
import sys

kind, n = sys.argv[1], int(sys.argv[2])
local = "/" in kind
s = socket.socket(socket.AF_UNIX if local else socket.AF_INET,
                  socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.bind(kind if local else ("127.0.0.1", 0))
s.settimeout(20)
if kind == "tcp":
    s.listen()
print(kind if local else s.getsockname()[1], flush=True)
stream = s.accept()[0].makefile("rb") if kind == "tcp" else None
for _ in range(n):
    if stream:
        size = b""
        while (c := stream.read(1)) != b" ":
            size += c
        message = stream.read(int(size))
    else:
        message = s.recv(65536)
    sys.stdout.buffer.write(message + b"\n")
