"""Nodes that are none: what answers at the address of a Bittensor node.

Each listens on a real socket, so that the SDK's own client meets it.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

HOST = "127.0.0.1"
Answer = Callable[[str, int], str]
"""(method, id) -> the text that goes back."""


def _url(port: int) -> str:
    return f"ws://{HOST}:{port}"


@contextmanager
def refusing() -> Iterator[str]:
    """Nobody listens there."""
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    yield _url(port)


@contextmanager
def hanging() -> Iterator[str]:
    """The connection opens, and nothing is ever said."""
    with socket.create_server((HOST, 0)) as listener:
        yield _url(listener.getsockname()[1])


@contextmanager
def answering_bytes(answer: bytes) -> Iterator[str]:
    """Whatever is asked, these bytes come back, and the line is cut."""
    with socket.create_server((HOST, 0)) as listener:

        def run() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line:
                    line.recv(4_096)
                    line.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        try:
            yield _url(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A websocket that answers each request with what `answer` makes."""

    def handle(line: ServerConnection) -> None:
        for message in line:
            asked = json.loads(message)
            for request in asked if isinstance(asked, list) else [asked]:
                line.send(answer(request["method"], request["id"]))

    with _websocket(handle) as url:
        yield url


@contextmanager
def hanging_up() -> Iterator[str]:
    """The websocket opens, and is closed at the first request."""

    with _websocket(lambda line: line.recv()) as url:
        yield url


@contextmanager
def _websocket(handle: Callable[[ServerConnection], Any]) -> Iterator[str]:
    def run(line: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            handle(line)

    with serve(run, HOST, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield _url(server.socket.getsockname()[1])
        finally:
            server.shutdown()


def always(result: Any) -> Answer:
    """Every request has this result."""
    return lambda _, number: json.dumps(
        {"jsonrpc": "2.0", "id": number, "result": result}
    )


def refusing_requests(error: Any) -> Answer:
    """Every request has this error, as the protocol has it or not."""
    return lambda _, number: json.dumps(
        {"jsonrpc": "2.0", "id": number, "error": error}
    )
