"""Sealed submissions: a commitment, its window, and its salt in the end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DOOR = (
    "round_number",
    "hotkey",
    "fork_url",
    "commit_hash",
    "target_sequence_length",
)
ENDED = "'infra_failed', 'expired', 'withdrawn', 'invalidated'"
UNREVEALED = sa.text("status = 'committed'")


def make_door(free: str) -> None:
    """Let each submission stand once at its round's door, but these."""
    condition = sa.text(f"status NOT IN ({free})")
    op.create_index(
        "uq_submissions_door",
        "submissions",
        list(DOOR),
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def upgrade() -> None:
    """Add what a commitment needs; columns only, so no table is rebuilt."""
    for column in (
        sa.Column("commitment_hash", sa.String(length=64), nullable=True),
        sa.Column("reveal_from_block", sa.BigInteger(), nullable=True),
        sa.Column("reveal_until_block", sa.BigInteger(), nullable=True),
        sa.Column("salt", sa.String(length=128), nullable=True),
    ):
        op.add_column("submissions", column)
    op.drop_index("uq_submissions_door", "submissions")
    make_door(f"'committed', {ENDED}")
    for name in ("commitment_hash", "salt"):
        op.create_index(
            f"uq_submissions_{name.removesuffix('_hash')}",
            "submissions",
            ["hotkey", name],
            unique=True,
        )
    op.create_index(
        "ix_submissions_unrevealed",
        "submissions",
        ["reveal_until_block"],
        sqlite_where=UNREVEALED,
        postgresql_where=UNREVEALED,
    )


def downgrade() -> None:
    """What was not revealed has expired for code that cannot reveal it."""
    op.execute(
        "UPDATE submissions SET status = 'expired' WHERE status = 'committed'"
    )
    for name in ("unrevealed", "salt", "commitment", "door"):
        kind = "ix" if name == "unrevealed" else "uq"
        op.drop_index(f"{kind}_submissions_{name}", "submissions")
    make_door(ENDED)
    for column in (
        "salt",
        "reveal_until_block",
        "reveal_from_block",
        "commitment_hash",
    ):
        op.drop_column("submissions", column)
