"""The names that the subnet's variables had before mean what they meant."""

import pytest

from services.api.rounds import service
from services.api.settings import Settings


@pytest.fixture
def settings(monkeypatch, tmp_path):
    def read(**environment):
        monkeypatch.chdir(tmp_path)
        given = {
            "QUASAR_DATABASE_URL": f"sqlite:///{tmp_path}/quasar.db",
            "QUASAR_REDIS_URL": "redis://127.0.0.1/0",
            "QUASAR_RECEIVER_HOTKEY": (
                "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
            ),
        }
        for name, value in {**given, **environment}.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return read


def test_a_round_is_judged_by_the_thresholds_of_the_environment(settings):
    frozen = service.frozen(
        settings(
            COSINE_SIM_THRESHOLD="0.97",
            MAX_ABS_DIFF_THRESHOLD="0.25",
            BLOCKS_UNTIL_REVEAL="7",
        )
    )
    assert frozen.cosine_sim_threshold == 0.97
    assert frozen.max_diff_threshold == 0.25
    assert frozen.blocks_until_reveal == 7


def test_a_block_lasts_as_long_as_the_environment_says(settings):
    assert settings().block_seconds == 12.0
    assert settings(BLOCK_TIME_SECONDS="6.5").block_seconds == 6.5
