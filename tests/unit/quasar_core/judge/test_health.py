import pytest
import torch
from quasar_core.judge import health
from quasar_core.judge.ground import Ground
from quasar_core.judge.health import (
    UnhealthyError,
    canary,
    check_canary,
    check_memory,
    healthy,
)

from tests.support.standin_gpu import standin_ground


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    torch.set_num_threads(1)
    return standin_ground(tmp_path_factory.mktemp("driver"), examined=True)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(health, "MEMORY_BYTES", 4_096)
    monkeypatch.setattr(health, "EDGE", 64)


def test_a_processor_is_not_checked():
    with healthy(Ground()):
        assert canary(Ground()) == 0.0


def test_a_healthy_device_passes_with_its_time(ground, small):
    assert canary(ground) > 0


def test_a_canary_that_computes_wrongly_is_found(ground, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda x, y: x + y)
    with pytest.raises(UnhealthyError, match="wrong number"):
        check_canary(ground, 64)


def test_memory_that_forgets_is_found(ground, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "fill_", lambda x, value: x.zero_())
    with pytest.raises(UnhealthyError, match="lost"):
        check_memory(ground, 4_096)


def test_a_device_that_raises_is_unhealthy(ground, small, monkeypatch):
    def broken(*_):
        raise RuntimeError("CUDA error: an illegal memory access")

    monkeypatch.setattr(health, "check_memory", broken)
    with pytest.raises(UnhealthyError, match="illegal memory access"):
        canary(ground)


def test_a_job_that_leaves_the_device_slow_is_told(ground, monkeypatch):
    seconds = iter([1.0, 1.4, 1.0, *5 * [1.6]])
    monkeypatch.setattr(health, "canary", lambda ground: next(seconds))
    monkeypatch.setattr(health, "SETTLING", 4 * (0.0,))
    with healthy(ground):
        pass
    with pytest.raises(UnhealthyError, match="after the job"), healthy(ground):
        pass


def test_a_device_that_is_slow_for_a_moment_is_well(ground, monkeypatch):
    seconds = iter([1.0, 1.6, 1.6, 1.4])
    monkeypatch.setattr(health, "canary", lambda ground: next(seconds))
    waited = []
    monkeypatch.setattr(health.time, "sleep", waited.append)
    with healthy(ground):
        pass
    assert waited == list(health.SETTLING[:2])


def test_a_job_that_fails_is_followed_by_a_check_too(ground, monkeypatch):
    seconds = iter([1.0, *5 * [9.0]])
    monkeypatch.setattr(health, "canary", lambda ground: next(seconds))
    monkeypatch.setattr(health, "SETTLING", 4 * (0.0,))
    with pytest.raises(UnhealthyError) as caught, healthy(ground):
        raise ValueError("of the job")
    assert isinstance(caught.value.__context__, ValueError)
