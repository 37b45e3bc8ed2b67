"""Messages for mailboxes: which are owed, and which Kai has put there itself."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from kai_ari.calls.follow_events import MessageDeposited
from kai_ari.ledger import tables
from kai_ari.ledger.reader import LedgerReader
from kai_ari.ledger.rows import instant_text, to_obligation
from kai_ari.promises.obligation import Obligation, Owed


async def put_by_kai(ledger: LedgerReader, since: datetime) -> frozenset[str]:
    """The ids that mailboxes gave to messages of calls since then. Raises LedgerError."""
    calls, events = tables.calls.c, tables.events.c
    recent = select(calls.id).where(calls.started_at >= instant_text(since))
    query = select(events.data).where(events.kind == MessageDeposited.kind, events.call.in_(recent))
    return frozenset(json.loads(row.data)["message"] for row in await ledger.rows(query))


async def messages_owed(ledger: LedgerReader, since: datetime) -> Sequence[Obligation]:
    """Written since then, whatever has become of them; oldest first. Raises LedgerError."""
    rows = tables.obligations
    query = (
        select(rows)
        .where(rows.c.owed == Owed.DELIVER_MESSAGE.value, rows.c.since >= instant_text(since))
        .order_by(rows.c.since, rows.c.id)
    )
    return [to_obligation(row).obligation for row in await ledger.rows(query)]
