"""Choosing the sandbox of a process: the first back end that can run here."""

from __future__ import annotations

from quasar_core.execution.bubblewrap import BubblewrapSandbox
from quasar_core.execution.sandbox import Sandbox, SandboxUnavailable

BACKENDS = ("bubblewrap",)


def default_sandbox(
    backend: str | None = None, *, allow_degraded: bool = False
) -> Sandbox:
    """A sandbox whose preflight has held, swept of what was left behind.

    A `backend` that is named is used or refused, never replaced.
    `allow_degraded` is for one's own fork: limits may rest on rlimits.
    Raises SandboxUnavailable with a sentence that says what to mend.
    """
    sandbox = choose_sandbox(backend, allow_degraded=allow_degraded)
    sandbox.preflight()
    return sandbox


def choose_sandbox(
    backend: str | None = None, *, allow_degraded: bool = False
) -> Sandbox:
    """The same, swept, but with its preflight left to the caller.

    Whoever reports what was proved runs the preflight himself, once.
    """
    if backend not in {None, *BACKENDS}:
        raise SandboxUnavailable(
            f"there is no sandbox called {backend!r}; known:"
            f" {', '.join(BACKENDS)}"
        )
    sandbox = BubblewrapSandbox(allow_degraded=allow_degraded)
    sandbox.sweep()
    return sandbox
