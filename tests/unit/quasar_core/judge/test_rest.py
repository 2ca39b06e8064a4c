import pytest
import torch
from quasar_core.judge.ground import Ground
from quasar_core.judge.rest import measure_rest
from quasar_core.judge.settings import JudgeSettings

torch.set_num_threads(1)


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_the_rest_of_the_layer_takes_its_time(profile):
    settings = JudgeSettings(profile=profile, rest_samples=1)
    assert 0 < measure_rest(64, settings, Ground()) < 60
