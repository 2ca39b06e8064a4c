"""What is read most finds its rows by an index, however many there are."""

# pylint: disable=redefined-outer-name

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session, make_transient

from deploy.local.load.filling import fill
from deploy.local.load.shots import hotkey
from services.api.admin import history
from services.api.attempts import estimates
from services.api.attempts import repository as attempts
from services.api.attempts.outlook import outlook
from services.api.challenges import repository as challenges
from services.api.db import eventlog
from services.api.db.session import Database
from services.api.dependencies import utc_now
from services.api.leaderboard import service
from services.api.leaderboard.statistics import statistics, tally
from services.api.rounds import repository as rounds
from services.api.submissions import repository as submissions
from services.api.submissions import usage
from services.api.weights import repository as weights

SUBMISSIONS, PER_ROUND = 3_000, 60
LARGE = ("submissions", "event_log", "attempts", "standings", "challenges")


@pytest.fixture
def filled(postgres_database_url):
    database = Database(postgres_database_url)
    with Session(database.engine) as session:
        number = fill(session, SUBMISSIONS, PER_ROUND)
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("VACUUM ANALYZE"))
    yield database, number
    database.close()


def round_of(session, number):
    row = rounds.by_number(session, number)
    assert row is not None
    return row


def some(session):
    return submissions.listed(session, limit=1)[0]


def queued(submission):
    make_transient(submission)
    submission.status = "queued"
    return submission


def explained(session, number):
    """A miner's place, with all that is read for it."""
    row = round_of(session, number)
    shown = service.standings(session, row)
    session.expunge_all()
    assert service.explanation(session, row, shown, hotkey(3))


DOOR = submissions.Door(hotkey(3), "https://github.com/a/b", "0" * 40, 9)

READS = {
    "board": submissions.scored_in_round,
    "precedence": lambda s, n: service.ranking_of(s, round_of(s, n)),
    "standings": lambda s, n: service.standings(s, round_of(s, n // 2)),
    "of a miner": lambda s, _: submissions.listed(s, hotkey=hotkey(3)),
    "of a round": lambda s, n: submissions.listed(s, round_number=n // 2),
    "newest": lambda s, _: submissions.listed(s),
    "history": lambda s, _: submissions.history(s, some(s).id, 0),
    "attempts": lambda s, _: submissions.attempts_of(s, some(s).id),
    "counts": lambda s, _: submissions.counts_by_status(s),
    "statistics": lambda s, _: statistics(s, utc_now(), 10, tally(s), ()),
    "explanation": lambda s, n: explained(s, n // 2),
    "challenges": lambda s, n: challenges.duels(s, n // 2),
    "orders": lambda s, _: history.orders(s, before=None, limit=9),
    "originals": lambda s, _: rounds.originals_changed(s, "0" * 64, "1M"),
    "queue": lambda s, _: estimates.place_of(s, queued(some(s))),
    "usage": lambda s, n: usage.use_of(s, "cold-3", hotkey(3), "1M", n),
    "door": lambda s, n: submissions.at_the_door(s, DOOR, n),
    "busy": lambda s, _: attempts.busy_workers(s),
    "usual": lambda s, _: attempts.usual_seconds(s),
    "outlook": lambda s, _: outlook(s, 2, utc_now()),
    "log": lambda s, _: eventlog.version(s),
    "unsealed": lambda s, _: eventlog.newest_block(s),
    "weights": lambda s, _: weights.listed(s, hotkey(0), 9),
}


def scans(database, read, number):
    """The tables that a read goes through from end to end."""
    asked = []

    def note(_connection, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    with database.read() as session:
        event.listen(database.engine, "before_cursor_execute", note)
        try:
            read(session, number)
        finally:
            event.remove(database.engine, "before_cursor_execute", note)
        connection = session.connection()
        plans = [
            row[0]
            for statement, parameters in asked
            for row in connection.exec_driver_sql(
                f"EXPLAIN {statement}", parameters
            )
        ]
    assert plans
    return [
        line.strip()
        for line in plans
        if any(f"Seq Scan on {table}" in line for table in LARGE)
    ]


def test_no_read_goes_through_a_whole_table(filled):
    database, number = filled
    found = {
        name: scans(database, read, number) for name, read in READS.items()
    }
    assert found == {name: [] for name in READS}
