"""One live Docker sandbox: started, watched and ended by its thread."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import docker.errors

from quasar_core.execution.cgroup_tree import group_of
from quasar_core.execution.cgroups import Cgroup
from quasar_core.execution.docker_link import Link
from quasar_core.execution.docker_options import Place, container, told
from quasar_core.execution.endings import Counts, Said, ended
from quasar_core.execution.leases import Lease
from quasar_core.execution.sandbox import Job, Outcome, SandboxUnavailable
from quasar_core.execution.supervision import (
    Freezable,
    SupervisedRun,
    Supervision,
)
from quasar_core.execution.supervisor import (
    HeadAndTail,
    Stop,
    drain,
    supervise,
)

START_SECONDS = 30.0
REMOVAL_SECONDS = 30.0
POLL_SECONDS = 0.05
CONFLICT = 409
ENGINE_FAILURES = (docker.errors.DockerException, OSError)
"""What the SDK raises: its own, and the connection's, which is an OSError."""


class DockerRun(SupervisedRun):
    """See `Running`. Dropped or forgotten, it ends its sandbox."""

    def __init__(self, job: Job, place: Place, lease: Lease, api: Any) -> None:
        super().__init__(_Supervision(job, place, lease, api))


@dataclass
class _Container:
    """A container as the engine knows it."""

    api: Any
    name: str
    id: str = ""

    def freeze(self) -> None:
        """Stop every process inside, until `thaw`; twice is as once."""
        self._unless_so_already(self.api.pause, paused=True)

    def thaw(self) -> None:
        """Let them go on; twice is as once."""
        self._unless_so_already(self.api.unpause, paused=False)

    def _unless_so_already(
        self, deed: Callable[[str], None], *, paused: bool
    ) -> None:
        """The engine refuses what is so already, or has ended."""
        try:
            deed(self.name)
        except docker.errors.APIError:
            state = self.api.inspect_container(self.name)["State"]
            if state["Running"] and state["Paused"] is not paused:
                raise

    def ran_out_of_memory(self) -> bool:
        """Whether the engine saw its memory run out."""
        try:
            state = self.api.inspect_container(self.name)["State"]
        except ENGINE_FAILURES:
            return False
        return bool(state["OOMKilled"])


class _Supervision(Supervision):
    """No client is attached: the logs are pipes that were handed over."""

    def __init__(self, job: Job, place: Place, lease: Lease, api: Any) -> None:
        super().__init__()
        limits = job.limits
        self.cgroup: Cgroup | None = None
        self.ready = False
        self.stdout = HeadAndTail(limits.output_bytes, limits.drain_bytes)
        self._stderr = HeadAndTail(limits.output_bytes, limits.drain_bytes)
        self._job = job
        self._place = place
        self._lease = lease
        self._api = api
        self._container = _Container(api, f"quasar-{lease.name}")
        self._link: Link | None = None
        self._pipes: list[int] = []
        # The caller may close his own as soon as the start has returned.
        self._passed = [os.dup(each) for each in job.pass_fds]

    def spawn(self) -> None:
        """Create and start the container."""
        self._link = Link(self._place.socket)
        try:
            asked = container(self._job, self._place, self._api)
            made = self._api.create_container(**asked)
            self._container.id = made["Id"]
            self._api.start(self._container.name)
        except ENGINE_FAILURES as error:
            raise SandboxUnavailable(_reason(error)) from error

    def holder(self) -> Freezable | None:
        """Its group, or else the engine."""
        if self.cgroup is not None:
            return self.cgroup
        return self._container if self.ready else None

    def watch(self) -> Outcome:
        """Hand the job over, and feed the logs until it ends."""
        assert self._link is not None  # noqa: S101 -- it was spawned
        stop = self._hand_over(self._link)
        if stop is None:
            # What the engine takes to start is not the payload's time.
            self.started = time.monotonic()
            stop = supervise(
                self._link.wire.fileno(),
                self._sinks(),
                deadline=self.started + self._job.limits.wall_seconds,
                wake_descriptor=self.wake,
            )
        return self._finish(self._link, stop)

    def _hand_over(self, link: Link) -> Stop | None:
        """Give the first process its job; why it was stopped before."""
        soon = time.monotonic() + START_SECONDS
        pid = link.accept(self.wake, soon)
        if pid is None:
            return Stop.ASKED if self._asked() else Stop.EXITED
        self.cgroup = group_of(pid, self._container.id)
        writers = []
        for _ in range(2):
            reader, writer = os.pipe2(os.O_CLOEXEC)
            self._pipes.append(reader)
            writers.append(writer)
        try:
            link.hand_over(told(self._job), [*writers, *self._passed])
        finally:
            for each in writers:
                os.close(each)
        self.ready = link.is_ready(self.wake, soon)
        if self.ready:
            return None
        return Stop.ASKED if self._asked() else Stop.EXITED

    def _asked(self) -> bool:
        os.set_blocking(self.wake, False)
        try:
            os.eventfd_read(self.wake)
        except BlockingIOError:
            return False
        return True

    def _sinks(self) -> dict[int, HeadAndTail]:
        return dict(zip(self._pipes, (self.stdout, self._stderr), strict=True))

    def _finish(self, link: Link, stop: Stop) -> Outcome:
        self.close()
        wall_seconds = time.monotonic() - self.started
        try:
            code = link.exit_code() if self.ready else None
            if stop is Stop.EXITED and self.ready and code is None:
                counts = Counts(self._container.ran_out_of_memory())
            else:
                counts = Counts.of(self.cgroup)
            self._end_everything(link)
            if self._pipes:
                drain(self._sinks())
            said = Said(
                ready=self.ready,
                exit_code=code,
                stdout=self.stdout.value,
                stderr=self._stderr.value,
            )
            return ended(stop, said, counts, wall_seconds)
        finally:
            self.clean_up()

    def _end_everything(self, link: Link) -> None:
        """The client first, then the container, until it is empty."""
        link.close()
        if self.cgroup is not None:
            # It thaws what is frozen: a frozen process does not end.
            self.cgroup.kill()
        remove(self._api, self._container.name)

    def let_go(self) -> None:
        """Close all that was handed over, and give the lease back."""
        for each in (*self._passed, *self._pipes):
            os.close(each)
        if self._link is not None:
            self._link.close()
        try:
            remove(self._api, self._container.name)
        except TimeoutError:
            self._lease.abandon()
            raise
        finally:
            self._api.close()
        self._lease.release()


def remove(api: Any, name: str) -> bool:
    """End and remove a container; False where there is none.

    Raises TimeoutError where the engine does not do it.
    """
    deadline = time.monotonic() + REMOVAL_SECONDS
    found = False
    while True:
        try:
            api.remove_container(name, force=True, v=True)
        except docker.errors.NotFound:
            return found
        except ENGINE_FAILURES as error:
            conflict = getattr(error, "status_code", None) == CONFLICT
            if not conflict or time.monotonic() > deadline:
                raise TimeoutError(
                    f"a container does not end: {_reason(error)}"
                ) from error
        else:
            return True
        # Somebody else is at it; whoever comes second waits for the first.
        found = True
        time.sleep(POLL_SECONDS)


def _reason(error: Exception) -> str:
    said = getattr(error, "explanation", None) or str(error)
    return f"the Docker engine refuses: {str(said)[:300]}"
