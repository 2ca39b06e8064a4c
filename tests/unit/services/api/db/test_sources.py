import pytest
from sqlalchemy import func, select

from services.api.db import sources
from services.api.db.models import Source
from services.api.db.session import Database
from tests.support.api import Moment
from tests.support.judged import a_source


def test_a_source_is_kept_once_and_comes_back_whole(sqlite_url):
    database = Database(sqlite_url)
    with database.write() as session:
        sources.archive(session, a_source(), Moment()())
        sources.archive(session, a_source(), Moment()())
        assert session.scalar(select(func.count()).select_from(Source)) == 1
        tree_hash = a_source().tree_hash
        assert sources.archived(session, tree_hash) == a_source()
        with pytest.raises(KeyError):
            sources.archived(session, "0" * 64)
    database.close()
