"""What becomes of what is owed: states and due times, the outbox, the opt-out list."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_APPEND_ONLY = """
CREATE TRIGGER opt_outs_no_{verb} BEFORE {verb} ON opt_outs
BEGIN SELECT RAISE(ABORT, 'the opt-out list is append-only'); END
"""


def upgrade() -> None:
    with op.batch_alter_table("obligations", recreate="always") as table:
        table.add_column(sa.Column("due", sa.String(40)))
        table.drop_constraint("obligations_state", type_="check")
        table.create_check_constraint(
            "obligations_state", "state IN ('open', 'kept', 'broken', 'cancelled')"
        )
    op.create_index("obligations_due", "obligations", ["state", "due"])
    _fill_due()
    op.create_index(
        "events_called_back",
        "events",
        ["at"],
        sqlite_where=sa.text("kind IN ('call_back_started', 'call_back_ended')"),
        postgresql_where=sa.text("kind IN ('call_back_started', 'call_back_ended')"),
    )
    op.create_table(
        "outbox",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("obligation", sa.String(64), nullable=False),
        sa.Column("call", sa.String(32), sa.ForeignKey("calls.id"), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("next_at", sa.String(40), nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'unconfirmed', 'delivered', 'dead',"
            " 'cancelled')",
            name="outbox_state",
        ),
    )
    op.create_index("outbox_due", "outbox", ["state", "next_at"])
    op.create_index("outbox_obligation", "outbox", ["obligation"])
    op.create_index("outbox_call", "outbox", ["call"])
    op.create_index("outbox_receipt", "outbox", ["receipt"])
    op.create_table(
        "opt_outs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.CheckConstraint("state IN ('out', 'in')", name="opt_outs_state"),
    )
    op.create_index("opt_outs_number", "opt_outs", ["number", "id"])
    for verb in ("UPDATE", "DELETE"):
        op.execute(_APPEND_ONLY.format(verb=verb))


def _fill_due() -> None:
    """A call back is due when the booking before it on its call says."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT call, kind, data FROM events"
            " WHERE kind IN ('callback_booked', 'obligation_written') ORDER BY call, seq"
        )
    )
    booked: dict[str, str | None] = {}
    for call, kind, data in rows.all():
        try:
            fields = json.loads(data)
            if kind == "callback_booked":
                booked[call] = _utc(fields["due"])
            elif fields["owed"] == "call_back" and booked.get(call):
                connection.execute(
                    sa.text("UPDATE obligations SET due = :due WHERE id = :id AND call = :call"),
                    {"due": booked[call], "id": fields["obligation"], "call": call},
                )
        except (ValueError, KeyError, TypeError):
            continue  # a damaged event: `calls verify` names it


def _utc(text: str) -> str | None:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC).isoformat() if at.utcoffset() is not None else None
    except (ValueError, OverflowError):
        return None
