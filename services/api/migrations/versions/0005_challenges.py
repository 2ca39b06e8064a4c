"""Challenges, and the commitment to an attempt's seed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of challenges; let attempts belong to one."""
    op.create_table(
        "challenges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_number", sa.Integer(), nullable=False),
        sa.Column("challenger_id", sa.Uuid(), nullable=False),
        sa.Column("defender_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("ratio_low", sa.Float(), nullable=True),
        sa.Column("ratio_high", sa.Float(), nullable=True),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["challenger_id"],
            ["submissions.id"],
            name=op.f("fk_challenges_challenger_id"),
        ),
        sa.ForeignKeyConstraint(
            ["defender_id"],
            ["submissions.id"],
            name=op.f("fk_challenges_defender_id"),
        ),
        sa.ForeignKeyConstraint(
            ["round_number"],
            ["rounds.number"],
            name=op.f("fk_challenges_round_number"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
    )
    op.create_index(
        "uq_challenges_pair",
        "challenges",
        ["round_number", "challenger_id", "defender_id"],
        unique=True,
    )
    op.create_index(
        "ix_challenges_open", "challenges", ["outcome", "round_number"]
    )
    op.add_column("attempts", sa.Column("challenge_id", sa.Uuid()))
    op.add_column(
        "attempts", sa.Column("seed_commitment", sa.String(length=64))
    )
    op.create_index("ix_attempts_challenge", "attempts", ["challenge_id"])


def downgrade() -> None:
    """Forget the challenges, and the attempts at them."""
    op.execute(
        "DELETE FROM outbox WHERE attempt_id IN"
        " (SELECT id FROM attempts WHERE challenge_id IS NOT NULL)"
    )
    op.execute(
        "DELETE FROM stages WHERE attempt_id IN"
        " (SELECT id FROM attempts WHERE challenge_id IS NOT NULL)"
    )
    op.execute("DELETE FROM attempts WHERE challenge_id IS NOT NULL")
    op.drop_index("ix_attempts_challenge", "attempts")
    # not alembic's own: on SQLite it would make the table anew, under the
    # rows that refer to it
    op.execute("ALTER TABLE attempts DROP COLUMN seed_commitment")
    op.execute("ALTER TABLE attempts DROP COLUMN challenge_id")
    op.drop_table("challenges")
