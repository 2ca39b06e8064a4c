"""The archive of sources: each tree of kernel files once, by its hash."""

from __future__ import annotations

from datetime import datetime

from quasar_core.contracts.reports import Source as SourceContract
from sqlalchemy.orm import Session

from services.api.db.models import Source
from services.api.db.upsert import insert_once


def archive(session: Session, source: SourceContract, now: datetime) -> None:
    """Keep these files, unless the same tree is kept already."""
    insert_once(
        session,
        Source,
        tree_hash=source.tree_hash,
        identity=source.identity,
        files=[file.model_dump() for file in source.files],
        created_at=now,
    )


def archived(session: Session, tree_hash: str) -> SourceContract:
    """The source with this tree hash; KeyError if there is none."""
    row = session.get(Source, tree_hash)
    if row is None:
        raise KeyError(tree_hash)
    return SourceContract.model_validate(
        {
            "files": row.files,
            "identity": row.identity,
            "tree_hash": row.tree_hash,
        }
    )
