from deploy.local.load.postgres import postgres
from services.api.db import migrate
from services.api.db.session import Database


def test_a_benchmark_has_a_migrated_database_of_its_own(tmp_path):
    with postgres(tmp_path) as url:
        database = Database(url)
        migrate.check(database)
        database.close()
