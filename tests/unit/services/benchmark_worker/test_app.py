"""What a benchmark worker joins before it takes jobs."""

import pytest
from quasar_core.judge.settings import JudgeSettings

from services.benchmark_worker import app
from services.benchmark_worker.settings import Settings


@pytest.mark.parametrize(
    ("profile", "watched"), [("gpu", ["worker-1"]), ("cpu", [])]
)
def test_a_worker_shows_the_gpu_that_it_judges_on(
    profile, watched, monkeypatch
):
    shown = []
    monkeypatch.setattr(app, "watch_gpu", shown.append)
    monkeypatch.setattr(app, "serve_with", lambda *_: None)
    monkeypatch.setattr(app, "tools_of", lambda *_: None)
    settings = Settings(
        worker_name="worker-1", judge=JudgeSettings(profile=profile)
    )
    app.serve(None, settings)
    assert shown == watched
