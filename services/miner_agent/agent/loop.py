"""The loop: propose, judge, keep or drop, hand in; resumed after any kill."""

from __future__ import annotations

from datetime import datetime
from random import Random

from quasar_core.client.answers import ProblemAnswer
from quasar_core.errors import QuasarError, TransientError
from quasar_core.execution.git import RepositoryError
from quasar_core.worker.locks import LockTaken

from services.miner_agent.agent.bench import (
    Best,
    Finding,
    look,
    weigh,
)
from services.miner_agent.agent.keeping import Keeper
from services.miner_agent.agent.limits import (
    Backoff,
    BudgetSpent,
)
from services.miner_agent.agent.tables import Shift, State, Try, now
from services.miner_agent.agent.task import Task
from services.miner_agent.agent.telling import situation_of
from services.miner_agent.proposers.protocol import (
    NotNow,
    UnusableReply,
)

POLL_SECONDS = 2.0
DESK_FAULTS = (TransientError, ProblemAnswer, RepositoryError, LockTaken)
"""What may be otherwise later, when something is handed in."""


class NotUsable(QuasarError):
    """The agent cannot begin with the fork as it is; the text says why."""


class Agent:
    """Works a shift; whatever it does is in the logbook before and after."""

    def __init__(self, task: Task, shift: Shift) -> None:
        self._task = task
        self._shift = shift
        self._book = task.logbook
        self._keeper = Keeper(task)
        self._backoff = Backoff(Random(f"{task.seed}"))  # noqa: S311
        self._desk_backoff = Backoff(Random(f"{task.seed}+"))  # noqa: S311
        self._desk_from = 0.0
        self._is_refused = False
        self._since = task.clock()

    def work(self) -> str:
        """Work until a limit, or until nothing is left to try; why it ended.

        What was kept is handed in and watched to its verdict before that.
        """
        self._begin()
        why = None
        while why is None:
            self._clock_in()
            self._tend()
            why = self._over() or self._quiet_time() or self._one_try()
            if why == _GO_ON:
                why = None
        self._finish()
        self._clock_in()
        self._book.end(self._shift, why)
        return why

    # --- beginning and ending -----------------------------------------------

    def _begin(self) -> None:
        """Make sure that the logbook's best is what the fork holds."""
        task = self._task
        half_done = self._book.to_commit()
        if half_done is not None:
            self._keeper.commit(half_done)
        elif task.desk is not None and task.workshop.is_dirty():
            raise NotUsable(
                f"{task.workshop.path} has changes that are not committed:"
                " commit or undo them first"
            )
        files = task.workshop.files()
        known = self._keeper.of_files(files)
        if known is None:
            self._start(files)
        elif known.code is not None and not known.is_start:
            self._keeper.roll_back(known)

    def _start(self, files: dict[str, str]) -> None:
        """Judge what the fork holds: that is what has to be beaten."""
        task = self._task
        task.say("start", "judging the kernel that the fork begins with")
        found = look(task.judging, files)
        self._book.add(
            self._shift,
            is_start=True,
            sequence_length=task.sequence_length,
            proposer="fork",
            summary="the fork as it was",
            files=files,
            state=State.OVERTAKEN,
            result=found.result,
            tokens_per_sec=found.tokens_per_sec,
            speedup=found.speedup,
            ended_at=now(),
        )
        speed = found.tokens_per_sec
        told = found.result if speed is None else f"{speed:,.0f} tokens/s"
        task.say("started", f"the fork begins at: {told}", result=told)

    def _finish(self) -> None:
        """Hand in what was kept, and wait for the verdicts."""
        desk = self._task.desk
        while desk is not None and not desk.is_empty():
            self._clock_in()
            self._tend()
            if self._is_refused and self._book.in_flight() is None:
                # a quota is used up, say: the next shift asks again
                return
            self._task.pause(POLL_SECONDS)

    # --- one try ------------------------------------------------------------

    def _one_try(self) -> str:
        """Propose and judge one change; why no other one follows, if so."""
        try:
            one = self._book.proposed(self._task.sequence_length)
            one = one or self._propose()
            if one is None:
                return "nothing is left to try"
            if one.state == State.PROPOSED:
                self._judge(one)
                self._backoff.reset()
            elif not self._task.once:
                self._rest(self._backoff.next(), "nothing could be tried")
        except BudgetSpent as fault:
            return str(fault)
        except (NotNow, TransientError) as fault:
            told = fault.seconds if isinstance(fault, NotNow) else None
            self._rest(self._backoff.next(told), str(fault))
            return _GO_ON
        return "one change was tried" if self._task.once else _GO_ON

    def _propose(self) -> Try | None:
        """A new change, written down; None where nothing is left to try."""
        task, best = self._task, self._keeper.best()
        situation = situation_of(
            self._book, best, self._book.files(best), task.rules
        )
        base = {
            "sequence_length": task.sequence_length,
            "proposer": task.proposer.name,
            "parent_id": best.id,
        }
        try:
            proposal = task.proposer.propose(situation)
        except UnusableReply as fault:
            one = self._book.add(
                self._shift,
                **base,
                summary="a reply that cannot be applied",
                state=State.PROPOSED,
            )
            return self._drop(
                one, Finding(False, str(fault), "unusable_reply")
            )
        if proposal is None:
            return None
        one = self._book.add(
            self._shift,
            **base,
            summary=proposal.summary,
            files=dict(proposal.files),
            choices=dict(proposal.choices),
            state=State.PROPOSED,
        )
        task.say(
            "proposed",
            f"try {one.id}: {one.summary}",
            id=one.id,
            by=one.proposer,
        )
        return one

    def _judge(self, one: Try) -> None:
        """Keep it or drop it."""
        task, best = self._task, self._keeper.best()
        files = self._book.files(one)
        beaten = Best(self._book.files(best), best.speedup)
        found = weigh(task.judging, files, beaten, task.least_gain)
        if not found.better:
            self._drop(one, found)
            return
        kept = self._book.put(one, state=State.KEPT, **_numbers(found))
        task.say(
            "kept",
            f"try {one.id}: kept: {found.result}",
            id=one.id,
            tokens_per_sec=found.tokens_per_sec,
            result=found.result,
        )
        self._keeper.commit(kept)

    def _drop(self, one: Try, found: Finding) -> Try:
        dropped = self._book.put(
            one,
            state=State.DISCARDED,
            code=found.code,
            ended_at=now(),
            **_numbers(found),
        )
        self._task.say(
            "discarded",
            f"try {one.id}: not kept: {found.result}",
            id=one.id,
            code=found.code,
            result=found.result,
        )
        return dropped

    # --- the rest -----------------------------------------------------------

    def _tend(self) -> bool:
        """One step at the desk, if it is time; whether anything happened."""
        desk = self._task.desk
        if desk is None or self._task.clock() < self._desk_from:
            return False
        before = self._book.in_flight()
        try:
            moved = desk.step()
        except DESK_FAULTS as fault:
            told = None
            if isinstance(fault, ProblemAnswer):
                told = fault.retry_after_seconds
                self._is_refused = fault.status < 500
            wait = self._desk_backoff.next(told)
            self._desk_from = self._task.clock() + wait
            self._task.say("refused", f"handing in: {fault}", why=str(fault))
            return False
        self._desk_backoff.reset()
        self._desk_from, self._is_refused = 0.0, False
        if before is not None and self._keeper.best().id < before.id:
            self._keeper.roll_back(self._book.put(before))
        return moved

    def _over(self) -> str | None:
        """Why no further change is proposed; what was begun is finished."""
        if self._book.proposed(self._task.sequence_length) is not None:
            return None
        tries = self._book.count(self._shift)
        return self._task.budget.used_up(tries, self._shift.worked_seconds)

    def _quiet_time(self) -> str | None:
        """Nothing is run in quiet hours; what is handed in is tended."""
        quiet = self._task.quiet
        left = quiet.seconds_left(datetime.now().astimezone()) if quiet else 0
        if not left:
            return None
        self._rest(min(left, 60.0), f"quiet for another {left / 60:.0f} min")
        return _GO_ON

    def _rest(self, seconds: float, why: str) -> None:
        told = f"{why}; waiting {seconds:.0f} s"
        self._task.say("waiting", told, seconds=seconds, why=why)
        self._task.pause(seconds)

    def _clock_in(self) -> None:
        moment = self._task.clock()
        self._book.worked(self._shift, moment - self._since)
        self._since = moment


_GO_ON = "go on"


def _numbers(found: Finding) -> dict[str, object]:
    return {
        "result": found.result,
        "tokens_per_sec": found.tokens_per_sec,
        "speedup": found.speedup,
        "gain_low": found.gain.low if found.gain else None,
        "gain_high": found.gain.high if found.gain else None,
    }
