import os
import threading

import pytest
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.execution.supervision import SupervisedRun, Supervision


class Watched(Supervision):
    """A sandbox that is nothing but its thread."""

    def __init__(self, spawned=None, watched=None):
        super().__init__()
        self.deeds = []
        self._errors = spawned, watched

    def spawn(self):
        self.deeds.append("spawn")
        if self._errors[0]:
            raise self._errors[0]

    def watch(self):
        try:
            if self._errors[1]:
                raise self._errors[1]
            os.eventfd_read(self.wake)
            self.close()
            return "ended"
        finally:
            self.clean_up()

    def holder(self):
        return None

    def let_go(self):
        self.deeds.append("let go")


@pytest.mark.parametrize(
    "error", [OSError(11, "no more"), SandboxUnavailable("no more")]
)
def test_what_cannot_be_spawned_is_told_and_let_go(error):
    watched = Watched(spawned=error)
    with pytest.raises(SandboxUnavailable, match="no more"):
        SupervisedRun(watched)
    assert watched.deeds == ["spawn", "let go"]


def test_an_end_is_told_to_everybody():
    run = SupervisedRun(Watched())
    assert run.alive
    assert run.wait(0.01) is None
    assert {run.kill(), run.kill(), run.wait()} == {"ended"}
    assert not run.alive


def test_what_does_not_end_is_told():
    run = SupervisedRun(Watched(watched=TimeoutError("it does not end")))
    with pytest.raises(SandboxUnavailable, match="does not end"):
        run.wait()


def test_a_broken_supervisor_leaves_nobody_waiting(monkeypatch):
    raised = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    run = SupervisedRun(Watched(watched=ZeroDivisionError()))
    with pytest.raises(SandboxUnavailable, match="supervisor failed"):
        run.wait()
    assert raised


def test_what_is_over_is_frozen_no_more():
    run = SupervisedRun(Watched())
    run.kill()
    run.freeze()
    run.thaw()
