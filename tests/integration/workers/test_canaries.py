"""Canaries on real workers, with sandbox and judge, up to the board."""

# pylint: disable=redefined-outer-name

import json

import pytest
from quasar_core.contracts.events import CanaryCompleted
from quasar_core.messaging.bus import Bus

from tests.support.events import benchmark_requested
from tests.support.waiting import eventually
from tests.support.workers import (
    LENGTH,
    QUICK_JUDGE,
    Recorder,
    change_fork,
    make_fork,
    start_worker,
)

pytestmark = pytest.mark.slow

DAILY = {
    "QUASAR_CANARY_SECONDS": "86400",
    "QUASAR_CANARY_SEQUENCE_LENGTH": str(LENGTH),
}
CANARIES = 3


def judged(recorder):
    return [each for each in recorder.events if type(each) is CanaryCompleted]


def all_judged(recorder):
    return eventually(
        lambda: len(judged(recorder)) >= CANARIES and judged(recorder),
        "the canaries",
        240,
    )


def board_of(world, recorder):
    """The board of an API that has heard all that the worker told."""
    world.record(*recorder.events)
    return world.client.get("/canaries").json()


def test_a_worker_judges_its_canaries_before_any_job(
    tmp_path, redis_url, sqlite_world
):
    fork = tmp_path / "fork"
    make_fork(fork)
    forbidden = change_fork(
        fork, {"fla/ops/quasar/extra.py": b"import subprocess\n"}
    )
    job = benchmark_requested(
        fork_url=f"file://{fork}",
        commit_hash=forbidden,
        sequence_length=LENGTH,
    )
    bus = Bus(redis_url)
    with Recorder(redis_url) as recorder:
        with start_worker(tmp_path, redis_url, **DAILY) as worker:
            bus.publish(job, pool="cpu")
            assert recorder.ending(job, 240).event_name == (
                "submission.rejected"
            )
            told = [event.event_name for event in recorder.events]
            assert told.index("attempt.started") > max(
                at
                for at, name in enumerate(told)
                if name == "canary.completed"
            )
            assert worker.terminate() == 0
        assert "Traceback" not in worker.text
        board = board_of(
            sqlite_world,
            recorder,
        )
        assert board["cheats_caught"] == {"right": 2, "runs": 2}
        assert board["honest_passed"] == {"right": 1, "runs": 1}
        with start_worker(tmp_path, redis_url, **DAILY) as worker:
            worker.wait_for("consumer.started")
            assert worker.terminate() == 0
        assert len(judged(recorder)) == CANARIES
    bus.close()


def test_a_worker_whose_judge_is_broken_sets_itself_aside(
    tmp_path, redis_url, sqlite_world
):
    broken = QUICK_JUDGE | {
        "lock_path": str(tmp_path / "judge.lock"),
        "limits": {"smoke_seconds": 0.001},
    }
    settings = {**DAILY, "QUASAR_JUDGE": json.dumps(broken)}
    with Recorder(redis_url) as recorder:
        with start_worker(tmp_path, redis_url, **settings) as worker:
            assert worker.wait(240) == 1
            assert "worker.quarantined" in worker.text
            assert "canary honest had to be passed" in worker.text
            assert "consumer.started" not in worker.text
        all_judged(recorder)
        board = board_of(sqlite_world, recorder)
        assert board["honest_passed"] == {"right": 0, "runs": 1}
        with start_worker(tmp_path, redis_url, **DAILY) as worker:
            assert worker.wait(60) == 1
            assert "then remove" in worker.text
        assert len(judged(recorder)) == CANARIES


def test_a_verifier_judges_its_canaries_by_their_logits(
    tmp_path, redis_url, sqlite_world
):
    with (
        Recorder(redis_url) as recorder,
        start_worker(
            tmp_path, redis_url, "services.verifier_worker", **DAILY
        ) as worker,
    ):
        assert {
            event.canary.value: str(event.got)
            for event in all_judged(recorder)
        } == {
            "honest": "passed",
            "forgetful": "logits_differ",
            "smuggler": "forbidden_import",
        }
        worker.wait_for("consumer.started")
        assert worker.terminate() == 0
        board = board_of(sqlite_world, recorder)
    assert board["cheats_caught"] == {"right": 2, "runs": 2}
    assert board["honest_passed"] == {"right": 1, "runs": 1}
