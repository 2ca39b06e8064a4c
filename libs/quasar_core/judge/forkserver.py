"""The fork server: imports the judge once, and forks a referee for each job.

Run by `forking.py` as `python -m quasar_core.judge.forkserver CONTROL_FD`. It
does no job itself, opens no device and starts no thread, so that what it forks
begins as a new process would, only with its modules there. It ends with
whoever holds the other end of its socket.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import selectors
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REFEREE = "quasar_core.judge.__main__"
REQUEST_BYTES = 1024 * 1024
DESCRIPTORS = 4


@dataclass(frozen=True)
class Request:
    """A referee that is wanted: its scratch folder and its descriptors.

    `report` is told of the process, and then of its end.
    """

    scratch: str
    folder: str
    environment: Mapping[str, str]
    modules: Sequence[str]
    stdin: int
    answers: int
    errors: int
    report: socket.socket

    def close(self) -> None:
        """Close what is the referee's, here."""
        for each in (self.stdin, self.answers, self.errors):
            os.close(each)

    def put_on(self) -> None:
        """Be the referee's process: its session, descriptors and folder."""
        os.setsid()
        self.report.close()
        os.dup2(self.stdin, sys.stdin.fileno())
        os.dup2(self.errors, sys.stdout.fileno())
        os.dup2(self.errors, sys.stderr.fileno())
        os.close(self.stdin)
        os.close(self.errors)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        tempfile.tempdir = None
        random.seed()


def receive(control: socket.socket) -> Request | None:
    """The next request; None where nobody can ask any more."""
    told, descriptors, _, _ = socket.recv_fds(
        control, REQUEST_BYTES, DESCRIPTORS
    )
    if not told:
        return None
    for each in descriptors:
        os.set_inheritable(each, False)
    stdin, answers, errors, report = descriptors
    return Request(
        **json.loads(told),
        stdin=stdin,
        answers=answers,
        errors=errors,
        report=socket.socket(fileno=report),
    )


def preload(modules: Sequence[str]) -> None:
    """Import modules; one that is not there is the referee's to miss."""
    missing = [name for name in modules if name not in sys.modules]
    for name in missing:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if missing:
        gc.collect()
        # What is there stays on pages that are shared.
        gc.freeze()


def serve(control: socket.socket) -> Request | None:
    """Fork for each request; returns one in a fork, and None at the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is not None:
                    selector.unregister(key.fileobj)
                    _tell_end(key.fd, *key.data)
                    continue
                request = receive(control)
                if request is None:
                    return None
                preload([REFEREE, *request.modules])
                child = os.fork()
                if child == 0:
                    control.close()
                    _let_go(selector)
                    return request
                watch = os.pidfd_open(child)
                with contextlib.suppress(BrokenPipeError):
                    socket.send_fds(request.report, [b"forked"], [watch])
                request.close()
                data = (child, request.report)
                selector.register(watch, selectors.EVENT_READ, data)


def _tell_end(watch: int, child: int, report: socket.socket) -> None:
    _, status = os.waitpid(child, 0)
    os.close(watch)
    with report, contextlib.suppress(BrokenPipeError):
        report.send(str(os.waitstatus_to_exitcode(status)).encode())


def _let_go(selector: selectors.BaseSelector) -> None:
    """Close, in a fork, what the server holds of the others."""
    for key in selector.get_map().values():
        if key.data is not None:
            os.close(key.fd)
            key.data[1].close()


def main() -> None:
    """Serve; in each fork, do the job."""
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        request.put_on()
        referee = importlib.import_module(REFEREE)
        referee.main(request.answers, Path(request.scratch))


if __name__ == "__main__":
    main()
