"""A device's timeline: here its stand-in's; the real one on a card."""

import time

import pytest
import torch
from quasar_core.judge.driver import Driver
from quasar_core.judge.gpu_ground import find_gpu
from quasar_core.judge.timeline import DeviceTimeline

from tests.support.standin_gpu import ThreadTimeline

SECONDS = 0.05


BOTH = [
    pytest.param(
        lambda: (ThreadTimeline(), torch.device("cpu")), id="stand-in"
    ),
    pytest.param(
        lambda: (find_gpu().timeline, torch.device("cuda", 0)),
        id="device",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(
                not torch.cuda.is_available(), reason="no CUDA device"
            ),
        ],
    ),
]


@pytest.mark.parametrize("make", BOTH)
def test_what_is_queued_behind_a_wait_is_done_when_it_is_released(make):
    timeline, device = make()
    word = torch.zeros(1, dtype=torch.int32, device=device)
    value = torch.zeros(1, device=device)
    begun = timeline.mark()
    timeline.wait_for(word, 3)
    timeline.do(lambda: value.add_(1))
    ended = timeline.mark()
    time.sleep(SECONDS)
    timeline.release(word, 2)
    timeline.release(word, 3)
    timeline.wait()
    assert float(value) == 1
    assert timeline.seconds(begun, ended) >= SECONDS


@pytest.mark.parametrize("make", BOTH)
def test_a_wait_for_what_is_there_already_is_none(make):
    timeline, device = make()
    word = torch.full((1,), 7, dtype=torch.int32, device=device)
    timeline.wait_for(word, 7)
    timeline.wait_for(word, 5)
    timeline.wait()


class Calls:
    """A library that keeps what it is asked, and answers with a code."""

    def __init__(self, code):
        self.asked, self.code = [], code

    def __getattr__(self, name):
        def call(*arguments):
            self.asked.append((name, [one.value for one in arguments]))
            return self.code

        return call


def test_a_device_waits_on_its_current_stream(monkeypatch):
    driver = Driver.__new__(Driver)
    driver._library = library = Calls(0)
    word = torch.zeros(1, dtype=torch.int32)

    class Stream:
        cuda_stream = 17

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: None)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream)
    timeline = DeviceTimeline(driver, torch.device("cuda", 0))
    timeline.wait_for(word, 5)
    assert library.asked == [
        ("cuStreamWaitValue32_v2", [17, word.data_ptr(), 5, 0])
    ]
