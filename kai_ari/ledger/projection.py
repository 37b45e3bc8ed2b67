"""The row of `calls` that follows from a call's records. Pure; `verify` recomputes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from kai_ari.calls.chain import Record
from kai_ari.calls.events import Arrived, Ended
from kai_ari.calls.follow_events import CalledOut
from kai_ari.calls.outcome import outcome


@dataclass(frozen=True, kw_only=True)
class CallRow:
    """A call in a list. The last four are None while the caller is connected."""

    id: str
    started_at: str
    did: str | None
    caller_number: str | None
    length: int
    head: str
    ended_at: str | None = None
    ended_by: str | None = None
    headline: str | None = None
    reason: str | None = None


def project(records: Sequence[Record]) -> CallRow:
    """The row for one call's records, of which there is at least one."""
    first, last = records[0], records[-1]
    arrived = next((r.event for r in records if isinstance(r.event, Arrived)), None)
    called = next((r.event.number for r in records if isinstance(r.event, CalledOut)), None)
    ended = next((r for r in records if isinstance(r.event, Ended)), None)
    row = CallRow(
        id=first.call,
        started_at=first.at.isoformat(),
        did=storable(arrived.did) if arrived else None,
        caller_number=storable(arrived.caller_number if arrived else called),
        length=last.seq,
        head=last.hash,
    )
    if ended is None:
        return row
    result = outcome(record.event for record in records)
    return CallRow(
        id=row.id,
        started_at=row.started_at,
        did=row.did,
        caller_number=row.caller_number,
        length=row.length,
        head=row.head,
        ended_at=ended.at.isoformat(),
        ended_by=result.ended_by.value if result.ended_by else None,
        headline=result.headline.value,
        reason=storable(result.reason),
    )


def storable(text: str | None) -> str | None:
    """Text that a database can hold: what a trunk sends may have lone surrogates or NULs."""
    if text is None:
        return None
    return text.encode("utf-8", "replace").decode().replace("\0", "?")
