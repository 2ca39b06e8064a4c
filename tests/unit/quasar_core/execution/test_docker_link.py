import os
import socket
import time

import pytest
from quasar_core.execution.docker_launcher import ENDED, READY, receive
from quasar_core.execution.docker_link import Link
from quasar_core.execution.sandbox import SandboxUnavailable


@pytest.fixture
def link(tmp_path):
    made = Link(tmp_path / "socket")
    yield made
    made.close()


@pytest.fixture
def wake():
    descriptor = os.eventfd(0)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def inside(link):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as wire:
        wire.connect(str(link.path))
        yield wire


def soon():
    return time.monotonic() + 10


def test_it_accepts_once_and_is_gone(link, wake, inside):
    assert link.accept(wake, soon()) == os.getpid()
    assert not link.path.exists()
    late = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with late, pytest.raises(FileNotFoundError):
        late.connect(str(link.path))


def test_a_job_travels_with_its_descriptors(link, wake, inside):
    link.accept(wake, soon())
    reader, writer = os.pipe()
    link.hand_over({"argv": ["x" * 300_000]}, [writer])
    os.close(writer)
    job, (received,) = receive(inside)
    assert job == {"argv": ["x" * 300_000]}
    os.write(received, b"through")
    os.close(received)
    assert os.read(reader, 100) == b"through"
    os.close(reader)


def test_whoever_waits_can_be_woken(link, wake):
    os.eventfd_write(wake, 1)
    assert link.accept(wake, soon()) is None


def test_nobody_is_waited_for_longer_than_asked(link, wake):
    assert link.accept(wake, time.monotonic()) is None


@pytest.mark.parametrize(
    ("said", "ready"), [(READY, True), (b"reade", False), (None, False)]
)
def test_a_payload_has_begun_when_its_parent_says_so(
    link, wake, inside, said, ready
):
    link.accept(wake, soon())
    if said is None:
        inside.close()
    else:
        inside.send(said)
    assert link.is_ready(wake, soon()) is ready


@pytest.mark.parametrize(
    ("said", "code"), [(ENDED + b"139", 139), (b"nonsense", None), (b"", None)]
)
def test_an_end_is_what_the_first_process_says(link, wake, inside, said, code):
    link.accept(wake, soon())
    assert link.exit_code() is None
    inside.send(said) if said else inside.close()
    assert link.exit_code() == code


def test_a_wire_that_nobody_took_up_is_told_so(link):
    with pytest.raises(SandboxUnavailable, match="inside"):
        link.hand_over({}, [])


def test_a_place_that_cannot_be_had_leaves_nothing_open(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        Link(tmp_path / "missing" / "socket")
    assert list(tmp_path.iterdir()) == []
