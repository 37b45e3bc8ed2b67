"""Does the record hold? Pure: compares what one call's rows say with what follows from them."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row

from kai_ari.calls.chain import Record, first_break
from kai_ari.calls.events import ObligationWritten
from kai_ari.calls.follow_events import OptedOut, SendingStarted
from kai_ari.followup.outbox import attempts, permitted
from kai_ari.ledger.faults import LedgerCorrupt
from kai_ari.ledger.follow_rows import to_item
from kai_ari.ledger.projection import CallRow, project, storable
from kai_ari.ledger.rows import standing_values, to_obligation, to_record
from kai_ari.promises.standing import standing


@dataclass(frozen=True, kw_only=True)
class Break:
    """`seq` is the event where the record breaks, or None when no single event is wrong."""

    call: str
    seq: int | None
    what: str


def breaks_of(
    listed: CallRow,
    event_rows: Sequence[Row[Any]],
    obligation_rows: Sequence[Row[Any]],
    outbox_rows: Sequence[Row[Any]] = (),
    opt_outs: Set[str] = frozenset(),
) -> list[Break]:
    """What is wrong with one call: nothing past a broken chain is worth comparing.

    `opt_outs` are the numbers that the opt-out list has ever had.
    """
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
        *_outbox_breaks(listed.id, records, outbox_rows),
        *_opt_out_breaks(listed.id, records, opt_outs),
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
    history = [record.event for record in records]
    for row in rows:
        try:
            stored[row.id] = to_obligation(row).obligation.owed.value
        except LedgerCorrupt as error:
            yield Break(call=call, seq=None, what=str(error))
            return
        now = standing(history, row.id)
        for name, value in (standing_values(now) if now else {}).items():
            if row._mapping[name] != value:
                said = row._mapping[name]
                what = f"obligation {row.id} has {name} {said!r}, but its events say {value!r}"
                yield Break(call=call, seq=None, what=what)
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


def _outbox_breaks(
    call: str, records: Sequence[Record], rows: Sequence[Row[Any]]
) -> Iterator[Break]:
    history = [record.event for record in records]
    owed = {event.obligation for event in history if isinstance(event, ObligationWritten)}
    for row in rows:
        try:
            item = to_item(row)
        except LedgerCorrupt as error:
            yield Break(call=call, seq=None, what=str(error))
            continue
        if item.obligation and item.obligation not in owed:
            what = f"outbox {item.key} is for obligation {item.obligation}, which is not the call's"
            yield Break(call=call, seq=None, what=what)
        may, begun = permitted(history, item.key), attempts(history, item.key)
        if item.state not in may or item.attempts != begun:
            what = (
                f"outbox {item.key} is {item.state.value} after {item.attempts} sendings, but its"
                f" events say {begun}, and {' or '.join(sorted(may))}"
            )
            yield Break(call=call, seq=None, what=what)
    keys = {row.key for row in rows}
    for record in records:
        if isinstance(record.event, SendingStarted) and record.event.item not in keys:
            what = f"notice {record.event.item} was sent, and is not in the outbox"
            yield Break(call=call, seq=record.seq, what=what)


def _opt_out_breaks(call: str, records: Sequence[Record], numbers: Set[str]) -> Iterator[Break]:
    for record in records:
        if isinstance(record.event, OptedOut) and storable(record.event.number) not in numbers:
            what = f"{record.event.number} opted out, and is not on the list"
            yield Break(call=call, seq=record.seq, what=what)
