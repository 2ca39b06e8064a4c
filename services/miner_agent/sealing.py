"""Sealing: commit, wait for the block, push, reveal; after a kill, go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.client.api import QuasarClient
from quasar_core.contracts.http import SubmissionAccepted, SubmissionView
from quasar_core.domain.submissions import Status
from quasar_core.errors import ProblemCode
from quasar_core.execution.own_git import push

from services.miner_agent.journal import Journal, Page, Step
from services.miner_agent.taking_part import NotSent

POLL_SECONDS = 3.0

LOST = frozenset(
    {
        ProblemCode.REVEAL_TOO_LATE,
        ProblemCode.SALT_REUSED,
        ProblemCode.COMMITMENT_MISMATCH,
        ProblemCode.CONFLICT,
    }
)
"""After these no later reveal will be accepted."""


class SealEnded(NotSent):
    """What was sealed has ended unopened; it may be sealed anew.

    `code` is what the API would have said.
    """

    def __init__(self, sentence: str, code: ProblemCode) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Tools:
    """What sealing works with, and whom it tells how far it has come."""

    client: QuasarClient
    journal: Journal
    repo_path: Path
    tell: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep
    push_environment: Mapping[str, str] = field(default_factory=dict)


def commit(tools: Tools, page: Page) -> Page:
    """Post a sealed submission's hash, unless it was posted before.

    Raises ProblemAnswer where the API refuses, SealEnded where it has
    ended meanwhile.
    """
    if page.step is Step.SEALED:
        page = _commit(tools, page)
        tools.tell(
            f"sealed as {page.submission_id}; it opens at block"
            f" {page.reveal_from_block}. If this ends before, run it again:"
            " it goes on from here"
        )
    return page


def carry_on(tools: Tools, page: Page) -> SubmissionAccepted:
    """Take a sealed submission from where it is to the queue.

    Every step may be taken twice without harm, and is written down once it
    was taken. Raises ProblemAnswer where the API refuses, RepositoryError
    where the push fails: the same again then goes on from there.
    """
    page = commit(tools, page)
    if page.step is Step.COMMITTED:
        _wait(tools, page)
        page = _push(tools, page)
    return _reveal(tools, page)


def _commit(tools: Tools, page: Page) -> Page:
    try:
        accepted = tools.client.commit(page.commitment_hash)
    except ProblemAnswer as fault:
        if fault.code is not ProblemCode.COMMITMENT_REPEATED:
            raise
        # it had arrived before this program was killed
        return _found(tools, page)
    return _committed(
        tools,
        page,
        submission_id=accepted.submission_id,
        reveal_from_block=accepted.reveal_from_block,
        reveal_until_block=accepted.reveal_until_block,
    )


def _found(tools: Tools, page: Page) -> Page:
    listed = tools.client.submissions(
        hotkey=page.hotkey, commitment_hash=page.commitment_hash
    )
    if not listed.submissions:
        raise ApiUnavailable("the API lists no commitment that it has")
    found = tools.client.submission(listed.submissions[0].submission_id)
    _check_alive(tools, page, found)
    assert found.commitment is not None  # noqa: S101 -- found by it
    return _committed(
        tools,
        page,
        submission_id=found.submission_id,
        reveal_from_block=found.commitment.reveal_from_block,
        reveal_until_block=found.commitment.reveal_until_block,
    )


def _committed(tools: Tools, page: Page, **told: object) -> Page:
    changes = {"step": Step.COMMITTED, **told}
    return tools.journal.put(page.model_copy(update=changes))


def _check_alive(tools: Tools, page: Page, found: SubmissionView) -> None:
    if found.status in {Status.EXPIRED, Status.WITHDRAWN}:
        give_up(tools, page)
        raise SealEnded(
            f"this sealed submission is {found.status}: seal anew",
            ProblemCode.CONFLICT,
        )


def _wait(tools: Tools, page: Page) -> None:
    """Until the chain is at the block from which it may be revealed.

    Raises SealEnded where it may not be any more: what is pushed is public.
    """
    assert page.reveal_from_block is not None  # noqa: S101 -- committed
    heard: int | None = None
    while True:
        with _patience(tools):
            height = tools.client.current_round().current_block
            if height is not None and height >= page.reveal_from_block:
                _check_opens(tools, page, height)
                return
            if height is not None and height != heard:
                heard = height
                left = page.reveal_from_block - height
                tools.tell(
                    f"block {height}: {left} to go until block"
                    f" {page.reveal_from_block}"
                )
        tools.pause(POLL_SECONDS)


def _check_opens(tools: Tools, page: Page, height: int) -> None:
    """Raise SealEnded where a reveal would come too late, or for nothing."""
    last = page.reveal_until_block
    # a push takes a while: the last block would be over
    if last is not None and height >= last:
        give_up(tools, page)
        raise SealEnded(
            f"it could be revealed until block {last}, and the chain is at"
            f" {height}: nothing was pushed; seal anew",
            ProblemCode.REVEAL_TOO_LATE,
        )
    assert page.submission_id is not None  # noqa: S101 -- committed
    _check_alive(tools, page, tools.client.submission(page.submission_id))


def _push(tools: Tools, page: Page) -> Page:
    if page.remote is not None:
        tools.tell(f"pushing {page.branch} to {page.remote}")
        push(
            tools.repo_path,
            page.remote,
            page.commit_hash,
            page.branch,
            tools.push_environment,
        )
    return tools.journal.put(page.model_copy(update={"step": Step.PUSHED}))


def _reveal(tools: Tools, page: Page) -> SubmissionAccepted:
    while True:
        with _patience(tools):
            try:
                accepted = tools.client.reveal(page.opening)
            except ProblemAnswer as fault:
                if fault.code in LOST:
                    give_up(tools, page)
                if fault.code is not ProblemCode.REVEAL_TOO_EARLY:
                    raise
            else:
                done = page.model_copy(update={"step": Step.REVEALED})
                tools.journal.put(done)
                return accepted
        tools.pause(POLL_SECONDS)


def give_up(tools: Tools, page: Page) -> None:
    """Note that a sealed submission will never be opened."""
    tools.journal.put(page.model_copy(update={"step": Step.LOST}))


@contextmanager
def _patience(tools: Tools) -> Iterator[None]:
    """Bear what may pass, for as long as the window is open.

    The API says itself when it is not; a full league empties.
    """
    try:
        yield
    except ApiUnavailable as fault:
        tools.tell(f"{fault}; trying again")
    except ProblemAnswer as fault:
        if not fault.transient:
            raise
        tools.tell(f"{fault.detail}; trying again")
        tools.pause(fault.retry_after_seconds or 0.0)
