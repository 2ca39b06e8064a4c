import array
import os
import socket
import time
from pathlib import Path

import pytest
from quasar_core.judge.channel import Channel
from quasar_core.judge.protocol import (
    MAGIC,
    REPLY,
    REQUEST,
    Answer,
    Ask,
    CandidateFailed,
    CandidateGone,
    CandidateLate,
    Failure,
    OutOfTurn,
)
from quasar_core.judge.shapes import CallShape

SHAPE = CallShape(64, initial_state=True)


@pytest.fixture
def wire():
    channel, far = Channel.pair()
    with far:
        yield channel, far
    channel.close()


def reply(nonce, kind=Answer.DONE, code=0, text=b"", length=None):
    size = len(text) if length is None else length
    return REPLY.pack(MAGIC, kind, code, size, nonce, text)


def open_descriptors():
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def soon():
    return time.monotonic() + 5


def test_a_call_carries_its_shape_and_its_descriptor(wire, tmp_path):
    channel, far = wire
    with (tmp_path / "x").open("wb") as file:
        nonce = channel.send(Ask.CALL, SHAPE, 1, [file.fileno()])
        size = os.fstat(file.fileno()).st_ino
    frame, rights, _, _ = far.recvmsg(100, 100)
    fields = REQUEST.unpack(frame)
    assert fields == (MAGIC, Ask.CALL, 1, 0, 1, nonce, 1, 64, 8, 64)
    [descriptor] = array.array("i", rights[0][2])
    assert os.fstat(descriptor).st_ino == size
    os.close(descriptor)


def test_an_answer_with_its_nonce_is_taken(wire):
    channel, far = wire
    nonce = channel.send(Ask.CALL, SHAPE)
    far.send(reply(nonce))
    assert channel.receive(nonce, soon(), lambda: True).answer is Answer.DONE


def test_each_nonce_is_another(wire):
    channel, _ = wire
    assert channel.send(Ask.CALL, SHAPE) != channel.send(Ask.CALL, SHAPE)


@pytest.mark.parametrize(
    "frame",
    [
        b"x",
        b"x" * (REPLY.size + 100),
        b"x" * REPLY.size,
        reply(b"wrong" * 4),
        reply(b"n" * 16, kind=9),
        reply(b"n" * 16, kind=Answer.FAILED, code=77),
        reply(b"n" * 16, length=60_000),
    ],
)
def test_garbage_is_out_of_turn(wire, frame):
    channel, far = wire
    nonce = channel.send(Ask.CALL, SHAPE)
    far.send(frame)
    with pytest.raises(OutOfTurn):
        channel.receive(nonce, soon(), lambda: True)


def test_what_comes_unasked_is_out_of_turn(wire):
    channel, far = wire
    far.send(reply(b"n" * 16))
    with pytest.raises(OutOfTurn):
        channel.send(Ask.CALL, SHAPE)


def test_descriptors_from_a_candidate_are_refused_and_never_ours(wire):
    channel, far = wire
    nonce = channel.send(Ask.CALL, SHAPE)
    before = open_descriptors()
    rights = array.array("i", [0])
    far.sendmsg(
        [reply(nonce)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
    )
    with pytest.raises(OutOfTurn):
        channel.receive(nonce, soon(), lambda: True)
    assert open_descriptors() == before


def test_a_deadline_is_the_referees_own(wire):
    channel, _ = wire
    nonce = channel.send(Ask.CALL, SHAPE)
    with pytest.raises(CandidateLate):
        channel.receive(nonce, time.monotonic() + 0.01, lambda: True)


def test_a_candidate_that_hangs_up_is_gone(wire):
    channel, far = wire
    nonce = channel.send(Ask.CALL, SHAPE)
    far.close()
    with pytest.raises(CandidateGone):
        channel.receive(nonce, soon(), lambda: True)
    with pytest.raises(CandidateGone):
        channel.send(Ask.CALL, SHAPE)


def test_a_dead_process_is_gone_though_a_child_holds_its_socket(wire):
    channel, _ = wire
    nonce = channel.send(Ask.CALL, SHAPE)
    with pytest.raises(CandidateGone):
        channel.receive(nonce, soon(), lambda: False)


def test_a_candidate_that_reads_nothing_is_late(wire):
    channel, _ = wire

    def send_on_and_on():
        for _ in range(10_000):
            channel.send(Ask.CALL, SHAPE)

    with pytest.raises(CandidateLate):
        send_on_and_on()


def test_a_failure_is_told_with_text_that_is_only_text(wire):
    channel, far = wire
    nonce = channel.send(Ask.CALL, SHAPE)
    text = b"ValueError: \x1b[2Jno\xff"
    far.send(reply(nonce, Answer.FAILED, Failure.RUNTIME, text))
    with pytest.raises(CandidateFailed) as caught:
        channel.receive(nonce, soon(), lambda: True)
    assert caught.value.failure is Failure.RUNTIME
    assert caught.value.text == "ValueError: \ufffd[2Jno\ufffd"


@pytest.fixture
def queue():
    """A wire to a candidate on a device."""
    channel, far = Channel.pair(queues=True)
    with far:
        yield channel, far
    channel.close()


def test_a_call_is_queued_and_then_done(queue):
    channel, far = queue
    nonce = channel.send(Ask.CALL, SHAPE)
    far.send(reply(nonce, Answer.QUEUED))
    assert channel.queued(nonce, 5)
    assert channel.queued(nonce, 0)
    far.send(reply(nonce))
    assert channel.receive(nonce, soon(), lambda: True).answer is Answer.DONE


def test_that_a_call_is_queued_may_be_said_late(queue):
    channel, far = queue
    nonce = channel.send(Ask.CALL, SHAPE)
    assert not channel.queued(nonce, 0.01)
    far.send(reply(nonce, Answer.QUEUED))
    channel.expect_silence()
    other = channel.send(Ask.CALL, SHAPE)
    far.send(reply(other, Answer.QUEUED))
    far.send(reply(nonce))
    assert channel.receive(nonce, soon(), lambda: True).nonce == nonce
    assert channel.queued(other, 0)


@pytest.mark.parametrize("kind", [Answer.DONE, Answer.READY])
def test_an_answer_before_the_input_is_out_of_turn(queue, kind):
    channel, far = queue
    nonce = channel.send(Ask.CALL, SHAPE)
    far.send(reply(nonce, kind))
    with pytest.raises(OutOfTurn, match="before there was an input"):
        channel.queued(nonce, 5)


def test_a_call_is_queued_once_and_only_if_it_was_asked_for(queue):
    channel, far = queue
    nonce = channel.send(Ask.CALL, SHAPE)
    for _ in range(2):
        far.send(reply(nonce, Answer.QUEUED))
    with pytest.raises(OutOfTurn, match="not asked for"):
        channel.receive(nonce, soon(), lambda: True)
    far.send(reply(b"n" * 16, Answer.QUEUED))
    with pytest.raises(OutOfTurn):
        channel.expect_silence()


def test_what_has_been_done_is_queued_no_more(queue):
    channel, far = queue
    nonce = channel.send(Ask.CALL, SHAPE)
    far.send(reply(nonce))
    channel.receive(nonce, soon(), lambda: True)
    far.send(reply(nonce, Answer.QUEUED))
    with pytest.raises(OutOfTurn):
        channel.expect_silence()


def test_a_failure_to_launch_is_told_at_once(queue):
    channel, far = queue
    nonce = channel.send(Ask.CALL, SHAPE)
    far.send(reply(nonce, Answer.FAILED, Failure.RUNTIME, b"no"))
    with pytest.raises(CandidateFailed, match="no"):
        channel.queued(nonce, 5)


def test_on_a_processor_nothing_is_queued(wire):
    channel, far = wire
    nonce = channel.send(Ask.CALL, SHAPE)
    assert channel.queued(nonce, 5)
    far.send(reply(nonce, Answer.QUEUED))
    with pytest.raises(OutOfTurn):
        channel.receive(nonce, soon(), lambda: True)


def test_whoever_hangs_up_before_it_is_queued_is_gone(queue):
    channel, far = queue
    nonce = channel.send(Ask.CALL, SHAPE)
    far.close()
    with pytest.raises(CandidateGone):
        channel.queued(nonce, 5)
