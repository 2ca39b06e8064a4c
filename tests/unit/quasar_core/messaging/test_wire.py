import json

import pytest
from quasar_core.messaging.wire import seal, signed_bytes

from tests.support.events import worker_seen


def test_the_envelope_of_an_unsigned_event_holds_its_json_and_no_more():
    event = worker_seen()
    assert seal(event) == {
        "body": json.loads(event.model_dump_json()),
        "worker": None,
        "signature": None,
    }


def test_a_signature_covers_the_name_the_worker_and_the_body():
    signed = []
    event = worker_seen()

    def sign(message):
        signed.append(message)
        return "signed"

    envelope = seal(event, "worker-1", sign)
    assert envelope["signature"] == "signed"
    assert signed == [
        signed_bytes("worker.seen", "worker-1", envelope["body"])
    ]


def test_signed_bytes_outlive_a_journey_as_json():
    body = {"b": 0.1, "a": "ü\ud800", "c": [1, None]}
    there = signed_bytes("x", "w", body)
    back = signed_bytes("x", "w", json.loads(json.dumps(body)))
    assert there == back
    assert there == (
        b'{"body":{"a":"\\u00fc\\ud800","b":0.1,"c":[1,null]},'
        b'"event":"x","worker":"w"}'
    )


def test_what_json_cannot_carry_cannot_be_signed():
    with pytest.raises(ValueError, match="not JSON compliant"):
        signed_bytes("x", "w", {"a": float("nan")})
