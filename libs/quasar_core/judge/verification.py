"""The logit check: the reference model, with the submission as its core."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from quasar_core.contracts.reports import (
    LogitsReport,
    Manifest,
    Rejection,
    Source,
)
from quasar_core.domain.tolerance import (
    DEFAULT_COSINE_SIM_THRESHOLD,
    DEFAULT_MAX_DIFF_THRESHOLD,
)
from quasar_core.errors import Stage, SubmissionFault
from quasar_core.execution.sandbox import Sandbox
from quasar_core.execution.screening import screen_inside
from quasar_core.judge.cores import SandboxedOperator
from quasar_core.judge.faults import Patience
from quasar_core.judge.ground import Ground
from quasar_core.judge.grounds import ground_of
from quasar_core.judge.logit_errors import Thresholds, verdict
from quasar_core.judge.manifest import make_manifest
from quasar_core.judge.pinned import source_files
from quasar_core.judge.progress import Listener, told
from quasar_core.judge.rejections import (
    RejectedError,
    blamed,
    refuse,
    rejection_of,
)
from quasar_core.judge.room import Room
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.shapes import Extent
from quasar_core.judge.turns import own_turn


def verify(
    source: Source,
    *,
    run_id: str,
    settings: JudgeSettings,
    sandbox: Sandbox,
    progress: Listener,
    cosine_sim_threshold: float = DEFAULT_COSINE_SIM_THRESHOLD,
    max_diff_threshold: float = DEFAULT_MAX_DIFF_THRESHOLD,
    seed: str | None = None,
    scratch: Path | None = None,
    ground: Ground | None = None,
) -> tuple[Manifest, LogitsReport | None, Rejection | None]:
    """Compare the quasarised model's logits, kernel against kernel.

    The report is None where the submission failed before it had any
    logits. Raises TransientError for the world's faults, and where the
    model on this worker cannot tell an honest kernel from a wrong one.
    """
    ground = ground or ground_of(settings)
    ground.prepare(settings)
    seeds = Seeds.of(run_id, seed)
    thresholds = Thresholds(cosine_sim_threshold, max_diff_threshold)
    report = rejection = None
    with own_turn(settings, ground.lock_name):
        isolation = sandbox.preflight()
        try:
            with told(Stage.LOGITS, progress):
                screen_inside(sandbox, source_files(source))
                report = _verify(
                    source,
                    seeds,
                    settings,
                    sandbox,
                    thresholds,
                    scratch,
                    ground,
                )
                refuse(verdict(report, thresholds))
        except RejectedError as rejected:
            rejection = rejected.rejection
        except SubmissionFault as fault:
            rejection = rejection_of(fault)
    manifest = make_manifest(
        seeds, settings, isolation, source, ground.facts()
    )
    return manifest, report, rejection


def _verify(
    source: Source,
    seeds: Seeds,
    settings: JudgeSettings,
    sandbox: Sandbox,
    thresholds: Thresholds,
    scratch: Path | None,
    ground: Ground,
) -> LogitsReport:
    longest = -(-max(settings.logits.prompt_lengths) // 64) * 64
    extent = Extent.of(settings.shape(longest))
    with tempfile.TemporaryDirectory(
        prefix="quasar-judge-", dir=scratch
    ) as folder:
        room = Room(sandbox, seeds, settings, Path(folder), ground)
        with ExitStack() as seats:
            files = source_files(source)
            seat = room.seat(seats, "candidate", files, extent)
            # transformers takes seconds to import: as long as the sandbox
            # takes to import the kernel.
            from quasar_core.judge.logit_checks import (
                report_of,
                telling_check,
            )
            from quasar_core.judge.logits import load_model

            with _model_folder(settings, scratch) as path:
                reference = load_model(path, ground.device)
            check = telling_check(reference, seeds, settings, thresholds)
            patience = Patience(settings.limits.seconds(Stage.LOGITS))
            operator = SandboxedOperator(
                seat,
                seeds,
                settings.num_heads,
                patience,
                ground.memory(extent.output_bytes),
                settings.element,
            )
            with blamed(Stage.LOGITS):
                seat.ready(patience)
                return report_of(check, operator)


@contextmanager
def _model_folder(
    settings: JudgeSettings, scratch: Path | None
) -> Iterator[Path]:
    path = settings.logits.model_path
    if path is not None:
        yield path
        return
    from quasar_core.judge.logits import make_stand_in

    with tempfile.TemporaryDirectory(
        prefix="quasar-model-", dir=scratch
    ) as folder:
        yield make_stand_in(Path(folder), settings.logits.stand_in_seed)
