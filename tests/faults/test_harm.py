"""A submission that kills one worker after another, on real processes."""

# pylint: disable=redefined-outer-name

from dataclasses import replace

import pytest
from quasar_core.client.api import QuasarClient
from quasar_core.domain.submissions import Status
from sqlalchemy import func, select

from services.api.db.records import CanaryRun
from tests.faults.arena import CREW, POISON, Arena
from tests.support.postgres import sqlite_template, sqlite_url

__all__ = ["sqlite_template", "sqlite_url"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CANARIES = 3
WORKERS = ("benchmark-1", "benchmark-2")


@pytest.fixture
def arena(tmp_path, sqlite_url):
    environment = dict(CREW.environment) | {"QUASAR_CANARY_SECONDS": "86400"}
    crew = replace(CREW, verifier=0, environment=environment)
    made = Arena(tmp_path / "arena", sqlite_url, crew=crew)
    try:
        made.start()
        yield made
    finally:
        made.close()


def canaries_judged(arena):
    with arena.platform.database.read() as session:
        return session.scalar(select(func.count()).select_from(CanaryRun))


def test_the_second_healthy_worker_that_it_kills_is_its_verdict(arena):
    arena.eventually(
        lambda: canaries_judged(arena) >= CANARIES * len(WORKERS),
        "the canaries before",
    )
    (bad,) = arena.submit(1, begins=POISON)
    arena.eventually(
        lambda: all(
            arena.platform.processes.has_ended(name) for name in WORKERS
        ),
        "both workers are dead",
    )
    arena.revive()
    arena.eventually(
        lambda: arena.statuses([bad])[bad] == Status.REJECTED, "the verdict"
    )
    with QuasarClient(arena.url) as client:
        rejection = client.submission(bad).verdict.rejection
        board = client.canaries()
    assert rejection.code == "harmed_worker"
    assert set(rejection.evidence["workers"].split(", ")) == set(WORKERS)
    assert board.honest_passed.runs == 2 * len(WORKERS)
    assert board.honest_passed.right == board.honest_passed.runs
