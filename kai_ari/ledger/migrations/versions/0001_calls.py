"""Calls, their events, and what is owed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = """
CREATE TRIGGER events_no_{verb} BEFORE {verb} ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
"""


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("started_at", sa.String(40), nullable=False),
        sa.Column("did", sa.Text),
        sa.Column("caller_number", sa.String(40)),
        sa.Column("ended_at", sa.String(40)),
        sa.Column("ended_by", sa.String(20)),
        sa.Column("headline", sa.String(40)),
        sa.Column("reason", sa.Text),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
    )
    op.create_index("calls_started_at", "calls", ["started_at"])
    op.create_table(
        "events",
        sa.Column("call", sa.String(32), sa.ForeignKey("calls.id"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "obligations",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("call", sa.String(32), sa.ForeignKey("calls.id"), nullable=False),
        sa.Column("owed", sa.String(40), nullable=False),
        sa.Column("since", sa.String(40), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.CheckConstraint("state IN ('open')", name="obligations_state"),
    )
    op.create_index("obligations_call", "obligations", ["call"])
    for verb in ("UPDATE", "DELETE"):
        op.execute(_APPEND_ONLY.format(verb=verb))
