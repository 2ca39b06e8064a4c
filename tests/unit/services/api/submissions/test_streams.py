from uuid import uuid4

import pytest
from quasar_core.errors import Problem
from starlette.requests import ClientDisconnect

from services.api.submissions.streams import (
    HEARTBEAT,
    Pace,
    Stream,
    Streams,
    read_on,
    tell,
)
from tests.support.judged import play

PACE = Pace(poll_seconds=0.001, heartbeat_seconds=0.0)


def test_there_are_so_many_streams_and_no_more():
    streams = Streams(3, 2)
    with streams.entered("a"), streams.entered("a"):
        with pytest.raises(Problem) as refused:
            streams.check("a")
        assert refused.value.status == 429
        streams.check("b")
        with streams.entered("b"):
            with pytest.raises(Problem) as refused:
                streams.check("c")
            assert refused.value.status == 503
        streams.check("c")
    streams.check("a")
    assert not streams._open


async def test_a_stream_that_is_never_begun_is_not_counted_for_ever():
    async def never():
        raise AssertionError
        yield b""  # pylint: disable=unreachable

    async def gone(*_message):
        raise OSError("the client has gone")

    streams = Streams(1, 1)
    answer = Stream(never(), streams, "a")
    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    with pytest.raises(ClientDisconnect):
        await answer(scope, gone, gone)
    streams.check("a")


def test_a_chapter_has_what_is_new_and_the_next_one_nothing(sqlite_world):
    world = sqlite_world
    world.register("a")
    submission_id = play(world, "a")
    chapter = read_on(world.database, submission_id, 0)
    assert len(chapter.messages) == 6
    assert not chapter.ended
    after = read_on(world.database, submission_id, chapter.last_sequence)
    assert after.messages == ()
    assert after.ended
    assert read_on(world.database, uuid4(), 0).ended


async def collect(world, submission_id, stopping=lambda: False, most=99):
    streams = Streams(1, 1)
    told = []
    stream = tell(
        world.database,
        submission_id,
        0,
        streams=streams,
        pace=PACE,
        stopping=stopping,
    )
    async for message in stream:
        told.append(message)
        if len(told) == most:
            await stream.aclose()
    return told


async def test_a_stream_ends_with_its_submission(sqlite_world):
    sqlite_world.register("a")
    told = await collect(sqlite_world, play(sqlite_world, "a"))
    assert told[-1].startswith(b"event: end")


async def test_a_quiet_stream_says_that_it_lives_and_is_left(sqlite_world):
    sqlite_world.register("a")
    told = await collect(sqlite_world, sqlite_world.accepted("a"), most=4)
    assert told[-1] == HEARTBEAT


async def test_a_stream_ends_when_the_process_stops(sqlite_world):
    sqlite_world.register("a")
    submission_id = sqlite_world.accepted("a")
    told = await collect(sqlite_world, submission_id, lambda: True)
    assert len(told) == 1


async def test_a_stream_ends_when_the_database_is_away(
    sqlite_world, monkeypatch
):
    from services.api.db.session import DatabaseUnavailable

    def away(*_):
        raise DatabaseUnavailable("away")

    sqlite_world.register("a")
    submission_id = sqlite_world.accepted("a")
    monkeypatch.setattr("services.api.submissions.streams.read_on", away)
    assert len(await collect(sqlite_world, submission_id)) == 1
