"""Between the rows of the database and the values of the core."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record
from kai_ari.calls.event_data import from_data, to_data
from kai_ari.clock import require_zone
from kai_ari.ledger.faults import LedgerCorrupt
from kai_ari.ledger.projection import CallRow
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.standing import Standing, State


@dataclass(frozen=True, kw_only=True)
class StoredObligation:
    """The obligation, its due time as it stands now."""

    obligation: Obligation
    state: State


def event_values(record: Record) -> dict[str, Any]:
    return {
        "call": record.call,
        "seq": record.seq,
        "at": record.at.isoformat(),
        "kind": record.event.kind,
        "data": json.dumps(to_data(record.event), sort_keys=True),
        "hash": record.hash,
    }


def to_record(row: Row[Any]) -> Record:
    """Raises LedgerCorrupt when the row is not one that `event_values` made."""
    try:
        return Record(
            call=CallId(row.call),
            seq=int(row.seq),
            at=require_zone(datetime.fromisoformat(row.at)),
            event=from_data(row.kind, json.loads(row.data)),
            hash=row.hash,
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise LedgerCorrupt(
            f"call {row.call}, event {row.seq}: the row is damaged ({error});"
            " see all damage with: kai-ari calls verify"
        ) from error


def to_records(rows: Sequence[Row[Any]]) -> list[Record]:
    return [to_record(row) for row in rows]


def instant_text(at: datetime) -> str:
    """In UTC: text that sorts as the instants do."""
    return at.astimezone(UTC).isoformat()


def standing_values(now: Standing) -> dict[str, Any]:
    """What of an obligation's row follows from its call's events."""
    return {"state": now.state.value, "due": instant_text(now.due) if now.due else None}


def obligation_values(obligation: Obligation, now: Standing) -> dict[str, Any]:
    return {
        "id": obligation.id,
        "call": obligation.call,
        "owed": obligation.owed.value,
        "since": obligation.since.isoformat(),
        "about": json.dumps(obligation.about, sort_keys=True),
        **standing_values(now),
    }


def to_obligation(row: Row[Any]) -> StoredObligation:
    """Raises LedgerCorrupt when the row is not one that `obligation_values` made."""
    try:
        obligation = Obligation(
            id=row.id,
            call=CallId(row.call),
            owed=Owed(row.owed),
            since=datetime.fromisoformat(row.since),
            about=json.loads(row.about),
            due=datetime.fromisoformat(row.due) if row.due else None,
        )
        state = State(row.state)
    except (ValueError, TypeError) as error:
        raise LedgerCorrupt(f"obligation {row.id}: the row is damaged ({error})") from error
    return StoredObligation(obligation=obligation, state=state)


def to_call_row(row: Row[Any]) -> CallRow:
    return CallRow(**row._mapping)
