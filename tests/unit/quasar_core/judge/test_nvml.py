import math
import sys

import pytest
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.nvml import Nvml, open_nvml, refusals

from tests.support.standin_gpu import FakeNvml


def state(tmp_path, visible=1, **changes):
    return Nvml(FakeNvml(**changes)).state(visible, tmp_path)


def test_a_quiet_gpu_is_taken(tmp_path):
    found = state(tmp_path, mig=None)
    assert (found.name, found.uuid, found.minor) == ("Stand-in", "GPU-0", 0)
    assert list(refusals(found)) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"visible": 2}, "CUDA_VISIBLE_DEVICES"),
        ({"visible": 0}, "0 GPUs"),
        ({"mig": 1}, "MIG is on"),
    ],
)
def test_a_gpu_that_is_shared_is_refused(tmp_path, changes, told):
    (reason,) = refusals(state(tmp_path, **changes))
    assert told in reason


def test_a_service_that_runs_two_contexts_at_once_is_refused(
    tmp_path, monkeypatch
):
    (tmp_path / "control").touch()
    (reason,) = refusals(state(tmp_path))
    assert "MPS" in reason
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path / "other"))
    assert list(refusals(state(tmp_path))) == []


def test_a_manifest_is_told_the_gpu_before_and_after():
    library = FakeNvml()
    nvml = Nvml(library)
    nvml.begin()
    library.dumb = True
    facts = nvml.facts()
    assert facts["gpu_name"] == "Stand-in"
    assert facts["gpu_driver"] == "580.1"
    assert facts["gpu_sm_clock_mhz_before"] == "1000"
    assert facts["gpu_sm_clock_mhz_after"] == "unknown"
    assert facts["gpu_throttle_reasons_after"] == "0x4"


def test_a_number_that_the_card_does_not_know_is_none():
    nvml = Nvml(FakeNvml(dumb=True))

    def clock(library, handle):
        return library.nvmlDeviceGetClockInfo(handle, 1)

    assert math.isnan(nvml.number(clock))
    assert nvml.number(lambda library, handle: len(handle)) == len("gpu 0")


def test_a_machine_without_a_driver_says_so():
    pytest.importorskip("pynvml")
    if __import__("torch").cuda.is_available():
        pytest.skip("there is a driver here")
    with pytest.raises(SandboxUnavailable, match="NVML finds no GPU"):
        open_nvml()


def test_a_machine_without_nvml_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(SandboxUnavailable, match="nvidia-ml-py"):
        open_nvml()
