"""Preflight: what a probe inside a sandbox could do, judged from outside.

Fails closed: what the probe does not say counts as not held.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from quasar_core.execution import syscalls
from quasar_core.execution.closure import (
    PYTHON,
    closure_mounts,
    python_environment,
    python_in_sandbox,
)
from quasar_core.execution.limits import MIB, Limits
from quasar_core.execution.sandbox import (
    Ending,
    Isolation,
    Job,
    Mount,
    Outcome,
    Sandbox,
    SandboxUnavailable,
)

DEGRADED = (
    "no cgroup limits can be set here, so a payload's memory and processes"
    " are bounded one by one only: run as root, or start this command as"
    " `systemd-run --user --scope -p Delegate=yes ...`; for your own fork"
    " alone, allow degraded limits"
)
MEND = (
    "; without root, bubblewrap needs user namespaces (sysctl"
    " kernel.unprivileged_userns_clone=1, and on Ubuntu"
    " kernel.apparmor_restrict_unprivileged_userns=0); in a container it"
    " needs CAP_SYS_ADMIN"
)

NOBODY = 65_534
PROBE = Path("/opt/probe/probe.py")
LIMITS = Limits(
    wall_seconds=30,
    cpus=1,
    memory_bytes=256 * MIB,
    pids=24,
    tmp_bytes=8 * MIB,
    shm_bytes=4 * MIB,
)
TMP, SHM = "/tmp", "/dev/shm"  # noqa: S108 -- the sandbox's own
HOST_FOLDERS = frozenset(
    ("boot", "home", "media", "mnt", "root", "run", "srv", "var")
)
WRITE_TARGETS = (
    *("/dev/mqueue", "/etc/hosts", "/etc/resolv.conf"),
    *("/", "/bin", "/dev", "/etc", "/opt", "/proc/sys/kernel/hostname"),
    *("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys"),
    *("/sys/devices/system/cpu", "/usr", "/usr/bin", "/usr/lib"),
    *(str(PYTHON), str(PYTHON / "bin"), str(PROBE.parent), str(PROBE)),
)
CLOCK_CALLS = ("adjtimex", "clock_adjtime", "clock_settime", "settimeofday")
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")

Facts = Mapping[str, Any]


def probe(sandbox: Sandbox, *, degraded: bool) -> Isolation:
    """Run the probe in `sandbox` and judge what it tells.

    Raises SandboxUnavailable where it cannot be run at all.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        job = _job(theirs.fileno())
        with sandbox.start(job) as running:
            outcome = running.wait() or running.kill()
        facts = {**_facts(outcome), "passed": theirs.fileno()}
    proved = {name: _held(claim, facts) for name, claim in CLAIMS.items()}
    return Isolation(sandbox.name, MappingProxyType(proved), degraded)


def _job(passed: int) -> Job:
    wanted = {
        "refused": syscalls.refused(platform.machine()),
        "paths": WRITE_TARGETS,
        "sized": (TMP, SHM),
        "forks": 2 * LIMITS.pids,
        "allocate_bytes": 2 * LIMITS.memory_bytes,
    }
    script = Path(__file__).with_name("probe.py")
    return Job(
        argv=(
            *(python_in_sandbox(), "-s", "-P"),
            *(str(PROBE), json.dumps(wanted)),
        ),
        mounts=(*closure_mounts(()), Mount(script, PROBE)),
        environment=python_environment(),
        pass_fds=(passed,),
        limits=LIMITS,
    )


def _facts(outcome: Outcome) -> dict[str, Any]:
    if outcome.ending is Ending.OK:
        return json.loads(outcome.stdout)
    said = (outcome.stderr or outcome.stdout).decode(errors="replace")
    last = said.strip().splitlines()[-1:] or [outcome.ending.value]
    raise SandboxUnavailable(f"a sandbox cannot start: {last[0]}{MEND}")


def _held(claim: Callable[[Facts], bool], facts: Facts) -> bool:
    try:
        return claim(facts)
    except (KeyError, ValueError):  # the probe did not say
        return False


def _no_network(facts: Facts) -> bool:
    alone = set(facts["interfaces"]) <= {"lo"}
    return alone and not facts["sockets"] and _own(facts, "net")


def _no_caps(facts: Facts) -> bool:
    return all(int(facts["status"][each], 16) == 0 for each in CAPABILITIES)


def _uid_dropped(facts: Facts) -> bool:
    ids = facts["status"]["Uid"].split() + facts["status"]["Gid"].split()
    groups = set(facts["status"]["Groups"].split())
    dropped = set(ids) == {str(NOBODY)} and groups <= {str(NOBODY)}
    # In a user namespace the payload is, to the host, whoever made it.
    mapped = not _is_identity(facts["uid_map"])
    return dropped and not (mapped and os.geteuid() == 0)


def _is_identity(uid_map: list[str]) -> bool:
    lines = [line.split() for line in uid_map if line]
    return bool(lines) and all(first == outer for first, outer, _ in lines)


def _seccomp(facts: Facts) -> bool:
    filtered = facts["status"]["Seccomp"] == "2"
    refusals = facts["refusals"]
    expected = set(syscalls.refused(platform.machine()))
    return (
        filtered
        and set(refusals) == expected
        and set(refusals.values()) == {errno.EPERM}
    )


def _foreign_calls_end_it(facts: Facts) -> bool:
    if platform.machine() != "x86_64":
        return True
    return os.WTERMSIG(facts["foreign_call"]) == signal.SIGSYS


def _clocks_locked(facts: Facts) -> bool:
    return all(facts["refusals"][each] == errno.EPERM for each in CLOCK_CALLS)


def _no_host_environment(facts: Facts) -> bool:
    # PWD is bubblewrap's own, LC_CTYPE the interpreter's.
    given = {"HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "USER"}
    known = given | {"PWD", "LC_CTYPE"} | set(python_environment())
    return set(facts["environment_names"]) <= known


def _tmp_limited(facts: Facts) -> bool:
    room = facts["room"]
    tmp_held = 0 < room[TMP] <= LIMITS.tmp_bytes
    return tmp_held and 0 < room[SHM] <= LIMITS.shm_bytes


def _own(facts: Facts, kind: str) -> bool:
    host = str(Path(f"/proc/self/ns/{kind}").readlink())
    return facts["namespaces"][kind] != host


CLAIMS: Mapping[str, Callable[[Facts], bool]] = MappingProxyType(
    {
        "no_network": _no_network,
        "read_only_root": lambda facts: facts["writable"] == [],
        "no_host_folders": lambda facts: HOST_FOLDERS.isdisjoint(
            facts["top_level"]
        ),
        "no_caps": _no_caps,
        "no_new_privs": lambda facts: facts["status"]["NoNewPrivs"] == "1",
        "seccomp": _seccomp,
        "foreign_calls_killed": _foreign_calls_end_it,
        "clocks_locked": _clocks_locked,
        "uid_dropped": _uid_dropped,
        "own_pids": lambda facts: _own(facts, "pid"),
        "own_ipc": lambda facts: _own(facts, "ipc"),
        "own_mounts": lambda facts: _own(facts, "mnt"),
        "no_host_environment": _no_host_environment,
        "no_host_descriptors": lambda facts: facts["descriptors"]
        == [0, 1, 2, facts["passed"]],
        "tmp_limited": _tmp_limited,
        "pids_limited": lambda facts: 0 < facts["forks"] <= LIMITS.pids,
        "cpus_limited": lambda facts: facts["processors"] == LIMITS.cpus,
        "memory_limited": lambda facts: facts["allocated"] is False,
    }
)
