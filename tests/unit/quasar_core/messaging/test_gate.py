import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.contracts.events import WorkerSeen
from quasar_core.messaging.gate import Gate, NotOurs, Reason
from quasar_core.messaging.wire import seal, signed_bytes

from tests.support.events import worker_seen

EVENTS = {"worker.seen": WorkerSeen}


def message(envelope=None, **changes):
    envelope = envelope or dict(seal(worker_seen()))
    inner = changes.pop("inner", [[], envelope, {"chain": None}])
    whole = {
        "body": base64.b64encode(json.dumps(inner).encode()).decode(),
        "content-type": "application/json",
        "headers": {"task": "worker.seen", "eta": "2999-01-01T00:00:00"},
        "properties": {"body_encoding": "base64", "reply_to": "elsewhere"},
    }
    return json.dumps(whole | changes).encode()


PICKLED = message(**{"content-type": "application/x-python-serialize"})
WORKFLOW = message(inner=[[], {}, {"chain": [{"task": "x"}]}])


def reason_of(raw, **options):
    with pytest.raises(NotOurs) as caught:
        Gate("recording", EVENTS, **options).admit(raw)
    return caught.value.reason


def test_an_event_of_ours_passes_with_its_body_untouched():
    event = worker_seen()
    raw = message(dict(seal(event)))
    admitted = Gate("recording", EVENTS).admit(raw)
    assert admitted["body"] == json.loads(raw)["body"]
    assert admitted["headers"]["task"] == "worker.seen"
    assert admitted["headers"]["id"] == str(event.event_id)


def test_headers_that_celery_would_obey_are_written_anew():
    admitted = Gate("recording", EVENTS).admit(message())
    assert admitted["headers"]["eta"] is None
    assert admitted["properties"]["reply_to"] == ""
    assert admitted["properties"]["delivery_info"] == {
        "exchange": "",
        "routing_key": "recording",
    }


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"\x80\x04\x95garbage", Reason.NOT_JSON),
        (b"[" * 100_000, Reason.NOT_JSON),
        (b"[NaN]", Reason.NOT_JSON),
        (b"[1, 2]", Reason.NOT_A_MESSAGE),
        (b"{}", Reason.CONTENT_TYPE),
        (message(headers=None), Reason.NOT_A_MESSAGE),
        (message(headers={"task": ["worker.seen"]}), Reason.NOT_A_MESSAGE),
        (message(headers={"task": "os.system"}), Reason.UNKNOWN_EVENT),
        (PICKLED, Reason.CONTENT_TYPE),
        (message(properties={}), Reason.CONTENT_TYPE),
        (message(properties=3), Reason.NOT_A_MESSAGE),
        (message(body=17), Reason.NOT_A_MESSAGE),
        (message(body="not base64!"), Reason.NOT_A_MESSAGE),
        (message(body="ü"), Reason.NOT_A_MESSAGE),
        (message(body="bm90IGpzb24="), Reason.NOT_JSON),
        (message(inner={}), Reason.NOT_A_MESSAGE),
        (message(inner=[[1], {}, {}]), Reason.NOT_A_MESSAGE),
        (message(inner=[[], [], {}]), Reason.NOT_A_MESSAGE),
        (WORKFLOW, Reason.NOT_A_MESSAGE),
        (message({"body": {}, "more": 1}), Reason.NOT_A_MESSAGE),
        (message({"body": []}), Reason.NOT_A_MESSAGE),
        (message({"body": {"worker": "w"}}), Reason.INVALID_EVENT),
    ],
)
def test_what_is_not_of_our_making_is_refused_with_its_reason(raw, reason):
    assert reason_of(raw) is reason


def test_a_field_that_nobody_agreed_on_is_refused():
    envelope = dict(seal(worker_seen()))
    envelope["body"] = envelope["body"] | {"admin": True}
    assert reason_of(message(envelope)) is Reason.INVALID_EVENT


def test_a_message_over_the_bound_is_refused_unread():
    assert reason_of(b" " * 101, max_bytes=100) is Reason.TOO_LARGE


def test_what_is_told_of_a_refusal_is_short():
    with pytest.raises(NotOurs) as caught:
        Gate("q", EVENTS).admit(message(headers={"task": "x" * 10_000}))
    assert len(caught.value.detail) == 500


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_but_a_refusal(raw):
    with pytest.raises(NotOurs):
        Gate("recording", EVENTS).admit(raw)


def verify(worker, payload, signature):
    return signature == f"{worker} says {len(payload)}"


def signed(event, worker="worker-1"):
    return dict(seal(event, worker, lambda m: f"{worker} says {len(m)}"))


def test_a_message_signed_by_its_worker_passes():
    gate = Gate("recording", EVENTS, verify)
    assert gate.admit(message(signed(worker_seen())))


def test_an_unsigned_message_is_refused_where_signatures_are_asked_for():
    assert reason_of(message(), verify=verify) is Reason.BAD_SIGNATURE


def test_a_changed_body_is_refused():
    envelope = signed(worker_seen())
    envelope["body"] = envelope["body"] | {"pool": "another"}
    assert reason_of(message(envelope), verify=verify) is (
        Reason.BAD_SIGNATURE
    )


def test_one_worker_cannot_speak_for_another():
    envelope = signed(worker_seen("worker-2"), worker="worker-1")
    assert reason_of(message(envelope), verify=verify) is (
        Reason.BAD_SIGNATURE
    )


def test_the_bytes_that_are_verified_are_those_that_were_signed():
    seen = []
    event = worker_seen()
    envelope = signed(event)

    def remember(worker, payload, signature):
        seen.append((worker, payload, signature))
        return True

    Gate("recording", EVENTS, remember).admit(message(envelope))
    assert seen == [
        (
            "worker-1",
            signed_bytes("worker.seen", "worker-1", envelope["body"]),
            envelope["signature"],
        )
    ]


def test_a_number_that_no_json_carries_is_refused_and_not_signed_over():
    envelope = signed(worker_seen())
    envelope["body"] = envelope["body"] | {"pool": "INFINITE"}
    text = json.dumps([[], envelope, {}]).replace('"INFINITE"', "1e999")
    body = base64.b64encode(text.encode()).decode()
    assert reason_of(message(body=body), verify=verify) is Reason.NOT_JSON
