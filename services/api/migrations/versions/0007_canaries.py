"""Canaries: what came of known submissions on every worker."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of their runs."""
    op.create_table(
        "canary_runs",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("pool", sa.String(length=32), nullable=False),
        sa.Column("canary", sa.String(length=32), nullable=False),
        sa.Column("got", sa.String(length=32), nullable=False),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("harness_digest", sa.String(length=64), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_canary_runs_worker",
        "canary_runs",
        ["worker", "role", "canary", "id"],
    )
    op.create_index("ix_canary_runs_recorded", "canary_runs", ["recorded_at"])


def downgrade() -> None:
    """Forget them."""
    op.drop_table("canary_runs")
