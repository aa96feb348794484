#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Clients of `sekisho metrics --listen`, good and bad: scrape_clients PORT."""
import contextlib
import re
import socket
import sys
import time

PORT = int(sys.argv[1])


def connect():
    s = socket.create_connection(("127.0.0.1", PORT), timeout=20)
    return s


def ask(octets, s=None, half_close=False):
    """What comes back until the other side closes."""
    s = s or connect()
    with contextlib.suppress(OSError):
        s.sendall(octets)
        if half_close:
            s.shutdown(socket.SHUT_WR)
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := s.recv(65536):
            got += part
    s.close()
    return got


def status(got):
    return got.split(b"\r\n")[0].decode("ascii", "replace") or "closed"


def check_good():
    got = ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    head, body = got.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
    assert length == len(body) and body.endswith(b"\n") and b"sekisho_up" in body
    return status(got)


GOOD = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
print("get:", check_good())
print("1.0:", status(ask(b"GET /metrics HTTP/1.0\r\n\r\n")))
print("query:", status(ask(b"GET /metrics?a=b HTTP/1.1\r\n\r\n")))
print("two at once:", ask(GOOD + GOOD).count(b"HTTP/1.1 200"))
for label, octets in {
        "post": b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        "head": b"HEAD /metrics HTTP/1.1\r\n\r\n",
        "other path": b"GET / HTTP/1.1\r\n\r\n",
        "way up": b"GET /metrics/../../etc/passwd HTTP/1.1\r\n\r\n",
        "absolute": b"GET http://x/metrics HTTP/1.1\r\n\r\n",
        "no version": b"GET /metrics\r\n\r\n",
        "other version": b"GET /metrics HTTP/2.0\r\n\r\n",
        "blanks": b"GET  /metrics  HTTP/1.1\r\n\r\n",
        "nul": b"GET /metrics\0 HTTP/1.1\r\n\r\n",
        "empty line": b"\r\n\r\n",
        "binary": bytes(range(256)) + b"\r\n\r\n",
        "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300 + b"\r\n\r\n",
        "long line": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
        "many headers": b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 2000 + b"\r\n",
        "half": b"GET /metr"}.items():
    print(f"{label}:", status(ask(octets, half_close=label == "half")))

# Slow ones fill all places: they are put off in time, and a good one is served then.
begin = time.monotonic()
slow = [connect() for _ in range(18)]
for s in slow[:9]:
    s.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
deaf = connect()  # asks, and never reads
deaf.sendall(GOOD)
print("behind slow ones:", check_good(), "within 16 s" if time.monotonic() - begin < 16 else "late")
for s in slow:
    s.close()
deaf.close()
# Whoever goes away at once does no harm.
for _ in range(200):
    connect().close()
print("after all:", check_good())
