"""Running: one attempt from its start to its one ending."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from quasar_core.errors import (
    MachineFault,
    Stage,
    SubmissionFault,
    TransientError,
)
from quasar_core.telemetry.logs import get_logger
from quasar_core.worker.attempt import Attempt, rejection_of
from quasar_core.worker.locks import FileLock
from quasar_core.worker.pulse import Pulse
from quasar_core.worker.stopping import Stopper, StopRequested

OURS = "the worker failed on its own account; its operators were told"
STOPPED = "the worker was stopped while the job ran"

log = get_logger(__name__)


def run_attempt(
    attempt: Attempt,
    story: Callable[[Attempt], None],
    *,
    stop: Stopper,
    machine: FileLock,
    sweep: Callable[[], object],
    heartbeat_seconds: float,
) -> bool:
    """Tell that the attempt started, run `story`, and tell how it ended.

    The story waits for its turn on the machine, its lease renewed
    meanwhile. It tells a verdict itself; what it raises is told here: a
    SubmissionFault as a rejection, a TransientError or a stop as a failed
    run. Any other error is told as a failed run too, and raised. `sweep`
    ends what a story that was cut short left in sandboxes.

    Whether it left the machine in doubt: a run that failed for no fault of
    its submission, once that was here.
    """
    attempt.started()
    with Pulse("heartbeat", heartbeat_seconds, attempt.heartbeat):
        try:
            _live(attempt, story, stop, machine, sweep)
        except SubmissionFault as fault:
            attempt.rejected(rejection_of(fault))
        except TransientError as fault:
            log.warning("attempt.failed", fault=str(fault))
            hurt = isinstance(fault, MachineFault) and attempt.has_run
            attempt.failed(str(fault), harmed=hurt)
            return attempt.stage is not Stage.FETCH
        except StopRequested:
            attempt.failed(STOPPED)
        except BaseException:
            attempt.failed(OURS)
            raise
    return False


def _live(
    attempt: Attempt,
    story: Callable[[Attempt], None],
    stop: Stopper,
    machine: FileLock,
    sweep: Callable[[], object],
) -> None:
    with ExitStack() as held, stop.interruptible():
        held.enter_context(machine.held())
        # A frozen sandbox outlives the referee that froze it.
        held.callback(sweep)
        story(attempt)
