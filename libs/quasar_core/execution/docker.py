"""The Docker back end: a container without network, rights or disk."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import docker

from quasar_core.execution import preflight
from quasar_core.execution.docker_image import ensure_image
from quasar_core.execution.docker_options import LABEL, PREFIX, Place
from quasar_core.execution.docker_profile import profile
from quasar_core.execution.docker_run import (
    ENGINE_FAILURES,
    DockerRun,
    remove,
)
from quasar_core.execution.docker_versions import outdated
from quasar_core.execution.jobs import check_job
from quasar_core.execution.leases import SUFFIX, Leases, default_directory
from quasar_core.execution.sandbox import (
    Isolation,
    Job,
    SandboxUnavailable,
)

API_VERSION = "1.41"
"""Of Docker 20.10; a device by CDI needs an engine of 25 or newer."""
CDI_API_VERSION = "1.44"
INSTALL = (
    "no Docker engine answers at {}: install and start one (on Debian"
    " `apt-get install docker.io`), or set DOCKER_HOST"
)
DEFAULT_HOST = "unix:///var/run/docker.sock"
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class DockerSandbox:
    """Runs payloads in containers of one engine.

    `image` names ours by digest; without one it is made from this host's
    files. With `production` preflight refuses an engine that is known to
    leak. The engine's address is DOCKER_HOST or its default.
    """

    image: str | None = None
    production: bool = False
    lease_directory: Path | None = None
    host: str | None = None
    name: str = "docker"

    def preflight(self) -> Isolation:
        """What a probe inside found; see `Sandbox.preflight`."""
        with_known_faults = self.outdated()
        if self.production and with_known_faults:
            raise SandboxUnavailable("; ".join(with_known_faults))
        isolation = preflight.probe(self, degraded=False)
        if not isolation.holds:
            failed = [name for name, ok in isolation.proved.items() if not ok]
            raise SandboxUnavailable(
                "Docker runs here, but does not isolate: " + ", ".join(failed)
            )
        return isolation

    def start(self, job: Job) -> DockerRun:
        """Start a payload; see `Sandbox.start`."""
        check_job(job, others=True)
        image = self._image
        lease = self._leases.take()
        directory = self._leases.directory
        place = Place(
            name=lease.name,
            image=image,
            socket=directory / f"{lease.name}.sock",
            owner=str(directory),
            profile=profile(**job.grants),
        )
        version = API_VERSION if job.gpu is None else CDI_API_VERSION
        return DockerRun(job, place, lease, self._client(version))

    def sweep(self) -> int:
        """End and remove what crashed predecessors left; how many."""
        stale = {lease.name: lease for lease in self._leases.stale()}
        api = self._client()
        try:
            for name in {*stale, *self._unleased(api)}:
                remove(api, f"{PREFIX}{name}")
                self._leases.directory.joinpath(f"{name}.sock").unlink(
                    missing_ok=True
                )
                if name in stale:
                    stale[name].release()
        except TimeoutError as error:
            raise SandboxUnavailable(str(error)) from error
        except ENGINE_FAILURES as error:
            raise self._gone() from error
        finally:
            api.close()
        return len(stale)

    def outdated(self) -> tuple[str, ...]:
        """A sentence for each part of the engine with a known leak."""
        api = self._client()
        try:
            return outdated(api.version())
        except ENGINE_FAILURES as error:
            raise self._gone() from error
        finally:
            api.close()

    def answers(self) -> bool:
        """Whether an engine is there."""
        try:
            self.outdated()
        except SandboxUnavailable:
            return False
        return True

    def _unleased(self, api: Any) -> list[str]:
        """Containers of ours without a lease: it is gone, and they are not.

        A lease is there before its container, and goes after it.
        """
        owner = f"{LABEL}={self._leases.directory}"
        listed: list[Mapping[str, Any]] = api.containers(
            all=True, filters={"label": owner}
        )
        names = [
            name.removeprefix(f"/{PREFIX}")
            for each in listed
            for name in each["Names"]
        ]
        directory = self._leases.directory
        return [
            name
            for name in names
            if not (directory / f"{name}{SUFFIX}").exists()
        ]

    def _client(self, version: str = API_VERSION) -> Any:
        try:
            _knock(self._address)
            return docker.APIClient(
                base_url=self._address,
                version=version,
                timeout=PATIENCE_SECONDS,
            )
        except (*ENGINE_FAILURES, OSError) as error:
            raise self._gone() from error

    def _gone(self) -> SandboxUnavailable:
        return SandboxUnavailable(INSTALL.format(self._address))

    @property
    def _address(self) -> str:
        return self.host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST

    @cached_property
    def _leases(self) -> Leases:
        return Leases(self.lease_directory or default_directory() / "docker")

    @cached_property
    def _image(self) -> str:
        if self.image is not None:
            return self.image
        api = self._client()
        try:
            return ensure_image(api)
        except ENGINE_FAILURES as error:
            raise self._gone() from error
        finally:
            api.close()


def _knock(address: str) -> None:
    """Raise OSError where nobody listens: the SDK would leak its socket."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(address.removeprefix("unix://"))
