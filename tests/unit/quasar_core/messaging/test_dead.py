import json

import redis
from quasar_core.messaging.dead import (
    KEPT_BYTES,
    KEPT_LETTERS,
    DeadLetters,
    dead_queue,
)
from quasar_core.messaging.gate import Reason
from quasar_core.telemetry.metrics import MESSAGES_SET_ASIDE

from tests.support.counters import shown


class FakeRedis:
    def __init__(self, fault=None):
        self.lists = {}
        self.trims = []
        self._fault = fault

    def pipeline(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def lpush(self, name, value):
        self.lists.setdefault(name, []).append(value)

    def ltrim(self, *bounds):
        self.trims.append(bounds)

    def execute(self):
        if self._fault:
            raise self._fault


def test_a_letter_tells_why_and_keeps_the_head_of_the_message():
    client = FakeRedis()
    raw = b"\xff" + b"x" * KEPT_BYTES
    DeadLetters(client, "recording").put(raw, Reason.NOT_JSON, "why")
    (letter,) = client.lists[dead_queue("recording")]
    kept = json.loads(letter)
    assert kept.pop("at")
    assert kept == {
        "reason": "not_json",
        "detail": "why",
        "bytes": KEPT_BYTES + 1,
        "raw": "\\xff" + "x" * (KEPT_BYTES - 1),
    }


def test_the_list_of_letters_is_capped():
    client = FakeRedis()
    DeadLetters(client, "q").put(b"", Reason.TOO_LARGE, "")
    assert client.trims == [("dead.q", 0, KEPT_LETTERS - 1)]


def test_every_reason_is_shown_before_the_first_letter():
    DeadLetters(FakeRedis(), "empty")
    series = shown(MESSAGES_SET_ASIDE)
    for reason in Reason:
        assert series["empty", reason.value] == 0


def test_each_letter_is_counted_even_where_the_broker_is_away():
    counter = MESSAGES_SET_ASIDE.labels("away", "not_json")
    client = FakeRedis(redis.ConnectionError("away"))
    DeadLetters(client, "away").put(b"x", Reason.NOT_JSON, "")
    assert counter._value.get() == 1
