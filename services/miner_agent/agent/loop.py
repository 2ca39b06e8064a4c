"""The loop: propose, judge, keep or drop, hand in; resumed after any kill."""

from __future__ import annotations

from datetime import datetime
from random import Random

from quasar_core.client.answers import ProblemAnswer
from quasar_core.errors import QuasarError, TransientError
from quasar_core.execution.git import RepositoryError
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.worker.locks import LockTaken

from services.miner_agent.agent.bench import look
from services.miner_agent.agent.keeping import Keeper
from services.miner_agent.agent.limits import Backoff, BudgetSpent
from services.miner_agent.agent.tables import Shift, State, now
from services.miner_agent.agent.task import Task
from services.miner_agent.agent.trying import FRUITLESS, Trying
from services.miner_agent.proposers.protocol import NotNow

POLL_SECONDS = 2.0
LOOK_SECONDS = 60.0
"""How long it rests at most without a look at what is handed in."""

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
        self._trying = Trying(task, shift, self._keeper)
        self._backoff = Backoff(Random(f"{task.seed}"))  # noqa: S311
        self._desk_backoff = Backoff(Random(f"{task.seed}+"))  # noqa: S311
        self._desk_from = 0.0
        self._is_refused = False
        self._is_begun = False
        self._since = task.clock()

    def work(self) -> str:
        """Work until a limit, or until nothing is left to try; why it ended.

        What was kept is handed in and watched to its verdict before that.
        """
        self._tidy()
        why = None
        while why is None:
            self._clock_in()
            self._tend()
            why = self._over() if self._is_begun else None
            why = why or self._quiet_time() or self._move()
            if why == _GO_ON:
                why = None
        self._finish()
        self._clock_in()
        self._book.end(self._shift, why)
        return why

    def _move(self) -> str:
        """Begin, or else make one try; why nothing follows, if so."""
        return self._one_try() if self._is_begun else self._begin()

    # --- beginning and ending -----------------------------------------------

    def _tidy(self) -> None:
        """Finish a commit that was cut short; nobody else's is run over."""
        task = self._task
        half_done = self._book.to_commit()
        if half_done is not None:
            self._keeper.commit(half_done)
        elif task.desk is not None and task.workshop.is_dirty():
            raise NotUsable(
                f"{task.workshop.path} has changes that are not committed:"
                " commit or undo them first"
            )

    def _begin(self) -> str:
        """Make sure that the logbook's best is what the fork holds.

        What cannot be judged just now is judged later: nothing can be done
        before. Who asked for one change, or for a dry run, is told instead.
        """
        task = self._task
        # the fork may have changed in quiet hours
        self._tidy()
        files = task.workshop.files()
        known = self._keeper.of_files(files)
        try:
            if known is None:
                self._start(files)
            elif known.code is not None and not known.is_start:
                self._keeper.roll_back(known)
        except SandboxUnavailable:
            # it says what to mend
            raise
        except TransientError as fault:
            told = f"the fork's kernel could not be judged: {fault}"
            if task.once or task.desk is None:
                raise NotUsable(told) from fault
            self._rest(self._backoff.next(), told)
            self._clock_in()
            return self._over() or _GO_ON
        self._is_begun = True
        self._backoff.reset()
        return _GO_ON

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
            one = self._trying.one()
        except BudgetSpent as fault:
            return str(fault)
        except (NotNow, TransientError) as fault:
            told = fault.seconds if isinstance(fault, NotNow) else None
            self._rest(self._backoff.next(told), str(fault))
            return _GO_ON
        if one is None:
            return "nothing is left to try"
        if self._task.once:
            return "one change was tried"
        if one.code in FRUITLESS:
            self._rest(self._backoff.next(), "nothing could be tried")
        else:
            self._backoff.reset()
        return _GO_ON

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
        if (
            before is not None
            and self._is_begun
            and self._keeper.best().id < before.id
        ):
            self._keeper.roll_back(self._book.put(before))
        return moved

    def _over(self) -> str | None:
        """Why no further change is proposed, nor judged again."""
        tries = self._book.count(self._shift)
        return self._task.budget.used_up(tries, self._shift.worked_seconds)

    def _quiet_time(self) -> str | None:
        """Nothing is run in quiet hours; what is handed in is tended.

        They are no hours at work.
        """
        quiet = self._task.quiet
        left = quiet.seconds_left(datetime.now().astimezone()) if quiet else 0
        if not left:
            return None
        self._clock_in()
        self._rest(
            min(left, LOOK_SECONDS), f"quiet for another {left / 60:.0f} min"
        )
        self._since = self._task.clock()
        return _GO_ON

    def _rest(self, seconds: float, why: str) -> None:
        """Wait; a seal whose block comes meanwhile is opened in time."""
        told = f"{why}; waiting {seconds:.0f} s"
        self._task.say("waiting", told, seconds=seconds, why=why)
        while seconds > LOOK_SECONDS:
            self._task.pause(LOOK_SECONDS)
            seconds -= LOOK_SECONDS
            self._tend()
        self._task.pause(seconds)

    def _clock_in(self) -> None:
        moment = self._task.clock()
        self._book.worked(self._shift, moment - self._since)
        self._since = moment


_GO_ON = "go on"
