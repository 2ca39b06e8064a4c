import socket
import time

import pytest
from quasar_core.execution import gateway
from quasar_core.execution.gateway import (
    Destinations,
    Gateway,
    Refused,
    is_public,
)

HOST = "127.0.0.1"
OURS = Destinations((HOST,), ports=None, private=True)


@pytest.mark.parametrize(
    "address",
    ["140.82.121.3", "1.1.1.1", "2606:50c0:8000::153", "::ffff:1.1.1.1"],
)
def test_the_internet_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "0.0.0.0"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_what_is_not_public_is_not_reached(address):
    assert not is_public(address)


def resolving(monkeypatch, *addresses):
    def resolve(host, port, **_):
        return [(0, 0, 0, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_a_named_host_is_tried_at_the_addresses_it_had(monkeypatch):
    resolving(monkeypatch, "1.1.1.1", "2606:50c0:8000::153")
    found = Destinations(("github.com",)).addresses("GitHub.com", 443)
    assert found == [("1.1.1.1", 443), ("2606:50c0:8000::153", 443)]


@pytest.mark.parametrize(
    ("host", "port"),
    [("example.org", 443), ("github.com", 80), ("github.com", 22)],
)
def test_no_other_host_and_port_is_tried(monkeypatch, host, port):
    resolving(monkeypatch, "1.1.1.1")
    with pytest.raises(Refused) as caught:
        Destinations(("github.com",)).addresses(host, port)
    assert caught.value.status == 403


def test_a_name_that_leads_home_even_once_is_refused(monkeypatch):
    resolving(monkeypatch, "1.1.1.1", "169.254.169.254")
    with pytest.raises(Refused) as caught:
        Destinations(("github.com",)).addresses("github.com", 443)
    assert caught.value.status == 403


def test_a_name_that_is_unknown_is_the_worlds_fault(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(8, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Refused) as caught:
        Destinations(("github.com",)).addresses("github.com", 443)
    assert caught.value.status == 502


@pytest.fixture
def lanes():
    """A gateway with its lanes as sockets, and what it may carry."""
    opened = []

    def opening(destinations=OURS, most_bytes=1000):
        made = Gateway(destinations, most_bytes, time.monotonic() + 20)
        made.__enter__()
        found = [socket.socket(fileno=fd) for fd in map(dup, made.inside)]
        made.handed_over()
        for each in found:
            each.settimeout(20)
        opened.append((made, found))
        return found

    yield opening
    for made, found in opened:
        made.__exit__(None, None, None)
        for each in found:
            each.close()


def dup(descriptor):
    return socket.dup(descriptor)


@pytest.fixture
def server():
    with socket.create_server((HOST, 0)) as made:
        made.settimeout(20)
        yield made


def asking(lane, host, port):
    lane.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return lane.recv(200).split(b" ")[1]


def test_bytes_are_carried_both_ways(lanes, server):
    lane = lanes()[0]
    assert asking(lane, HOST, server.getsockname()[1]) == b"200"
    far, _ = server.accept()
    with far:
        lane.sendall(b"there")
        assert far.recv(100) == b"there"
        far.sendall(b"back")
        assert lane.recv(100) == b"back"
        far.shutdown(socket.SHUT_WR)
        assert lane.recv(100) == b""


def test_no_more_is_carried_than_was_agreed(lanes, server):
    lane = lanes(most_bytes=10)[0]
    assert asking(lane, HOST, server.getsockname()[1]) == b"200"
    far, _ = server.accept()
    with far:
        far.sendall(b"x" * 10_000)
        received = b""
        while chunk := lane.recv(100_000):
            received += chunk
        assert len(received) <= 10


@pytest.mark.parametrize(
    "said",
    [
        b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n",
        b"CONNECT [::1]:80 HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1:80 SMTP\r\n\r\n",
        b"x" * 5000,
    ],
)
def test_nothing_but_a_connection_can_be_asked_for(lanes, said):
    lane = lanes()[0]
    lane.sendall(said)
    assert lane.recv(200).split(b" ")[1] == b"400"


def test_whoever_is_not_on_the_list_hears_nothing(lanes, server):
    lane = lanes(Destinations(("github.com",)))[0]
    assert asking(lane, HOST, server.getsockname()[1]) == b"403"
    server.settimeout(0.1)
    with pytest.raises(TimeoutError):
        server.accept()


def test_a_host_that_does_not_answer_is_the_worlds_fault(lanes, server):
    port = server.getsockname()[1]
    server.close()
    assert asking(lanes()[0], HOST, port) == b"502"


def test_lanes_are_few_and_close_with_the_gateway(server):
    with Gateway(OURS, 1000, time.monotonic() + 20) as made:
        kept = [socket.socket(fileno=dup(each)) for each in made.inside]
    assert len(kept) == gateway.LANES
    for each in kept:
        with each:
            assert each.recv(1) == b""
