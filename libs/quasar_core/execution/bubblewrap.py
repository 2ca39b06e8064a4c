"""The bubblewrap back end: a sandbox of namespaces, cgroups and seccomp."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from quasar_core.execution import preflight
from quasar_core.execution.bubblewrap_arguments import SETPRIV
from quasar_core.execution.bubblewrap_launch import Launch
from quasar_core.execution.bubblewrap_run import (
    BubblewrapRun,
    end_remains,
)
from quasar_core.execution.cgroup_tree import find_tree
from quasar_core.execution.cgroups import CgroupTree
from quasar_core.execution.jobs import check_job
from quasar_core.execution.leases import Leases, default_directory
from quasar_core.execution.sandbox import (
    Isolation,
    Job,
    SandboxUnavailable,
)
from quasar_core.execution.seccomp import filter_program

INSTALL = (
    "bubblewrap is not installed: install it with"
    " `apt-get install bubblewrap` or `dnf install bubblewrap`"
)
NO_SETPRIV = "setpriv is not installed: install the package util-linux"


@dataclass(frozen=True)
class BubblewrapSandbox:
    """Runs payloads under bubblewrap, as root or with a user namespace.

    Without `allow_degraded` preflight refuses a host on which no cgroup
    limits can be set. `cgroup_tree` None looks for one; `use_cgroups` and
    `user_namespace` are for tests of the other ways.
    """

    allow_degraded: bool = False
    lease_directory: Path | None = None
    use_cgroups: bool = True
    user_namespace: bool | None = None
    name: str = "bubblewrap"

    def preflight(self) -> Isolation:
        """What a probe inside found; see `Sandbox.preflight`."""
        isolation = preflight.probe(self, degraded=self.degraded)
        if not isolation.holds:
            failed = [name for name, ok in isolation.proved.items() if not ok]
            raise SandboxUnavailable(
                "bubblewrap runs here, but does not isolate: "
                + ", ".join(failed)
            )
        if isolation.degraded and not self.allow_degraded:
            raise SandboxUnavailable(preflight.DEGRADED)
        return isolation

    def start(self, job: Job) -> BubblewrapRun:
        """Start a payload; see `Sandbox.start`.

        Raises SandboxUnavailable where the host lacks what it takes, and
        ValueError for a job that no sandbox could run.
        """
        check_job(job, others=not self.has_user_namespace)
        launch = Launch(
            job=job,
            bwrap=self._bwrap,
            seccomp=filter_program(**job.grants),
            user_namespace=self.has_user_namespace,
        )
        return BubblewrapRun(launch, self._leases.take(), self._tree)

    def sweep(self) -> int:
        """End and remove what crashed predecessors left; how many."""
        stale = self._leases.stale()
        for lease in stale:
            end_remains(lease)
        return len(stale)

    @property
    def has_user_namespace(self) -> bool:
        """Whether payloads run in a user namespace: needed without root."""
        if self.user_namespace is not None:
            return self.user_namespace
        return os.geteuid() != 0

    @property
    def degraded(self) -> bool:
        """Whether limits rest on rlimits alone, process by process."""
        return self._tree is None

    @cached_property
    def _tree(self) -> CgroupTree | None:
        return find_tree() if self.use_cgroups else None

    @cached_property
    def _leases(self) -> Leases:
        return Leases(self.lease_directory or default_directory())

    @cached_property
    def _bwrap(self) -> str:
        found = shutil.which("bwrap")
        if found is None:
            raise SandboxUnavailable(INSTALL)
        if not self.has_user_namespace and not Path(SETPRIV).exists():
            raise SandboxUnavailable(NO_SETPRIV)
        return found

    def version(self) -> str:
        """What `bwrap --version` says."""
        answer = subprocess.run(  # noqa: S603 -- a path that `which` found
            [self._bwrap, "--version"],
            env={},
            capture_output=True,
            text=True,
            check=False,
        )
        return answer.stdout.strip()
