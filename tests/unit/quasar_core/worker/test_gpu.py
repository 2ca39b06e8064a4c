"""A worker's GPU on its metrics page, with or without the card."""

import math

import pytest
from prometheus_client import REGISTRY, generate_latest
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.nvml import Nvml
from quasar_core.worker.gpu import THROTTLES, watch_gpu

from tests.support.standin_gpu import FakeNvml


def shown(name, worker, **labels):
    return REGISTRY.get_sample_value(
        f"quasar_gpu_{name}", {"worker": worker, **labels}
    )


def throttled(worker):
    return {
        reason
        for reason in THROTTLES
        if shown("throttled", worker, reason=reason) == 1
    }


def test_a_scrape_shows_the_card_as_it_is_then_in_base_units():
    library = FakeNvml()
    watch_gpu("gpu-1", lambda: Nvml(library))
    assert shown("memory_used_bytes", "gpu-1") == 500
    assert shown("memory_size_bytes", "gpu-1") == 80_000
    assert shown("sm_clock_hertz", "gpu-1") == 1_000e6
    assert shown("memory_clock_hertz", "gpu-1") == 2_000e6
    assert shown("temperature_celsius", "gpu-1") == 40
    library.celsius = 83
    assert shown("temperature_celsius", "gpu-1") == 83


@pytest.mark.parametrize(
    ("mask", "reasons"),
    [
        (0x0, set()),
        (0x1, set()),
        (0x4, {"sw_power_cap"}),
        (0x48, {"hw_slowdown", "hw_thermal_slowdown"}),
        (0x1FF, set(THROTTLES)),
        (0x1000, set()),
    ],
)
def test_each_reason_is_told_apart_and_idling_is_none(mask, reasons):
    watch_gpu("gpu-2", lambda: Nvml(FakeNvml(throttle=mask)))
    assert throttled("gpu-2") == reasons


def test_what_a_card_does_not_say_is_missing_alone():
    watch_gpu("gpu-3", lambda: Nvml(FakeNvml(dumb=True)))
    assert math.isnan(shown("sm_clock_hertz", "gpu-3"))
    assert shown("temperature_celsius", "gpu-3") == 40


def test_a_card_that_is_away_fails_no_scrape_and_is_shown_when_it_is_back():
    cards, opened = [], []

    def open_card():
        if not cards:
            raise SandboxUnavailable("NVML finds no GPU")
        opened.append(Nvml(cards[0]))
        return opened[0]

    watch_gpu("gpu-4", open_card)
    page = generate_latest().decode()
    assert 'quasar_gpu_temperature_celsius{worker="gpu-4"} NaN' in page
    cards.append(FakeNvml())
    assert shown("temperature_celsius", "gpu-4") == 40
    assert len(opened) == 1, "an open card is not opened again"


def test_a_process_without_a_card_shows_none():
    assert shown("temperature_celsius", "nobody") is None
