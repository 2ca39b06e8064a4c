"""What a worker tells its referee of the machine."""

from __future__ import annotations

from quasar_core.judge.jobs import SandboxChoice
from quasar_core.worker.settings import WorkerSettings


def sandbox_choice(settings: WorkerSettings) -> SandboxChoice:
    """The sandbox that the referee is to use."""
    return SandboxChoice(
        backend=settings.sandbox_backend,
        allow_degraded=settings.allow_degraded,
        image=settings.sandbox_image,
        production=settings.environment == "production",
    )
