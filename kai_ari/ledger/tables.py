"""The tables of the ledger. `migrations/` makes them; a test holds the two together.

Instants are ISO 8601 text in UTC and structures are JSON text, stored exactly as they were
hashed: any tool can recompute the chain from what is in the file, and a value that somebody
damaged is still readable as text.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()

#: One row a call, for listing: everything here is computed from the call's events
#: (see `projection`). `length` and `head` are the number of events and the last hash, so
#: that a chain cut off at its end is noticed.
calls = Table(
    "calls",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("started_at", String(40), nullable=False),
    Column("did", Text),
    Column("caller_number", String(40)),
    Column("ended_at", String(40)),
    Column("ended_by", String(20)),
    Column("headline", String(40)),
    Column("reason", Text),
    Column("length", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Index("calls_started_at", "started_at"),
)

_CALLED_BACK = text("kind IN ('call_back_started', 'call_back_ended')")

#: Triggers refuse UPDATE and DELETE here.
events = Table(
    "events",
    metadata,
    Column("call", String(32), ForeignKey("calls.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("data", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("events_called_back", "at", sqlite_where=_CALLED_BACK, postgresql_where=_CALLED_BACK),
)

#: `state` and `due` are computed from the events of the call (see `promises.standing`).
obligations = Table(
    "obligations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("call", String(32), ForeignKey("calls.id"), nullable=False),
    Column("owed", String(40), nullable=False),
    Column("since", String(40), nullable=False),
    Column("about", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("due", String(40)),
    CheckConstraint("state IN ('open', 'kept', 'broken', 'cancelled')", name="obligations_state"),
    Index("obligations_call", "call"),
    Index("obligations_due", "state", "due"),
)

#: Notices on their way. `state`, `attempts` and `receipt` follow from the events of the call;
#: what a gateway is to be given, and when next, stands only here.
outbox = Table(
    "outbox",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("obligation", String(64), nullable=False),
    Column("call", String(32), ForeignKey("calls.id"), nullable=False),
    Column("channel", String(40), nullable=False),
    Column("person", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("next_at", String(40), nullable=False),
    Column("receipt", Text, nullable=False),
    Column("error", Text, nullable=False),
    CheckConstraint(
        "state IN ('queued', 'sending', 'sent', 'unconfirmed', 'delivered', 'dead', 'cancelled')",
        name="outbox_state",
    ),
    Index("outbox_due", "state", "next_at"),
    Index("outbox_obligation", "obligation"),
    Index("outbox_call", "call"),
    Index("outbox_receipt", "receipt"),
    Index("outbox_person", "person", "created_at"),
    Index("outbox_address", "address"),
)

#: Who does not want to be called; the last row of a number holds. Append-only.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("source", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Column("evidence", Text, nullable=False),
    CheckConstraint("state IN ('out', 'in')", name="opt_outs_state"),
    Index("opt_outs_number", "number", "id"),
)

#: Who said when that they are away or back; the last row of a person holds. Append-only.
presence = Table(
    "presence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", String(40), nullable=False),
    Column("away", Boolean, nullable=False),
    Column("at", String(40), nullable=False),
    Column("until", String(40)),
    Column("note", Text, nullable=False),
    Column("how", String(40), nullable=False),
    Index("presence_person", "person", "id"),
)
