from quasar_core.errors import Stage

from services.api.db.records import LogRow
from services.api.submissions import repository, views
from tests.support.judged import Worker, play
from tests.support.played import NOW


def test_stages_are_those_of_the_newest_attempt_that_passed_them(
    sqlite_world,
):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    world.record(
        worker.passed(job, Stage.FETCH, 1.0),
        worker.passed(job, Stage.SMOKE, 2.0),
        worker.failed(job),
    )
    world.later(60)
    job = world.take()
    world.record(worker.passed(job, Stage.FETCH, 3.0))
    stages = world.view(job.submission_id)["stages"]
    assert [(s["stage"], s["seconds"]) for s in stages] == [
        ("fetch", 3.0),
        ("smoke", 2.0),
    ]


def test_what_a_miner_claims_is_shown_beside_what_was_measured(sqlite_world):
    world = sqlite_world
    world.register("a")
    claims = {"512": 1e6, "1024": 2.5e6}
    claimed = play(world, "a", tokens_per_sec=9e9, benchmarks=claims)
    view = world.view(claimed)
    assert view["claimed_benchmarks"] == claims
    assert view["claimed_tokens_per_sec"] == 9e9
    assert view["score"]["tokens_per_sec"] == 1024.0
    silent = world.accepted("a", target_sequence_length=500)
    assert world.view(silent)["claimed_benchmarks"] is None


def test_a_log_tail_is_shown_to_its_owner(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    job = world.take()
    world.record(Worker(world.clock).rejected(job))
    with world.database.read() as session:
        row = repository.by_id(session, job.submission_id)
        assert row is not None
        tails = [
            found.rejection.log_tail
            for owner in (True, False)
            if (found := views.verdict(row, for_owner=owner)) is not None
        ]
        (summary,) = views.summaries([row])
        assert views.score(row) is None
    assert tails == ["secret of its owner", ""]
    assert summary.code == "output_mismatch"


def test_a_row_of_the_log_is_told_as_a_move_or_a_stage(sqlite_world):
    world = sqlite_world
    world.register("a")
    world.accepted("a")
    worker, job = Worker(world.clock), world.take()
    world.record(worker.started(job), worker.at(job, Stage.FETCH))
    with world.database.read() as session:
        rows = repository.history(session, job.submission_id, 0)
        told = [views.told(row) for row in rows]
    assert [(t.kind, t.to_status, t.stage) for t in told] == [
        ("moved", "queued", None),
        ("moved", "benchmarking", None),
        ("stage", None, Stage.FETCH),
    ]


def test_only_an_administrators_reason_is_told():
    old = LogRow(
        sequence=3,
        kind="moved",
        actor="worker:w",
        evidence={"outcome": "failed", "reason": "Errno 13"},
        occurred_at=NOW,
    )
    assert views.told(old).evidence == {"outcome": "failed"}
    assert old.evidence["reason"] == "Errno 13"
    order = {"order": "requeue", "reason": "a broken disk"}
    old.actor, old.evidence = "admin:boss", order
    assert views.told(old).evidence == order
