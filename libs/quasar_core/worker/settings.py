"""WorkerSettings: what both workers read from their environment."""

from __future__ import annotations

import re
import socket
from functools import partial
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from quasar_core.contracts.values import PoolName, WorkerName
from quasar_core.settings import CanarySettings, Secret

PositiveSeconds = Annotated[float, Field(gt=0)]


def name_on_host(role: str) -> str:
    """`ROLE-HOST`, as far as a worker may be called so.

    Two workers of a machine have a key each, so they need a name each.
    """
    host = re.sub(r"[^a-z0-9._-]", "-", socket.gethostname().lower())
    return f"{role}-{host}"[:64].rstrip("._-")


class WorkerSettings(CanarySettings):
    """What a process reads that takes jobs and runs strangers' code."""

    pool: PoolName = Field(
        default="cpu", description="Whose jobs: the queue is WORK.POOL."
    )
    worker_name: WorkerName = Field(
        default_factory=partial(name_on_host, "worker"),
        description="Unique among the workers; the API knows its key by it.",
    )
    worker_seed_file: Annotated[Path | None, Secret("what the file holds")] = (
        Field(
            default=None,
            description=(
                "The seed of the key that signs results, 64 hex digits; made"
                " where missing. Unset: in the state directory."
            ),
        )
    )
    heartbeat_seconds: PositiveSeconds = Field(
        default=10.0, description="Well below the API's lease."
    )
    seen_seconds: PositiveSeconds = Field(
        default=15.0, description="How often it says that it is up."
    )
    lock_directory: Path | None = Field(
        default=None,
        description=(
            "Shared by all workers of a machine: one judges at once. Unset:"
            " `/run/quasar` for root, else in the temporary folder."
        ),
    )
    sandbox_backend: str | None = Field(
        default=None,
        description=(
            "`bubblewrap` or `docker`. Named, it is used or refused; unset,"
            " the first found."
        ),
    )
    sandbox_image: str | None = Field(
        default=None,
        description=(
            "Docker's image, by digest in production. Unset: made from this"
            " machine's own files."
        ),
    )
    allow_degraded: bool = Field(
        default=False,
        description="Run without cgroup limits; on a laptop only.",
    )

    @model_validator(mode="after")
    def _production_takes_no_short_cut(self) -> Self:
        if self.environment == "production":
            if self.sandbox_backend is None:
                raise ValueError("production names its QUASAR_SANDBOX_BACKEND")
            if self.allow_degraded:
                raise ValueError("production refuses a degraded sandbox")
            if self.sandbox_backend == "docker" and "sha256:" not in (
                self.sandbox_image or ""
            ):
                raise ValueError(
                    "production names its QUASAR_SANDBOX_IMAGE by digest"
                )
        return self

    def home(self, role: str) -> Path:
        """Where this worker keeps what must survive a restart."""
        return self.state_directory / role / self.worker_name

    def seed_file(self, role: str) -> Path:
        """Where the key's seed lies."""
        return self.worker_seed_file or self.home(role) / "worker.seed"
