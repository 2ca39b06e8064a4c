import json

import pytest
from quasar_core.execution import syscalls
from quasar_core.execution.docker_profile import profile
from quasar_core.execution.sandbox import SandboxUnavailable


def names(content):
    return {
        name
        for rule in content["syscalls"]
        if "args" not in rule
        for name in rule["names"]
    }


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_profile_allows_what_the_filter_allows_and_one_socket(machine):
    found = json.loads(profile(machine=machine))
    assert found["defaultAction"] == "SCMP_ACT_ERRNO"
    allowed = set(syscalls.allowed(machine))
    assert names(found) == allowed - {"clone"} | {"connect"}
    sockets = [
        rule["args"][0]["value"]
        for rule in found["syscalls"]
        if rule["names"] == ["socket"]
    ]
    assert sockets == [1]


def test_a_loopback_takes_internet_sockets_and_no_others():
    found = json.loads(profile(loopback=True, machine="x86_64"))
    assert {"bind", "listen", "accept4"} <= names(found)
    assert "socket" not in names(found)
    assert "ptrace" not in names(found)


def test_a_device_takes_local_sockets_that_nobody_connects_to():
    found = json.loads(profile(device=True, machine="x86_64"))
    assert {"bind", "listen"} <= names(found)
    assert not {"socket", "accept", "accept4"} & names(found)


def test_an_unknown_processor_is_refused_in_words():
    with pytest.raises(SandboxUnavailable, match="riscv64"):
        profile(machine="riscv64")
