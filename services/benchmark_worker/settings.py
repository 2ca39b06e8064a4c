"""Settings of the benchmark worker."""

from __future__ import annotations

from functools import partial

from pydantic import Field
from quasar_core.contracts.values import WorkerName
from quasar_core.judge.settings import JudgeSettings
from quasar_core.worker.settings import WorkerSettings, name_on_host


class Settings(WorkerSettings):
    """What a benchmark worker reads from its environment."""

    worker_name: WorkerName = Field(
        default_factory=partial(name_on_host, "benchmark"),
        description="Unique among the workers; the API knows its key by it.",
    )
    git_schemes: tuple[str, ...] = Field(
        default=("https",),
        description="How forks may be fetched; `file` in demos and tests.",
    )
    git_hosts: tuple[str, ...] = Field(
        default=("github.com", "gitlab.com", "codeberg.org"),
        description="From where forks may be fetched.",
    )
    fetch_seconds: float = Field(
        default=60.0, gt=0, description="How long fetching a fork may take."
    )
    canary_sequence_length: int = Field(
        default=1_024,
        gt=0,
        description=(
            "The length that canaries are timed at; they are checked at"
            " every length that a submission is."
        ),
    )
    judge: JudgeSettings = Field(
        default=JudgeSettings(),
        description="How runs are judged, as JSON; the pool's rounds name it.",
    )
