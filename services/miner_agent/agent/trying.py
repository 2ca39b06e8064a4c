"""Trying: one change proposed, judged, and kept or dropped."""

from __future__ import annotations

from quasar_core.errors import TransientError
from quasar_core.judge.spawn import RefereeCrashedError

from services.miner_agent.agent.bench import Best, Finding, weigh
from services.miner_agent.agent.keeping import Keeper
from services.miner_agent.agent.tables import Shift, State, Try, now
from services.miner_agent.agent.task import Task
from services.miner_agent.agent.telling import situation_of
from services.miner_agent.proposers.protocol import UnusableReply

MOST_JUDGINGS = 3
"""How often a try's judging is begun; then it is dropped unjudged."""

FAULT_LIMIT = 300
UNUSABLE_REPLY, NOT_JUDGED = "unusable_reply", "not_judged"
FRUITLESS = frozenset({UNUSABLE_REPLY, NOT_JUDGED})
"""Codes of tries of which the judge said nothing."""


class NotJudged(TransientError):
    """A judging came to no verdict; the same try may be judged again."""


class Trying:
    """Makes a shift's tries; each is in the logbook before and after."""

    def __init__(self, task: Task, shift: Shift, keeper: Keeper) -> None:
        self._task = task
        self._shift = shift
        self._keeper = keeper
        self._book = task.logbook

    def one(self) -> Try | None:
        """The try that is under way, or a new one; None where none is left.

        It came to its end. Raises NotJudged where that needs another
        judging, BudgetSpent, and NotNow.
        """
        one = self._book.proposed(self._task.sequence_length)
        if one is None:
            one = self._propose()
        elif one.shift_id != self._shift.id:
            one = self._book.put(one, shift_id=self._shift.id)
        if one is None or one.state != State.PROPOSED:
            return one
        return self._judge(one)

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
            return self._drop(one, Finding(False, str(fault), UNUSABLE_REPLY))
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

    def _judge(self, one: Try) -> Try:
        """Keep it or drop it; dropped, too, where its judgings all fail."""
        begun = self._book.judgings(one)
        if len(begun) >= MOST_JUDGINGS:
            # the last of them took the agent with it
            return self._give_up(one, begun[-1].fault or "it was cut short")
        judging = self._book.begin_judging(one)
        try:
            found = self._weighed(one)
        except KeyboardInterrupt:
            self._book.forget(judging)
            raise
        except (TransientError, RefereeCrashedError) as fault:
            why = str(fault).strip()[:FAULT_LIMIT]
            self._book.failed(judging, why)
            if len(begun) + 1 >= MOST_JUDGINGS:
                return self._give_up(one, why)
            raise NotJudged(f"try {one.id} was not judged: {why}") from fault
        return (
            self._keep(one, found) if found.better else self._drop(one, found)
        )

    def _weighed(self, one: Try) -> Finding:
        task, best = self._task, self._keeper.best()
        beaten = Best(self._book.files(best), best.speedup)
        files = self._book.files(one)
        return weigh(task.judging, files, beaten, task.least_gain)

    def _give_up(self, one: Try, why: str) -> Try:
        told = f"not judged in {MOST_JUDGINGS} attempts, the last: {why}"
        return self._drop(one, Finding(False, told, NOT_JUDGED))

    def _keep(self, one: Try, found: Finding) -> Try:
        kept = self._book.put(one, state=State.KEPT, **_numbers(found))
        self._task.say(
            "kept",
            f"try {one.id}: kept: {found.result}",
            id=one.id,
            tokens_per_sec=found.tokens_per_sec,
            result=found.result,
        )
        self._keeper.commit(kept)
        return kept

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


def _numbers(found: Finding) -> dict[str, object]:
    return {
        "result": found.result,
        "tokens_per_sec": found.tokens_per_sec,
        "speedup": found.speedup,
        "gain_low": found.gain.low if found.gain else None,
        "gain_high": found.gain.high if found.gain else None,
    }
