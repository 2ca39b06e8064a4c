"""Boards: blocks know their rows, standings their founders, lists an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns as they stand: SQLite keeps its triggers only so."""
    op.add_column(
        "log_blocks",
        sa.Column("row_digests", sa.JSON(none_as_null=True), nullable=True),
    )
    op.add_column("standings", sa.Column("founded_by", sa.Uuid()))
    op.create_index(
        "ix_submissions_round_id", "submissions", ["round_number", "id"]
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("ix_submissions_round_id", "submissions")
    op.drop_column("standings", "founded_by")
    op.drop_column("log_blocks", "row_digests")
