"""Books: they must see what is missing, and what is there twice."""

# pylint: disable=redefined-outer-name

from datetime import timedelta
from uuid import uuid4

import pytest
from quasar_core.domain.submissions import Status
from sqlalchemy import select

from deploy.local.pool.books import books_of
from services.api.db import eventlog
from services.api.db.models import Attempt, Submission
from tests.support.api import sqlite_world
from tests.support.judged import play
from tests.support.postgres import sqlite_template, sqlite_url

__all__ = ["sqlite_template", "sqlite_url", "sqlite_world"]


@pytest.fixture
def scored(sqlite_world):
    sqlite_world.register("alice")
    return play(sqlite_world, "alice")


def books(world, *accepted, **options):
    with world.database.read() as session:
        return books_of(session, accepted, **options)


def copied(world, submission_id, **changes):
    with world.database.write() as session:
        row = session.get(Submission, submission_id)
        values = {
            column.name: getattr(row, column.name)
            for column in Submission.__table__.columns
        }
        made = Submission(**{**values, "id": uuid4(), **changes})
        session.add(made)
    return made.id


def test_one_result_for_one_submission_is_right(sqlite_world, scored):
    found = books(sqlite_world, scored)
    assert found.right
    assert (found.accepted, found.attempts) == (1, {"completed": 2})


def test_what_has_no_row_or_no_row_in_the_log_is_lost(sqlite_world, scored):
    nobody = uuid4()
    assert books(sqlite_world, scored, nobody).lost == {nobody}
    unlogged = copied(sqlite_world, scored, commit_hash="b" * 40)
    assert books(sqlite_world, scored, unlogged).lost == {unlogged}


def test_what_is_not_at_its_end_is_lost(sqlite_world, scored):
    sqlite_world.register("bob")
    waits = sqlite_world.accepted("bob")
    assert books(sqlite_world, scored, waits).lost == {waits}
    ends = (Status.SCORED, Status.QUEUED)
    assert books(sqlite_world, scored, waits, ends=ends).right


def test_a_second_result_of_one_job_is_a_duplicate(sqlite_world, scored):
    with sqlite_world.database.write() as session:
        first = session.scalars(select(Attempt)).first()
        session.add(
            Attempt(
                id=uuid4(),
                submission_id=scored,
                kind=first.kind,
                number=2,
                pool="cpu",
                fencing_token="2" * 32,
                state="completed",
                minted_at=first.minted_at + timedelta(seconds=1),
            )
        )
    assert books(sqlite_world, scored).duplicated == {scored}


def test_a_second_score_in_the_log_is_a_duplicate(sqlite_world, scored):
    with sqlite_world.database.write() as session:
        eventlog.append(
            session,
            kind="moved",
            actor="worker:somebody",
            now=sqlite_world.clock(),
            submission_id=scored,
            round_number=1,
            from_status="verifying",
            to_status="scored",
            evidence={},
        )
    assert books(sqlite_world, scored).duplicated == {scored}


def test_one_commit_stored_twice_is_a_duplicate(sqlite_world, scored):
    twin = copied(sqlite_world, scored, status="withdrawn")
    assert books(sqlite_world, scored).duplicated == {scored, twin}
