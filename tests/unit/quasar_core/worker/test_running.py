import threading
from contextlib import nullcontext

import pytest
from quasar_core.contracts.reports import Rejection
from quasar_core.errors import (
    MachineFault,
    RejectionCode,
    Stage,
    SubmissionFault,
    TransientError,
)
from quasar_core.worker.attempt import Attempt
from quasar_core.worker.locks import FileLock, LockTaken
from quasar_core.worker.running import OURS, STOPPED, run_attempt
from quasar_core.worker.stopping import Stopper

from tests.support.events import a_pass, benchmark_requested
from tests.support.post import FakePost


class Place:
    """A place for one attempt to run in."""

    def __init__(self, tmp_path):
        self.post = FakePost()
        self.stop = Stopper()
        self.lock = FileLock(tmp_path / "machine.lock")
        self.heartbeat_seconds = 60
        self.sweeps = []

    def run(self, story):
        attempt = Attempt(
            benchmark_requested(),
            "worker-1",
            self.post,
            nullcontext,
            Stage.FETCH,
        )
        run_attempt(
            attempt,
            story,
            stop=self.stop,
            machine=self.lock,
            sweep=lambda: self.sweeps.append(True),
            heartbeat_seconds=self.heartbeat_seconds,
        )


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def raising(fault):
    def story(_):
        raise fault

    return story


def test_a_story_that_ends_well_tells_its_verdict_itself(place):
    place.run(lambda attempt: attempt.completed(a_pass()))
    assert place.post.names() == ["attempt.started", "benchmark.completed"]


def test_the_submission_s_fault_is_a_rejection(place):
    place.run(
        raising(SubmissionFault(RejectionCode.TOO_LARGE, Stage.FETCH, "big"))
    )
    assert place.post.names() == ["attempt.started", "submission.rejected"]
    assert place.post.events[-1].rejection == Rejection(
        code=RejectionCode.TOO_LARGE, stage=Stage.FETCH, detail="big"
    )


def test_the_world_s_fault_is_a_failed_run(place):
    place.run(raising(TransientError("the host is down")))
    assert place.post.names() == ["attempt.started", "run.failed"]
    assert place.post.events[-1].reason == "the host is down"


def test_our_own_fault_is_a_failed_run_and_loud(place):
    with pytest.raises(ZeroDivisionError):
        place.run(raising(ZeroDivisionError()))
    assert place.post.names() == ["attempt.started", "run.failed"]
    assert place.post.events[-1].reason == OURS


def test_a_stop_gives_the_job_up_and_says_so(place):
    beyond = []

    def story(attempt):
        attempt.stage = Stage.CORRECTNESS
        place.stop.interrupt()
        beyond.append(True)

    place.run(story)
    assert beyond == []
    assert place.post.names() == ["attempt.started", "run.failed"]
    assert place.post.events[-1].reason == STOPPED
    assert place.post.events[-1].stage is Stage.CORRECTNESS


def test_the_machine_is_held_while_the_story_runs_and_free_after(place):
    def story(_):
        with (
            pytest.raises(LockTaken),
            place.lock.held_at_once("taken"),
        ):
            raise AssertionError("never reached")

    place.run(story)
    with place.lock.held_at_once("taken"):
        pass


def test_the_lease_is_renewed_while_the_job_waits_for_the_machine(place):
    place.heartbeat_seconds = 0.01
    beats = threading.Event()
    tell = place.post.tell

    def watch(event):
        tell(event)
        if event.event_name == "attempt.heartbeat":
            beats.set()

    place.post.tell = watch
    with place.lock.held():
        thread = threading.Thread(
            target=place.run, args=(lambda a: a.completed(a_pass()),)
        )
        thread.start()
        assert beats.wait(10)
        assert "benchmark.completed" not in place.post.names()
    thread.join(10)
    assert place.post.names()[-1] == "benchmark.completed"


@pytest.mark.parametrize("fault", [None, TransientError("gone")])
def test_what_the_story_left_in_sandboxes_is_swept(place, fault):
    def story(_):
        assert place.sweeps == []
        if fault:
            raise fault

    place.run(story)
    assert place.sweeps == [True]


def test_a_job_that_was_stopped_is_swept_too(place):
    place.run(lambda _: place.stop.interrupt())
    assert place.sweeps == [True]


@pytest.mark.parametrize(
    ("stage", "fault", "harmed"),
    [
        (Stage.SMOKE, MachineFault("killed by 9"), True),
        (Stage.SMOKE, TransientError("the kernel drifted"), False),
        (Stage.SCREEN, MachineFault("killed by 9"), False),
    ],
)
def test_only_what_ran_can_have_harmed_the_machine(
    place, stage, fault, harmed
):
    def story(attempt):
        attempt.stage = stage
        raise fault

    place.run(story)
    assert place.post.events[-1].harmed is harmed
