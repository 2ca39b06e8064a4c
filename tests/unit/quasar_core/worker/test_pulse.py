import threading

from quasar_core.telemetry.metrics import CRASHES
from quasar_core.worker.pulse import Pulse

from tests.support.counters import shown


def test_a_pulse_beats_until_it_is_left():
    thrice = threading.Semaphore(0)
    with Pulse("test", 0.001, thrice.release):
        assert all(thrice.acquire(timeout=10) for _ in range(3))
    while thrice.acquire(blocking=False):
        pass
    assert not thrice.acquire(timeout=0.02)


def test_no_beat_comes_before_the_first_interval():
    beats = []
    with Pulse("test", 60, lambda: beats.append(1)):
        pass
    assert beats == []


def test_its_crashes_are_shown_before_the_first():
    Pulse("well", 60, lambda: None)
    assert shown(CRASHES)["well",] == 0


def test_an_error_of_ours_does_not_stop_the_pulse():
    counter = CRASHES.labels("faulty")
    twice = threading.Event()

    def beat():
        if counter._value.get() >= 1:
            twice.set()
        raise ZeroDivisionError

    with Pulse("faulty", 0.001, beat):
        assert twice.wait(10)
