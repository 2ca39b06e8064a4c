"""Leases: a file per live sandbox, locked for as long as its owner lives.

The lock ends with the process that took it, whatever ended that process;
so a file that can be locked tells what a crashed predecessor left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quasar_core.execution.private_folders import make_private
from quasar_core.execution.sandbox import SandboxUnavailable

REGISTRY_LOCK = "registry.lock"
SUFFIX = ".lease"


def default_directory() -> Path:
    """Where this user's leases lie: /run for root, else a private folder."""
    if os.geteuid() == 0 and os.access("/run", os.W_OK):
        return Path("/run/quasar/sandboxes")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK):
        return Path(runtime) / "quasar" / "sandboxes"
    return Path(tempfile.gettempdir()) / f"quasar-sandboxes-{os.geteuid()}"


@dataclass
class Lease:
    """One live sandbox, or the remains of one."""

    name: str
    path: Path
    descriptor: int
    facts: dict[str, Any] = field(default_factory=dict)

    def note(self, **facts: Any) -> None:
        """Add what a sweep will need to know."""
        self.facts.update(facts)
        os.pwrite(self.descriptor, json.dumps(self.facts).encode(), 0)

    def release(self) -> None:
        """Give the lease up; nothing of the sandbox is left."""
        self.path.unlink(missing_ok=True)
        self.abandon()

    def abandon(self) -> None:
        """Let go, but leave the file for a later sweep."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@dataclass(frozen=True)
class Leases:
    """The leases of one user on one host."""

    directory: Path

    def take(self) -> Lease:
        """A new lease under a fresh name.

        Raises SandboxUnavailable where the folder can't be had.
        """
        with self._locked():
            name = secrets.token_hex(8)
            path = self.directory / f"{name}{SUFFIX}"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        return Lease(name, path, descriptor)

    def stale(self) -> tuple[Lease, ...]:
        """The leases whose owners are gone, now held by the caller."""
        with self._locked():
            found = [
                _seize(path)
                for path in sorted(self.directory.glob(f"*{SUFFIX}"))
            ]
        return tuple(lease for lease in found if lease is not None)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            make_private(self.directory)
        except OSError as error:
            raise SandboxUnavailable(
                f"no folder for the state of sandboxes: {error}"
            ) from error
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(self.directory / REGISTRY_LOCK, flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _seize(path: Path) -> Lease | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Lease(path.stem, path, descriptor, dict(_read(descriptor)))


def _read(descriptor: int) -> Mapping[str, Any]:
    try:
        facts = json.loads(os.pread(descriptor, 65_536, 0) or b"{}")
    except ValueError:  # cut off in the middle of a note
        return {}
    return facts if isinstance(facts, dict) else {}
