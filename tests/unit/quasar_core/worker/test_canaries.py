import pytest
from quasar_core.domain.canaries import EXPECTED, Canary
from quasar_core.errors import RejectionCode, TransientError
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.spawn import RefereeCrashedError
from quasar_core.telemetry.metrics import CRASHES
from quasar_core.worker.canaries import TRIES, Canaries, Doubt
from quasar_core.worker.quarantine import Quarantine

from tests.support.counters import shown

HOUR = 3_600.0


class World:
    """Canaries of a worker whose judge answers as it is told."""

    def __init__(self, tmp_path, role="benchmark"):
        self.now = 1_000_000.0
        self.got = dict(EXPECTED[role])
        self.faults = []
        self.told = []
        self.canaries = Canaries(
            worker="worker-1",
            pool="cpu",
            role=role,
            record=tmp_path / "canaries",
            doubt=Doubt(tmp_path / "in-doubt"),
            period_seconds=24 * HOUR,
            examine=self.examine,
            deliver=self.told.append,
            quarantine=Quarantine(tmp_path / "quarantined"),
            clock=lambda: self.now,
        )

    def examine(self, canary):
        if self.faults:
            raise self.faults.pop(0)
        return self.got[canary]

    def verdicts(self):
        return {event.canary.value: str(event.got) for event in self.told}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.mark.parametrize("role", EXPECTED)
def test_right_canaries_are_told_and_due_again_after_the_period(
    tmp_path, role
):
    world = World(tmp_path, role)
    assert world.canaries.due
    world.canaries.judge()
    assert world.verdicts() == dict(EXPECTED[role])
    assert not world.canaries.due
    world.now += 24 * HOUR - 1
    assert not world.canaries.due
    world.now += 1
    assert world.canaries.due


def test_just_judged_they_are_not_due_whatever_the_clock_says(world):
    world.now = 1_000_000.0006
    world.canaries.judge()
    assert not world.canaries.due


def test_a_clock_that_was_put_back_makes_them_due(world):
    world.canaries.judge()
    world.now -= 1
    assert world.canaries.due


def test_a_record_that_says_nothing_makes_them_due(world):
    world.canaries.record.write_text("soon")
    assert world.canaries.due


def test_a_job_in_doubt_makes_them_due_until_they_are_right(world):
    world.canaries.judge()
    world.canaries.doubt.raised()
    assert world.canaries.due
    world.canaries.judge()
    assert not world.canaries.due


def test_switched_off_they_are_never_due(tmp_path):
    world = World(tmp_path)
    off = Canaries(**{**vars(world.canaries), "period_seconds": 0})
    off.doubt.raised()
    assert not off.due


@pytest.mark.parametrize(
    ("canary", "got"),
    [
        (Canary.HONEST, RejectionCode.OUTPUT_MISMATCH),
        (Canary.FORGETFUL, "passed"),
        (Canary.FORGETFUL, RejectionCode.RUNTIME_ERROR),
        (Canary.SMUGGLER, "passed"),
    ],
)
def test_a_wrong_verdict_sets_the_worker_aside_at_once(world, canary, got):
    world.got[canary] = got
    world.canaries.judge()
    assert len(world.told) == len(EXPECTED["benchmark"])
    quarantine = world.canaries.quarantine
    assert quarantine.path.read_text() == (
        f"canary {canary.value} had to be"
        f" {EXPECTED['benchmark'][canary]}, and was {got}"
    )
    assert world.canaries.due
    quarantine.path.unlink()
    world.got = dict(EXPECTED["benchmark"])
    world.canaries.judge()
    assert not quarantine.holds
    assert not world.canaries.due


def test_a_run_that_fails_is_tried_again(world):
    world.faults = [TransientError("the kernel drifted")] * (TRIES - 1)
    world.canaries.judge()
    assert world.verdicts() == dict(EXPECTED["benchmark"])
    assert not world.canaries.quarantine.holds


def test_a_machine_that_can_judge_nothing_is_set_aside(world):
    world.faults = [TransientError("the referee was killed by 9")] * TRIES
    world.canaries.judge()
    assert world.verdicts()["smuggler"] == "no_verdict"
    assert world.canaries.quarantine.holds


def test_crashes_are_shown_before_the_first(tmp_path):
    CRASHES.clear()
    World(tmp_path)
    assert shown(CRASHES) == {("canary",): 0}


def test_a_judge_that_breaks_on_a_canary_is_counted(world):
    before = shown(CRASHES)["canary",]
    world.faults = [RefereeCrashedError("a traceback")] * TRIES
    world.canaries.judge()
    assert shown(CRASHES)["canary",] == before + TRIES
    assert world.canaries.quarantine.holds


def test_without_a_sandbox_nothing_is_said_of_canaries(world):
    world.faults = [SandboxUnavailable("install bubblewrap")]
    with pytest.raises(SandboxUnavailable):
        world.canaries.judge()
    assert world.told == []
    assert world.canaries.due
