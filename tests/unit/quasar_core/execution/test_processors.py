import os
import threading

import pytest
from quasar_core.execution.processors import (
    chosen,
    on_processors,
    quota,
)


@pytest.fixture
def four(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 5, 7})


@pytest.mark.parametrize(
    ("cpus", "numbers"),
    [
        (0.3, (7,)),
        (1, (7,)),
        (1.5, (5, 7)),
        (2, (5, 7)),
        (4, (0, 2, 5, 7)),
        (9, (0, 2, 5, 7)),
    ],
)
def test_a_size_is_a_set_of_the_last_processors(four, cpus, numbers):
    assert chosen(cpus) == numbers


@pytest.mark.parametrize(
    ("cpus", "share"), [(0.3, 30), (1, None), (1.5, 150), (4, None), (9, None)]
)
def test_only_a_broken_size_needs_a_quota(four, cpus, share):
    assert quota(cpus, 100) == share


def test_a_set_is_the_threads_own_and_given_back():
    before = os.sched_getaffinity(0)
    seen = []

    def work():
        with on_processors(1):
            seen.append(os.sched_getaffinity(0))
        seen.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [set(chosen(1)), before]
    assert os.sched_getaffinity(0) == before
