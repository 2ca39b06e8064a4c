"""The sandbox's end of its way out: a port of its own, joined to lanes.

A lane is one stream socket to the gateway outside, good for one connection.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence

CHUNK_BYTES = 64 * 1024
HEAD_BYTES = 4096
END = b"\r\n\r\n"


class Relay:
    """Listens on the loopback; each connection takes the next lane.

    With a `target` ("host:port") the relay asks the gateway for it by
    itself; without, whoever connects speaks to the gateway, as to a proxy.
    """

    def __init__(self, lanes: Sequence[int], target: str | None) -> None:
        self._lanes = [socket.socket(fileno=each) for each in lanes]
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for lane in self._lanes:
            connection, _ = self._listener.accept()
            threading.Thread(
                target=self._join, args=(connection, lane), daemon=True
            ).start()

    def _join(self, connection: socket.socket, lane: socket.socket) -> None:
        with connection, lane, contextlib.suppress(OSError):
            if self._target is None or _opened(lane, self._target):
                splice(connection, lane)


def splice(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both have nothing more to say."""
    back = threading.Thread(target=_carry, args=(other, one), daemon=True)
    back.start()
    _carry(one, other)
    back.join()


def _opened(lane: socket.socket, target: str) -> bool:
    lane.sendall(f"CONNECT {target} HTTP/1.1".encode() + END)
    head = b""
    while END not in head and len(head) < HEAD_BYTES:
        # One at a time: what follows the head is the connection's.
        more = lane.recv(1)
        if not more:
            return False
        head += more
    return head.split(b" ")[1:2] == [b"200"]


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
