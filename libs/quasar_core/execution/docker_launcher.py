"""The first process of a Docker sandbox: takes a job, and waits for its end.

A script on the standard library alone, mounted into the container. It
fetches the job and its descriptors from the one socket that is mounted,
puts on the filter that forbids every further socket, and only then runs
the payload, of which it stays the parent. It dies with whoever asked.
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
MAX_DESCRIPTORS = 253
READY = b"ready"
ENDED = b"ended "
LINGER_SECONDS = 10.0
STANDARD = (0, 1, 2)
SIGNAL_BASE = 128
NOT_FOUND = 127


class Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_char_p))


def main() -> None:
    """Take the job, run it, tell how it ended."""
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wire.connect(sys.argv[1])
    job, descriptors = receive(wire)
    wire, descriptors = out_of_the_way(wire, descriptors, job["numbers"])
    wake = wake_up_call()
    put_on_filter(bytes.fromhex(job["filter"]))
    wire.send(READY)
    gate, opener = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if not child:
        os.close(opener)
        os.read(gate, 1)
        become(job, descriptors)
    hide()
    for each in (gate, opener, *descriptors):
        os.close(each)
    # What the container itself was given is no way out either.
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for each in STANDARD:
        os.dup2(nothing, each)
    code = outlive(child, wire, wake, job["seconds"])
    if code is not None:
        wire.send(ENDED + str(code).encode())
        # The counts of the group are read while the group is there.
        wait_for(wire, LINGER_SECONDS)
    os._exit(0)


def receive(wire: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The job, and the descriptors that go with it."""
    room = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
    _, ancillary, _, _ = wire.recvmsg(1, room)
    received = array.array("i")
    for _, _, data in ancillary:
        received.frombytes(data)
    written, *descriptors = received
    with os.fdopen(written, "rb") as text:
        return json.loads(text.read()), descriptors


def out_of_the_way(
    wire: socket.socket, descriptors: Sequence[int], numbers: Sequence[int]
) -> tuple[socket.socket, list[int]]:
    """The same, above every number that the payload is to see."""
    above = max((*STANDARD, *numbers)) + 1
    moved = [
        fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, above)
        for each in (wire.detach(), *descriptors)
    ]
    highest = max(moved)
    for each in range(len(STANDARD), highest):
        if each not in moved:
            close(each)
    return socket.socket(fileno=moved[0]), moved[1:]


def close(descriptor: int) -> None:
    """Close it if it is open."""
    try:
        os.close(descriptor)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise


def wake_up_call() -> int:
    """A descriptor that can be read when a child has ended."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    # Without a handler nothing inside can interrupt the first process.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return reader


def put_on_filter(program: bytes) -> None:
    """No socket and nothing else that is refused, from here on for good."""
    asked = Filter(len(program) // 8, program)
    control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(asked))


def hide() -> None:
    """Nobody inside may look at this process, of which he shares the user."""
    control(PR_SET_DUMPABLE, 0, 0)


def control(*arguments: Any) -> None:
    """A call of prctl that must not fail."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*arguments, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def become(job: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Be the payload."""
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        numbers = (*STANDARD[1:], *job["numbers"])
        for descriptor, number in zip(descriptors, numbers, strict=True):
            os.dup2(descriptor, number)
        os.setsid()
        # Where memory runs out it is the payload that ends, not its parent.
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        most = job["nofile"]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(job["directory"])
        program, environment = job["argv"][0], job["environment"]
        os.execvpe(program, job["argv"], environment)  # noqa: S606 -- the job
    except OSError as error:
        os.write(2, f"{job['argv'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(NOT_FOUND)


def outlive(
    child: int, wire: socket.socket, wake: int, seconds: float
) -> int | None:
    """Wait for the payload's end: its code, or None if nobody asks now."""
    deadline = time.monotonic() + seconds
    poll = select.poll()
    poll.register(wire, select.POLLIN | select.POLLHUP)
    poll.register(wake, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        if wire.fileno() in dict(poll.poll(left * 1000)):
            return None
        try:
            while os.read(wake, 4096):
                pass
        except BlockingIOError:
            pass
        code = bury(child)
        if code is not None:
            return code
    return None


def bury(child: int) -> int | None:
    """Take every ended process; the payload's code if it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if not pid:
            return found
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            found = code if code >= 0 else SIGNAL_BASE - code


def wait_for(wire: socket.socket, seconds: float) -> None:
    """Wait until the other side says something, or hangs up."""
    poll = select.poll()
    poll.register(wire, select.POLLIN | select.POLLHUP)
    poll.poll(seconds * 1000)


if __name__ == "__main__":
    main()
