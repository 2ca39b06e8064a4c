"""The seccomp profile that the engine puts on a container, as JSON.

It lets the container's first process reach its one socket and put on the
filter of every sandbox, which then forbids all further sockets; it allows
nothing else that the filter forbids.
"""

from __future__ import annotations

import errno
import json
import platform
from typing import Any

from quasar_core.execution import syscalls
from quasar_core.execution.sandbox import SandboxUnavailable
from quasar_core.execution.seccomp import AF_UNIX, NEW_NAMESPACES

ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
ALLOW, REFUSE = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
CONDITIONAL = frozenset({"clone"})
FIRST_PROCESS = ("connect",)


def profile(
    *,
    loopback: bool = False,
    device: bool = False,
    machine: str | None = None,
) -> str:
    """The profile for `machine`, or for the one that this process runs on.

    With `loopback`, internet sockets too: there is no network to reach.
    With `device`, what CUDA's driver asks for.
    Raises SandboxUnavailable where no table of system calls is at hand.
    """
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        raise SandboxUnavailable(f"no seccomp profile for {machine} hosts")
    allowed = set(syscalls.allowed(machine)) - CONDITIONAL
    allowed.update(FIRST_PROCESS)
    families = [AF_UNIX]
    if device:
        allowed.update(syscalls.DEVICE)
    if loopback:
        allowed.update(syscalls.LOOPBACK)
        families.append(syscalls.AF_INET)
    allowed.discard("socket")
    content = {
        "defaultAction": REFUSE,
        "defaultErrnoRet": errno.EPERM,
        "architectures": [ARCHITECTURES[machine]],
        "syscalls": [
            {"names": sorted(allowed), "action": ALLOW},
            *(_when("socket", 0, family) for family in families),
            _masked("clone", 0, NEW_NAMESPACES),
        ],
    }
    return json.dumps(content)


def _when(name: str, argument: int, value: int) -> dict[str, Any]:
    return {
        "names": [name],
        "action": ALLOW,
        "args": [{"index": argument, "value": value, "op": "SCMP_CMP_EQ"}],
    }


def _masked(name: str, argument: int, mask: int) -> dict[str, Any]:
    bits = {"index": argument, "value": mask, "valueTwo": 0}
    return {
        "names": [name],
        "action": ALLOW,
        "args": [{**bits, "op": "SCMP_CMP_MASKED_EQ"}],
    }
