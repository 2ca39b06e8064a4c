import os
import stat

import pytest
from quasar_core.execution.leases import Leases, default_directory
from quasar_core.execution.sandbox import SandboxUnavailable


@pytest.fixture
def leases(tmp_path):
    return Leases(tmp_path / "leases")


def test_a_lease_of_the_living_is_not_stale(leases):
    lease = leases.take()
    assert leases.stale() == ()
    lease.release()
    assert leases.stale() == ()
    assert not lease.path.exists()


def test_a_lease_of_the_dead_is_seized_with_what_it_tells(leases):
    lease = leases.take()
    lease.note(cgroups=["/a", "/b"])
    lease.note(init_pid=12)
    lease.abandon()
    (found,) = leases.stale()
    assert found.name == lease.name
    assert found.facts == {"cgroups": ["/a", "/b"], "init_pid": 12}
    assert leases.stale() == ()
    found.release()
    assert leases.stale() == ()


@pytest.mark.parametrize("content", ["", "{", '{"a"', "[1]", "\0"])
def test_a_lease_that_was_cut_off_tells_nothing(leases, content):
    lease = leases.take()
    lease.path.write_text(content)
    lease.abandon()
    (found,) = leases.stale()
    assert found.facts == {}
    found.release()


def test_two_leases_never_share_a_name(leases):
    taken = [leases.take() for _ in range(20)]
    assert len({lease.name for lease in taken}) == 20
    for lease in taken:
        lease.release()


def test_leases_are_nobody_elses_to_read_or_write(leases):
    lease = leases.take()
    assert stat.S_IMODE(lease.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(leases.directory.stat().st_mode) == 0o700
    lease.release()


def test_a_folder_that_others_can_write_is_refused(leases):
    leases.directory.mkdir()
    leases.directory.chmod(0o777)
    with pytest.raises(SandboxUnavailable, match="only this user"):
        leases.take()


def test_a_user_without_root_keeps_leases_in_a_runtime_folder(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert default_directory() == tmp_path / "quasar" / "sandboxes"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert default_directory().name == "quasar-sandboxes-1000"
