"""Does the record hold? Pure: compares what one call's rows say with what follows from them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row

from kai_ari.calls.chain import Record, first_break
from kai_ari.calls.events import ObligationWritten
from kai_ari.ledger.faults import LedgerCorrupt
from kai_ari.ledger.projection import CallRow, project
from kai_ari.ledger.rows import to_obligation, to_record


@dataclass(frozen=True, kw_only=True)
class Break:
    """`seq` is the event where the record breaks, or None when no single event is wrong."""

    call: str
    seq: int | None
    what: str


def breaks_of(
    listed: CallRow, event_rows: Sequence[Row[Any]], obligation_rows: Sequence[Row[Any]]
) -> list[Break]:
    """What is wrong with one call: nothing past a broken chain is worth comparing."""
    records: list[Record] = []
    for row in event_rows:
        try:
            records.append(to_record(row))
        except LedgerCorrupt as error:
            return [Break(call=listed.id, seq=row.seq, what=str(error))]
    place = first_break(records)
    if place is not None:
        what = "the event or its place is not what was written"
        return [Break(call=listed.id, seq=place, what=what)]
    if not records:
        return [Break(call=listed.id, seq=None, what="the call is listed without any event")]
    return [
        *_listing_breaks(listed, records),
        *_obligation_breaks(listed.id, records, obligation_rows),
    ]


def _listing_breaks(listed: CallRow, records: Sequence[Record]) -> Iterator[Break]:
    said, follows = asdict(listed), asdict(project(records))
    for name, value in follows.items():
        if said[name] != value:
            what = f"listed with {name} {said[name]!r}, but its events say {value!r}"
            yield Break(call=listed.id, seq=None, what=what)


def _obligation_breaks(
    call: str, records: Sequence[Record], rows: Sequence[Row[Any]]
) -> Iterator[Break]:
    stored: dict[str, str] = {}
    for row in rows:
        try:
            stored[row.id] = to_obligation(row).obligation.owed.value
        except LedgerCorrupt as error:
            yield Break(call=call, seq=None, what=str(error))
            return
    written: dict[str, tuple[int, str]] = {
        record.event.obligation: (record.seq, record.event.owed)
        for record in records
        if isinstance(record.event, ObligationWritten)
    }
    for name, (seq, owed) in written.items():
        if stored.get(name) != owed:
            what = f"obligation {name} ({owed}) was written, and now there is {stored.get(name)}"
            yield Break(call=call, seq=seq, what=what)
    for name in stored.keys() - written.keys():
        yield Break(call=call, seq=None, what=f"obligation {name} stands without its event")
