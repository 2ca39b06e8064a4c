"""The one way out of a sandbox that fetches: named hosts, at public addresses.

It understands a single line of what the sandbox says, and nothing of what
comes back: TLS is spoken inside.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

LANES = 6
"""Connections of one fetch, at the most."""
HEAD_BYTES = 4096
CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 15.0
JOIN_SECONDS = 1.0
CLOSED = b"\r\n\r\n"
REQUEST = re.compile(rb"CONNECT ([A-Za-z0-9.-]{1,253}):(\d{1,5}) HTTP/1\.[01]")
EMBEDDING = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("2001::/32"),
)
"""IPv6 addresses in which an address of another kind is hidden."""


class Refused(Exception):
    """A connection that is not made; its number is the answer's."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Destinations:
    """Where may be connected to.

    `ports` None allows any; `private` allows this host's own networks, in
    tests alone.
    """

    hosts: Sequence[str]
    ports: Sequence[int] | None = (443,)
    private: bool = False

    def addresses(self, host: str, port: int) -> list[tuple[str, int]]:
        """The addresses to try; raises Refused.

        They are resolved once and connected to as they are: a name that
        answers otherwise the next time gains nothing.
        """
        allowed = host.lower() in self.hosts
        if not allowed or (self.ports is not None and port not in self.ports):
            raise Refused(403, "not a host to fetch from")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Refused(502, "the name cannot be resolved") from error
        addresses = [str(each[4][0]) for each in found]
        if not self.private and not all(map(is_public, addresses)):
            raise Refused(403, "the name leads into a private network")
        return [(each, port) for each in addresses]


def is_public(address: str) -> bool:
    """Whether an address is one of the internet at large."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        parsed = mapped
    hidden = any(
        parsed in network
        for network in EMBEDDING
        if network.version == parsed.version
    )
    return parsed.is_global and not parsed.is_multicast and not hidden


class Gateway:
    """Lanes for one sandbox; `inside` are the ends to hand over."""

    def __init__(
        self, destinations: Destinations, most_bytes: int, deadline: float
    ) -> None:
        self._destinations = destinations
        self._left = most_bytes
        self._deadline = deadline
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._ends: list[socket.socket] = []

    @property
    def inside(self) -> tuple[int, ...]:
        """The descriptors for the sandbox."""
        return tuple(each.fileno() for each in self._ends)

    def __enter__(self) -> Self:
        for _ in range(LANES):
            near, far = socket.socketpair()
            self._ends.append(far)
            self._open.append(near)
            thread = threading.Thread(
                target=self._serve, args=(near,), name="lane", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        return self

    def handed_over(self) -> None:
        """Forget the sandbox's ends: it has them now."""
        for each in self._ends:
            each.close()

    def __exit__(self, *_: object) -> None:
        self.handed_over()
        with self._lock:
            self._left = 0
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def _serve(self, lane: socket.socket) -> None:
        with lane, contextlib.suppress(OSError):
            try:
                far = self._connect(lane)
            except Refused as refused:
                lane.sendall(_line(refused.status, str(refused)))
                return
            if far is None:
                return
            with far:
                lane.sendall(_line(200, "Connection established"))
                self._splice(lane, far)

    def _connect(self, lane: socket.socket) -> socket.socket | None:
        head = b""
        while CLOSED not in head:
            chunk = lane.recv(HEAD_BYTES)
            if not chunk:
                return None
            head += chunk
            if len(head) > HEAD_BYTES:
                raise Refused(400, "too long a request")
        asked = REQUEST.match(head)
        if asked is None:
            raise Refused(400, "not a request for a connection")
        host, port = asked[1].decode().lower(), int(asked[2])
        for address in self._destinations.addresses(host, port):
            with contextlib.suppress(OSError):
                far = socket.create_connection(address, CONNECT_SECONDS)
                with self._lock:
                    self._open.append(far)
                return far
        raise Refused(502, "the host does not answer")

    def _splice(self, lane: socket.socket, far: socket.socket) -> None:
        for each in (lane, far):
            each.settimeout(max(0.1, self._deadline - time.monotonic()))
        out = threading.Thread(
            target=_carry, args=(lane, far, self._spend), daemon=True
        )
        out.start()
        _carry(far, lane, self._spend)
        out.join()

    def _spend(self, count: int) -> bool:
        with self._lock:
            self._left -= count
            return self._left >= 0


def _carry(
    source: socket.socket, sink: socket.socket, spend: Callable[[int], bool]
) -> None:
    with contextlib.suppress(OSError):
        while (chunk := source.recv(CHUNK_BYTES)) and spend(len(chunk)):
            sink.sendall(chunk)
    # Where one way ended before its time, so does the other.
    for each, way in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with contextlib.suppress(OSError):
            each.shutdown(way)


def _line(status: int, reason: str) -> bytes:
    return f"HTTP/1.1 {status} {reason}".encode() + CLOSED
