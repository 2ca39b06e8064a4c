"""Which ground a run's settings ask for."""

from __future__ import annotations

from quasar_core.domain.workload import Profile
from quasar_core.judge.ground import Ground
from quasar_core.judge.settings import JudgeSettings


def ground_of(settings: JudgeSettings) -> Ground:
    """The processor, or this machine's one device.

    Raises SandboxUnavailable where profile `gpu` cannot be judged here.
    """
    if settings.profile is Profile.GPU:
        # Only who judges on a device looks for one.
        from quasar_core.judge.gpu_ground import find_gpu

        return find_gpu()
    return Ground()
