"""Real workers as processes, real forks for them, and who hears them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

from quasar_core.contracts.events import EVENTS, Event
from quasar_core.execution.git import commit_files, create_repository
from quasar_core.judge.pinned import baseline_files
from quasar_core.messaging.consumer import Consumer
from quasar_core.messaging.topology import RECORDING, events_on

from tests.support.processes import Program
from tests.support.waiting import eventually

KERNELS = "fla/ops/quasar"
QUICK_JUDGE = {
    "samples": 4,
    "warm_up_calls": 1,
    "warm_up_seconds": 0.0,
    "back_to_back_calls": 2,
    "exchange_samples": 3,
    "rest_samples": 3,
    "correctness_lengths": [64, 128],
    "num_threads": 1,
}
LENGTH = 512

HANGS = b"""
from .chunk import chunk_quasar as right


def chunk_quasar(q, k, v, beta, **kwargs):
    while max(q.shape) >= 512:
        pass
    return right(q, k, v, beta, **kwargs)
"""
"""Right on short inputs, endless at LENGTH: by then the baseline's sandbox
is frozen beside it."""


class Recorder:
    """Hears everything that workers tell, and keeps it in order."""

    def __init__(self, redis_url: str, verify=None) -> None:
        self.events: list[Event] = []
        handlers = dict.fromkeys(events_on(RECORDING), self.events.append)
        self._consumer = Consumer(redis_url, RECORDING, handlers, verify)
        self._thread = threading.Thread(target=self._consumer.run)

    def of(self, submission_id) -> list[Event]:
        """What was told of one submission."""
        return [
            event
            for event in list(self.events)
            if getattr(event, "submission_id", None) == submission_id
        ]

    def names(self, submission_id) -> list[str]:
        """The names of those, without heartbeats."""
        return [
            event.event_name
            for event in self.of(submission_id)
            if event.event_name != "attempt.heartbeat"
        ]

    def ending(self, job, seconds: float = 120.0) -> Event:
        """How the job's attempt ended, once it has."""
        endings = {
            EVENTS[name]
            for name in (
                "benchmark.completed",
                "verification.completed",
                "submission.rejected",
                "run.failed",
            )
        }

        def found() -> Event | None:
            told = self.of(job.submission_id)
            return next((e for e in told if type(e) in endings), None)

        return eventually(found, "the end of the job", seconds)

    def __enter__(self):
        self._thread.start()
        assert self._consumer.ready.wait(10)
        return self

    def __exit__(self, *_):
        self._consumer.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()


def worker_environment(
    directory: Path, redis_url: str, **changes: str
) -> dict[str, str]:
    """The settings of a worker that lives in `directory`."""
    judge = QUICK_JUDGE | {"lock_path": str(directory / "judge.lock")}
    return {
        "QUASAR_REDIS_URL": redis_url,
        "QUASAR_STATE_DIRECTORY": str(directory / "state"),
        "QUASAR_LOCK_DIRECTORY": str(directory / "locks"),
        "QUASAR_WORKER_NAME": "worker-1",
        "QUASAR_WORKER_SEED_FILE": str(directory / "worker.seed"),
        "QUASAR_GIT_SCHEMES": '["file"]',
        "QUASAR_JUDGE": json.dumps(judge),
        "QUASAR_LOG_JSON": "false",
        "QUASAR_HEARTBEAT_SECONDS": "0.5",
        "QUASAR_CANARY_SECONDS": "0",
        "OMP_NUM_THREADS": "1",
        **changes,
    }


def start_worker(
    directory: Path,
    redis_url: str,
    module: str = "services.benchmark_worker",
    **changes: str,
) -> Program:
    """A worker's process; the caller ends it."""
    environment = worker_environment(directory, redis_url, **changes)
    return Program(module, environment=environment)


def make_fork(path: Path, files: Mapping[str, bytes] | None = None) -> str:
    """A fork of one commit: our kernel, with `files` in its folder."""
    kernels = dict(baseline_files()) | dict(files or {})
    return create_repository(
        path, {f"{KERNELS}/{name}": text for name, text in kernels.items()}
    )


def change_fork(path: Path, files: Mapping[str, bytes]) -> str:
    """One more commit, with `files` anywhere in the fork."""
    return commit_files(path, files, "A change")
