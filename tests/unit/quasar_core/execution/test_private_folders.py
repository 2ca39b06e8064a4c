import pytest
from quasar_core.execution.private_folders import make_private


def test_a_folder_is_made_for_its_owner_alone(tmp_path):
    make_private(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    make_private(tmp_path / "a" / "b")


def test_a_folder_that_others_can_write_is_refused(tmp_path):
    tmp_path.chmod(0o1777)
    with pytest.raises(PermissionError):
        make_private(tmp_path)


def test_a_link_to_a_folder_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError):
        make_private(tmp_path / "link")
