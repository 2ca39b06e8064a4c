"""Spawning bubblewrap: its descriptors, and nothing else of the caller's."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from quasar_core.execution.bubblewrap_arguments import arguments, command
from quasar_core.execution.sandbox import Job


@dataclass(frozen=True)
class Launch:
    """All that a start needs to know."""

    job: Job
    bwrap: str
    seccomp: bytes
    user_namespace: bool


def spawn(
    launch: Launch, *, groups: Sequence[Path], announcement: str
) -> tuple[subprocess.Popen[bytes], int]:
    """The launcher's process, and the descriptor of its status messages.

    The payload runs once it has said its announcement and been sent a line.
    The launcher's environment is empty: the payload may be able to read it
    in /proc/1/environ. Raises OSError where no process can be started.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    try:
        return _spawn(launch, groups, announcement, writer), reader
    except OSError:
        os.close(reader)
        raise
    finally:
        os.close(writer)


def _spawn(
    launch: Launch, groups: Sequence[Path], announcement: str, status: int
) -> subprocess.Popen[bytes]:
    words = [
        *("--json-status-fd", str(status)),
        *arguments(launch.job, launch.user_namespace),
    ]
    with _readable(launch.seccomp) as seccomp:
        words += ["--seccomp", str(seccomp)]
        with _readable(b"".join(_words(words))) as told:
            return subprocess.Popen(  # noqa: S603 -- our own launcher
                command(
                    launch.job,
                    bwrap=launch.bwrap,
                    groups=groups,
                    arguments_descriptor=told,
                    ready=announcement,
                    user_namespace=launch.user_namespace,
                ),
                env={},
                cwd="/",
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(told, seccomp, status, *launch.job.pass_fds),
                start_new_session=True,
            )


def _words(words: Sequence[str]) -> Iterator[bytes]:
    for word in words:
        yield word.encode() + b"\0"


@contextlib.contextmanager
def _readable(content: bytes) -> Iterator[int]:
    """A descriptor from which `content` can be read."""
    descriptor = os.memfd_create("quasar", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
