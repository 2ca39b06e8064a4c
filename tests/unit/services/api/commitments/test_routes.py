import pytest
from quasar_core.domain.commitments import opens
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from services.api.commitments.routes import COMMITMENT, OPENING
from tests.support.sealed import Seal

SOMEBODY = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


def test_the_examples_are_the_published_test_vector():
    commitment = OPENING["commitment_hash"]
    sealed = {k: v for k, v in OPENING.items() if k != "commitment_hash"}
    assert opens(str(commitment), hotkey=SOMEBODY, **sealed)
    assert COMMITMENT["commitment_hash"] == commitment


@pytest.mark.parametrize(
    "other",
    [
        {"salt": "ab" * 15},
        {"salt": "ab" * 65},
        {"salt": "AB" * 16},
        {"salt": "ab" * 15 + "a"},
        {"salt": "ab" * 16 + "\n"},
        {"commitment_hash": "0" * 63},
        {"commitment_hash": "g" * 64},
        {"target_sequence_length": 1e400},
        {"tokens_per_sec": float("nan")},
        {"unknown": 1},
    ],
)
def test_what_could_not_be_sealed_is_refused(sqlite_world, other):
    sqlite_world.register("alice")
    answer = Seal("alice").reveal(sqlite_world, **other)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


def test_what_the_rules_refuse_has_its_own_code(sqlite_world):
    sqlite_world.register("alice")
    seal = Seal("alice")
    for other, code in (
        ({"commit_hash": "main"}, "invalid_commit"),
        ({"fork_url": "http://169.254.169.254/a/b"}, "invalid_url"),
    ):
        answer = seal.reveal(sqlite_world, **other)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_who_is_not_registered_commits_to_nothing(sqlite_world):
    answer = Seal("alice").commit(sqlite_world)
    assert (answer.status_code, answer.json()["code"]) == (
        403,
        "not_registered",
    )


def test_the_log_joins_the_requests_of_a_seal_by_its_submission(
    sqlite_world,
):
    world = sqlite_world
    world.register("alice")
    seal = Seal("alice")
    with capture_logs([merge_contextvars]) as lines:
        committed = seal.commit(world)
        world.blocks(100)
        revealed = seal.reveal(world)
    told = [
        (one["event"], one["submission_id"], one["request_id"])
        for one in lines
        if one["event"] in ("submission.committed", "submission.revealed")
    ]
    submission_id = committed.json()["submission_id"]
    assert told == [
        (event, submission_id, answer.headers["X-Request-ID"])
        for event, answer in (
            ("submission.committed", committed),
            ("submission.revealed", revealed),
        )
    ]
