from contextlib import ExitStack

import pytest
from quasar_core.judge.faults import Patience
from quasar_core.judge.pinned import source_files
from quasar_core.judge.room import Room
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import CallShape, Extent

from tests.support.kernel_sources import HONEST, submission
from tests.support.plain_sandbox import PlainSandbox


@pytest.fixture
def room(tmp_path):
    settings = JudgeSettings(exchange_samples=3, lock_path=tmp_path / "lock")
    return Room(PlainSandbox(), Seeds(bytes(32), "r"), settings, tmp_path)


def test_an_exchange_costs_some_time_and_leaves_nothing_running(room):
    assert 0 < room.exchange_cost(CallShape(64)) < 60
    assert room.sandbox.ended == 1


def test_a_kernel_has_a_seat_until_the_end_of_the_run(room):
    size = Extent.of(CallShape(64))
    with ExitStack() as seats:
        files = source_files(submission(HONEST))
        room.seat(seats, "one", files, size).ready(Patience(60))
        assert (room.folder / "one" / "fla" / "ops" / "quasar").is_dir()
        assert room.sandbox.ended == 0
    assert room.sandbox.ended == 1
