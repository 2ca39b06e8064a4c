from sqlalchemy import text

from services.api.db import models, records  # noqa: F401 -- the tables
from services.api.db.base import Base, only_where
from services.api.db.types import Json, UtcDateTime


def test_a_partial_index_is_partial_on_both_engines():
    condition = text("status = 'open'")
    assert only_where(condition) == {
        "sqlite_where": condition,
        "postgresql_where": condition,
    }


def test_columns_get_their_type_from_their_annotation():
    columns = Base.metadata.tables["submissions"].columns
    assert isinstance(columns["created_at"].type, UtcDateTime)
    assert isinstance(columns["manifest"].type, type(Json))
