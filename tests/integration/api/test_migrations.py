"""Migrations on both engines, on databases with something in them."""

# pylint: disable=redefined-outer-name,protected-access

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from services.api.admin import history
from services.api.db import eventlog, migrate, models, records
from services.api.db.base import Base
from services.api.db.session import Database
from services.api.db.tampering import findings
from tests.support.api import make_world
from tests.support.judged import play
from tests.support.sealed import Seal
from tests.support.wallets import address

TABLES = (models, records)
ORDERS_INDEX = "ix_event_log_ordered"


def rows_of(database):
    """How many rows each table has."""
    with database.engine.connect() as connection:
        return {
            name: connection.scalar(text(f"SELECT count(*) FROM {name}"))
            for name in Base.metadata.tables
        }


def indexes_of(database):
    found = inspect(database.engine).get_indexes("event_log")
    return {index["name"] for index in found}


@pytest.fixture
def database(empty_database_url):
    made = Database(empty_database_url)
    yield made
    made.close()


def test_models_and_migrations_describe_the_same_tables(database):
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_a_database_that_is_not_migrated_says_what_to_do(database):
    with pytest.raises(migrate.NotMigrated, match="quasar api migrate"):
        migrate.check(database)
    migrate.upgrade(database)
    migrate.check(database)
    migrate.upgrade(database)


def test_a_filled_database_goes_back_and_forth(world):
    world.register("a")
    play(world, "a")
    with world.database.write() as session:
        eventlog.append(
            session,
            kind="admin",
            actor=f"admin:{address('boss')}",
            now=world.clock(),
            evidence={"order": "lift", "reason": "a drill"},
        )
    counts = rows_of(world.database)
    migrate.downgrade(world.database, "0005")
    assert ORDERS_INDEX not in indexes_of(world.database)
    migrate.upgrade(world.database)
    assert ORDERS_INDEX in indexes_of(world.database)
    assert rows_of(world.database) == counts
    with world.database.read() as session:
        (told,) = history.orders(session, before=None, limit=9).orders
        assert told.ordered_by == address("boss")
    seals = [Seal("a", salt=f"{n:02}" * 16) for n in range(2)]
    sealed = [seal.committed(world) for seal in seals]
    migrate.downgrade(world.database, "0003")
    migrate.upgrade(world.database)
    assert [world.status(one) for one in sealed] == ["expired"] * 2
    world.scheduler.seal(world.clock())
    migrate.downgrade(world.database, "base")
    left = set(inspect(world.database.engine).get_table_names())
    assert left == {"alembic_version"}
    migrate.upgrade(world.database)
    world.open_round()
    assert world.submit("a").status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event_log SET actor = 'nobody'",
        "DELETE FROM event_log",
        "UPDATE log_blocks SET hash = 'x'",
        "DELETE FROM log_blocks",
    ],
)
def test_the_log_is_only_ever_added_to(world, change):
    world.scheduler.seal(world.clock())
    with (
        pytest.raises(DBAPIError, match="append-only"),
        world.database.engine.begin() as connection,
    ):
        connection.execute(text(change))
    with world.database.read() as session:
        assert list(findings(session)) == []


def test_a_log_that_was_changed_all_the_same_is_found_out(world):
    world.register("a")
    play(world, "a")
    world.scheduler.seal(world.clock())
    world.register("b")
    world.accepted("b")
    world.scheduler.seal(world.clock())
    with world.database.engine.begin() as connection:
        if world.database.is_sqlite:
            connection.execute(text("DROP TRIGGER event_log_no_update"))
        else:
            connection.execute(
                text("DROP TRIGGER event_log_append_only ON event_log")
            )
        connection.execute(
            text("UPDATE event_log SET actor = 'nobody' WHERE sequence = 2")
        )
    with world.database.read() as session:
        assert [str(found) for found in findings(session)] == [
            "row 2 of the log: was changed after block 1 had sealed it"
        ]


def test_nobody_waits_while_a_block_is_made(
    postgres_database_url, tmp_path, monkeypatch
):
    made = eventlog.seal

    def meanwhile(session, *rest):
        with database.write() as other:
            eventlog.append(
                other, kind="moved", actor="test", now=world.clock()
            )
        return made(session, *rest)

    for world in make_world(postgres_database_url, tmp_path):
        database = world.database
        world.open_round()
        monkeypatch.setattr(eventlog, "seal", meanwhile)
        world.scheduler.seal(world.clock())
        with database.read() as session:
            assert eventlog.unsealed(session) == 1
        world.scheduler.seal(world.clock())
        with database.read() as session:
            assert eventlog.unsealed(session) == 1
            assert list(findings(session)) == []
            block = eventlog.newest_block(session)
            assert block is not None
            assert (block.number, block.row_count) == (2, 1)


def test_the_log_has_the_same_hash_on_every_engine(world):
    now = world.clock()
    with world.database.write(sealing=True) as session:
        eventlog.seal(session, now)
    with world.database.write(sealing=True) as session:
        eventlog.append(
            session,
            kind="moved",
            actor="test",
            now=now,
            evidence={"pi": 3.141592653589793, "s": "Grüße\u0000", "n": None},
        )
        eventlog.seal(session, now)
    with world.database.read() as session:
        row = session.get(records.LogRow, 2)
        assert row is not None
        assert eventlog.row_digest(row) == (
            "68cc2d97c93a7706d1bff29688d852648202398e83a3063c0c138427dd17b348"
        )
