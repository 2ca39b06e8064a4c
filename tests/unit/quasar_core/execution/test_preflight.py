import errno
import json
import os
import platform
from contextlib import contextmanager
from pathlib import Path

import pytest
from quasar_core.execution import preflight, syscalls
from quasar_core.execution.sandbox import (
    Ending,
    Outcome,
    SandboxUnavailable,
)

PASSED = 77


def isolated():
    """What a probe tells from inside a sandbox that holds."""
    refused = syscalls.refused(platform.machine())
    kinds = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
    return {
        "status": {
            **dict.fromkeys(preflight.CAPABILITIES, "0000000000000000"),
            "NoNewPrivs": "1",
            "Seccomp": "2",
            "Uid": "65534 65534 65534 65534",
            "Gid": "65534 65534 65534 65534",
            "Groups": "",
        },
        "uid_map": ["0 0 4294967295", ""],
        "namespaces": {kind: f"{kind}:[1]" for kind in kinds},
        "interfaces": ["lo"],
        "top_level": ["bin", "dev", "opt", "proc", "tmp", "usr"],
        "environment_names": ["HOME", "PATH", "PYTHONPATH"],
        "descriptors": [0, 1, 2, PASSED],
        "refusals": dict.fromkeys(refused, errno.EPERM),
        "sockets": [],
        "foreign_call": 31,
        "writable": [],
        "room": {"/tmp": 8 << 20, "/dev/shm": 4 << 20},
        "processors": 1,
        "forks": 23,
        "allocated": False,
    }


def failing(facts):
    told = {**facts, "passed": PASSED}
    return {
        name
        for name, claim in preflight.CLAIMS.items()
        if not preflight._held(claim, told)
    }


def test_a_sandbox_that_holds_is_believed():
    assert failing(isolated()) == set()


def changed(path, value):
    facts = isolated()
    *outer, last = path.split("/")
    place = facts
    for each in outer:
        place = place[each]
    place[last] = value
    return facts


@pytest.mark.parametrize(
    ("path", "value", "claim"),
    [
        ("interfaces", ["lo", "eth0"], "no_network"),
        ("processors", 2, "cpus_limited"),
        ("sockets", ["inet"], "no_network"),
        ("writable", ["/usr"], "read_only_root"),
        ("top_level", ["bin", "home"], "no_host_folders"),
        ("status/CapEff", "0000000000000001", "no_caps"),
        ("status/CapBnd", "000001ffffffffff", "no_caps"),
        ("status/NoNewPrivs", "0", "no_new_privs"),
        ("status/Seccomp", "0", "seccomp"),
        ("refusals/unshare", 0, "seccomp"),
        ("refusals/mount", errno.EFAULT, "seccomp"),
        ("status/Uid", "0 0 0 0", "uid_dropped"),
        ("status/Uid", "65534 0 65534 65534", "uid_dropped"),
        ("status/Gid", "65534 65534 65534 0", "uid_dropped"),
        ("status/Groups", "0", "uid_dropped"),
        ("uid_map", [], "uid_dropped"),
        ("environment_names", ["AWS_SECRET"], "no_host_environment"),
        ("descriptors", [0, 1, 2, 3, PASSED], "no_host_descriptors"),
        ("descriptors", [0, 1, 2], "no_host_descriptors"),
        ("room", {"/tmp": 1 << 30, "/dev/shm": 1}, "tmp_limited"),
        ("room", {"/tmp": 1, "/dev/shm": 1 << 30}, "tmp_limited"),
        ("room", {"/tmp": 0, "/dev/shm": 0}, "tmp_limited"),
        ("forks", 48, "pids_limited"),
        ("forks", 0, "pids_limited"),
        ("allocated", True, "memory_limited"),
    ],
)
def test_each_way_out_is_noticed(path, value, claim, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert failing(changed(path, value)) == {claim}


@pytest.mark.parametrize("call", preflight.CLOCK_CALLS)
def test_a_clock_that_can_be_set_is_noticed(call):
    found = failing(changed(f"refusals/{call}", 0))
    assert found == {"seccomp", "clocks_locked"}


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        ("pid", "own_pids"),
        ("ipc", "own_ipc"),
        ("mnt", "own_mounts"),
        ("net", "no_network"),
    ],
)
def test_a_namespace_of_the_hosts_is_noticed(kind, claim):
    host = str(Path(f"/proc/self/ns/{kind}").readlink())
    assert failing(changed(f"namespaces/{kind}", host)) == {claim}


def test_a_user_namespace_is_enough_only_without_root(monkeypatch):
    facts = changed("uid_map", ["65534 0 1", ""])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert failing(facts) == {"uid_dropped"}
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert failing(facts) == set()


def test_a_foreign_call_that_is_answered_is_noticed(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert "foreign_calls_killed" in failing(changed("foreign_call", 0))


def test_what_the_probe_does_not_say_does_not_hold():
    claims = set(preflight.CLAIMS)
    if platform.machine() != "x86_64":
        claims.remove("foreign_calls_killed")
    assert failing({}) == claims


class Answering:
    """A sandbox in which the probe gives a ready answer."""

    name = "answering"

    def __init__(self, ending, stdout, stderr=b""):
        self._outcome = Outcome(ending, 0, None, stdout, stderr, 0.1, None)

    @contextmanager
    def start(self, job):
        self.job = job
        yield self

    def wait(self):
        return self._outcome


def test_the_claims_are_told_by_name():
    facts = {**isolated(), "descriptors": [0, 1, 2]}
    sandbox = Answering(Ending.OK, json.dumps(facts).encode())
    isolation = preflight.probe(sandbox, degraded=True)
    assert (isolation.backend, isolation.degraded) == ("answering", True)
    assert not isolation.holds
    assert isolation.proved["no_caps"] is True
    assert isolation.proved["no_host_descriptors"] is False


def test_a_probe_that_cannot_run_is_told_in_the_back_ends_words():
    sandbox = Answering(Ending.INFRA, b"", b"one\nbwrap: setting up uid map\n")
    with pytest.raises(SandboxUnavailable, match="bwrap: setting up uid map"):
        preflight.probe(sandbox, degraded=False)


def test_a_probe_that_says_nothing_is_told_by_its_end():
    with pytest.raises(SandboxUnavailable, match="timeout"):
        preflight.probe(Answering(Ending.TIMEOUT, b""), degraded=False)
