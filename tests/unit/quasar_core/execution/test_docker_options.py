from dataclasses import replace
from pathlib import Path

import pytest
from docker import APIClient
from quasar_core.execution.docker_options import Place, container, told
from quasar_core.execution.gpu import GpuView
from quasar_core.execution.sandbox import Job, Mount

JOB = Job(argv=("/bin/true", "x"), environment={"A": "b"}, pass_fds=(7, 9))
PLACE = Place("name", "sha256:1", Path("/host/socket"), "/host", "{}")


@pytest.fixture
def host():
    def asked(job=JOB):
        with_client = APIClient(base_url="unix:///nowhere", version="1.44")
        try:
            return container(job, PLACE, with_client)["host_config"]
        finally:
            with_client.close()

    return asked


def test_a_container_is_given_nothing_that_it_could_do_without(host):
    found = host()
    wanted = {
        "NetworkMode": "none",
        "IpcMode": "none",
        "CapDrop": ["ALL"],
        "ReadonlyRootfs": True,
        "LogConfig": {"Type": "none", "Config": {}},
        "SecurityOpt": ["no-new-privileges:true", "seccomp={}"],
        "Memory": JOB.limits.memory_bytes,
        "MemorySwap": JOB.limits.memory_bytes,
        "PidsLimit": JOB.limits.pids + 1,
    }
    assert {name: found[name] for name in wanted} == wanted
    assert not found.get("Privileged")
    assert not found.get("CapAdd")
    assert not found.get("Binds")


def test_temporary_folders_are_sized_and_may_hold_programs(host):
    folders = host()["Tmpfs"]
    assert f"size={JOB.limits.tmp_bytes}" in folders["/tmp"]
    assert ",exec," in folders["/tmp"]
    assert f"size={JOB.limits.shm_bytes}" in folders["/dev/shm"]
    assert folders["/dev/mqueue"].startswith("ro,")


def test_all_that_is_mounted_is_read_only_and_mounted_once(host):
    stdlib = host()["Mounts"][3]["Target"]
    mounts = (Mount(Path("/usr"), Path(stdlib)), Mount(None, Path("/opt/x")))
    found = host(replace(JOB, mounts=mounts))["Mounts"]
    assert all(each["ReadOnly"] for each in found)
    targets = [each["Target"] for each in found]
    assert len(targets) == len(set(targets))
    kinds = {each["Target"]: each["Type"] for each in found}
    assert (kinds[stdlib], kinds["/opt/x"]) == ("bind", "tmpfs")
    assert kinds["/opt/quasar/socket"] == "bind"


def test_a_device_is_asked_for_by_its_own_name(host):
    assert not host()["DeviceRequests"]
    view = GpuView("GPU-1", (), ())
    (request,) = host(replace(JOB, gpu=view))["DeviceRequests"]
    assert request["Driver"] == "cdi"
    assert request["DeviceIDs"] == ["nvidia.com/gpu=GPU-1"]


def test_a_share_of_a_processor_is_a_quota_on_a_set_of_one(host):
    found = host(replace(JOB, limits=replace(JOB.limits, cpus=0.5)))
    assert found["CpusetCpus"].isdigit()
    assert (found["CpuPeriod"], found["CpuQuota"]) == (100_000, 50_000)
    whole = host(replace(JOB, limits=replace(JOB.limits, cpus=1)))
    assert whole["CpusetCpus"].isdigit()
    assert "CpuQuota" not in whole


def test_the_first_process_is_told_all_of_its_job():
    facts = told(JOB)
    assert facts["argv"] == ["/bin/true", "x"]
    assert facts["numbers"] == [7, 9]
    assert facts["environment"]["A"] == "b"
    assert facts["seconds"] > JOB.limits.wall_seconds
    assert told(replace(JOB, loopback=True))["filter"] != facts["filter"]
