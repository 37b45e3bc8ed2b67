"""Between the rows of the outbox and the opt-out list and the values of the core."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from kai_ari.calls.call import CallId
from kai_ari.followup.outbox import ItemState, OutboxItem, Recipient
from kai_ari.ledger.faults import LedgerCorrupt
from kai_ari.ledger.projection import storable
from kai_ari.ledger.rows import instant_text
from kai_ari.promises.opt_out import Listed, OptOut


def planned_values(item: OutboxItem) -> dict[str, Any]:
    """The whole row of an item that is new."""
    return {
        "key": item.key,
        "obligation": item.obligation,
        "call": item.call,
        "channel": item.channel,
        "person": item.to.person,
        "name": storable(item.to.name),
        "address": storable(item.to.address),
        "body": json.dumps(dict(item.body), sort_keys=True),
        "created_at": instant_text(item.created_at),
        **moved_values(item),
    }


def moved_values(item: OutboxItem) -> dict[str, Any]:
    """What of an item's row may change."""
    return {
        "state": item.state.value,
        "attempts": item.attempts,
        "next_at": instant_text(item.next_at),
        "receipt": storable(item.receipt),
        "error": storable(item.error),
    }


def to_item(row: Row[Any]) -> OutboxItem:
    """Raises LedgerCorrupt when the row is not one that `planned_values` made."""
    try:
        return OutboxItem(
            key=row.key,
            obligation=row.obligation,
            call=CallId(row.call),
            channel=row.channel,
            to=Recipient(person=row.person, name=row.name, address=row.address),
            body=json.loads(row.body),
            created_at=datetime.fromisoformat(row.created_at),
            next_at=datetime.fromisoformat(row.next_at),
            state=ItemState(row.state),
            attempts=int(row.attempts),
            receipt=row.receipt,
            error=row.error,
        )
    except (ValueError, TypeError) as error:
        raise LedgerCorrupt(f"outbox {row.key}: the row is damaged ({error})") from error


def opt_out_values(entry: OptOut) -> dict[str, Any]:
    return {
        "number": storable(entry.number),
        "state": entry.state.value,
        "source": storable(entry.source),
        "at": instant_text(entry.at),
        "evidence": storable(entry.evidence),
    }


def to_opt_out(row: Row[Any]) -> OptOut:
    """Raises LedgerCorrupt when the row is not one that `opt_out_values` made."""
    try:
        return OptOut(
            number=row.number,
            state=Listed(row.state),
            source=row.source,
            at=datetime.fromisoformat(row.at),
            evidence=row.evidence,
        )
    except (ValueError, TypeError) as error:
        raise LedgerCorrupt(f"opt-out {row.id}: the row is damaged ({error})") from error
