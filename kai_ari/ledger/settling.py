"""Within the transaction of an append: the rows of what is owed, queued and forbidden.

They are brought in line with the events that the append has just chained. What contradicts
the record is refused (LedgerRefused: a defect in Kai), and so is what somebody else has made
untrue meanwhile (Overtaken): nothing of the append is written then.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from kai_ari.calls import follow_events as follow
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.followup.outbox import NEXT, ItemState, OutboxItem, Overtaken, attempts, permitted
from kai_ari.ledger import tables
from kai_ari.ledger.faults import LedgerRefused
from kai_ari.ledger.follow_rows import moved_values, opt_out_values, planned_values
from kai_ari.ledger.projection import storable
from kai_ari.ledger.rows import obligation_values, standing_values
from kai_ari.promises.obligation import Obligation
from kai_ari.promises.opt_out import Listed, OptOut
from kai_ari.promises.standing import Standing, State, standing

History = Sequence[Event]


def write_owed(
    connection: Connection, history: History, new: int, obligations: Sequence[Obligation]
) -> None:
    """Rows for `obligations`, and those that the last `new` events of `history` are about."""
    first = len(history) - new
    for place, event in enumerate(history[first:], start=first):
        if isinstance(event, follow.CallBackStarted):
            _may_begin(connection, history[:place], event)
    written = {obligation.id for obligation in obligations}
    for obligation in obligations:
        now = _standing(history, obligation.id)
        if obligation.due not in (None, now.due):
            raise LedgerRefused(
                f"obligation {obligation.id}: due {obligation.due} is not what its call's"
                f" events say ({now.due})"
            )
        connection.execute(insert(tables.obligations).values(obligation_values(obligation, now)))
    rows = tables.obligations
    for name in sorted(_named(history[first:]) - written):
        now = _standing(history, name)
        connection.execute(update(rows).where(rows.c.id == name).values(standing_values(now)))


def touches_owed(events: Sequence[Event]) -> bool:
    return bool(_named(events))


def _named(events: Sequence[Event]) -> set[str]:
    """Notices may be about nothing that is owed: their obligation is empty."""
    return {event.obligation for event in events if getattr(event, "obligation", "")}  # type: ignore[attr-defined]


def _standing(history: History, obligation: str) -> Standing:
    now = standing(history, obligation)
    if now is None:
        raise LedgerRefused(f"an event names obligation {obligation}, which its call does not owe")
    return now


def _may_begin(connection: Connection, before: History, started: follow.CallBackStarted) -> None:
    """Never two attempts at once, none twice, none for what is closed, none to who opted out."""
    now = _standing(before, started.obligation)
    what = f"obligation {started.obligation}, call back {started.attempt}"
    if now.state is not State.OPEN:
        raise Overtaken(f"{what}: it is {now.state.value} already")
    if now.attempt is not None:
        raise Overtaken(f"{what}: call back {now.attempt} has not ended yet")
    if started.attempt != now.attempts + 1:
        raise Overtaken(f"{what}: {now.attempts} were made")
    if is_out(connection, started.number):
        raise Overtaken(f"{what}: the number is on the opt-out list")


def is_out(connection: Connection, number: str) -> bool:
    columns = tables.opt_outs.c
    latest = select(columns.state).where(columns.number == storable(number))
    state = connection.execute(latest.order_by(columns.id.desc()).limit(1)).scalar()
    return state == Listed.OUT.value


def write_planned(connection: Connection, history: History, items: Sequence[OutboxItem]) -> None:
    """Queue what is not there yet."""
    rows = tables.outbox
    for item in items:
        if item.obligation:
            _standing(history, item.obligation)
        there = select(rows.c.key).where(rows.c.key == item.key)
        if connection.execute(there).one_or_none() is None:
            connection.execute(insert(rows).values(planned_values(item)))


def write_moved(connection: Connection, history: History, call: CallId, item: OutboxItem) -> None:
    """The item as it is now, when that can follow from the row and from the record."""
    rows = tables.outbox
    this = rows.c.key == item.key
    row = connection.execute(select(rows).where(this)).one_or_none()
    if row is None or row.call != call or row.obligation != item.obligation:
        raise LedgerRefused(f"outbox {item.key}: was never planned for call {call}")
    if item.state not in NEXT[ItemState(row.state)] or item.attempts < row.attempts:
        raise Overtaken(
            f"outbox {item.key}: it is {row.state} after {row.attempts} sendings, and cannot"
            f" become {item.state.value} after {item.attempts}"
        )
    may, begun = permitted(history, item.key), attempts(history, item.key)
    if item.state not in may or item.attempts != begun:
        raise LedgerRefused(
            f"outbox {item.key}: {item.state.value} after {item.attempts} sendings is not what"
            f" its call's events say ({begun}; {', '.join(sorted(may))})"
        )
    connection.execute(update(rows).where(this).values(moved_values(item)))


def write_opt_outs(connection: Connection, entries: Sequence[OptOut]) -> None:
    for entry in entries:
        connection.execute(insert(tables.opt_outs).values(opt_out_values(entry)))
