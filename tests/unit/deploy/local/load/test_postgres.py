from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.load.postgres import postgres
from services.api.db import migrate
from services.api.db.session import Database


def test_a_benchmark_has_a_migrated_database_of_its_own():
    # not under pytest's own folder: the server is another user's, if root
    # starts it
    with TemporaryDirectory() as folder, postgres(Path(folder)) as url:
        database = Database(url)
        migrate.check(database)
        database.close()
