from services.api.rounds.repository import baselines
from services.api.workers import repository
from tests.support.api import Moment


def test_a_worker_is_one_row_per_role(sqlite_world):
    now = Moment()()
    seen = {"pool": "cpu", "last_seen_at": now, "environment": {}}
    with sqlite_world.database.write() as session:
        for role in ("benchmark", "verifier", "benchmark"):
            repository.note_worker(session, name="w", role=role, **seen)
        rows = repository.all_workers(session)
        assert [(row.name, row.role) for row in rows] == [
            ("w", "benchmark"),
            ("w", "verifier"),
        ]


def test_a_baseline_is_measured_anew(sqlite_world):
    measured = {
        "round_number": 1,
        "worker": "w",
        "sequence_length": 512,
        "samples": [0.5],
        "environment": {},
        "measured_at": Moment()(),
    }
    with sqlite_world.database.write() as session:
        for speed in (1.0, 2.0):
            repository.note_baseline(session, tokens_per_sec=speed, **measured)
        (row,) = baselines(session, 1)
        assert row.tokens_per_sec == 2.0
