"""The host: what a worker stands on, joined once at its start."""

from __future__ import annotations

import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from quasar_core.chain.keys import worker_keypair, worker_signer
from quasar_core.contracts.events import AttemptEvent, WorkerSeen
from quasar_core.errors import QuasarError, Stage
from quasar_core.execution.backends import default_sandbox
from quasar_core.execution.sandbox import Sandbox, SandboxUnavailable
from quasar_core.messaging.bus import Bus
from quasar_core.messaging.consumer import Consumer
from quasar_core.messaging.topology import queue_for
from quasar_core.telemetry.disks import Place, watch_disks
from quasar_core.telemetry.logs import configure_logging, get_logger
from quasar_core.telemetry.metrics import serve_metrics
from quasar_core.worker.attempt import Attempt, new_id
from quasar_core.worker.canaries import Canaries, Doubt, Examine
from quasar_core.worker.locks import (
    FileLock,
    default_lock_directory,
    machine_lock,
)
from quasar_core.worker.post import Post
from quasar_core.worker.pulse import Pulse
from quasar_core.worker.quarantine import Quarantine
from quasar_core.worker.running import run_attempt
from quasar_core.worker.settings import WorkerSettings
from quasar_core.worker.spool import Spool
from quasar_core.worker.stopping import Stopper

Role = Literal["benchmark", "verifier"]
S = TypeVar("S", bound=WorkerSettings)
DISTRIBUTIONS = ("quasar-subnet", "torch", "triton", "fla-core", "numpy")

log = get_logger(__name__)


def installed_versions() -> Mapping[str, str]:
    """The versions that decide what a kernel runs on, without importing."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def environment_of(sandbox: Sandbox) -> dict[str, str]:
    """What a worker tells of the machine it runs on."""
    return {
        **installed_versions(),
        "machine": platform.machine(),
        "cpus": str(os.cpu_count() or 0),
        "sandbox": sandbox.name,
    }


@dataclass(frozen=True)
class Host:
    """A worker's sandbox, post, lock and way to stop."""

    settings: WorkerSettings
    role: Role
    sandbox: Sandbox
    post: Post
    stop: Stopper
    machine: FileLock
    quarantine: Quarantine

    def run(
        self,
        job: AttemptEvent,
        story: Callable[[Attempt], None],
        first_stage: Stage,
    ) -> None:
        """Live one attempt; see `running.run_attempt`."""
        attempt = Attempt(
            job,
            self.settings.worker_name,
            self.post,
            self.stop.shielded,
            first_stage,
        )
        self.doubt.raised()
        left_in_doubt = run_attempt(
            attempt,
            story,
            stop=self.stop,
            machine=self.machine,
            sweep=self.sandbox.sweep,
            heartbeat_seconds=self.settings.heartbeat_seconds,
        )
        if not left_in_doubt:
            self.doubt.lifted()

    def consume(
        self,
        handlers: Mapping[type[AttemptEvent], Callable[[Any], None]],
        examine: Examine,
    ) -> None:
        """Take jobs of this worker's pool until SIGTERM.

        All of them travel on one queue. Between two of them the canaries
        are judged by `examine`, when they are due.
        Raises SandboxUnavailable where the sandbox failed meanwhile: a
        worker without one would fail every submission it could get; and
        WorkerQuarantined where its device has failed twice in a row, or a
        canary got the wrong verdict.
        """
        unfit: list[SandboxUnavailable] = []

        def take(job: AttemptEvent) -> None:
            self.post.flush()
            try:
                handlers[type(job)](job)
            except SandboxUnavailable as fault:
                unfit.append(fault)
                consumer.stop()
            if self.quarantine.holds:
                consumer.stop()

        canaries = self._canaries(examine)
        self.be_seen()
        with Pulse("seen", self.settings.seen_seconds, self.be_seen):
            while not self.quarantine.holds:
                if canaries.due:
                    self._judge(canaries)
                    continue
                consumer = Consumer(
                    self.settings.redis_url,
                    queue_for(next(iter(handlers)), self.settings.pool),
                    dict.fromkeys(handlers, take),
                    on_stop=self.stop.interrupt,
                    until=lambda: canaries.due,
                )
                consumer.run()
                if consumer.stopping:
                    break
        if unfit:
            raise unfit[0]
        self.quarantine.check()

    def _judge(self, canaries: Canaries) -> None:
        """Judge the canaries while nobody else judges on this machine.

        No message is asked for meanwhile: jobs wait on the queue, for
        others too. A signal ends the process here.
        """
        with self.machine.held():
            try:
                canaries.judge()
            finally:
                self.sandbox.sweep()

    def _canaries(self, examine: Examine) -> Canaries:
        return Canaries(
            worker=self.settings.worker_name,
            pool=self.settings.pool,
            role=self.role,
            record=self.home / "canaries",
            doubt=self.doubt,
            period_seconds=self.settings.canary_seconds,
            examine=examine,
            deliver=self.post.deliver,
            quarantine=self.quarantine,
        )

    @property
    def home(self) -> Path:
        """Where this worker keeps what must survive a restart."""
        return self.settings.home(self.role)

    @property
    def doubt(self) -> Doubt:
        """Whether a job may have harmed this machine."""
        return Doubt(self.home / "in-doubt")

    def be_seen(self) -> None:
        """Say that this worker is up, and hand in what waits on disk."""
        if self.post.flush():
            self.post.tell(
                WorkerSeen(
                    event_id=new_id(),
                    occurred_at=datetime.now(UTC),
                    worker=self.settings.worker_name,
                    pool=self.settings.pool,
                    role=self.role,
                    environment=environment_of(self.sandbox),
                )
            )


@contextmanager
def open_host(settings: WorkerSettings, role: Role) -> Iterator[Host]:
    """Check the machine and join a worker's parts.

    Raises a QuasarError whose text says what to mend: SandboxUnavailable
    without a sandbox, LockTaken where a worker of this name runs, KeyFault
    for a bad key file.
    """
    sandbox = default_sandbox(
        settings.sandbox_backend,
        allow_degraded=settings.allow_degraded,
        image=settings.sandbox_image,
        production=settings.environment == "production",
    )
    home = settings.home(role)
    alone = FileLock(home / "worker.lock").held_at_once(
        f"a {role} worker called {settings.worker_name} already runs on"
        f" {home}: give each its own QUASAR_WORKER_NAME"
    )
    quarantine = Quarantine(home / "quarantined")
    with alone:
        quarantine.check()
        keypair = worker_keypair(settings.seed_file(role))
        watch_disks(
            {Place.STATE: home, Place.WORK: Path(tempfile.gettempdir())}
        )
        serve_metrics(settings.metrics_port, settings.metrics_host)
        bus = Bus(
            settings.redis_url, worker_signer(keypair), settings.worker_name
        )
        log.info(
            "worker.ready",
            worker=settings.worker_name,
            pool=settings.pool,
            key=keypair.ss58_address,
            sandbox=sandbox.name,
        )
        try:
            yield Host(
                settings=settings,
                role=role,
                sandbox=sandbox,
                post=Post(bus.publish, Spool(home / "spool")),
                stop=Stopper(),
                machine=machine_lock(
                    settings.lock_directory or default_lock_directory()
                ),
                quarantine=quarantine,
            )
        finally:
            bus.close()


def run_process(
    read_settings: Callable[[], S],
    role: Role,
    serve: Callable[[Host, S], None],
) -> None:
    """A worker's process from its start to its end.

    SIGTERM ends it with exit code 0 at any time; where the machine or the
    settings are not fit, a sentence on stderr says what to mend, and the
    code is 1.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    try:
        settings = read_settings()
    except ValidationError as fault:
        sys.exit(f"{role} worker: {fault}")
    configure_logging(
        f"{role}-worker", settings.log_level, json=settings.log_json
    )
    try:
        with open_host(settings, role) as host:
            serve(host, settings)
    except (QuasarError, OSError) as fault:
        log.critical("worker.refused", reason=str(fault))
        sys.exit(1)


def leave(_number: int, _frame: FrameType | None) -> None:
    """End the process cleanly: a signal's answer while nothing runs yet."""
    sys.exit(0)
