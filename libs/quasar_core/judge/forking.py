"""Asking the fork server for a referee, from a process without torch.

A server belongs to the process that started it and ends with it. It is
started at the first job; the referees of one process come from one server.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

COMMAND = (sys.executable, "-m", "quasar_core.judge.forkserver")
ENDING_SECONDS = 10.0
MESSAGE_BYTES = 64
STDERR = 2


class Forked:
    """A referee that was forked: what is used of `subprocess.Popen`."""

    def __init__(
        self,
        server: subprocess.Popen[bytes],
        stdin: IO[bytes],
        report: socket.socket,
    ) -> None:
        self.stdin = stdin
        self.returncode: int | None = None
        self._server = server
        self._report = report
        self._process: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, a signal's as its negative number.

        Raises subprocess.TimeoutExpired.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            left = None if until is None else max(0, until - time.monotonic())
            if not self._heard(left):
                raise subprocess.TimeoutExpired(COMMAND, timeout or 0)
        return self.returncode

    def kill(self) -> None:
        """Kill it; a server that does not even fork is killed itself."""
        if self._process is None and self.returncode is None:
            self._heard(ENDING_SECONDS)
        if self.returncode is not None:
            return
        if self._process is None:
            self._server.kill()
        else:
            _kill(self._process)

    def _heard(self, seconds: float | None) -> bool:
        """Whether the server has told something, within so many seconds."""
        wait = None if seconds is None else 1_000 * seconds
        poll = select.poll()
        poll.register(self._report, select.POLLIN)
        if not poll.poll(wait):
            return False
        told, descriptors, _, _ = socket.recv_fds(
            self._report, MESSAGE_BYTES, 1
        )
        if descriptors:
            self._process = descriptors[0]
            os.set_inheritable(self._process, False)
        elif told:
            self._end(int(told))
        elif self._process is None:
            self._end(self._server.wait())
        else:
            # Nobody can say any more how it ends.
            _kill(self._process)
            self._end(-signal.SIGKILL)
        return True

    def _end(self, status: int) -> None:
        self.returncode = status
        self._report.close()
        if self._process is not None:
            os.close(self._process)


Process = subprocess.Popen[bytes] | Forked


def end_within(process: Process, seconds: float) -> None:
    """Wait for a process that is about to end; kill it where it does not."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGKILL)


class Server:
    """A fork server and the socket that it is asked on."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = (
            None
        )
        atexit.register(self.close)

    def fork(
        self,
        scratch: str,
        *,
        answers: int,
        errors: int,
        modules: Sequence[str] = (),
    ) -> Forked:
        """A referee that answers on a descriptor, with this environment.

        `modules` are imported before, once for all. Starts the server where
        none runs.
        """
        request = {
            "scratch": scratch,
            "folder": str(Path.cwd()),
            "environment": dict(os.environ),
            "modules": list(modules),
        }
        message = json.dumps(request).encode()
        reader, writer = os.pipe()
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stdin = os.fdopen(writer, "wb")
        try:
            sent = [reader, answers, errors, theirs.fileno()]
            process = self._ask(message, sent)
        except OSError:
            mine.close()
            stdin.close()
            raise
        finally:
            os.close(reader)
            theirs.close()
        return Forked(process, stdin, mine)

    def close(self) -> None:
        """End the server; a fork of its owner leaves it alone."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            self._stop()

    def _ask(
        self, message: bytes, descriptors: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._running is None:
                self._running = _start()
            try:
                socket.send_fds(self._running[1], [message], descriptors)
            except (BrokenPipeError, ConnectionResetError):
                # It has ended since the last job, perhaps without reading.
                self._stop()
                self._running = _start()
                socket.send_fds(self._running[1], [message], descriptors)
            return self._running[0]

    def _stop(self) -> None:
        if self._running is None:
            return
        process, control = self._running
        self._running = None
        control.close()
        end_within(process, ENDING_SECONDS)


def _start() -> tuple[subprocess.Popen[bytes], socket.socket]:
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 -- our own module
            [*COMMAND, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=STDERR,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    return process, mine


_servers: dict[int, Server] = {}


def own_server() -> Server:
    """The one of this process."""
    owner = os.getpid()
    if owner not in _servers:
        _servers[owner] = Server()
    return _servers[owner]
