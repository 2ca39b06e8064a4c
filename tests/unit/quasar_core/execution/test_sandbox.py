from dataclasses import replace

from quasar_core.errors import TransientError
from quasar_core.execution.gpu import GpuView
from quasar_core.execution.sandbox import (
    Isolation,
    Job,
    SandboxUnavailable,
)


def test_an_isolation_holds_only_as_a_whole():
    held = {"no_network": True, "no_caps": True}
    assert Isolation("bubblewrap", held, degraded=False).holds
    assert not Isolation(
        "bubblewrap", {**held, "seccomp": False}, degraded=False
    ).holds


def test_a_job_is_granted_what_it_asks_for_and_no_more():
    job = Job(("true",))
    assert job.grants == {"loopback": False, "device": False}
    view = GpuView("GPU-1", (), ())
    asked = replace(job, loopback=True, gpu=view)
    assert asked.grants == {"loopback": True, "device": True}


def test_a_missing_sandbox_never_costs_a_submission():
    assert issubclass(SandboxUnavailable, TransientError)
