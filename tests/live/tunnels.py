# SPDX-License-Identifier: BSD-3-Clause
"""Tunnel programs of Debian, both ends of each: iodine carries packets, dns2tcp one connection. Their
servers are authoritative on a port of loopback, unprivileged and in a folder of their own; their
clients know port 53 only. An echo at the far end tells what came through."""
import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import threading
import time

from programs import Process, USER, free_port, owned, wait_until

CLONE_NEWNET, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x40000000, 0x400454ca, 1, 0x1000
CHUNK = 400  # octets that are on their way at a time


def missing(*programs):
    """The first of these that is not installed, or None."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return next((p for p in programs if not shutil.which(p, path=path)), None)


def why_no_packets():
    """What this machine lacks for a tunnel of packets between two hosts; None: nothing."""
    if lacks := missing("iodine", "iodined", "ip", "unshare", "nsenter"):
        return f"{lacks} is not installed"
    try:
        with open("/dev/net/tun", "r+b", buffering=0) as tun:
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"sekprobe%d", IFF_TUN | IFF_NO_PI))
    except OSError as error:
        return f"no tun device: {error}"
    done = subprocess.run(["unshare", "-n", "true"], capture_output=True, text=True)
    return done.stderr.strip() or None


def tool(*argv):
    subprocess.run(argv, check=True, capture_output=True, text=True)


NETS = "198.18.0.0/15"  # for tests between devices (RFC 2544)


def free_net():
    """Number and first three octets of a net of these that nobody uses here."""
    for number in range(os.getpid(), os.getpid() + 512):
        net = f"198.{18 + number // 256 % 2}.{number % 256}"
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as probe:
            probe.bind((f"{net}.1", 0))
            continue
        return number, net
    raise AssertionError(f"no free net in {NETS}")


class Endpoint:
    """A host of its own: a network namespace, and a cable from it to us."""

    def __init__(self, folder):
        self.number, net = free_net()
        self.address, self.gateway = f"{net}.2", f"{net}.1"
        self.tunnel = f"{net}.129"  # the server's end
        ours, theirs = f"sek{self.number}a", f"sek{self.number}b"
        self.cable = ours
        self.process = Process(["unshare", "-n", "sleep", "300"], folder / "endpoint.log")
        self.space = f"/proc/{self.process.pid}/ns/net"
        wait_until(lambda: os.readlink(self.space) != os.readlink("/proc/self/ns/net"),
                   "the namespace")
        tool("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns",
             str(self.process.pid))
        tool("ip", "address", "add", f"{self.gateway}/30", "dev", ours)
        tool("ip", "link", "set", ours, "up")
        for words in (("link", "set", "lo", "up"),
                      ("address", "add", f"{self.address}/30", "dev", theirs),
                      ("link", "set", theirs, "up")):
            tool(*self.inside("ip", *words))

    def inside(self, *argv):
        return ["nsenter", f"--net={self.space}", *argv]

    def socket(self):
        """A TCP socket of that host."""
        made = []

        def make():
            with open(self.space, encoding="ascii") as space:
                if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET) == 0:
                    made.append(socket.socket())

        thread = threading.Thread(target=make)  # only that thread moves there
        thread.start()
        thread.join()
        return made[0]

    def stop(self):
        """The space itself may live on with connections that nobody closed."""
        tool("ip", "link", "delete", self.cable)
        self.process.stop()


class Echo:
    """Sends back what it gets. octets: so many came."""

    def __init__(self, address="127.0.0.1"):
        self.octets = 0
        self.listener = socket.create_server((address, 0))
        self.address, self.port = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._echo, args=(self.listener.accept()[0],),
                                 daemon=True).start()

    def _echo(self, connection):
        with contextlib.suppress(OSError), connection:
            while octets := connection.recv(4096):
                self.octets += len(octets)
                connection.sendall(octets)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Transfer:
    """Sends random octets through a connection and takes them back, until it is stopped.
    back: so many came back."""

    def __init__(self, connect):
        self.back, self.end = 0, threading.Event()
        self.thread = threading.Thread(target=self._run, args=(connect,), daemon=True)
        self.thread.start()

    def _run(self, connect):
        while not self.end.wait(0.05):
            with contextlib.suppress(OSError), connect() as connection:
                connection.settimeout(0.2)
                self._exchange(connection)

    def _exchange(self, connection):
        due = 0
        while not self.end.is_set():
            if due == 0:
                connection.sendall(os.urandom(CHUNK))
                due = CHUNK
            try:
                got = len(connection.recv(4096))
            except TimeoutError:
                continue
            if got == 0:
                return
            due -= got
            self.back += got

    def wait_back(self, octets):
        begin = self.back
        wait_until(lambda: self.back - begin >= octets,
                   lambda: f"{octets} octets back; there came {self.back - begin}")

    def wait_still(self, seconds):
        """Until nothing comes for so long."""
        seen = [self.back, time.monotonic()]

        def is_still():
            if self.back != seen[0]:
                seen[:] = self.back, time.monotonic()
            return time.monotonic() - seen[1] >= seconds

        wait_until(is_still, "the end of the transfer")

    def stop(self):
        self.end.set()
        self.thread.join(5)


class Dns2tcp:
    """One connection, in TXT records."""

    def __init__(self, folder, domain, echo):
        self.folder, self.domain, self.port, self.client = folder, domain, free_port(), None
        owned(folder)
        (folder / "conf").write_text(f"""listen = 127.0.0.1
port = {self.port}
user = {USER or os.environ.get("USER", "")}
chroot = {folder}
domain = {domain}
resources = echo:{echo.address}:{echo.port}
""")
        self.server = Process(["dns2tcpd", "-F", "-d", "1", "-f", str(folder / "conf")],
                              folder / "server.log")

    def join(self, resolver):
        """The client, with the resolver at an address's port 53."""
        self.local = free_port()
        self.client = Process(["dns2tcpc", "-z", self.domain, "-r", "echo", "-l", str(self.local),
                               "-d", "1", resolver], self.folder / "client.log")

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.local), timeout=1)

    def leave(self):
        if self.client:
            self.client.stop()

    def stop(self):
        self.leave()
        self.server.stop()


class Iodine:
    """Packets, in NULL records."""

    def __init__(self, folder, domain, endpoint):
        self.folder, self.domain, self.port, self.client = folder, domain, free_port(), None
        self.endpoint, self.echo = endpoint, None
        device = f"seki{endpoint.number}"
        folder.mkdir()
        owned(folder / "root")
        self.server = Process(["iodined", "-f", "-c", "-P", "secret", "-u", USER, "-t",
                               str(folder / "root"), "-l", "127.0.0.1", "-p", str(self.port), "-d",
                               device, f"{endpoint.tunnel}/25", domain],
                              folder / "server.log")
        wait_until(lambda: "Listening to dns" in self.server.text() or not self.server.alive(),
                   "iodined")
        if not self.server.alive():
            raise AssertionError("iodined: " + self.server.text())
        self.echo = Echo(endpoint.tunnel)

    def join(self, resolver):
        self.client = Process(self.endpoint.inside(
            "iodine", "-f", "-r", "-P", "secret", "-u", USER, "-t", str(self.folder / "root"), "-d",
            "sektun", "-T", "NULL", "-m", "700", resolver, self.domain),
            self.folder / "client.log")

    def connect(self):
        connection = self.endpoint.socket()
        connection.settimeout(1)
        try:
            connection.connect((self.echo.address, self.echo.port))
        except OSError:
            connection.close()
            raise
        return connection

    def leave(self):
        if self.client:
            self.client.stop()

    def stop(self):
        self.leave()
        if self.echo:
            self.echo.stop()
        self.server.stop()
