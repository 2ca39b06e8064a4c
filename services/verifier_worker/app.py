"""The verifier worker, joined: settings, host and the logit check."""

from __future__ import annotations

from functools import partial

from quasar_core.contracts.events import CanaryVerdict, VerificationRequested
from quasar_core.domain.canaries import Canary
from quasar_core.domain.workload import Profile
from quasar_core.errors import Stage
from quasar_core.judge.jobs import VerifySpec
from quasar_core.judge.progress import unheard
from quasar_core.judge.spawn import verify_in_subprocess
from quasar_core.worker.attempt import Attempt, new_id
from quasar_core.worker.canaries import Examine
from quasar_core.worker.canary_sources import canary_source
from quasar_core.worker.gpu import watch_gpu
from quasar_core.worker.host import Host, run_process
from quasar_core.worker.referee import sandbox_choice

from services.verifier_worker.handlers import (
    Verification,
    Verify,
    verify_submission,
)
from services.verifier_worker.settings import Settings


def verify_job(
    job: VerificationRequested, attempt: Attempt, *, settings: Settings
) -> Verification:
    """Check in a process of its own; the run is called as the attempt."""
    spec = VerifySpec(
        run_id=str(job.attempt_id),
        seed=attempt.seed,
        source=job.source,
        cosine_sim_threshold=job.cosine_sim_threshold,
        max_diff_threshold=job.max_diff_threshold,
        settings=settings.judging,
        sandbox=sandbox_choice(settings),
    )
    report = verify_in_subprocess(spec, attempt.follow)
    return report.manifest, report.logits, report.rejection


def examine_canary(canary: Canary, *, settings: Settings) -> CanaryVerdict:
    """What a known submission's logits come to, checked as a stranger's."""
    spec = VerifySpec(
        run_id=f"canary-{canary.value}-{new_id()}",
        source=canary_source(canary),
        settings=settings.judging,
        sandbox=sandbox_choice(settings),
    )
    report = verify_in_subprocess(spec, unheard)
    return report.rejection.code if report.rejection else "passed"


def serve(host: Host, settings: Settings) -> None:
    """Take jobs until SIGTERM."""
    if settings.judging.profile is Profile.GPU:
        watch_gpu(settings.worker_name)
    serve_with(
        host,
        partial(verify_job, settings=settings),
        partial(examine_canary, settings=settings),
    )


def serve_with(host: Host, verify: Verify, examine: Examine) -> None:
    """Take jobs until SIGTERM; `verify` checks logits, `examine` canaries."""
    story = partial(verify_submission, verify=verify)

    def handle(job: VerificationRequested) -> None:
        host.run(job, partial(story, job), Stage.LOGITS)

    host.consume({VerificationRequested: handle}, examine)


def main() -> None:
    """Run the worker until SIGTERM."""
    run_process(Settings, "verifier", serve)
