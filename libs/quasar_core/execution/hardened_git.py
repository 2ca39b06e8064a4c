"""Git with nothing of the host in it: no config, hooks, prompts, helpers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quasar_core.errors import TransientError
from quasar_core.execution.limits import MIB
from quasar_core.execution.supervisor import (
    HeadAndTail,
    Stop,
    Whole,
    drain,
    supervise,
)

ANSWER_BYTES = 4 * MIB
COMPLAINT_BYTES = 32 * 1024
FILE_BLOCK_BYTES = 512
SETPRIV = "/usr/bin/setpriv"

# In order: bytes per written file (in blocks), address space (KiB), no core.
# A file that grows too long is an error that git tells, not a silent signal.
BOUNDED = """
trap '' XFSZ
{ ulimit -f "$1"; ulimit -v "$2"; ulimit -c 0; } 2>/dev/null; shift 2
exec "$@"
"""

# What a repository, or whoever wrote it, could make git run or believe.
SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.symlinks=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.bigFileThreshold=1m",
    "core.alternateRefsCommand=",
    "credential.helper=",
    "http.followRedirects=false",
    "http.sslVerify=true",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=20",
    "transfer.fsckObjects=true",
    "fetch.fsckObjects=true",
    "fetch.unpackLimit=1",
    "fetch.recurseSubmodules=false",
    "fetch.negotiationAlgorithm=noop",
    "submodule.recurse=false",
    "protocol.version=2",
    "gc.auto=0",
    "maintenance.auto=false",
    "pack.threads=1",
    "safe.directory=*",
    "uploadpack.packObjectsHook=",
    "advice.detachedHead=false",
)


class GitMissing(TransientError):
    """The host has no git."""


class GitTimeout(TransientError):
    """Git did not end within the time that was left."""


@dataclass(frozen=True)
class GitAnswer:
    """How a git command ended."""

    code: int
    stdout: bytes
    stderr: bytes
    overflowed: bool = False

    @property
    def complaint(self) -> str:
        """What git said of its failure, as printable ASCII."""
        text = self.stderr.decode("ascii", "replace").replace("\ufffd", "?")
        return "".join(
            c if c.isprintable() or c == "\n" else "?" for c in text
        )


@dataclass(frozen=True)
class Git:
    """Commands in one repository, all of them before one deadline.

    `deadline` is on the monotonic clock, `protocols` are the transports
    that git may use, `file_bytes` bounds each file that it may write.
    """

    directory: Path
    deadline: float
    protocols: Sequence[str] = ()
    file_bytes: int = 64 * MIB
    memory_bytes: int = 2048 * MIB
    settings: Sequence[str] = ()
    """Beside those of every command: NAME=VALUE."""

    def run(self, *arguments: str, given: bytes = b"") -> GitAnswer:
        """Run a command, `given` on its standard input.

        Raises GitTimeout past the deadline, GitMissing without git.
        """
        process = self._spawn(arguments, given)
        answer, complaint = Whole(ANSWER_BYTES), HeadAndTail(
            COMPLAINT_BYTES, ANSWER_BYTES
        )
        assert process.stdout is not None  # noqa: S101 -- a pipe was asked for
        assert process.stderr is not None  # noqa: S101 -- likewise
        sinks = {
            process.stdout.fileno(): answer,
            process.stderr.fileno(): complaint,
        }
        pidfd = os.pidfd_open(process.pid)
        try:
            stop = supervise(pidfd, sinks, deadline=self.deadline)
            if stop is not Stop.EXITED:
                # Its helpers are in the session that it began.
                os.killpg(process.pid, signal.SIGKILL)
            fits = drain(sinks)
            code = process.wait()
        finally:
            os.close(pidfd)
            process.stdout.close()
            process.stderr.close()
        if stop is Stop.DEADLINE:
            raise GitTimeout(f"git {arguments[0]} took too long")
        return GitAnswer(
            code,
            answer.value,
            complaint.value,
            overflowed=stop is Stop.OVERFLOW or not fits,
        )

    def _spawn(
        self, arguments: Sequence[str], given: bytes
    ) -> subprocess.Popen[bytes]:
        with tempfile.TemporaryFile() as questions:
            questions.write(given)
            questions.seek(0)
            return subprocess.Popen(  # noqa: S603 -- git, and no shell words
                self._command(arguments),
                cwd=self.directory,
                env=self._environment(),
                stdin=questions,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        settings = (
            word
            for each in (*SETTINGS, *self.settings)
            for word in ("-c", each)
        )
        tied = (SETPRIV, "--pdeathsig", "KILL", "--")
        return [
            *("/bin/sh", "-c", BOUNDED, "sh"),
            str(self.file_bytes // FILE_BLOCK_BYTES),
            str(self.memory_bytes // 1024),
            *(tied if Path(SETPRIV).exists() else ()),
            *(executable(), *settings, *arguments),
        ]

    def _environment(self) -> Mapping[str, str]:
        return {
            **bare_environment(),
            "GIT_ALLOW_PROTOCOL": ":".join(self.protocols) or "none",
            "HOME": str(self.directory),
            "XDG_CONFIG_HOME": str(self.directory),
        }


def executable() -> str:
    """Where git is; raises GitMissing with what to install."""
    found = shutil.which("git")
    if found is None:
        raise GitMissing("git is not installed: install the package git")
    return found


def bare_environment() -> dict[str, str]:
    """An environment in which git reads no configuration and asks nobody."""
    return {
        "PATH": f"{Path(executable()).parent}:/usr/bin:/bin",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": "/bin/false",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def within(seconds: float) -> float:
    """A deadline that many seconds from now."""
    return time.monotonic() + seconds
