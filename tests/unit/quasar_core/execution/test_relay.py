import socket
import threading
import time

import pytest
from quasar_core.execution.gateway import Destinations, Gateway
from quasar_core.execution.relay import Relay

HOST = "127.0.0.1"


@pytest.fixture
def echo():
    """The port of a server that says everything twice."""
    with socket.create_server((HOST, 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                while said := connection.recv(100):
                    connection.sendall(said * 2)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]


@pytest.fixture
def lanes():
    destinations = Destinations((HOST,), ports=None, private=True)
    with Gateway(destinations, 10_000, time.monotonic() + 20) as gateway:
        kept = [socket.dup(each) for each in gateway.inside]
        gateway.handed_over()
        yield kept


def connected(relay):
    return socket.create_connection((HOST, relay.port), 20)


def test_a_target_is_reached_without_asking(lanes, echo):
    with connected(Relay(lanes, f"{HOST}:{echo}")) as wire:
        wire.sendall(b"well")
        assert wire.recv(100) == b"wellwell"


def test_without_a_target_it_is_a_proxy(lanes, echo):
    with connected(Relay(lanes, None)) as wire:
        wire.sendall(f"CONNECT {HOST}:{echo} HTTP/1.1\r\n\r\n".encode())
        assert b" 200 " in wire.recv(100)
        wire.sendall(b"well")
        assert wire.recv(100) == b"wellwell"


def test_a_target_that_is_refused_hangs_up(lanes):
    with connected(Relay(lanes, "example.org:443")) as wire:
        assert wire.recv(100) == b""
