"""Choosing the sandbox of a process: the first back end that can run here."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from quasar_core.execution.bubblewrap import BubblewrapSandbox
from quasar_core.execution.sandbox import Sandbox, SandboxUnavailable

if TYPE_CHECKING:
    from quasar_core.execution.docker import DockerSandbox

BACKENDS = ("bubblewrap", "docker")


def default_sandbox(
    backend: str | None = None,
    *,
    allow_degraded: bool = False,
    image: str | None = None,
    production: bool = False,
) -> Sandbox:
    """A sandbox whose preflight has held, swept of what was left behind.

    A `backend` that is named is used or refused, never replaced.
    `allow_degraded` is for one's own fork: limits may rest on rlimits.
    `image` is Docker's, and `production` refuses an engine with known leaks.
    Raises SandboxUnavailable with a sentence that says what to mend.
    """
    sandbox = choose_sandbox(
        backend,
        allow_degraded=allow_degraded,
        image=image,
        production=production,
    )
    sandbox.preflight()
    return sandbox


def choose_sandbox(
    backend: str | None = None,
    *,
    allow_degraded: bool = False,
    image: str | None = None,
    production: bool = False,
) -> Sandbox:
    """The same, swept, but with its preflight left to the caller.

    Whoever reports what was proved runs the preflight himself, once.
    """
    if backend not in {None, *BACKENDS}:
        raise SandboxUnavailable(
            f"there is no sandbox called {backend!r}; known:"
            f" {', '.join(BACKENDS)}"
        )
    sandbox: Sandbox = BubblewrapSandbox(allow_degraded=allow_degraded)
    if backend == "docker" or (backend is None and not _has_bubblewrap()):
        docker = _docker(image, production)
        if backend is not None or docker.answers():
            sandbox = docker
    sandbox.sweep()
    return sandbox


def _has_bubblewrap() -> bool:
    return shutil.which("bwrap") is not None


def _docker(image: str | None, production: bool) -> DockerSandbox:
    # Only who uses it pays for the SDK.
    from quasar_core.execution.docker import DockerSandbox

    return DockerSandbox(image=image, production=production)
