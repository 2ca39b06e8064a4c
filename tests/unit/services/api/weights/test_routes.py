import json

from prometheus_client import REGISTRY
from quasar_core.domain.rounds import RoundStatus
from quasar_core.telemetry.metrics import WEIGHTS_SET_AT

from services.api.db.models import Round


def test_what_a_validator_reports_is_not_when_we_set_weights(sqlite_world):
    world = sqlite_world
    world.register("v", permit=True)
    with world.database.write() as session:
        session.get(Round, 1).status = RoundStatus.FINALISED
    WEIGHTS_SET_AT.set(7)
    body = json.dumps(
        {
            "round_number": 1,
            "outcome": "set",
            "block": 3,
            "netuid": 24,
            "weights": {"0": 1.0},
        }
    ).encode()
    headers = {
        "Content-Type": "application/json",
        **world.signed("v", "POST", "/weights/reports", body),
    }
    answer = world.client.post(
        "/weights/reports", content=body, headers=headers
    )
    assert answer.status_code == 202
    assert REGISTRY.get_sample_value("quasar_weights_set_at_seconds") == 7


def test_a_report_is_kept_and_its_replay_is_not(sqlite_world):
    world = sqlite_world
    world.register("v", permit=True)
    body = json.dumps(
        {
            "round_number": None,
            "outcome": "skipped",
            "reason": "no round is final",
            "netuid": 24,
        }
    ).encode()
    headers = {
        "Content-Type": "application/json",
        **world.signed("v", "POST", "/weights/reports", body),
    }
    answers = [
        world.client.post("/weights/reports", content=body, headers=headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 409]
    (record,) = world.client.get("/weights").json()["records"]
    assert record["report"]["reason"] == "no round is final"
