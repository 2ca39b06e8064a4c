"""The foundation: every table, and a log that is only ever added to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = ("event_log", "log_blocks", "standings")


def guard(table: str) -> None:
    """Refuse every change of a row that was written."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{deed.lower()}"
                f" BEFORE {deed} ON {table} BEGIN"
                f" SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE"
        f" ON {table} FOR EACH ROW EXECUTE FUNCTION quasar_append_only()"
    )


def upgrade() -> None:
    """Make the tables, and guard those that are append-only."""
    create_tables()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION quasar_append_only() RETURNS trigger"
            " LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;"
            " END $$"
        )
    for table in APPEND_ONLY:
        guard(table)


def create_tables() -> None:
    """Make the tables with their indices."""
    op.create_table(
        "event_log",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("round_number", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("from_status", sa.String(length=16), nullable=True),
        sa.Column("to_status", sa.String(length=16), nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=True),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_event_log")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("event_log", schema=None) as batch_op:
        batch_op.create_index(
            "ix_event_log_submission",
            ["submission_id", "sequence"],
            unique=False,
        )

    op.create_table(
        "log_blocks",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_blocks")),
    )
    op.create_table(
        "nonces",
        sa.Column("hotkey", sa.String(length=64), nullable=False),
        sa.Column(
            "nonce_ns", sa.BigInteger(), autoincrement=False, nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hotkey", "nonce_ns", name=op.f("pk_nonces")),
    )
    with op.batch_alter_table("nonces", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_nonces_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "outbox",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("event_name", sa.String(length=64), nullable=False),
        sa.Column("pool", sa.String(length=32), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outbox_attempt_id"), ["attempt_id"], unique=False
        )
        batch_op.create_index(
            "ix_outbox_unpublished",
            ["id"],
            unique=False,
            sqlite_where=sa.text("published_at IS NULL"),
            postgresql_where=sa.text("published_at IS NULL"),
        )

    op.create_table(
        "recorded_events",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_recorded_events")),
    )
    with op.batch_alter_table("recorded_events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_recorded_events_recorded_at"),
            ["recorded_at"],
            unique=False,
        )

    op.create_table(
        "rounds",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("pool", sa.String(length=32), nullable=False),
        sa.Column("settings", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("opened_at_block", sa.BigInteger(), nullable=False),
        sa.Column("closes_at_block", sa.BigInteger(), nullable=False),
        sa.Column("evaluating_since_block", sa.BigInteger(), nullable=True),
        sa.Column("finalised_at_block", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finalised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("harness_digest", sa.String(length=64), nullable=True),
        sa.Column("log_hash", sa.String(length=64), nullable=True),
        sa.Column("burn_share", sa.Float(precision=53), nullable=False),
        sa.Column("results_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rounds")),
    )
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.create_index(
            "uq_rounds_one_open",
            ["status"],
            unique=True,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )

    op.create_table(
        "sources",
        sa.Column("tree_hash", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("files", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tree_hash", name=op.f("pk_sources")),
    )
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sources_identity"), ["identity"], unique=False
        )

    op.create_table(
        "weights_reports",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("validator_hotkey", sa.String(length=64), nullable=False),
        sa.Column("round_number", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weights_reports")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("weights_reports", schema=None) as batch_op:
        batch_op.create_index(
            "ix_weights_reports_round",
            ["round_number", "outcome"],
            unique=False,
        )
        batch_op.create_index(
            "ix_weights_reports_validator",
            ["validator_hotkey", "id"],
            unique=False,
        )

    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("pool", sa.String(length=32), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("environment", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "role", name=op.f("pk_workers")),
    )
    op.create_table(
        "baselines",
        sa.Column("round_number", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column(
            "sequence_length",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("tokens_per_sec", sa.Float(precision=53), nullable=False),
        sa.Column("samples", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("environment", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_number"],
            ["rounds.number"],
            name=op.f("fk_baselines_round_number"),
        ),
        sa.PrimaryKeyConstraint(
            "round_number",
            "worker",
            "sequence_length",
            name=op.f("pk_baselines"),
        ),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_number", sa.Integer(), nullable=False),
        sa.Column("hotkey", sa.String(length=64), nullable=False),
        sa.Column("coldkey", sa.String(length=64), nullable=False),
        sa.Column("fork_url", sa.String(length=512), nullable=False),
        sa.Column("commit_hash", sa.String(length=40), nullable=False),
        sa.Column("target_sequence_length", sa.BigInteger(), nullable=False),
        sa.Column("league", sa.String(length=16), nullable=False),
        sa.Column("multiplier", sa.Float(precision=53), nullable=False),
        sa.Column("commit_block", sa.BigInteger(), nullable=False),
        sa.Column("is_rerun", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "claimed_tokens_per_sec", sa.Float(precision=53), nullable=True
        ),
        sa.Column(
            "claimed_benchmarks", sa.JSON(none_as_null=True), nullable=True
        ),
        sa.Column("tree_hash", sa.String(length=64), nullable=True),
        sa.Column("identity", sa.String(length=64), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=True),
        sa.Column("rejection", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("manifest", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("correctness", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("timing", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("logits", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("tokens_per_sec", sa.Float(precision=53), nullable=True),
        sa.Column("tokens_per_sec_low", sa.Float(precision=53), nullable=True),
        sa.Column(
            "tokens_per_sec_high", sa.Float(precision=53), nullable=True
        ),
        sa.Column(
            "speedup_vs_baseline", sa.Float(precision=53), nullable=True
        ),
        sa.Column("weighted_score", sa.Float(precision=53), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_number"],
            ["rounds.number"],
            name=op.f("fk_submissions_round_number"),
        ),
        sa.ForeignKeyConstraint(
            ["tree_hash"],
            ["sources.tree_hash"],
            name=op.f("fk_submissions_tree_hash"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
    )
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_submissions_coldkey",
            ["coldkey", "status", "round_number"],
            unique=False,
        )
        batch_op.create_index(
            "ix_submissions_hotkey", ["hotkey", "id"], unique=False
        )
        batch_op.create_index(
            "ix_submissions_queue",
            ["status", "commit_block", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_submissions_round_status",
            ["round_number", "status"],
            unique=False,
        )
        batch_op.create_index(
            "ix_submissions_work",
            ["identity", "target_sequence_length"],
            unique=False,
        )
        batch_op.create_index(
            "uq_submissions_door",
            [
                "round_number",
                "hotkey",
                "fork_url",
                "commit_hash",
                "target_sequence_length",
            ],
            unique=True,
            sqlite_where=sa.text(
                "status NOT IN ('infra_failed', 'expired', 'withdrawn', 'invalidated')"
            ),
            postgresql_where=sa.text(
                "status NOT IN ('infra_failed', 'expired', 'withdrawn', 'invalidated')"
            ),
        )

    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("pool", sa.String(length=32), nullable=False),
        sa.Column("fencing_token", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("minted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("held", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_attempts_submission_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attempts_finished", ["kind", "finished_at"], unique=False
        )
        batch_op.create_index(
            "ix_attempts_lease", ["state", "lease_until"], unique=False
        )
        batch_op.create_index(
            "ix_attempts_queue", ["kind", "pool", "state"], unique=False
        )
        batch_op.create_index(
            "ix_attempts_submission",
            ["submission_id", "minted_at"],
            unique=False,
        )
        batch_op.create_index(
            "uq_attempts_one_live",
            ["submission_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('dispatched', 'started')"),
            postgresql_where=sa.text("state IN ('dispatched', 'started')"),
        )

    op.create_table(
        "standings",
        sa.Column("round_number", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("hotkey", sa.String(length=64), nullable=False),
        sa.Column("coldkey", sa.String(length=64), nullable=False),
        sa.Column("league", sa.String(length=16), nullable=False),
        sa.Column("target_sequence_length", sa.BigInteger(), nullable=False),
        sa.Column("tokens_per_sec", sa.Float(precision=53), nullable=False),
        sa.Column("weighted_score", sa.Float(precision=53), nullable=False),
        sa.Column(
            "speedup_vs_baseline", sa.Float(precision=53), nullable=False
        ),
        sa.Column("commit_block", sa.BigInteger(), nullable=False),
        sa.Column("paid_place", sa.Integer(), nullable=True),
        sa.Column("share", sa.Float(precision=53), nullable=False),
        sa.Column("unpaid_reason", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["round_number"],
            ["rounds.number"],
            name=op.f("fk_standings_round_number"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_standings_submission_id"),
        ),
        sa.PrimaryKeyConstraint(
            "round_number", "place", name=op.f("pk_standings")
        ),
    )
    op.create_table(
        "stages",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("seconds", sa.Float(precision=53), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_stages_attempt_id")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "stage", name=op.f("pk_stages")),
    )


TABLES = (
    "stages",
    "standings",
    "attempts",
    "submissions",
    "baselines",
    "workers",
    "weights_reports",
    "sources",
    "rounds",
    "recorded_events",
    "outbox",
    "nonces",
    "log_blocks",
    "event_log",
)
"""Those that refer to others first."""


def downgrade() -> None:
    """Drop everything: indices and triggers go with their tables."""
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION quasar_append_only()")
