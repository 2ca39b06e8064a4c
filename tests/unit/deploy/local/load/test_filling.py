from quasar_core.chain.keys import canonical_hotkey
from sqlalchemy import text
from sqlalchemy.orm import Session

from deploy.local.load.filling import fill
from deploy.local.load.shots import hotkey
from services.api.db.session import Database
from tests.support.postgres import sqlite_template, sqlite_url

TABLES = (
    "submissions",
    "event_log",
    "log_blocks",
    "attempts",
    "challenges",
    "rounds",
)

__all__ = ["sqlite_template", "sqlite_url"]


def test_rounds_are_filled_and_all_but_the_last_are_final(
    sqlite_url,
):
    database = Database(sqlite_url)
    with Session(database.engine) as session:
        assert fill(session, 50, 20) == 3
    with database.read() as session:
        counts = {
            table: session.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in TABLES
        }
        scored = session.scalar(
            text("SELECT count(*) FROM submissions WHERE status = 'scored'")
        )
        statuses = session.scalars(text("SELECT status FROM rounds")).all()
    database.close()
    assert counts == {
        "submissions": 50,
        "event_log": 200,
        "log_blocks": 2,
        "attempts": 50,
        # each round's, one after the other
        "challenges": scored - 3,
        "rounds": 3,
    }
    assert list(statuses) == ["weighed", "weighed", "open"]


def test_every_miner_has_an_address_of_his_own():
    addresses = {hotkey(number) for number in range(200)}
    assert len(addresses) == 200
    assert {canonical_hotkey(each) for each in addresses} == addresses
