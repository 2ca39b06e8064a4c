"""Attacks and look-alikes that only a device can run: `make gpu`."""

import pytest
import torch
from pydantic import ValidationError
from quasar_core.domain.workload import Profile
from quasar_core.judge.settings import JudgeSettings

from tests.redteam.catalogue import (
    ATTACKS,
    LOOK_ALIKES,
    catalogue,
    name_of,
)

FIXTURES = [
    one for one in (*catalogue(ATTACKS), *catalogue(LOOK_ALIKES)) if one.gpu
]


@pytest.fixture
def device(arena):
    try:
        JudgeSettings.model_validate({"profile": Profile.GPU})
    except ValidationError:
        pytest.skip("this judge has no profile for a device yet")
    arena.profile = Profile.GPU
    return arena


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("fixture", FIXTURES, ids=name_of)
def test_what_a_device_runs_gets_its_verdict(device, fixture):
    device.withstand(fixture)
