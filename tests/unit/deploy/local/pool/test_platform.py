"""The platform of a pool; that it works is what `make faults` shows."""

import json

import pytest
from quasar_core.errors import Stage

from deploy.local.pool.platform import Crew, PoolPlatform
from tests.support.postgres import sqlite_template, sqlite_url

__all__ = ["sqlite_template", "sqlite_url"]


@pytest.fixture
def platform(tmp_path, sqlite_url):
    crew = Crew(benchmark=2, verifier=1, seconds=0.5, stages=[Stage.SMOKE])
    made = PoolPlatform(
        tmp_path, sqlite_url, crew, {"QUASAR_LEASE_SECONDS": "3"}
    )
    yield made
    made.stop()


def test_each_worker_is_a_machine_of_its_own(platform):
    assert platform.workers == ("benchmark-1", "benchmark-2", "verifier-1")
    programs = [platform.program(name) for name in platform.workers]
    for setting in (
        "QUASAR_STATE_DIRECTORY",
        "QUASAR_LOCK_DIRECTORY",
        "QUASAR_WORKER_SEED_FILE",
        "QUASAR_REDIS_URL",
    ):
        assert len({one.environment[setting] for one in programs}) == 3
    assert programs[0].argv[-7:] == (
        *("benchmark", "--seconds", "0.5"),
        *("--poison", "", "--stages", "smoke"),
    )


def test_the_api_knows_the_key_of_each(platform):
    environment = platform.program("recorder").environment
    known = json.loads(environment["QUASAR_WORKER_HOTKEYS"])
    assert set(known) == set(platform.workers)
    assert environment["QUASAR_LEASE_SECONDS"] == "3"
