"""The loop on real git and a real logbook, without a platform."""

from __future__ import annotations

import subprocess
from itertools import pairwise

import pytest
from quasar_core.client.answers import ProblemAnswer
from quasar_core.errors import ProblemCode, TransientError
from quasar_core.execution.git import (
    RepositoryError,
    create_repository,
    head,
)
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.spawn import RefereeCrashedError
from quasar_core.worker.locks import LockTaken

from services.miner_agent.agent.limits import (
    Budget,
    BudgetSpent,
    QuietHours,
)
from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.loop import Agent, NotUsable
from services.miner_agent.agent.tables import State
from services.miner_agent.agent.task import Task
from services.miner_agent.agent.workshop import Workshop
from services.miner_agent.proposers.protocol import (
    NotNow,
    Proposal,
    UnusableReply,
)
from services.miner_agent.proposers.search import Search
from tests.support.agents import KERNEL, ScriptedJudge

NAME = "fla/ops/quasar/__init__.py"


class Killed(BaseException):
    """What a kill does, from where Python sees it: nothing comes after."""


class IdleDesk:
    """A desk to which nobody comes: what is kept waits in git."""

    def __init__(self):
        self.steps = []

    def step(self):
        if self.steps:
            raise self.steps.pop(0)
        return False

    def is_empty(self):
        return True


class Scripted:
    """A proposer whose answers are given one by one; faults are raised."""

    name = "scripted"

    def __init__(self, *answers):
        self.answers = list(answers)
        self.situations = []

    def propose(self, situation):
        self.situations.append(situation)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def speed(number):
    text = KERNEL.replace("SPEED = 1", f"SPEED = {number}")
    return Proposal(f"speed {number}", {"__init__.py": text})


@pytest.fixture
def place(tmp_path):
    create_repository(tmp_path / "fork", {NAME: KERNEL.encode()})
    return tmp_path


@pytest.fixture
def work(place):
    """Work a shift in the same place: why it ended, and its logbook."""
    books = []

    def worked(proposer=None, judge=None, **changes):
        book = Logbook(place / "agent")
        books.append(book)
        said = []

        def say(event, sentence, **fields):
            said.append((event, sentence))

        task = Task(
            **{
                "workshop": Workshop(place / "fork"),
                "logbook": book,
                "judging": judge or ScriptedJudge(),
                "proposer": proposer or Search(restarts=0),
                "desk": IdleDesk(),
                "say": say,
                "sequence_length": 512,
                "least_gain": 0.1,
                "pause": lambda _: None,
                **changes,
            }
        )
        why = Agent(task, book.begin()[0]).work()
        return why, book, said

    yield worked
    for book in books:
        book.close()


class Clock:
    """Time that passes while somebody rests, and when he is told so."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds

    def pause(self, seconds):
        self.seconds += seconds

    def means(self):
        """Rests and hours of a task by this clock."""
        return {"clock": self, "pause": self.pause}

    def quiet_until(self, monkeypatch, seconds):
        """Quiet hours from the beginning to then."""
        monkeypatch.setattr(
            QuietHours,
            "seconds_left",
            lambda _self, _now: max(0.0, seconds - self.seconds),
        )
        return QuietHours.read("22:00-07:00")


def never_judging(fault, first=2, hours=0.0, clock=None):
    """A judge to whom every change is too much; not the fork's kernel."""

    def before(what):
        if int(what.split()[1]) >= first:
            if clock is not None:
                clock.pause(3_600 * hours)
            raise fault

    return ScriptedJudge(before=before)


def states(book):
    return [(one.summary, State(one.state)) for one in book.tries()][1:]


def kernel(place):
    return (place / "fork" / NAME).read_text()


def commits(place):
    return subprocess.run(
        ["git", "-C", place / "fork", "log", "--format=%s"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()


def test_it_keeps_what_is_faster_and_drops_the_rest(work, place):
    why, book, _ = work()
    assert why == "nothing is left to try"
    assert "SPEED = 8" in kernel(place)
    assert commits(place) == [
        "__init__.py:SPEED 4 -> 8",
        "__init__.py:SPEED 2 -> 4",
        "__init__.py:SPEED 1 -> 2",
        "Base repository",
    ]
    discarded = [one for one in book.tries() if one.state == State.DISCARDED]
    assert {one.code for one in discarded} == {None, "output_mismatch"}
    assert (book.best(512) or discarded[0]).commit_hash == head(place / "fork")
    assert [one.ended_because for one in book.shifts()] == [why]


def test_what_is_not_kept_never_lies_in_the_fork(work, place):
    seen = []
    judge = ScriptedJudge(before=lambda _: seen.append(kernel(place)))
    work(Scripted(speed(9), None), judge)
    assert set(seen) == {KERNEL}
    assert commits(place) == ["Base repository"]


def test_a_model_is_told_what_came_of_what_it_said(work):
    proposer = Scripted(speed(9), UnusableReply("no file"), speed(2), None)
    _, book, _ = work(proposer)
    told = [one.result for one in proposer.situations[-1].tried]
    assert told[0] == "output_mismatch at correctness: row 7"
    assert told[1] == "no file"
    assert told[2].startswith("1.99 to 2.01 x")
    assert [one.code for one in book.tries()][1:] == [
        "output_mismatch",
        "unusable_reply",
        None,
    ]
    assert "SPEED = 2" in proposer.situations[-1].files["__init__.py"]


@pytest.mark.parametrize(
    ("changes", "words", "tried"),
    [
        ({"budget": Budget(tries=2)}, "2 changes were tried", 2),
        ({"budget": Budget(hours=1e-9)}, "h were worked", 0),
        ({"once": True}, "one change was tried", 1),
    ],
)
def test_it_ends_at_its_limits(work, changes, words, tried):
    why, book, _ = work(**changes)
    assert words in why
    assert len(book.tries()) - 1 == tried


def test_it_ends_when_the_money_is_spent(work):
    why, _, _ = work(Scripted(BudgetSpent("3 of 3 are spent")))
    assert why == "3 of 3 are spent"


def test_a_new_shift_begins_its_budget_anew_and_knows_what_was_tried(work):
    work(budget=Budget(tries=1))
    _, book, said = work(budget=Budget(tries=1))
    assert [summary for summary, _ in states(book)] == [
        "__init__.py:SPEED 1 -> 2",
        "__init__.py:SPEED 2 -> 4",
    ]
    assert "start" not in [event for event, _ in said]


def test_it_backs_off_and_asks_again(work):
    pauses = []
    proposer = Scripted(
        NotNow("full house", 30.0),
        NotNow("full house"),
        UnusableReply("nonsense"),
        speed(2),
        None,
    )
    why, book, said = work(proposer, pause=pauses.append)
    assert why == "nothing is left to try"
    assert pauses[0] >= 30.0
    assert len(pauses) == 3
    waits = [told for event, told in said if event == "waiting"]
    assert waits[0].startswith("full house; waiting ")
    assert "SPEED = 2" in book.files(book.best(512))["__init__.py"]


def test_a_judge_that_fails_for_no_reason_of_the_kernels_is_asked_again(work):
    faults = [TransientError("the referee was killed")]

    def before(what):
        if what == "judge 2" and faults:
            raise faults.pop()

    _, book, said = work(judge=ScriptedJudge(before=before), once=True)
    assert states(book) == [("__init__.py:SPEED 1 -> 2", State.COMMITTED)]
    assert "waiting" in [event for event, _ in said]


def test_nothing_is_run_in_quiet_hours(work, monkeypatch):
    left = [7_200.0, 30.0, 0.0, 0.0]
    monkeypatch.setattr(
        QuietHours, "seconds_left", lambda self, now: left.pop(0)
    )
    pauses = []
    why, _, said = work(
        quiet=QuietHours.read("22:00-07:00"), once=True, pause=pauses.append
    )
    assert (why, pauses) == ("one change was tried", [60.0, 30.0])
    told = [sentence for event, sentence in said if event == "waiting"]
    assert told[0].startswith("quiet for another 120 min")


def test_a_dry_run_keeps_in_mind_and_commits_nothing(work, place):
    _, book, _ = work(desk=None)
    assert commits(place) == ["Base repository"]
    assert kernel(place) == KERNEL
    assert "SPEED = 8" in book.files(book.best(512))["__init__.py"]


def test_changes_that_are_not_committed_are_never_run_over(work, place):
    (place / "fork" / NAME).write_text(KERNEL + "# mine\n")
    with pytest.raises(NotUsable, match="not committed"):
        work()
    assert kernel(place).endswith("# mine\n")


def test_what_its_owner_committed_meanwhile_is_begun_with(work, place):
    work(budget=Budget(tries=1))
    text = KERNEL.replace("SPEED = 1", "SPEED = 5")
    Workshop(place / "fork").commit({"__init__.py": text}, "By hand")
    _, book, said = work(once=True)
    assert "start" in [event for event, _ in said]
    starts = [one for one in book.tries() if one.is_start]
    assert [one.speedup for one in starts] == [1.0, 5.0]
    assert book.tries()[-1].parent_id == starts[-1].id


def test_a_start_that_is_wrong_is_beaten_by_whatever_is_right(work, place):
    wrong = KERNEL.replace("SPEED = 1", "SPEED = 16")
    Workshop(place / "fork").commit({"__init__.py": wrong}, "Too fast")
    _, book, _ = work(once=True)
    assert states(book)[0][1] is State.DISCARDED
    _, book, _ = work(once=True)
    assert states(book)[1] == ("__init__.py:SPEED 16 -> 8", State.COMMITTED)


@pytest.mark.parametrize("what", ["judge 2", "race 2", "verify 2"])
def test_a_try_that_was_cut_short_is_judged_anew(work, what):
    def die(told):
        if told == what:
            raise Killed

    with pytest.raises(Killed):
        work(judge=ScriptedJudge(before=die), once=True)
    judge = ScriptedJudge()
    _, book, _ = work(judge=judge, once=True)
    assert states(book) == [("__init__.py:SPEED 1 -> 2", State.COMMITTED)]
    assert judge.calls == ["judge 2", "race 2", "verify 2"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_that_was_cut_short_is_made_once(
    work, place, monkeypatch, when
):
    real = Workshop.commit

    def commit(self, files, message):
        (self.path / NAME).write_text(files["__init__.py"])
        if when == "after":
            real(self, files, message)
        raise Killed

    monkeypatch.setattr(Workshop, "commit", commit)
    with pytest.raises(Killed):
        work(once=True)
    monkeypatch.setattr(Workshop, "commit", real)
    _, book, _ = work(budget=Budget(tries=1))
    assert commits(place) == ["__init__.py:SPEED 1 -> 2", "Base repository"]
    (_, state), *_ = states(book)
    assert state is State.COMMITTED
    assert book.tries()[1].commit_hash == head(place / "fork")


def test_what_the_platform_finds_wrong_is_rolled_back(work, place):
    work(budget=Budget(tries=2))
    book = Logbook(place / "agent")
    book.put(book.tries()[-1], state=State.REVEALED)

    class Rejecting(IdleDesk):
        def step(self):
            flying = book.in_flight()
            if flying is not None:
                book.put(flying, state=State.DECIDED, code="logits_differ")
            return flying is not None

    _, _, said = work(desk=Rejecting(), once=True)
    book.close()
    assert "rolled_back" in [event for event, _ in said]
    assert "SPEED = 2" in kernel(place)
    assert commits(place)[0].startswith("Go back: __init__.py:SPEED 2 -> 4")


def test_a_roll_back_that_was_cut_short_is_done_when_it_begins(work, place):
    work(budget=Budget(tries=2))
    book = Logbook(place / "agent")
    book.put(book.tries()[-1], state=State.DECIDED, code="logits_differ")
    book.close()
    assert "SPEED = 4" in kernel(place)
    work(once=True)
    assert "SPEED = 2" in kernel(place)


@pytest.mark.parametrize(
    "fault",
    [
        TransientError("the API is away"),
        LockTaken("somebody hands in by hand"),
        ProblemAnswer(429, ProblemCode.QUOTA_EXCEEDED, "12 were judged"),
        RepositoryError("git push failed"),
    ],
)
def test_a_desk_that_is_refused_is_asked_again_later(work, fault):
    moments = iter(float(n) for n in range(0, 100_000, 100))
    desk = IdleDesk()
    desk.steps = [fault]
    _, _, said = work(
        desk=desk, budget=Budget(tries=2), clock=lambda: next(moments)
    )
    assert desk.steps == []
    assert ("refused", f"handing in: {fault}") in said


FAULTS = [
    TransientError("the referee overran its deadline"),
    RefereeCrashedError("the referee ended with 1\nTraceback: a bug"),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("limits", "ended"),
    [
        ({"budget": Budget(tries=1)}, "1 changes were tried"),
        ({"once": True}, "one change was tried"),
    ],
)
def test_what_cannot_be_judged_is_judged_three_times(
    work, fault, limits, ended
):
    judge, clock = never_judging(fault), Clock()

    why, book, said = work(judge=judge, **clock.means(), **limits)

    assert ended in why
    assert judge.calls.count("judge 2") == len(judge.calls) - 1 == 3
    assert states(book) == [("__init__.py:SPEED 1 -> 2", State.DISCARDED)]
    last = book.tries()[-1]
    assert last.code == "not_judged"
    assert last.result == f"not judged in 3 attempts, the last: {fault}"
    told = [sentence for event, sentence in said if event == "waiting"]
    assert str(fault) in told[0]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_try_that_takes_the_agent_with_it_is_not_judged_for_ever(
    work, fault
):
    def die(what):
        if what == "judge 2":
            raise Killed

    with pytest.raises(Killed):
        work(judge=ScriptedJudge(before=die), once=True)
    second = never_judging(fault)
    _, book, _ = work(judge=second, once=True)
    assert second.calls == ["judge 2", "judge 2"]
    assert states(book) == [("__init__.py:SPEED 1 -> 2", State.DISCARDED)]
    assert [one.fault for one in book.judgings(book.tries()[-1])] == [
        None,
        str(fault),
        str(fault),
    ]


def test_hours_end_a_try_that_fails_and_the_next_shift_goes_on_with_it(work):
    clock = Clock()
    judge = never_judging(FAULTS[0], hours=1.5, clock=clock)

    why, book, _ = work(judge=judge, budget=Budget(hours=2), **clock.means())

    assert why.startswith("2 h were worked")
    assert judge.calls == ["judge 1", "judge 2", "judge 2"]
    assert states(book)[0][1] is State.PROPOSED
    why, book, _ = work(judge=judge, budget=Budget(tries=1), **clock.means())
    assert judge.calls[3:] == ["judge 2"]
    assert why.startswith("1 changes were tried")
    assert states(book) == [("__init__.py:SPEED 1 -> 2", State.DISCARDED)]


def test_what_is_dropped_unjudged_is_no_reason_to_go_on_at_once(work):
    clock, judge = Clock(), never_judging(FAULTS[0])
    changes = Scripted(speed(2), speed(4), None)
    _, _, said = work(changes, judge, **clock.means())
    assert [event for event, _ in said].count("waiting") == 6
    assert clock.seconds >= sum(2.0**n for n in range(1, 7))


def test_quiet_hours_are_no_hours_at_work(work, monkeypatch):
    clock, begun = Clock(), []
    quiet = clock.quiet_until(monkeypatch, 4 * 3_600.0)
    judge = ScriptedJudge(before=lambda _: begun.append(clock.seconds))

    why, book, _ = work(
        judge=judge, quiet=quiet, budget=Budget(hours=2), **clock.means()
    )

    assert why == "nothing is left to try"
    assert begun[0] == 4 * 3_600.0
    assert book.shifts()[0].worked_seconds == 0.0


def test_a_seal_is_tended_while_it_is_quiet_before_the_start(
    work, monkeypatch
):
    clock = Clock()
    desk = IdleDesk()
    desk.steps = [TransientError("away")]
    quiet = clock.quiet_until(monkeypatch, 300.0)
    _, _, said = work(desk=desk, quiet=quiet, once=True, **clock.means())
    events = [event for event, _ in said]
    assert events.index("refused") < events.index("start")


def test_changes_made_in_quiet_hours_are_never_run_over(
    work, place, monkeypatch
):
    clock = Clock()
    quiet = clock.quiet_until(monkeypatch, 60.0)

    def edited(seconds):
        clock.pause(seconds)
        (place / "fork" / NAME).write_text(KERNEL + "# mine\n")

    with pytest.raises(NotUsable, match="not committed"):
        work(quiet=quiet, clock=clock, pause=edited)


def test_a_start_that_cannot_be_judged_yet_is_judged_later(work):
    faults = [TransientError("the device is gone")] * 3
    rests = []

    def before(what):
        if what == "judge 1" and faults:
            raise faults.pop()

    why, book, said = work(
        judge=ScriptedJudge(before=before), pause=rests.append
    )
    assert why == "nothing is left to try"
    assert len(rests) == 3
    assert rests == sorted(rests)
    assert "SPEED = 8" in book.files(book.best(512))["__init__.py"]
    told = [sentence for event, sentence in said if event == "waiting"]
    assert told[0].startswith(
        "the fork's kernel could not be judged: the device is gone; waiting "
    )


def test_the_hours_end_a_start_that_is_never_judged(work):
    clock = Clock()
    judge = never_judging(FAULTS[0], first=1, hours=1.5, clock=clock)
    why, book, _ = work(judge=judge, budget=Budget(hours=2), **clock.means())
    assert why.startswith("2 h were worked")
    assert judge.calls == ["judge 1", "judge 1"]
    assert book.tries() == []


@pytest.mark.parametrize("limits", [{"once": True}, {"desk": None}])
def test_who_looks_on_is_told_of_a_start_that_cannot_be_judged(work, limits):
    judge = never_judging(FAULTS[0], first=1)
    with pytest.raises(NotUsable, match="could not be judged: the referee"):
        work(judge=judge, **limits)
    assert judge.calls == ["judge 1"]


def test_a_machine_without_a_sandbox_is_told_at_once(work):
    judge = never_judging(SandboxUnavailable("install bubblewrap"), first=1)
    with pytest.raises(SandboxUnavailable, match="bubblewrap"):
        work(judge=judge)
    assert judge.calls == ["judge 1"]


def test_a_long_rest_does_not_keep_it_from_the_desk(work):
    clock, looks = Clock(), []

    class Watched(IdleDesk):
        def step(self):
            looks.append(clock.seconds)
            return False

    proposer = Scripted(NotNow("full house", 1_000.0), None)
    work(proposer, desk=Watched(), **clock.means())
    assert clock.seconds >= 1_000.0
    gaps = [after - one for one, after in pairwise(looks)]
    assert max(gaps) <= 60.0
