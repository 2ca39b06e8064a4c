import json
import os
import socket
import sys

import pytest
from quasar_core.judge.forkserver import preload, receive, serve


@pytest.fixture
def sockets():
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield pair
    for each in pair:
        each.close()


def test_a_request_comes_with_its_descriptors(sockets):
    asking, control = sockets
    told = {
        "scratch": "s",
        "folder": "/",
        "environment": {"A": "1"},
        "modules": ["json"],
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as report:
        reader, writer = os.pipe()
        sent = [reader, writer, writer, report.fileno()]
        socket.send_fds(asking, [json.dumps(told).encode()], sent)
        request = receive(control)
        os.write(request.answers, b"said")
        assert os.read(request.stdin, 4) == b"said"
        assert not os.get_inheritable(request.answers)
        assert (request.scratch, request.environment) == ("s", {"A": "1"})
        request.close()
        request.report.close()
        os.close(reader)
        os.close(writer)


def test_it_ends_where_nobody_can_ask(sockets):
    asking, control = sockets
    asking.close()
    assert serve(control) is None


def test_what_is_missing_is_left_to_the_referee():
    preload(["no_such_module", "colorsys"])
    assert "colorsys" in sys.modules
