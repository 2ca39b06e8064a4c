"""Running the referee in a process of its own, from one that loads no torch.

The caller's process never touches torch or a device. The referee ends with
its caller: whatever ends it closes the pipe that the referee watches.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import IO

from pydantic import ValidationError

from quasar_core.contracts.reports import ChallengeReport, JudgeReport
from quasar_core.domain.workload import Profile
from quasar_core.errors import MachineFault, QuasarError, TransientError
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.forking import Process, end_within, own_server
from quasar_core.judge.jobs import (
    AnswerLine,
    BaselineReport,
    BaselineSpec,
    ChallengeSpec,
    JudgeSpec,
    ReproducedReport,
    ReproduceSpec,
    Spec,
    SpecLine,
    VerifyReport,
    VerifySpec,
)
from quasar_core.judge.progress import Listener, unheard

COMMAND = (sys.executable, "-m", "quasar_core.judge")

FORKED = frozenset({Profile.CPU})
"""Profiles whose referees are forked from a process that has imported torch.

One for a device is a new process each time: its driver must not be forked.
"""

LOGITS = ("quasar_core.judge.logit_checks",)
"""What a verification imports, which takes longer than torch itself."""

LOOK_SECONDS = 0.1
ENDING_SECONDS = 10.0
GRACE_SECONDS = 60.0
STDERR_TAIL_BYTES = 8_192
CHUNK_BYTES = 64 * 1024


class RefereeCrashedError(QuasarError):
    """The judge itself broke: ours, loud, with the traceback it printed."""


class UnhealthyDeviceError(MachineFault):
    """The device failed its health check, before the job or after it."""


class RefereeKilledError(MachineFault):
    """Somebody, or something, killed the referee while it judged."""


def never() -> bool:
    """No job is cancelled."""
    return False


def judge_in_subprocess(
    spec: JudgeSpec,
    on_progress: Listener,
    *,
    cancelled: Callable[[], bool] = never,
) -> JudgeReport:
    """Judge a submission in a process of its own.

    Raises TransientError for the world's faults and where `cancelled`
    answers yes, SandboxUnavailable where no sandbox can be had, and
    RefereeCrashedError where the judge itself broke. Nothing of the job is
    alive after it, however it ends.
    """
    answer = _run(spec, on_progress, cancelled)
    if answer.judged is None:
        raise RefereeCrashedError("a judging ended without a report")
    return answer.judged


def challenge_in_subprocess(
    spec: ChallengeSpec,
    on_progress: Listener,
    *,
    cancelled: Callable[[], bool] = never,
) -> ChallengeReport:
    """Time two kernels in turns; raises as `judge_in_subprocess` does."""
    answer = _run(spec, on_progress, cancelled)
    if answer.challenged is None:
        raise RefereeCrashedError("a challenge ended without a report")
    return answer.challenged


def verify_in_subprocess(
    spec: VerifySpec,
    on_progress: Listener,
    *,
    cancelled: Callable[[], bool] = never,
) -> VerifyReport:
    """Check a submission's logits; raises as `judge_in_subprocess` does."""
    answer = _run(spec, on_progress, cancelled)
    if answer.verified is None:
        raise RefereeCrashedError("a verification ended without a report")
    return answer.verified


def measure_baseline_in_subprocess(
    spec: BaselineSpec, *, cancelled: Callable[[], bool] = never
) -> BaselineReport:
    """Time the trusted kernel; raises as `judge_in_subprocess` does."""
    answer = _run(spec, unheard, cancelled)
    if answer.measured is None:
        raise RefereeCrashedError("a measuring ended without a report")
    return answer.measured


def reproduce_in_subprocess(
    spec: ReproduceSpec, *, cancelled: Callable[[], bool] = never
) -> ReproducedReport:
    """Call a source with the input it failed on; raises as the others."""
    answer = _run(spec, unheard, cancelled)
    if answer.reproduced is None:
        raise RefereeCrashedError("a reproduction ended without a report")
    return answer.reproduced


def _run(
    spec: Spec,
    on_progress: Listener,
    cancelled: Callable[[], bool],
) -> AnswerLine:
    settings = spec.settings
    seconds = settings.total_seconds + settings.lock_seconds + GRACE_SECONDS
    # What a referee that is cut short leaves lying goes with this folder.
    with (
        tempfile.TemporaryDirectory(prefix="quasar-referee-") as scratch,
        tempfile.TemporaryFile() as errors,
    ):
        answer = None
        with _referee(spec, errors, scratch) as (process, lines):
            for line in _lines(lines, process, seconds, cancelled):
                answer = _read(line)
                if answer.progress is None:
                    break
                on_progress(answer.progress)
                answer = None
        if answer is None:
            raise _crash(process.returncode, errors)
    if answer.failed is not None:
        raise TransientError(answer.failed.reason)
    if answer.unhealthy is not None:
        raise UnhealthyDeviceError(answer.unhealthy.reason)
    if answer.unavailable is not None:
        raise SandboxUnavailable(answer.unavailable.reason)
    return answer


@contextlib.contextmanager
def _referee(
    spec: Spec,
    errors: IO[bytes],
    scratch: str,
) -> Iterator[tuple[Process, int]]:
    """The process and the descriptor that it answers on."""
    reader, writer = os.pipe()
    try:
        try:
            process = _process(spec, errors, scratch, writer)
        finally:
            os.close(writer)
        with _ended(process):
            _tell(process, spec)
            yield process, reader
    finally:
        os.close(reader)


def _process(
    spec: Spec, errors: IO[bytes], scratch: str, writer: int
) -> Process:
    if spec.settings.profile in FORKED:
        return own_server().fork(
            scratch,
            answers=writer,
            errors=errors.fileno(),
            modules=LOGITS if isinstance(spec, VerifySpec) else (),
        )
    return subprocess.Popen(  # noqa: S603 -- our own module
        [*COMMAND, str(writer), scratch],
        stdin=subprocess.PIPE,
        stdout=errors,
        stderr=errors,
        pass_fds=(writer,),
        start_new_session=True,
    )


@contextlib.contextmanager
def _ended(process: Process) -> Iterator[None]:
    """However the block ends, the process and its sandboxes do."""
    try:
        yield
    finally:
        stdin = process.stdin
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                stdin.close()
        end_within(process, ENDING_SECONDS)


def _tell(
    process: Process,
    spec: Spec,
) -> None:
    line = SpecLine(spec=spec).model_dump_json() + "\n"
    stdin = process.stdin
    if stdin is None:
        raise RefereeCrashedError("the referee has no standard input")
    # One that died at once is told of by its exit.
    with contextlib.suppress(BrokenPipeError):
        stdin.write(line.encode())
        stdin.flush()


def _lines(
    descriptor: int,
    process: Process,
    seconds: float,
    cancelled: Callable[[], bool],
) -> Iterator[bytes]:
    """The referee's lines until it hangs up."""
    deadline = time.monotonic() + seconds
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if cancelled():
                raise TransientError("the job was abandoned")
            if time.monotonic() > deadline:
                process.kill()
                raise TransientError("the referee overran its deadline")
            if not selector.select(LOOK_SECONDS):
                continue
            chunk = os.read(descriptor, CHUNK_BYTES)
            if not chunk:
                return
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole


def _read(line: bytes) -> AnswerLine:
    try:
        return AnswerLine.model_validate_json(line)
    except ValidationError as error:
        raise RefereeCrashedError(
            "the referee said something else than an answer"
        ) from error


def _crash(returncode: int | None, errors: IO[bytes]) -> QuasarError:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - STDERR_TAIL_BYTES))
    tail = errors.read().decode("utf-8", errors="replace")
    if returncode is not None and returncode < 0:
        return RefereeKilledError(f"the referee was killed by {-returncode}")
    return RefereeCrashedError(f"the referee ended with {returncode}\n{tail}")
