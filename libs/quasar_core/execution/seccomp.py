"""The seccomp filter of every sandbox: a BPF program made in plain Python.

An allow-list: calls known to be dangerous answer EPERM, calls that are not
on either list answer ENOSYS (so that libraries fall back as on an older
kernel), and calls of a foreign architecture end the process.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from quasar_core.execution import syscalls
from quasar_core.execution.sandbox import SandboxUnavailable

AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]
NUMBER_OFFSET = 0
ARCHITECTURE_OFFSET = 4
ARGUMENTS_OFFSET = 16

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
REFUSE = 0x00050000 | errno.EPERM
ABSENT = 0x00050000 | errno.ENOSYS

LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
RETURN = 0x06  # BPF_RET | BPF_K
EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
GREATER = 0x25  # BPF_JMP | BPF_JGT | BPF_K
ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K

X32_BIT = 0x40000000

# CLONE_NEWTIME is read by clone3 and unshare alone: in clone its bit is
# part of the exit signal.
NEW_NAMESPACES = 0x7E020000
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
AF_UNIX = 1


@dataclass(frozen=True)
class Instruction:
    """One BPF instruction; jumps count from the next one."""

    code: int
    value: int
    if_true: int = 0
    if_false: int = 0

    def __bytes__(self) -> bytes:
        return struct.pack(
            "=HBBI", self.code, self.if_true, self.if_false, self.value
        )


def filter_program(
    machine: str | None = None,
    *,
    loopback: bool = False,
    device: bool = False,
) -> bytes:
    """The program for `machine`, or for the one that this process runs on.

    With `loopback` internet sockets can be made and used. With `device`
    local ones can be made, bound and listened at, since CUDA's driver does
    not start without; nothing can connect to them, or be accepted.

    Raises SandboxUnavailable where no table of system calls is at hand.
    """
    machine = machine or platform.machine()
    if machine not in AUDIT_ARCHITECTURES:
        raise SandboxUnavailable(
            f"no seccomp filter is known for {machine} processors;"
            " use an x86_64 or aarch64 host"
        )
    actions = _actions(machine, loopback, device)
    return b"".join(bytes(each) for each in _instructions(machine, actions))


def _instructions(
    machine: str, actions: dict[int, str | int]
) -> Iterator[Instruction]:
    yield Instruction(LOAD, ARCHITECTURE_OFFSET)
    yield Instruction(EQUAL, AUDIT_ARCHITECTURES[machine], if_true=1)
    yield Instruction(RETURN, KILL_PROCESS)
    yield Instruction(LOAD, NUMBER_OFFSET)
    if machine == "x86_64":
        yield Instruction(ANY_BIT, X32_BIT, if_false=1)
        yield Instruction(RETURN, KILL_PROCESS)
    for last, action in _spans(actions):
        block = _block(action)
        yield Instruction(GREATER, last, if_true=len(block))
        yield from block
    yield Instruction(RETURN, ABSENT)


def _actions(
    machine: str, loopback: bool, device: bool
) -> dict[int, str | int]:
    allowed = syscalls.allowed(machine)
    actions: dict[int, str | int] = dict.fromkeys(allowed.values(), ALLOW)
    refused = syscalls.refused(machine)
    actions.update(dict.fromkeys(refused.values(), REFUSE))
    for name in ("clone", "ioctl", "prlimit64", "socketpair"):
        actions[allowed[name]] = name
    for granted, names, socket in (
        (device, syscalls.DEVICE, "local socket"),
        (loopback, syscalls.LOOPBACK, "internet socket"),
    ):
        if granted:
            actions.update({refused[each]: ALLOW for each in names})
            actions[refused["socket"]] = socket
    return actions


def _spans(actions: dict[int, str | int]) -> Iterator[tuple[int, str | int]]:
    """Runs of numbers with one action, each by its last number."""
    action: str | int = actions.get(0, ABSENT)
    for number in range(max(actions) + 2):
        following = actions.get(number, ABSENT)
        if following != action:
            yield number - 1, action
            action = following


def _block(action: str | int) -> tuple[Instruction, ...]:
    match action:
        case "clone":
            return _unless(0, Instruction(ANY_BIT, NEW_NAMESPACES, 0, 1))
        case "ioctl":
            return (
                _argument(1),
                Instruction(EQUAL, TIOCSTI, if_true=1),
                Instruction(EQUAL, TIOCLINUX, if_false=1),
                Instruction(RETURN, REFUSE),
                Instruction(RETURN, ALLOW),
            )
        case "prlimit64":
            # Only one's own: the first process may be of the same user.
            return _unless(0, Instruction(EQUAL, 0, 1, 0))
        case "socketpair" | "local socket":
            return _unless(0, Instruction(EQUAL, AF_UNIX, 1, 0))
        case "internet socket":
            return _unless(0, Instruction(EQUAL, syscalls.AF_INET, 1, 0))
        case int():
            return (Instruction(RETURN, action),)
    raise AssertionError(action)


def _unless(
    argument: int, test: Instruction
) -> tuple[Instruction, Instruction, Instruction, Instruction]:
    """Refuse where `test` goes on to the next instruction, else allow."""
    return (
        _argument(argument),
        test,
        Instruction(RETURN, REFUSE),
        Instruction(RETURN, ALLOW),
    )


def _argument(index: int) -> Instruction:
    # The low half on the little-endian machines that are supported: the
    # kernel itself reads no more of these arguments.
    return Instruction(LOAD, ARGUMENTS_OFFSET + 8 * index)
