"""One live bubblewrap sandbox: started, watched and ended by its thread."""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
import time
import weakref
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from pathlib import Path
from types import TracebackType
from typing import Self

from quasar_core.execution.bubblewrap_launch import Launch, spawn
from quasar_core.execution.bubblewrap_status import (
    Announced,
    Status,
    ended,
)
from quasar_core.execution.cgroups import Cgroup, CgroupTree, remains
from quasar_core.execution.leases import Lease
from quasar_core.execution.processes import Namespace
from quasar_core.execution.sandbox import Outcome, SandboxUnavailable
from quasar_core.execution.supervisor import (
    HeadAndTail,
    Sink,
    Stop,
    drain,
    supervise,
)

KILL_SECONDS = 30.0


class BubblewrapRun:
    """See `Running`. Dropped or forgotten, it ends its sandbox."""

    def __init__(
        self, launch: Launch, lease: Lease, tree: CgroupTree | None
    ) -> None:
        self._supervision = _Supervision(launch, lease, tree)
        self._supervision.begin()
        self._finalizer = weakref.finalize(self, self._supervision.forget)

    @property
    def alive(self) -> bool:
        """Whether the payload's first process still runs."""
        return not self._supervision.outcome.done()

    @property
    def init_pid(self) -> int | None:
        """The host's pid of the sandbox's init, once it is known."""
        namespace = self._supervision.namespace
        return None if namespace is None else namespace.init_pid

    def freeze(self) -> None:
        """Stop every process inside, until `thaw`."""
        self._supervision.freeze()

    def thaw(self) -> None:
        """Let a frozen sandbox go on."""
        self._supervision.thaw()

    def wait(self, timeout_seconds: float | None = None) -> Outcome | None:
        """The outcome once the payload ended, or None at the timeout."""
        try:
            return self._supervision.outcome.result(timeout_seconds)
        except StillRunning:
            return None

    def kill(self) -> Outcome:
        """End everything inside and wait until nothing is left."""
        return self._supervision.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()


class _Supervision:
    """The thread of one sandbox, and what it knows.

    bubblewrap ends with the thread that spawned it (PR_SET_PDEATHSIG knows
    threads, not processes): so the thread that watches it is the one that
    spawned it, and lives exactly as long.
    """

    def __init__(
        self, launch: Launch, lease: Lease, tree: CgroupTree | None
    ) -> None:
        limits = launch.job.limits
        self.outcome: Future[Outcome] = Future()
        self.namespace: Namespace | None = None
        self._launch = launch
        self._lease = lease
        self._cgroup = _make_cgroup(lease, tree, launch)
        self._started = time.monotonic()
        self._spawned: Future[None] = Future()
        self._lock = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._over = False
        self._stdout = Announced(
            secrets.token_hex(16),
            HeadAndTail(limits.output_bytes, limits.drain_bytes),
        )
        self._stderr = HeadAndTail(limits.output_bytes, limits.drain_bytes)
        self._status = Status(self._learn_namespace)

    def begin(self) -> None:
        """Start the thread; returns when the launcher has been spawned."""
        threading.Thread(target=self._run, name="sandbox", daemon=True).start()
        self._spawned.result()

    def end(self) -> Outcome:
        """Ask the thread to end the sandbox; returns when it has."""
        with self._lock:
            if not self._over:
                os.eventfd_write(self._wake, 1)
        try:
            return self.outcome.result(KILL_SECONDS)
        except StillRunning:
            raise SandboxUnavailable("a sandbox does not end") from None

    def forget(self) -> None:
        """End what nobody holds any more."""
        if not self.outcome.done():
            self.end()

    def freeze(self) -> None:
        """Stop everything inside, unless it is over."""
        with self._lock:
            holder = self._cgroup or self.namespace
            if self._over or holder is None:
                return
            if isinstance(holder, Namespace):
                holder.stop()
            else:
                holder.freeze()

    def thaw(self) -> None:
        """Undo `freeze`."""
        with self._lock:
            holder = self._cgroup or self.namespace
            if self._over or holder is None:
                return
            if isinstance(holder, Namespace):
                holder.resume()
            else:
                holder.thaw()

    def _run(self) -> None:
        try:
            process, status = spawn(
                self._launch,
                groups=self._cgroup.paths if self._cgroup else (),
                announcement=self._stdout.announcement,
            )
        except OSError as error:
            self._clean_up()
            problem = SandboxUnavailable(f"no process can start: {error}")
            self._spawned.set_exception(problem)
            return
        self._spawned.set_result(None)
        try:
            self.outcome.set_result(self._watch(process, status))
        except TimeoutError as error:
            self.outcome.set_exception(SandboxUnavailable(str(error)))
        finally:
            if not self.outcome.done():
                problem = SandboxUnavailable("a sandbox's supervisor failed")
                self.outcome.set_exception(problem)

    def _watch(self, process: subprocess.Popen[bytes], status: int) -> Outcome:
        assert process.stdout is not None  # noqa: S101 -- a pipe was asked for
        assert process.stderr is not None  # noqa: S101 -- likewise
        sinks: dict[int, Sink] = {
            status: self._status,
            process.stdout.fileno(): self._stdout,
            process.stderr.fileno(): self._stderr,
        }
        pidfd = os.pidfd_open(process.pid)
        try:
            stop = supervise(
                pidfd,
                sinks,
                deadline=self._started + self._launch.job.limits.wall_seconds,
                wake_descriptor=self._wake,
            )
            return self._finish(process, stop, sinks)
        finally:
            process.stdout.close()
            process.stderr.close()
            os.close(pidfd)
            os.close(status)

    def _finish(
        self,
        process: subprocess.Popen[bytes],
        stop: Stop,
        sinks: dict[int, Sink],
    ) -> Outcome:
        with self._lock:
            self._over = True
        wall_seconds = time.monotonic() - self._started
        try:
            self._end_everything(process)
            drain(sinks)
            return ended(
                stop,
                status=self._status,
                stdout=self._stdout,
                stderr=self._stderr,
                wall_seconds=wall_seconds,
                cgroup=self._cgroup,
            )
        finally:
            self._clean_up()

    def _end_everything(self, process: subprocess.Popen[bytes]) -> None:
        """The client first, then what it was client to, until it is empty."""
        process.kill()
        # The group before the namespace: it thaws what is frozen, and a
        # frozen process does not end.
        if self._cgroup is not None:
            self._cgroup.kill()
        if self.namespace is not None:
            self.namespace.kill()
        process.wait(KILL_SECONDS)

    def _clean_up(self) -> None:
        with self._lock:
            self._over = True
            os.close(self._wake)
        try:
            if self._cgroup is not None:
                self._cgroup.destroy()
        except TimeoutError:
            self._lease.abandon()
            raise
        self._lease.release()

    def _learn_namespace(self, init_pid: int) -> None:
        self.namespace = namespace = Namespace.of(init_pid)
        if namespace is not None:
            self._lease.note(
                init_pid=namespace.init_pid, started=namespace.started
            )


def end_remains(lease: Lease) -> None:
    """End what is left of the sandbox of a lease, and the lease."""
    facts = lease.facts
    cgroup = remains(tuple(map(Path, facts.get("cgroups", ()))))
    if cgroup is not None:
        # The group first: it thaws what its owner had frozen when it died,
        # and a frozen process does not end.
        cgroup.kill()
        cgroup.destroy()
    if "init_pid" in facts:
        Namespace(facts["init_pid"], facts["started"]).kill()
    lease.release()


def _make_cgroup(
    lease: Lease, tree: CgroupTree | None, launch: Launch
) -> Cgroup | None:
    if tree is None:
        return None
    try:
        # Noted before it is made: a crash in between leaves nothing unknown.
        lease.note(cgroups=[str(each) for each in tree.paths(lease.name)])
        return tree.create(lease.name, launch.job.limits)
    except OSError as error:
        lease.release()
        raise SandboxUnavailable(f"no cgroup can be made: {error}") from error
