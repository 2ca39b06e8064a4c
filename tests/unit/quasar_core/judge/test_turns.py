import pytest
from quasar_core.errors import TransientError
from quasar_core.judge.settings import JudgeSettings
from quasar_core.judge.turns import lock_path, own_turn


def test_one_job_at_a_time_has_the_machine(tmp_path):
    settings = JudgeSettings(
        lock_path=tmp_path / "locks" / "lock", lock_seconds=0.1
    )
    with (
        own_turn(settings),
        pytest.raises(TransientError, match="another job"),
        own_turn(settings),
    ):
        pass
    with own_turn(settings):
        pass


def test_all_referees_of_a_user_share_one_lock():
    assert lock_path(JudgeSettings()) == lock_path(JudgeSettings(samples=12))
    assert lock_path(JudgeSettings()).name == "referee-cpu.lock"


def test_a_link_in_the_locks_place_is_not_followed(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    settings = JudgeSettings(lock_path=tmp_path / "lock")
    with pytest.raises(OSError, match="symbolic links"), own_turn(settings):
        pass
    assert not (tmp_path / "elsewhere").exists()
