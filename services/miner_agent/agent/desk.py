"""The desk: what is kept is handed in, one at a time, sealed; and watched."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from quasar_core.client.answers import ProblemAnswer
from quasar_core.contracts.http import SubmissionView
from quasar_core.domain.submissions import TERMINAL, Status

from services.miner_agent import seals
from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.saying import Say
from services.miner_agent.agent.tables import State, Try, now
from services.miner_agent.journal import Page, Step
from services.miner_agent.sealing import (
    LOST,
    SealEnded,
    Tools,
    carry_on,
    give_up,
)

MOST_SENDINGS = 3
SENT_AGAIN = frozenset({Status.INFRA_FAILED, Status.EXPIRED})
"""The miner is not to blame: the same commit is sealed once more."""


@dataclass(frozen=True)
class Desk:
    """Hands kept kernels in; every step may be taken twice without harm.

    What a kill cuts off is found again: the seal by its commit, in the
    journal of seals, and what the API has of it by its hash. Each step
    raises TransientError, ProblemAnswer and RepositoryError for what may be
    otherwise later.
    """

    tools: Tools
    logbook: Logbook
    say: Say
    hotkey: str
    fork_url: str
    remote: str | None
    sequence_length: int

    def step(self) -> bool:
        """Take what is handed in, or else the newest kept one, further.

        Whether anything happened; False where there is nothing to do, and
        while a block or a verdict is waited for.
        """
        flying = self.logbook.in_flight()
        if flying is None:
            return self._seal()
        if flying.state == State.SEALED:
            return self._reveal(flying)
        return self._look(flying)

    def is_empty(self) -> bool:
        """Whether nothing is handed in, nor waits to be."""
        waiting = self.logbook.waiting(self.sequence_length)
        return self.logbook.in_flight() is None and not waiting

    def _seal(self) -> bool:
        waiting = self.logbook.waiting(self.sequence_length)
        if not waiting:
            return False
        newest, *older = waiting
        for each in older:
            self._overtaken(each, newest)
        current = self.tools.client.current_round()
        try:
            page = seals.seal(self.tools, current, self._wish(newest))
        except SealEnded as fault:
            # it was posted before a kill, and its window passed meanwhile
            return self._lost(newest, str(fault))
        if page.commit_hash != newest.commit_hash:
            # somebody sealed another commit by hand: that one comes first
            return self._is_open(page) and self._made_room(page)
        self.logbook.put(
            newest,
            state=State.SEALED,
            commitment_hash=page.commitment_hash,
            submission_id=str(page.submission_id),
            sent=newest.sent + 1,
        )
        self.say(
            "sealed",
            f"try {newest.id}: sealed as {page.submission_id}, to be revealed"
            f" from block {page.reveal_from_block}",
            id=newest.id,
            submission_id=str(page.submission_id),
        )
        return True

    def _made_room(self, page: Page) -> bool:
        """Take a seal that is not of the logbook to its end, whichever."""
        try:
            return self._carried(page)
        except SealEnded as fault:
            self.say("passed", f"a seal made by hand: {fault}")
            return True

    def _wish(self, one: Try) -> seals.Wish:
        return seals.Wish(
            hotkey=self.hotkey,
            fork_url=self.fork_url,
            remote=self.remote,
            target_sequence_length=one.sequence_length,
            message=one.summary,
            claimed_tokens_per_sec=one.tokens_per_sec,
            commit_hash=one.commit_hash,
        )

    def _overtaken(self, one: Try, by: Try) -> None:
        self.logbook.put(one, state=State.OVERTAKEN, ended_at=now())
        self.say(
            "overtaken",
            f"try {one.id}: not handed in, try {by.id} is better",
            id=one.id,
        )

    def _reveal(self, one: Try) -> bool:
        pages = [
            page
            for page in self.tools.journal.pages()
            if page.commitment_hash == one.commitment_hash
        ]
        if not pages or pages[0].step is Step.LOST:
            return self._lost(one, "its seal is lost")
        if not self._is_open(pages[0]):
            return False
        try:
            self._carried(pages[0])
        except ProblemAnswer as fault:
            if fault.code not in LOST:
                if not self._is_past(pages[0]):
                    raise
                # whoever is refused is not told that it is too late
                give_up(self.tools, pages[0])
            return self._lost(one, fault.detail)
        except SealEnded as fault:
            return self._lost(one, str(fault))
        self.logbook.put(one, state=State.REVEALED)
        self.say("revealed", f"try {one.id}: pushed and revealed", id=one.id)
        return True

    def _is_open(self, page: Page) -> bool:
        height = self.tools.client.current_round().current_block
        first = page.reveal_from_block
        return first is None or (height is not None and height >= first)

    def _is_past(self, page: Page) -> bool:
        height = self.tools.client.current_round().current_block
        last = page.reveal_until_block
        return height is not None and last is not None and height > last

    def _carried(self, page: Page) -> bool:
        with self.tools.journal.held():
            carry_on(self.tools, page)
        return True

    def _lost(self, one: Try, why: str) -> bool:
        return self._again_or_over(one, Status.EXPIRED, why)

    def _look(self, one: Try) -> bool:
        assert one.submission_id is not None  # noqa: S101 -- it is sealed
        view = self.tools.client.submission(UUID(one.submission_id))
        status = Status(view.status)
        if status not in TERMINAL:
            return False
        if status in SENT_AGAIN:
            return self._again_or_over(one, status, status.value)
        code = _code(view, status)
        score = view.score.tokens_per_sec if view.score else None
        told = f"the platform says {code or status.value}"
        if score is not None:
            told += f", {score:,.0f} tokens/s"
        self.logbook.put(
            one,
            state=State.DECIDED,
            status=status.value,
            code=code,
            result=f"{one.result}; {told}",
            ended_at=now(),
        )
        self.say(
            "decided",
            f"try {one.id}: {told}",
            id=one.id,
            submission_id=one.submission_id,
            status=status.value,
            code=code,
            tokens_per_sec=score,
        )
        return True

    def _again_or_over(self, one: Try, status: Status, why: str) -> bool:
        again = one.sent < MOST_SENDINGS
        self.logbook.put(
            one,
            state=State.COMMITTED if again else State.DECIDED,
            status=status.value,
            ended_at=None if again else now(),
        )
        told = "it is sealed anew" if again else "it is left at that"
        self.say("lost", f"try {one.id}: {why}; {told}", id=one.id)
        return True


def _code(view: SubmissionView, status: Status) -> str | None:
    """What the platform has against it, if anything."""
    if status not in {Status.REJECTED, Status.INVALIDATED}:
        return None
    return view.verdict.rejection.code.value if view.verdict else status.value
