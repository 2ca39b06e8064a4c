"""One live bubblewrap sandbox: started, watched and ended by its thread."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from pathlib import Path

from quasar_core.execution.bubblewrap_launch import Launch, spawn
from quasar_core.execution.bubblewrap_status import Announced, Status
from quasar_core.execution.cgroups import Cgroup, CgroupTree, remains
from quasar_core.execution.endings import Counts, Said, ended
from quasar_core.execution.leases import Lease
from quasar_core.execution.processes import Namespace, end_named
from quasar_core.execution.processors import on_processors
from quasar_core.execution.sandbox import Outcome, SandboxUnavailable
from quasar_core.execution.supervision import (
    KILL_SECONDS,
    Freezable,
    SupervisedRun,
    Supervision,
)
from quasar_core.execution.supervisor import (
    HeadAndTail,
    Sink,
    Stop,
    drain,
    supervise,
)


class BubblewrapRun(SupervisedRun):
    """See `Running`. Dropped or forgotten, it ends its sandbox."""

    def __init__(
        self, launch: Launch, lease: Lease, tree: CgroupTree | None
    ) -> None:
        self._launched = _Supervision(launch, lease, tree)
        super().__init__(self._launched)

    @property
    def init_pid(self) -> int | None:
        """The host's pid of the sandbox's init, once it is known."""
        namespace = self._launched.namespace
        return None if namespace is None else namespace.init_pid


class _Supervision(Supervision):
    """bubblewrap ends with the thread that spawned it: this one.

    PR_SET_PDEATHSIG knows threads, not processes.
    """

    def __init__(
        self, launch: Launch, lease: Lease, tree: CgroupTree | None
    ) -> None:
        limits = launch.job.limits
        self.cgroup = _make_cgroup(lease, tree, launch)
        super().__init__()
        self.namespace: Namespace | None = None
        self.stdout = Announced(
            secrets.token_hex(16),
            HeadAndTail(limits.output_bytes, limits.drain_bytes),
            self._let_run,
        )
        # What the sandbox is known by until its init's pid is.
        lease.note(word=self.stdout.announcement)
        self._launch = launch
        self._lease = lease
        self._stderr = HeadAndTail(limits.output_bytes, limits.drain_bytes)
        self._status = Status(self._learn_namespace)
        self._process: subprocess.Popen[bytes]
        self._told: int

    @property
    def ready(self) -> bool:
        """Whether the payload is about to run, or has."""
        return self.stdout.ready

    def spawn(self) -> None:
        """Start the launcher, on the processors that it may use."""
        with on_processors(self._launch.job.limits.cpus):
            self._process, self._told = spawn(
                self._launch,
                groups=self.cgroup.paths if self.cgroup else (),
                announcement=self.stdout.announcement,
            )

    def holder(self) -> Freezable | None:
        """The group, or the processes one by one."""
        return self.cgroup or self.namespace

    def watch(self) -> Outcome:
        """Feed the logs until the launcher ends, or must be ended."""
        process, status = self._process, self._told
        assert process.stdin is not None  # noqa: S101 -- a pipe was asked for
        assert process.stdout is not None  # noqa: S101 -- a pipe was asked for
        assert process.stderr is not None  # noqa: S101 -- likewise
        sinks: dict[int, Sink] = {
            status: self._status,
            process.stdout.fileno(): self.stdout,
            process.stderr.fileno(): self._stderr,
        }
        pidfd = os.pidfd_open(process.pid)
        try:
            stop = supervise(
                pidfd,
                sinks,
                deadline=self.started + self._launch.job.limits.wall_seconds,
                wake_descriptor=self.wake,
            )
            return self._finish(stop, sinks)
        finally:
            process.stdin.close()
            process.stdout.close()
            process.stderr.close()
            os.close(pidfd)
            os.close(status)

    def _finish(self, stop: Stop, sinks: dict[int, Sink]) -> Outcome:
        self.close()
        wall_seconds = time.monotonic() - self.started
        try:
            self._end_everything()
            drain(sinks)
            said = Said(
                ready=self.stdout.ready,
                exit_code=self._status.exit_code,
                stdout=self.stdout.value,
                stderr=self._stderr.value,
            )
            return ended(stop, said, Counts.of(self.cgroup), wall_seconds)
        finally:
            self.clean_up()

    def _end_everything(self) -> None:
        """The client first, then what it was client to, until it is empty."""
        self._process.kill()
        # The group before the namespace: it thaws what is frozen, and a
        # frozen process does not end.
        if self.cgroup is not None:
            self.cgroup.kill()
        if self.namespace is not None:
            self.namespace.kill()
        self._process.wait(KILL_SECONDS)

    def let_go(self) -> None:
        """Remove the group, and give the lease back."""
        try:
            if self.cgroup is not None:
                self.cgroup.destroy()
        except TimeoutError:
            self._lease.abandon()
            raise
        self._lease.release()

    def _let_run(self) -> None:
        """Let the payload run: its init will not outlive the launcher.

        As long as this thread lives, so does the launcher.
        """
        assert self._process.stdin is not None  # noqa: S101 -- likewise
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(b"\n")

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
    elif "word" in facts:
        end_named(facts["word"])
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
