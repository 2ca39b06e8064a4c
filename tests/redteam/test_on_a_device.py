"""Attacks and look-alikes that only a device can run: `make gpu`."""

import pytest
import torch
from quasar_core.domain.workload import Profile

from tests.redteam.arena import Arena
from tests.redteam.catalogue import (
    ATTACKS,
    LOOK_ALIKES,
    catalogue,
    name_of,
)
from tests.support.sandboxes import sandbox_in

FIXTURES = [
    one for one in (*catalogue(ATTACKS), *catalogue(LOOK_ALIKES)) if one.gpu
]


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arena")
    with Arena(
        folder, sandbox_in(folder, allow_degraded=True), profile=Profile.GPU
    ) as arena:
        yield arena


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("fixture", FIXTURES, ids=name_of)
def test_what_a_device_runs_gets_its_verdict(device, fixture):
    device.withstand(fixture)
