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
)

obligations = Table(
    "obligations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("call", String(32), ForeignKey("calls.id"), nullable=False),
    Column("owed", String(40), nullable=False),
    Column("since", String(40), nullable=False),
    Column("about", Text, nullable=False),
    Column("state", String(20), nullable=False),
    CheckConstraint("state IN ('open')", name="obligations_state"),
    Index("obligations_call", "call"),
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
