import pytest
from quasar_core.execution import docker, docker_options
from quasar_core.execution.docker import DockerSandbox
from quasar_core.execution.docker_options import LABEL
from quasar_core.execution.docker_profile import profile
from quasar_core.execution.sandbox import Ending, SandboxUnavailable
from quasar_core.execution.seccomp import filter_program

from tests.support.sandboxes import shell_job
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    "ask",
    [
        DockerSandbox.preflight,
        DockerSandbox.sweep,
        DockerSandbox.outdated,
        lambda sandbox: sandbox.start(shell_job("true")),
    ],
)
def test_a_missing_engine_is_told_with_what_to_install(tmp_path, ask):
    address = f"unix://{tmp_path}/nobody.sock"
    sandbox = DockerSandbox(host=address, lease_directory=tmp_path / "leases")
    with pytest.raises(SandboxUnavailable, match="install docker"):
        ask(sandbox)
    assert not sandbox.answers()
    assert list(tmp_path.glob("leases/*.lease")) == []


def test_an_image_that_is_not_there_is_told_and_nothing_is_left(
    docker_engine, tmp_path
):
    sandbox = DockerSandbox(
        host=docker_engine,
        image="sha256:" + "0" * 64,
        lease_directory=tmp_path / "leases",
    )
    with pytest.raises(SandboxUnavailable, match="No such image"):
        sandbox.start(shell_job("true"))
    assert [each.name for each in (tmp_path / "leases").iterdir()] == [
        "registry.lock"
    ]


def test_production_refuses_an_engine_with_a_known_leak(
    docker_sandbox, monkeypatch
):
    monkeypatch.setattr(docker, "outdated", lambda engine: ("runc is old",))
    strict = DockerSandbox(
        host=docker_sandbox.host,
        production=True,
        lease_directory=docker_sandbox.lease_directory,
    )
    with pytest.raises(SandboxUnavailable, match="runc is old"):
        strict.preflight()


def test_an_engine_that_does_not_isolate_is_refused(
    docker_sandbox, monkeypatch
):
    def with_sockets(make):
        return lambda **_: make(loopback=True)

    monkeypatch.setattr(docker, "profile", with_sockets(profile))
    monkeypatch.setattr(
        docker_options, "filter_program", with_sockets(filter_program)
    )
    with pytest.raises(SandboxUnavailable, match="no_network, seccomp"):
        docker_sandbox.preflight()


def test_a_container_without_a_lease_is_swept_away(docker_sandbox, tmp_path):
    with docker_sandbox.start(shell_job("sleep 60")) as running:
        eventually(lambda: running._supervision.ready)
        (lease,) = (tmp_path / "leases").glob("*.lease")
        kept = lease.read_bytes()
        lease.unlink()
        assert docker_sandbox.sweep() == 0
        assert running.wait(10).ending in {Ending.INFRA, Ending.KILLED}
        lease.write_bytes(kept)
    api = docker_sandbox._client()
    listed = api.containers(
        all=True, filters={"label": f"{LABEL}={lease.parent}"}
    )
    api.close()
    assert listed == []
