"""Starts a program that cannot outlive whoever started it.

Run by path, with the parent's process id and the program's arguments; it
imports nothing of ours, so that it costs a few milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for SIGKILL at the parent's end, then become it.

    The wish is kept over `exec`. A parent that ended before the wish was
    made shows in `getppid`.
    """
    parent, program = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit("the process that started this one has ended")
    try:
        os.execvp(program[0], program)  # noqa: S606 -- our own programs
    except OSError as fault:
        sys.exit(f"{program[0]}: {fault.strerror}")


if __name__ == "__main__":
    main()
