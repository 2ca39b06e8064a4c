import pytest

from services.api.db import migrate
from services.api.db.session import Database


def test_a_database_knows_where_it_is(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/new.db")
    assert migrate.current(database) is None
    with pytest.raises(migrate.NotMigrated, match="none"):
        migrate.check(database)
    migrate.upgrade(database)
    assert migrate.current(database) == migrate.head()
    migrate.check(database)
    migrate.downgrade(database, "base")
    assert migrate.current(database) is None
    database.close()


def test_a_draft_of_unchanged_models_changes_nothing(tmp_path, monkeypatch):
    import shutil

    copy = tmp_path / "migrations"
    shutil.copytree(migrate.MIGRATIONS, copy)
    monkeypatch.setattr(migrate, "MIGRATIONS", copy)
    database = Database(f"sqlite:///{tmp_path}/new.db")
    migrate.upgrade(database)
    before = set((copy / "versions").glob("*.py"))
    migrate.draft(database, "nothing")
    (drafted,) = set((copy / "versions").glob("*.py")) - before
    text = drafted.read_text()
    assert '"""nothing."""' in text
    assert text.count("pass") == 2
    assert "op." not in text.split("def upgrade")[1]
    database.close()
