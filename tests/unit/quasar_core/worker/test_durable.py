import pytest
from quasar_core.worker.durable import draft_of, write_durably


def test_a_file_is_replaced_whole_and_is_its_owners(tmp_path):
    path = tmp_path / "page.json"
    path.write_text("a much longer text than the next")
    path.chmod(0o644)
    write_durably(path, "short")
    assert path.read_text() == "short"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_where_it_cannot_be_written_the_old_text_stays(tmp_path):
    path = tmp_path / "page.json"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_durably(path, "\ud800")
    assert path.read_text() == "old"


def test_nobody_is_led_to_write_elsewhere(tmp_path):
    path = tmp_path / "page.json"
    secret = tmp_path / "elsewhere"
    draft_of(path).symlink_to(secret)
    with pytest.raises(OSError):  # noqa: PT011 -- whatever the system calls it
        write_durably(path, "salt")
    assert not secret.exists()
    assert not path.exists()
