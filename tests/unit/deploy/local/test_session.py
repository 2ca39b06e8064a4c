"""A session at a terminal: folders, signals, last words."""

import os
import signal

import pytest
from quasar_core.errors import QuasarError

from deploy.local.session import (
    FAILED,
    INTERRUPTED,
    FolderTaken,
    Interrupted,
    interruptible,
    last_words,
    own_folder,
    passing_folder,
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_once_and_the_second_is_ignored(number):
    before = signal.getsignal(number)
    interruptions = 0
    with interruptible():
        try:
            signal.raise_signal(number)
        except Interrupted:
            interruptions += 1
            signal.raise_signal(number)
    assert interruptions == 1
    assert signal.getsignal(number) is before


def test_a_passing_folder_goes_when_all_went_well(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with passing_folder("demo", None) as folder:
        (folder / "log").write_text("said")
        assert folder.parent.name == ".run"
    assert not folder.exists()


def test_a_passing_folder_stays_after_a_failure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(QuasarError),
        passing_folder("demo", None) as folder,
    ):
        raise QuasarError("it failed")
    assert folder.is_dir()


def test_a_folder_that_was_asked_for_stays(tmp_path):
    with passing_folder("demo", tmp_path / "mine") as folder:
        assert folder == tmp_path / "mine"
    assert folder.is_dir()


def test_one_stack_at_a_time_runs_in_a_folder(tmp_path):
    with own_folder(tmp_path / "up") as folder:
        assert folder.is_dir()
        with (
            pytest.raises(FolderTaken, match="another stack"),
            own_folder(tmp_path / "up"),
        ):
            pass
    with own_folder(tmp_path / "up"):
        pass


def test_a_fault_of_ours_ends_in_a_sentence_and_an_exit_code(capsys):
    with pytest.raises(SystemExit) as ended, last_words():
        raise QuasarError("no [port] is free")
    assert ended.value.code == FAILED
    assert capsys.readouterr().err == "quasar: no [port] is free\n"


def test_an_interruption_ends_in_the_shells_own_code():
    with pytest.raises(SystemExit) as ended, last_words():
        raise Interrupted
    assert ended.value.code == INTERRUPTED


def test_signals_reach_an_interruptible_process(tmp_path):
    with pytest.raises(Interrupted), interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
