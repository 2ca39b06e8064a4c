"""Whose fault a failed fetch is: the fork's, the commit's, or the world's."""

from __future__ import annotations

import re

from quasar_core.errors import (
    QuasarError,
    RejectionCode,
    Stage,
    SubmissionFault,
    TransientError,
)
from quasar_core.execution.hardened_git import GitAnswer

DETAIL_CHARACTERS = 300

UNREACHABLE = RejectionCode.FORK_UNREACHABLE
NOT_FOUND = RejectionCode.COMMIT_NOT_FOUND
TOO_LARGE = RejectionCode.TOO_LARGE

# First match decides; what matches nothing is the world's fault, so that a
# new wording of git's costs nobody a submission.
FAULTS: tuple[tuple[str, RejectionCode | None], ...] = (
    (r"File too large|signal 25|exceeds maximum allowed size", TOO_LARGE),
    (r"out of memory|malloc failed|mmap failed", TOO_LARGE),
    (r"returned error: (408|429|5\d\d)", None),
    (r"not our ref|unadvertised object|couldn't find remote ref", NOT_FOUND),
    (r"no such remote ref|remote error: .*not found", NOT_FOUND),
    (r"redirect|returned error: 3\d\d", UNREACHABLE),
    (r"could not read (Username|Password)|Authentication failed", UNREACHABLE),
    (r"returned error: 4\d\d|repository '.*' not found", UNREACHABLE),
    (r"not appear to be a git repository|is this a git repo", UNREACHABLE),
    (r"not valid: is this|dumb http", UNREACHABLE),
    (r"transport '.*' not allowed|protocol '.*' is not", UNREACHABLE),
    (r"fsck error|in fsck|invalid (object|tree|blob|commit)", UNREACHABLE),
    (r"badTree|bad tree|unresolved deltas|inflate returned", UNREACHABLE),
    (r"pack is corrupted|bad object|SHA1 COLLISION", UNREACHABLE),
    (r"unable to (read|parse) (tree|commit)|protocol error", UNREACHABLE),
)


def failure(answer: GitAnswer) -> QuasarError:
    """The error that a failed fetch deserves."""
    # What a server says of itself decides nothing.
    told = "\n".join(
        line
        for line in answer.complaint.splitlines()
        if not line.startswith("remote:")
    )
    for pattern, code in FAULTS:
        if re.search(pattern, told, re.IGNORECASE):
            return _error(code, told)
    return _error(None, told or f"git ended with {answer.code}")


def _error(code: RejectionCode | None, told: str) -> QuasarError:
    detail = _last_words(told)
    if code is None:
        return TransientError(f"the fork could not be fetched: {detail}")
    return SubmissionFault(code, Stage.FETCH, detail)


def _last_words(told: str) -> str:
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[:DETAIL_CHARACTERS]
