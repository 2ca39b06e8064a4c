"""The probe: run inside a sandbox, it tells what it was able to do.

A script on the standard library alone, mounted and started by preflight;
its one argument and its answer are JSON. It judges nothing.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

SOCKET_FAMILIES = {
    "unix": 1,
    "inet": 2,
    "inet6": 10,
    "netlink": 16,
    "packet": 17,
    "alg": 38,
    "vsock": 40,
}
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
X32_GETPID = 0x40000000 + 39
MEBIBYTE = 1024 * 1024


def main() -> None:
    """Answer with everything that was found."""
    wanted = json.loads(sys.argv[1])
    facts = {
        "status": status(),
        "uid_map": Path("/proc/self/uid_map").read_text("ascii").split("\n"),
        "namespaces": namespaces(),
        "interfaces": interfaces(),
        "top_level": sorted(each.name for each in Path("/").iterdir()),
        "environment_names": environment_names(),
        "descriptors": descriptors(),
        "refusals": refusals(wanted["refused"]),
        "sockets": sockets(),
        "foreign_call": foreign_call(),
        "writable": [path for path in wanted["paths"] if writes(path)],
        "room": {path: room(path) for path in wanted["sized"]},
        "processors": len(os.sched_getaffinity(0)),
        "forks": forks(wanted["forks"]),
        "allocated": allocates(wanted["allocate_bytes"]),
    }
    sys.stdout.write(json.dumps(facts))


def status() -> dict[str, str]:
    """/proc/self/status: ids, capabilities, no-new-privileges, seccomp."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name: " ".join(value.split()) for name, _, value in pairs}


def namespaces() -> dict[str, str]:
    """The inode of each namespace that this process is in."""
    return {
        each: str(Path(f"/proc/self/ns/{each}").readlink())
        for each in NAMESPACES
    }


def interfaces() -> list[str]:
    """The network interfaces that there are."""
    lines = Path("/proc/net/dev").read_text("ascii").splitlines()[2:]
    return [line.partition(":")[0].strip() for line in lines]


def environment_names() -> list[str]:
    """Names of every variable in every environment that can be read."""
    found: set[str] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                content = (entry / "environ").read_bytes()
            except OSError:
                continue
            pairs = content.decode(errors="replace").split("\0")
            found.update(pair.partition("=")[0] for pair in pairs if pair)
    return sorted(found)


def descriptors() -> list[int]:
    """Open descriptors, less the one that listed them."""
    listed = [int(each.name) for each in Path("/proc/self/fd").iterdir()]
    found: list[int] = []
    for each in listed:
        try:
            os.fstat(each)
        except OSError:
            continue
        found.append(each)
    return sorted(found)


def refusals(numbers: dict[str, int]) -> dict[str, int]:
    """The error number of each call, made with empty arguments; 0 if none."""
    libc = ctypes.CDLL(None, use_errno=True)
    found: dict[str, int] = {}
    for name, number in numbers.items():
        ctypes.set_errno(0)
        answer = libc.syscall(number, 0, 0, 0, 0, 0, 0)
        found[name] = ctypes.get_errno() if answer == -1 else 0
    return found


def sockets() -> list[str]:
    """The families of which a socket could be made."""
    made: list[str] = []
    for name, family in SOCKET_FAMILIES.items():
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            try:
                socket.socket(family, kind).close()
            except OSError:
                continue
            made.append(name)
    return made


def foreign_call() -> int:
    """How a child ended that made a call of the x32 kind: its wait status."""
    child = os.fork()
    if not child:
        ctypes.CDLL(None).syscall(X32_GETPID)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def writes(path: str) -> bool:
    """Whether something can be written at, or made in, `path`."""
    try:
        if Path(path).is_dir():
            new = Path(path) / "written-by-the-probe"
            new.touch()
            new.unlink()
        else:
            os.close(os.open(path, os.O_WRONLY))
    except OSError:
        return False
    return True


def room(folder: str) -> int:
    """Bytes that could be written below `folder` before it was full."""
    path = Path(folder) / "filled-by-the-probe"
    written = 0
    block = b"\1" * MEBIBYTE
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        while written < 1024 * MEBIBYTE:
            written += os.write(descriptor, block)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    finally:
        os.close(descriptor)
        path.unlink()
    return written


def forks(most: int) -> int:
    """How many children could live at once, of the `most` that were tried."""
    children: list[int] = []
    try:
        while len(children) < most:
            child = os.fork()
            if not child:
                while True:
                    time.sleep(60)
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return len(children)


def allocates(count: int) -> bool:
    """Whether a child could fill that many bytes of memory."""
    child = os.fork()
    if not child:
        try:
            memory = bytearray(count)
            memory[:: os.sysconf("SC_PAGESIZE")] = b"\1" * len(
                range(0, count, os.sysconf("SC_PAGESIZE"))
            )
        except MemoryError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    main()
