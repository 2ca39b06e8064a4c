from quasar_core.errors import TransientError
from quasar_core.execution.sandbox import Isolation, SandboxUnavailable


def test_an_isolation_holds_only_as_a_whole():
    held = {"no_network": True, "no_caps": True}
    assert Isolation("bubblewrap", held, degraded=False).holds
    assert not Isolation(
        "bubblewrap", {**held, "seccomp": False}, degraded=False
    ).holds


def test_a_missing_sandbox_never_costs_a_submission():
    assert issubclass(SandboxUnavailable, TransientError)
