"""The referee's process: one specification in, progress and an end out.

Run by `spawn.py` as `python -m quasar_core.judge ANSWER_FD SCRATCH`, or
forked by `forkserver.py`.
Standard input stays open as long as the parent lives: at its end, as at the
deadline, the process ends at once, and its sandboxes with it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from quasar_core.errors import TransientError
from quasar_core.execution.backends import choose_sandbox
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.judge.baseline import measure_baseline
from quasar_core.judge.challenge import challenge
from quasar_core.judge.health import UnhealthyError
from quasar_core.judge.jobs import (
    AnswerLine,
    BaselineSpec,
    ChallengeSpec,
    Failed,
    JudgeSpec,
    ReproduceSpec,
    Spec,
    SpecLine,
    VerifyReport,
    VerifySpec,
)
from quasar_core.judge.judging import judge
from quasar_core.judge.leash import LeashedSandbox, watch_parent
from quasar_core.judge.progress import Progress
from quasar_core.judge.reproduction import NotReproducibleError, reproduce
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.verification import verify

ENOUGH_FOR_THE_END = 30.0


def main(descriptor: int, scratch: Path) -> None:
    """Do the one job that standard input asks for; answer on a descriptor."""
    answers = os.fdopen(descriptor, "w", encoding="utf-8")
    # What a library prints is never an answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    spec = SpecLine.model_validate_json(sys.stdin.readline()).spec
    try:
        answer = _do(spec, answers, scratch)
    except SandboxUnavailable as error:
        answer = AnswerLine(unavailable=Failed(reason=str(error)))
    except UnhealthyError as error:
        answer = AnswerLine(unhealthy=Failed(reason=str(error)))
    except (TransientError, NotReproducibleError) as error:
        answer = AnswerLine(failed=Failed(reason=str(error)))
    _say(answers, answer)


def _do(
    spec: Spec,
    answers: TextIO,
    scratch: Path,
) -> AnswerLine:
    sandbox = LeashedSandbox(choose_sandbox(**spec.sandbox.model_dump()))
    seconds = spec.settings.total_seconds + spec.settings.lock_seconds
    watch_parent(0, seconds + ENOUGH_FOR_THE_END, sandbox, scratch)

    def progress(step: Progress) -> None:
        _say(answers, AnswerLine(progress=step))

    match spec:
        case JudgeSpec():
            report = judge(
                spec.source,
                target_sequence_length=spec.target_sequence_length,
                run_id=spec.run_id,
                settings=spec.settings,
                sandbox=sandbox,
                progress=progress,
                seed=spec.seed,
                scratch=scratch,
            )
            return AnswerLine(judged=report)
        case ReproduceSpec():
            reproduced = reproduce(
                spec.source,
                spec.evidence,
                seeds=Seeds(bytes.fromhex(spec.seed), spec.run_id),
                settings=spec.settings,
                sandbox=sandbox,
                scratch=scratch,
            )
            return AnswerLine(reproduced=reproduced)
        case ChallengeSpec():
            outcome = challenge(
                spec.challenger,
                spec.defender,
                run_id=spec.run_id,
                settings=spec.settings,
                sandbox=sandbox,
                progress=progress,
                seed=spec.seed,
                scratch=scratch,
            )
            return AnswerLine(challenged=outcome)
        case VerifySpec():
            manifest, logits, rejection = verify(
                spec.source,
                run_id=spec.run_id,
                settings=spec.settings,
                sandbox=sandbox,
                progress=progress,
                seed=spec.seed,
                scratch=scratch,
                cosine_sim_threshold=spec.cosine_sim_threshold,
                max_diff_threshold=spec.max_diff_threshold,
            )
            verified = VerifyReport(
                manifest=manifest, logits=logits, rejection=rejection
            )
            return AnswerLine(verified=verified)
        case BaselineSpec():
            measured = measure_baseline(
                spec.target_sequence_length,
                run_id=spec.run_id,
                settings=spec.settings,
                sandbox=sandbox,
                scratch=scratch,
            )
            return AnswerLine(measured=measured)


def _say(answers: TextIO, line: AnswerLine) -> None:
    answers.write(line.model_dump_json(exclude_none=True) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
