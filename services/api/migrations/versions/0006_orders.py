"""Orders: what administrators did is found in the log by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ORDERED = sa.text("substr(actor, 1, 6) = 'admin:'")


def upgrade() -> None:
    """Make the index over the rows that are orders."""
    op.create_index(
        "ix_event_log_ordered",
        "event_log",
        ["sequence"],
        sqlite_where=ORDERED,
        postgresql_where=ORDERED,
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_index("ix_event_log_ordered", "event_log")
