"""Reading what strangers wrote, in a sandbox of its own, from outside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from quasar_core.errors import (
    RejectionCode,
    Stage,
    SubmissionFault,
    TransientError,
)
from quasar_core.execution.closure import (
    closure_mounts,
    python_environment,
    python_in_sandbox,
)
from quasar_core.execution.frames import (
    Answer,
    BrokenFrames,
    Kind,
    decode,
    decode_fault,
    text,
)
from quasar_core.execution.hardened_git import GitTimeout
from quasar_core.execution.limits import MIB, Limits
from quasar_core.execution.sandbox import (
    Ending,
    Job,
    Mount,
    Outcome,
    Sandbox,
)

PLACE = Path("/opt/reader")
PARTS = ("__init__.py", "errors.py", "domain", "execution")
"""Of this package, what the reader needs: nothing that is secret."""
ANSWER_BYTES = 4 * MIB
GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Asked:
    """One deed of the reader, and what it takes."""

    deed: str
    facts: Mapping[str, Any]
    stage: Stage
    limits: Limits
    mounts: tuple[Mount, ...] = ()
    passed: Sequence[int] = ()
    loopback: bool = False


def read(
    sandbox: Sandbox,
    asked: Asked,
    started: Callable[[], None] = lambda: None,
) -> Answer:
    """The reader's answer; `started` is called once the sandbox has begun.

    Raises SubmissionFault for what is wrong with what was read, also where
    it brought the reader down, and TransientError for the world's faults.
    """
    with sandbox.start(_job(asked)) as running:
        started()
        outcome = running.wait() or running.kill()
    if outcome.ending is not Ending.OK:
        raise _fault(asked.stage, outcome)
    try:
        answer = decode(outcome.stdout)
        if answer.kind is Kind.FAULT:
            raise decode_fault(answer)
    except BrokenFrames as error:
        raise SubmissionFault(
            _BROUGHT_DOWN[asked.stage], asked.stage, f"unreadable: {error}"
        ) from error
    said = text(b" ".join(answer.blobs[:1]))
    if answer.kind is Kind.LATE:
        raise GitTimeout(said)
    if answer.kind is Kind.WORLD:
        raise TransientError(said)
    return answer


def _job(asked: Asked) -> Job:
    package = Path(str(resources.files("quasar_core").joinpath("errors.py")))
    ours = (
        Mount(package.with_name(each), PLACE / "quasar_core" / each)
        for each in PARTS
    )
    variables = dict(python_environment())
    paths = f"{variables['PYTHONPATH']}:{PLACE}"
    facts = {"deed": asked.deed, **asked.facts}
    return Job(
        argv=(
            *(python_in_sandbox(), "-s", "-P", "-m"),
            *("quasar_core.execution.reader", json.dumps(facts)),
        ),
        mounts=(*closure_mounts(()), *ours, *asked.mounts),
        environment={**variables, "PYTHONPATH": paths},
        pass_fds=tuple(asked.passed),
        limits=asked.limits,
        loopback=asked.loopback,
    )


def _fault(stage: Stage, outcome: Outcome) -> Exception:
    """Whose fault it is that the reader did not come to its end.

    It is ours and knows its limits: what brings it down was written to.
    """
    match outcome.ending:
        case Ending.OUT_OF_MEMORY | Ending.OUTPUT_LIMIT:
            code = RejectionCode.TOO_LARGE
        case Ending.SIGNAL:
            code = _BROUGHT_DOWN[stage]
        case Ending.TIMEOUT if stage is Stage.SCREEN:
            code = _BROUGHT_DOWN[stage]
        case Ending.TIMEOUT:
            return GitTimeout("the fetch took too long")
        case _:
            said = outcome.stderr.strip().splitlines()[-1:]
            words = text(b"".join(said)) or outcome.ending.value
            return TransientError(f"the reader failed: {words}")
    return SubmissionFault(
        code, stage, f"reading it ended in {outcome.ending.value}"
    )


_BROUGHT_DOWN = {
    Stage.FETCH: RejectionCode.FORK_UNREACHABLE,
    Stage.SCREEN: RejectionCode.SYNTAX_ERROR,
}
