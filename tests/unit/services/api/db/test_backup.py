import subprocess
from pathlib import Path

import pytest

from services.api.db import backup as backups
from services.api.db.backup import BackupFault, backup, restore
from services.api.db.session import Database


@pytest.fixture
def database(sqlite_url):
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def empty(tmp_path):
    opened = Database(f"sqlite:///{tmp_path}/empty.db")
    yield opened
    opened.close()


def test_a_backup_is_for_its_owners_eyes_and_leaves_nothing_half(
    database, tmp_path
):
    path = tmp_path / "backup"
    backup(database, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob("*.part")) == []


def test_a_backup_replaces_nothing(database, tmp_path):
    path = tmp_path / "backup"
    path.write_text("the last one")
    with pytest.raises(BackupFault, match="replaces nothing"):
        backup(database, path)
    assert path.read_text() == "the last one"


def test_a_backup_that_cannot_be_written_says_so(database, tmp_path):
    with pytest.raises(BackupFault, match="no backup in"):
        backup(database, tmp_path / "not" / "there")


def test_nothing_is_restored_into_a_database_that_holds_something(
    database, tmp_path
):
    path = tmp_path / "backup"
    backup(database, path)
    with pytest.raises(BackupFault, match="not empty"):
        restore(database, path)


@pytest.mark.parametrize("content", [b"", b"PGDMP and more", b"a letter"])
def test_what_is_no_backup_of_the_engine_is_not_restored(
    empty, tmp_path, content
):
    path = tmp_path / "letter"
    path.write_bytes(content)
    with pytest.raises(BackupFault, match="no backup of a SQLite database"):
        restore(empty, path)


def test_a_backup_that_is_not_there_is_named(empty):
    with pytest.raises(BackupFault, match="/not/there: No such file"):
        restore(empty, Path("/not/there"))


def test_a_damaged_backup_is_refused(database, empty, tmp_path):
    path = tmp_path / "backup"
    backup(database, path)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(BackupFault, match="damaged"):
        restore(empty, path)


@pytest.fixture
def elsewhere():
    opened = Database("postgresql://me:s3cret@192.0.2.1:5/quasar")
    yield opened
    opened.close()


def test_postgresqls_own_programs_are_asked_for(
    elsewhere, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupFault, match="pg_dump is not installed"):
        backup(elsewhere, tmp_path / "backup")


def test_a_password_is_not_among_the_words_of_a_process(
    elsewhere, tmp_path, monkeypatch
):
    for name in ("pg_dump", "pg_restore"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho "{name} $@ $PGPASSWORD" >> {tmp_path}/said\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    backup(elsewhere, tmp_path / "backup")
    dump, listing = (tmp_path / "said").read_text().splitlines()
    assert "--dbname=postgresql://me@192.0.2.1:5/quasar" in dump
    words, password = dump.rsplit(" ", 1)
    assert password == "s3cret"
    assert "s3cret" not in words
    assert "--dbname" not in listing


def test_what_postgresqls_programs_complain_of_is_passed_on(
    elsewhere, tmp_path, monkeypatch
):
    done = subprocess.CompletedProcess([], 1, "", "server closed\n")
    monkeypatch.setattr(backups.shutil, "which", lambda _name: "/x/pg_dump")
    monkeypatch.setattr(backups.subprocess, "run", lambda *_a, **_k: done)
    with pytest.raises(BackupFault, match="pg_dump: server closed"):
        backup(elsewhere, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
