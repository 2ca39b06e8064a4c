"""Where a local stack lies, and what its processes are told."""

import socket

from deploy.local.environment import (
    HOST,
    Place,
    base_environment,
    free_port,
)


def test_everything_of_a_stack_lies_in_its_folder(tmp_path):
    place = Place(tmp_path)
    folders = [
        place.logs,
        place.chain_file,
        place.wallets,
        place.forks,
        place.state_of("web"),
    ]
    assert all(folder.is_relative_to(tmp_path) for folder in folders)
    assert place.chain_url == f"local://{tmp_path}/chain.json"
    assert place.database_url == f"sqlite:///{tmp_path}/quasar.sqlite"
    assert place.state_of("web") != place.state_of("recorder")


def test_clearing_removes_what_is_a_stacks_and_follows_no_link(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    root = tmp_path / "stack"
    (root / "state" / "web").mkdir(parents=True)
    (root / "quasar.sqlite-wal").write_text("old")
    (root / "forks").symlink_to(elsewhere)
    Place(root).clear()
    assert list(root.iterdir()) == []
    assert (elsewhere / "kept").exists()


def test_processes_get_nothing_of_ours_but_what_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("QUASAR_POOL", "h200")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.delenv("TMPDIR", raising=False)
    found = base_environment()
    assert (found["PATH"], found["LANG"]) == ("/bin", "C.UTF-8")
    assert not {"QUASAR_POOL", "GITHUB_TOKEN", "TMPDIR"} & set(found)


def test_a_free_port_can_be_listened_on():
    with socket.socket() as listener:
        listener.bind((HOST, free_port()))
        listener.listen()
