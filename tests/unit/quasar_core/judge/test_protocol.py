import array
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from quasar_core.judge.protocol import (
    MAGIC,
    REPLY,
    REQUEST,
    Answer,
    Ask,
    CandidateFailed,
    CandidateGone,
    CandidateLate,
    Channel,
    Failure,
    OutOfTurn,
    parse_reply,
    printable,
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


def test_a_frame_of_the_right_size_is_parsed():
    found = parse_reply(reply(b"n" * 16, text=b"hi"))
    assert (found.answer, found.failure, found.text) == (
        Answer.DONE,
        None,
        "hi",
    )


def test_printable_keeps_lines_and_drops_controls():
    assert printable(b"a\n\tb\r\x00\x07") == "a\n\tb\ufffd\ufffd\ufffd"


def test_an_answer_is_taken_awake_and_after_falling_asleep():
    for delay in (0.0, 0.2):
        channel, far = Channel.pair(spin_seconds=0.05)
        with far:
            nonce = channel.send(Ask.CALL, SHAPE)
            answers = threading.Timer(delay, far.send, [reply(nonce)])
            answers.start()
            assert channel.receive(nonce, soon(), lambda: True).nonce == nonce
            answers.join()
        channel.close()
