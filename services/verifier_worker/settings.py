"""Settings of the verifier worker."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Self

from pydantic import AliasChoices, Field, model_validator
from quasar_core.contracts.values import WorkerName
from quasar_core.judge.settings import JudgeSettings
from quasar_core.worker.settings import WorkerSettings, name_on_host


class Settings(WorkerSettings):
    """What a verifier worker reads from its environment."""

    worker_name: WorkerName = Field(
        default_factory=partial(name_on_host, "verifier"),
        description="Unique among the workers; the API knows its key by it.",
    )
    reference_model: Path | None = Field(
        default=None,
        validation_alias=AliasChoices(
            "QUASAR_REFERENCE_MODEL", "REFERENCE_MODEL"
        ),
        description=(
            "The folder of the model's safetensors. Unset, a stand-in of"
            " the same architecture takes its place."
        ),
    )
    judge: JudgeSettings = Field(
        default=JudgeSettings(),
        description="How runs are judged, as JSON.",
    )

    @model_validator(mode="after")
    def _production_has_the_real_model(self) -> Self:
        if self.environment == "production" and self.reference_model is None:
            raise ValueError(
                "production needs QUASAR_REFERENCE_MODEL: nothing is ranked"
                " on the stand-in"
            )
        return self

    @property
    def judging(self) -> JudgeSettings:
        """The judge's settings, with the reference model in its place."""
        return self.judge.with_model(self.reference_model)
