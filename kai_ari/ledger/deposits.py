"""Messages for mailboxes: which are owed, and which Kai has put there itself."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select

from kai_ari.calls.follow_events import MessageDeposited
from kai_ari.ledger import tables
from kai_ari.ledger.faults import LedgerCorrupt
from kai_ari.ledger.reader import LedgerReader
from kai_ari.ledger.rows import instant_text, to_obligation
from kai_ari.promises.obligation import Obligation, Owed


async def put_by_kai(ledger: LedgerReader, since: datetime) -> frozenset[str]:
    """The ids that mailboxes gave to messages of calls since then. Raises LedgerError."""
    calls, events = tables.calls.c, tables.events.c
    recent = select(calls.id).where(calls.started_at >= instant_text(since))
    query = select(events.data).where(events.kind == MessageDeposited.kind, events.call.in_(recent))
    put = set()
    for row in await ledger.rows(query):
        with suppress(ValueError, TypeError, KeyError):  # a damaged row hides its own message only
            put.add(str(json.loads(row.data)["message"]))
    return frozenset(put)


async def messages_owed(ledger: LedgerReader, since: datetime) -> Sequence[Obligation]:
    """Written since then, whatever has become of them; oldest first. Raises LedgerError.

    A row that is damaged is left out: what is open of it `SqlFollowUp.owed` tells of.
    """
    rows = tables.obligations
    query = (
        select(rows)
        .where(rows.c.owed == Owed.DELIVER_MESSAGE.value, rows.c.since >= instant_text(since))
        .order_by(rows.c.since, rows.c.id)
    )
    owed = []
    for row in await ledger.rows(query):
        with suppress(LedgerCorrupt):
            owed.append(to_obligation(row).obligation)
    return owed
