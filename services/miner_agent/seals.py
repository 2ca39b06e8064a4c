"""Seals: which sealed submission is meant, one that was begun or a new one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from quasar_core.contracts.http import RoundView, SubmissionAccepted
from quasar_core.domain.commitments import MIN_SALT_BYTES
from quasar_core.domain.commitments import commitment_hash as hash_of
from quasar_core.domain.sources import KERNEL_FOLDER
from quasar_core.domain.submissions import REPEATABLE, Status
from quasar_core.execution.own_git import commit_changes, has_remote

from services.miner_agent.journal import UNFINISHED, Page, Step
from services.miner_agent.repository import open_fork
from services.miner_agent.sealing import (
    SealEnded,
    Tools,
    carry_on,
    commit,
)
from services.miner_agent.taking_part import NotSent, check_length

SALT_BYTES = 2 * MIN_SALT_BYTES


@dataclass(frozen=True)
class Wish:
    """What is to be submitted: the fork as it is now, at a length.

    With a `commit_hash`: that commit, and nothing is committed.
    """

    hotkey: str
    fork_url: str
    remote: str | None
    target_sequence_length: int
    message: str
    claimed_tokens_per_sec: float | None = None
    commit_hash: str | None = None


def submit_sealed(
    tools: Tools, current: RoundView, wish: Wish
) -> tuple[SubmissionAccepted, Page]:
    """Commit what has changed, seal it, wait, push, reveal.

    One that was begun at this length goes on, and nothing else is begun:
    however often this is asked for, and wherever it was killed, a commit is
    sealed once. Raises NotSent for a length that is not judged and for a
    remote that git does not know.
    """
    check_length(current, wish.target_sequence_length)
    with tools.journal.held():
        page = _begun(tools, current, wish) or _new(tools, current, wish)
        return carry_on(tools, page), page


def seal(tools: Tools, current: RoundView, wish: Wish) -> Page:
    """Commit what has changed and seal it; nothing is waited for.

    One that was begun at this length is given instead, whichever commit it
    is of. Raises as `submit_sealed`.
    """
    check_length(current, wish.target_sequence_length)
    with tools.journal.held():
        page = _begun(tools, current, wish) or _new(tools, current, wish)
        return commit(tools, page)


def resume(
    tools: Tools, current: RoundView, hotkey: str
) -> list[tuple[SubmissionAccepted, Page]]:
    """Take all that was begun to its end, what opens first before the rest.

    One that has ended unopened keeps no other from it: SealEnded is raised
    when the rest is done.
    """
    with tools.journal.held():
        begun = [
            page
            for page in tools.journal.of(current.netuid, hotkey)
            if page.step in UNFINISHED
        ]
        begun.sort(key=lambda page: page.reveal_from_block or 0)
        done, ended = [], []
        for page in begun:
            try:
                done.append((carry_on(tools, page), page))
            except SealEnded as fault:
                tools.tell(f"{page.submission_id}: {fault}")
                ended.append(fault)
        if ended:
            for accepted, _ in done:
                tools.tell(f"revealed as {accepted.submission_id}")
            raise ended[0]
        return done


def _begun(tools: Tools, current: RoundView, wish: Wish) -> Page | None:
    for page in tools.journal.of(current.netuid, wish.hotkey):
        if page.target_sequence_length != wish.target_sequence_length:
            continue
        if page.step in UNFINISHED:
            tools.tell(
                f"going on with commit {page.commit_hash[:12]}, which was"
                " sealed before; what changed since is not part of it"
            )
            return page
    return None


def _new(tools: Tools, current: RoundView, wish: Wish) -> Page:
    path = tools.repo_path
    if wish.remote is not None and not has_remote(path, wish.remote):
        raise NotSent(
            f"{path} knows no remote {wish.remote} to push to: `git remote"
            f" add {wish.remote} URL`, or name another with --remote"
        )
    commit_hash = wish.commit_hash or _committed(tools, wish.message)
    known = _revealed(tools, current, wish, commit_hash)
    if known is not None:
        return known
    salt = secrets.token_hex(SALT_BYTES)
    length = wish.target_sequence_length
    return tools.journal.put(
        Page(
            step=Step.SEALED,
            netuid=current.netuid,
            hotkey=wish.hotkey,
            fork_url=wish.fork_url,
            remote=wish.remote,
            commit_hash=commit_hash,
            target_sequence_length=length,
            salt=salt,
            commitment_hash=hash_of(
                wish.hotkey, wish.fork_url, commit_hash, length, salt
            ),
            claimed_tokens_per_sec=wish.claimed_tokens_per_sec,
        )
    )


def _committed(tools: Tools, message: str) -> str:
    """The commit that holds the fork as it is now."""
    if commit_changes(tools.repo_path, KERNEL_FOLDER, message):
        tools.tell(f"committed what had changed in {KERNEL_FOLDER}")
    fork = open_fork(tools.repo_path)
    for warning in fork.warnings:
        tools.tell(f"warning: {warning}")
    return fork.commit_hash


def _revealed(
    tools: Tools, current: RoundView, wish: Wish, commit_hash: str
) -> Page | None:
    """The page of this very commit, where this round has it already."""
    for page in tools.journal.of(current.netuid, wish.hotkey):
        same = (page.fork_url, page.commit_hash, page.target_sequence_length)
        if (
            same != (wish.fork_url, commit_hash, wish.target_sequence_length)
            or page.submission_id is None
        ):
            continue
        view = tools.client.submission(page.submission_id)
        if (
            view.round_number == current.round_number
            and Status(view.status) not in REPEATABLE
        ):
            return page
    return None
