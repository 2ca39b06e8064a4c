# ruff: noqa: PT012 -- what follows a stop is what is tested

import pytest
from quasar_core.worker.stopping import Stopper, StopRequested


def test_a_stop_ends_what_may_be_interrupted_on_the_spot():
    stop = Stopper()
    reached = []
    with pytest.raises(StopRequested), stop.interruptible():
        stop.interrupt()
        reached.append("beyond")
    assert reached == []


def test_a_stop_does_not_touch_what_may_not_be_interrupted():
    stop = Stopper()
    stop.interrupt()
    with stop.shielded():
        stop.interrupt()


def test_a_stop_asked_for_before_ends_the_next_job_at_its_start():
    stop = Stopper()
    stop.interrupt()
    with pytest.raises(StopRequested), stop.interruptible():
        raise AssertionError("never reached")


def test_a_shield_puts_the_stop_off_until_its_end():
    stop = Stopper()
    told = []
    with pytest.raises(StopRequested), stop.interruptible():
        with stop.shielded():
            stop.interrupt()
            told.append("whole")
        told.append("beyond")
    assert told == ["whole"]


def test_a_second_signal_does_not_interrupt_the_clearing_up():
    stop = Stopper()
    cleared = []
    with pytest.raises(StopRequested), stop.interruptible():
        try:
            stop.interrupt()
        finally:
            stop.interrupt()
            with stop.shielded():
                stop.interrupt()
            cleared.append("all")
    assert cleared == ["all"]


def test_a_job_that_is_over_is_not_interrupted_any_more():
    stop = Stopper()
    with stop.interruptible():
        pass
    stop.interrupt()


def test_who_catches_errors_does_not_catch_a_stop():
    assert not issubclass(StopRequested, Exception)
