from queue import Empty
from types import SimpleNamespace

import pytest
from quasar_core.messaging.transport import GatedChannel


class FakeChannel(GatedChannel):
    """A gated channel with its surroundings replaced, and no broker."""

    connection_errors = (ConnectionError,)

    def __init__(self, reply, admit):
        self.delivered = []
        self.disconnects = []
        self.admit = admit
        self._in_poll = "connection"
        self._queue_cycle = SimpleNamespace(rotate=lambda _: None)
        self.connection = SimpleNamespace(
            _deliver=lambda *delivery: self.delivered.append(delivery)
        )
        self.client = SimpleNamespace(
            connection=SimpleNamespace(
                disconnect=lambda: self.disconnects.append(True)
            ),
            parse_response=lambda *_, **__: self._answer(reply),
        )

    @staticmethod
    def _answer(reply):
        if isinstance(reply, Exception):
            raise reply
        return reply

    def __del__(self):
        pass


def test_what_the_gate_admits_is_delivered():
    channel = FakeChannel((b"q", b"raw"), lambda raw: {"was": raw})
    assert channel._brpop_read() is True
    assert channel.delivered == [({"was": b"raw"}, "q")]


def test_what_the_gate_refuses_is_delivered_to_nobody():
    channel = FakeChannel((b"q", b"raw"), lambda _: None)
    with pytest.raises(Empty):
        channel._brpop_read()
    assert channel.delivered == []


def test_no_message_is_asked_for_while_one_is_being_handled():
    channel = FakeChannel((b"q", b"raw"), lambda _: {})
    seen = []
    channel.connection._deliver = lambda *_: seen.append(channel._in_poll)
    channel._brpop_read()
    assert seen == ["connection"]
    assert channel._in_poll is None


def test_an_empty_answer_means_that_nothing_came():
    channel = FakeChannel(None, lambda _: {})
    with pytest.raises(Empty):
        channel._brpop_read()
    assert channel._in_poll is None


def test_a_broken_connection_is_dropped_to_be_made_anew():
    channel = FakeChannel(ConnectionError("gone"), lambda _: {})
    with pytest.raises(ConnectionError):
        channel._brpop_read()
    assert channel.disconnects == [True]
