"""The file of a local chain: whole or not there, and honest about it."""

from __future__ import annotations

import fcntl

import pytest
from quasar_core.chain import local_state
from quasar_core.chain.chain import ChainUnavailable
from quasar_core.chain.local_state import Genesis, LocalState, StateFile


@pytest.fixture
def file(tmp_path) -> StateFile:
    file = StateFile(tmp_path / "deep" / "chain.json")
    file.create(LocalState(genesis=Genesis(), genesis_time=0.0))
    return file


def test_a_change_is_saved(file):
    with file.change() as state:
        state.height = 7

    assert file.read().height == 7


def test_a_change_that_fails_leaves_the_file_as_it_was(file):
    before = file.path.read_bytes()

    with pytest.raises(ZeroDivisionError), file.change() as state:
        state.height = 7 // 0

    assert file.path.read_bytes() == before


def test_a_change_leaves_nothing_but_the_file_and_its_lock(file):
    with file.change():
        pass

    assert sorted(p.name for p in file.path.parent.iterdir()) == [
        "chain.json",
        "chain.json.lock",
    ]


def test_a_chain_is_not_begun_over_another(file):
    with pytest.raises(FileExistsError):
        file.create(LocalState(genesis=Genesis(), genesis_time=1.0))

    assert file.read().genesis_time == 0.0


def test_a_missing_file_says_how_to_begin(tmp_path):
    with pytest.raises(ChainUnavailable, match="quasar up"):
        StateFile(tmp_path / "chain.json").read()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\x00",
        b'{"genesis": {}, "genesis_time": "soon"}',
        b'{"genesis": {"block_seconds": 0}, "genesis_time": 0}',
        b'{"genesis": {}, "genesis_time": 0, "surprise": 1}',
    ],
)
def test_a_damaged_file_is_said_to_be_damaged(file, text):
    file.path.write_bytes(text)

    with pytest.raises(ChainUnavailable, match="damaged"):
        file.read()
    with pytest.raises(ChainUnavailable, match="damaged"), file.change():
        pass

    assert file.path.read_bytes() == text


def test_a_folder_in_its_place_cannot_be_read(tmp_path):
    with pytest.raises(ChainUnavailable, match="cannot be read"):
        StateFile(tmp_path).read()


def test_a_place_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "blocked").write_text("a file, no folder")
    file = StateFile(tmp_path / "blocked" / "chain.json")

    with pytest.raises(ChainUnavailable, match="cannot be locked"):
        file.create(LocalState(genesis=Genesis(), genesis_time=0.0))


def test_a_full_disk_leaves_the_old_file(file, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(local_state.os, "fsync", full)
    with (
        pytest.raises(ChainUnavailable, match="No space left"),
        file.change() as state,
    ):
        state.height = 7

    assert file.read().height == 0
    assert len(list(file.path.parent.iterdir())) == 2


def test_a_lock_that_is_never_given_back_is_reported(file, monkeypatch):
    monkeypatch.setattr(local_state, "LOCK_TIMEOUT_SECONDS", 0.02)
    lock = file.path.with_name("chain.json.lock")
    with lock.open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(ChainUnavailable, match="locked"), file.change():
            pass

    with file.change() as state:
        state.height = 1
    assert file.read().height == 1
