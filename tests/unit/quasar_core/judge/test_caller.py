"""What is asked, shown, answered and read, and in which order."""

import socket
from threading import Thread

import pytest
import torch
from quasar_core.judge import caller
from quasar_core.judge.caller import Caller
from quasar_core.judge.channel import Channel
from quasar_core.judge.exchange import PreparedCall
from quasar_core.judge.protocol import (
    MAGIC,
    REPLY,
    REQUEST,
    Answer,
    Ask,
    OutOfTurn,
)
from quasar_core.judge.shapes import CallShape

SHAPE = CallShape(64)
SECONDS = 5


class Diary:
    """Windows and a timeline that write down what is asked of them."""

    standing, sizes = (), (1, 1)

    def __init__(self, timeline=True):
        self.lines = []
        self.timeline = self if timeline else None

    def note(self, line):
        self.lines.append(line)

    def input(self, shape, sections):
        return Hidden(self, sections[0])

    def order(self, size, chance):
        return [0]

    def clear_caches(self):
        self.note("clears caches")

    def release(self, turn):
        self.note(f"releases {turn}")

    def mark(self):
        self.note("mark")
        return len(self.lines)

    def seconds(self, begun, ended):
        return float(ended - begun)

    def wait(self):
        self.note("waits")


class Hidden:
    travels = ()

    def __init__(self, diary, name):
        self.diary, self.name = diary, name

    def show(self, slot, turn):
        self.diary.note(f"shows {self.name} as {turn} in {slot}")


class Output:
    def __init__(self, diary, slot):
        self.diary, self.slot = diary, slot

    def poison(self, size):
        self.diary.note(f"poisons {self.slot}")

    def read(self, into, size, order):
        self.diary.note(f"reads {self.slot}")


class Seat:
    """A caller, and a candidate that answers each frame with some words."""

    def __init__(self, diary, *words):
        self.diary, self.words = diary, words
        self.channel, self.far = Channel.pair(queues=True)
        outputs = [Output(diary, slot) for slot in range(2)]
        self.caller = Caller(self.channel, outputs, diary)
        self.thread = Thread(target=self.play)
        self.thread.start()

    def play(self):
        for words in self.words:
            nonce = REQUEST.unpack(self.far.recv(REQUEST.size))[5]
            for word in words:
                frame = REPLY.pack(MAGIC, Answer[word], 0, 0, nonce, b"")
                self.far.send(frame)

    def calls(self, names):
        empty = torch.empty(0)
        return [
            PreparedCall(self.diary, SHAPE, [name], empty, None)
            for name in names
        ]

    def answered(self, nonce):
        self.diary.note("answered")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.far.shutdown(socket.SHUT_RDWR)
        self.thread.join(SECONDS)
        self.far.close()
        self.channel.close()


QUEUED = ("QUEUED",)
ALONE = [
    *("poisons 1", "clears caches", "mark", "shows x as 1 in 1", "reads 1"),
    *("mark", "answered", "releases 1", "waits"),
]


def test_a_call_is_queued_whole_between_two_marks_of_the_device():
    diary = Diary()
    with Seat(diary, QUEUED) as seat:
        [call] = seat.calls("x")
        seconds = seat.caller.alone(call, Ask.CALL, seat.answered)
    assert diary.lines == ALONE
    assert seconds == 3.0


def test_who_does_not_queue_gets_x_all_the_same(monkeypatch):
    monkeypatch.setattr(caller, "QUEUE_SECONDS", 0.01)
    diary = Diary()
    with Seat(diary, ()) as seat:
        [call] = seat.calls("x")
        seat.caller.alone(call, Ask.CALL, seat.answered)
    assert diary.lines == ALONE


def test_a_run_is_queued_whole_before_the_first_x_is_shown():
    diary = Diary()
    with Seat(diary, QUEUED, QUEUED, QUEUED) as seat:
        seat.caller.in_a_row(seat.calls("xyz"), seat.answered)
    assert diary.lines == [
        "mark",
        *("shows x as 1 in 1", "reads 1"),
        *("shows y as 2 in 0", "reads 0"),
        *("shows z as 3 in 1", "reads 1"),
        *("mark", *["answered"] * 3, "releases 3", "waits"),
    ]


def test_what_waits_on_the_device_is_released_whatever_happens():
    diary = Diary()

    def gone(nonce):
        raise ConnectionError(nonce)

    with (
        Seat(diary, QUEUED, QUEUED) as seat,
        pytest.raises(ConnectionError),
    ):
        seat.caller.in_a_row(seat.calls("xy"), gone)
    assert diary.lines[-2:] == ["releases 2", "waits"]


def test_an_answer_before_there_is_an_input_is_out_of_turn(monkeypatch):
    diary = Diary()
    with Seat(diary, ("QUEUED", "DONE")) as seat:
        queued = seat.channel.queued

        def and_a_little_later(nonce, seconds):
            found = queued(nonce, seconds)
            seat.thread.join(SECONDS)
            return found

        monkeypatch.setattr(seat.channel, "queued", and_a_little_later)
        [call] = seat.calls("x")
        with pytest.raises(OutOfTurn):
            seat.caller.alone(call, Ask.CALL, seat.answered)
    assert diary.lines == ["poisons 1"]


@pytest.mark.parametrize(
    ("timeline", "ask"), [(False, Ask.CALL), (True, Ask.NOTHING)]
)
def test_what_is_not_queued_is_asked_answered_and_read(timeline, ask):
    diary = Diary(timeline)
    with Seat(diary, ()) as seat:
        [call] = seat.calls("x")
        assert seat.caller.alone(call, ask, seat.answered) > 0
    assert diary.lines == [
        *("poisons 1", "clears caches", "answered", "reads 1"),
    ]
