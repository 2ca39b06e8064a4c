from pathlib import Path

import pytest
from pydantic import ValidationError

from services.verifier_worker.settings import Settings


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def test_the_reference_model_s_place_has_the_subnet_s_own_name(monkeypatch):
    monkeypatch.setenv("REFERENCE_MODEL", "/models/qwen")
    assert Settings().judging.logits.model_path == Path("/models/qwen")


def test_without_a_model_the_stand_in_is_used():
    assert Settings().judging.logits.model_path is None


def test_how_runs_are_judged_is_one_json_value(monkeypatch):
    monkeypatch.setenv("QUASAR_JUDGE", '{"samples": 4}')
    assert Settings().judging.samples == 4


def test_production_ranks_nothing_on_the_stand_in():
    with pytest.raises(ValidationError, match="QUASAR_REFERENCE_MODEL"):
        Settings(environment="production", sandbox_backend="bubblewrap")


def test_production_with_its_model_is_fine():
    settings = Settings(
        environment="production",
        sandbox_backend="bubblewrap",
        reference_model=Path("/models/qwen"),
    )
    assert settings.judging.logits.model_path == Path("/models/qwen")
