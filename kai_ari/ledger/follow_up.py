"""What is owed, queued and forbidden: the ledger as `followup` and the command line use it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, literal_column, or_, select

from kai_ari import log
from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import CallBackEnded, CallBackStarted, CalledOut
from kai_ari.calls.outcome import Headline
from kai_ari.clock import Clock
from kai_ari.followup.outbox import ItemState, OutboxItem
from kai_ari.ledger import tables
from kai_ari.ledger.database import make_ready, reader_engine, writer_engine
from kai_ari.ledger.faults import LedgerCorrupt, LedgerRefused
from kai_ari.ledger.follow_rows import to_item, to_opt_out
from kai_ari.ledger.projection import storable
from kai_ari.ledger.rows import instant_text, to_obligation, to_records
from kai_ari.ledger.store import SqlLedger
from kai_ari.ledger.writer import Writer
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.opt_out import Listed, OptOut
from kai_ari.promises.permission import Dialled
from kai_ari.promises.standing import State

_log = log.get("ledger")


class SqlFollowUp:
    """Implements `followup.ports.Desk` on a ledger that is open, with the same writer."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger
        self._damaged: set[str] = set()  # keys of rows that were left out, until Kai starts again

    # -- what is owed ----------------------------------------------------------------

    async def owed(
        self, *, call: CallId | None = None, kind: Owed | None = None
    ) -> Sequence[Obligation]:
        rows = tables.obligations
        query = select(rows).where(rows.c.state == State.OPEN.value)
        if call is not None:
            query = query.where(rows.c.call == call)
        if kind is not None:
            query = query.where(rows.c.owed == kind.value)
        found = []
        for row in await self._ledger.rows(query.order_by(rows.c.since, rows.c.id)):
            try:
                found.append(to_obligation(row).obligation)
            except LedgerCorrupt as error:
                if call is not None:
                    raise
                self._left_out(row.id, error)
        return found

    async def lengths(self) -> Mapping[CallId, int]:
        calls, owed = tables.calls, tables.obligations
        open_on = select(owed.c.call).where(owed.c.state == State.OPEN.value)
        query = (
            select(calls.c.id, calls.c.length)
            .where(calls.c.id.in_(open_on))
            .order_by(calls.c.started_at, calls.c.id)
        )
        return {CallId(row.id): int(row.length) for row in await self._ledger.rows(query)}

    async def unresolved(self) -> Sequence[CallId]:
        calls, made = tables.calls, tables.events
        loose = [Headline.UNRESOLVED.value, Headline.HANDOFF_SUSPECT.value]
        query = (
            select(calls.c.id)
            .where(calls.c.headline.in_(loose), calls.c.ended_at.is_not(None))
            .where(~exists().where(tables.obligations.c.call == calls.c.id))
            # Of a call that Kai made itself, what it was made for stays owed.
            .where(~exists().where(made.c.call == calls.c.id, made.c.kind == CalledOut.kind))
            .order_by(calls.c.started_at, calls.c.id)
        )
        return [CallId(row.id) for row in await self._ledger.rows(query)]

    async def history(self, call: CallId) -> Sequence[Event]:
        return await self._ledger.history(call)

    async def records(self, call: CallId) -> Sequence[Record]:
        return await self._ledger.records(call)

    async def note(
        self, call: CallId, *events: Event, obligations: Sequence[Obligation] = ()
    ) -> None:
        await self._ledger.append(call, *events, obligations=obligations)

    # -- the outbox ------------------------------------------------------------------

    async def plan(self, call: CallId, items: Sequence[OutboxItem], *events: Event) -> None:
        if any(item.call != call or item.state is not ItemState.QUEUED for item in items):
            raise LedgerRefused(f"call {call}: what is planned for it is not its own, or not new")
        await self._ledger.submit(call, events, planned=tuple(items))

    async def items(
        self,
        *,
        call: CallId | None = None,
        obligation: str | None = None,
        address: str | None = None,
    ) -> Sequence[OutboxItem]:
        rows = tables.outbox
        query = select(rows).order_by(rows.c.created_at, rows.c.key)
        if call is not None:
            query = query.where(rows.c.call == call)
        if obligation is not None:
            query = query.where(rows.c.obligation == obligation)
        if address is not None:
            query = query.where(rows.c.address == storable(address))
        found = await self._ledger.rows(query)
        return self._readable(found) if address is not None else [to_item(row) for row in found]

    async def sent_to(
        self, person: str, *, states: Collection[ItemState], newest: int
    ) -> Sequence[OutboxItem]:
        rows = tables.outbox
        query = (
            select(rows)
            .where(rows.c.person == person, rows.c.state.in_([state.value for state in states]))
            .order_by(rows.c.created_at.desc(), rows.c.key.desc())
            .limit(newest)
        )
        return self._readable(await self._ledger.rows(query))

    async def due(
        self,
        at: datetime,
        limit: int,
        *,
        not_by: Collection[str] = (),
        but: Collection[str] = (),
    ) -> Sequence[OutboxItem]:
        rows = tables.outbox
        query = (
            select(rows)
            .where(_queued(not_by, self._damaged.union(but)), rows.c.next_at <= instant_text(at))
            .order_by(rows.c.next_at, rows.c.key)
            .limit(limit)
        )
        return self._readable(await self._ledger.rows(query))

    async def next_due(
        self, *, not_by: Collection[str] = (), but: Collection[str] = ()
    ) -> datetime | None:
        rows = tables.outbox
        while True:
            query = (
                select(rows)
                .where(_queued(not_by, self._damaged.union(but)))
                .order_by(rows.c.next_at)
                .limit(1)
            )
            found = await self._ledger.rows(query)
            if readable := self._readable(found):
                return readable[0].next_at
            if not found:
                return None

    async def in_flight(self) -> Sequence[OutboxItem]:
        rows = tables.outbox
        query = select(rows).where(rows.c.state == ItemState.SENDING.value)
        return self._readable(await self._ledger.rows(query.order_by(rows.c.next_at)))

    def _readable(self, rows: Sequence[Row[Any]]) -> Sequence[OutboxItem]:
        """A damaged item holds up what is owed on its own call, and nothing else."""
        found = []
        for row in rows:
            try:
                found.append(to_item(row))
            except LedgerCorrupt as error:
                self._left_out(row.key, error)
        return found

    def _left_out(self, key: str, error: LedgerCorrupt) -> None:
        if key not in self._damaged:
            _log.error("what is owed on a call is held up", extra=log.fields(error=str(error)))
        self._damaged.add(key)

    async def change(self, item: OutboxItem, *events: Event) -> None:
        await self._ledger.submit(item.call, events, moved=item)

    async def by_receipt(self, channel: str, receipt: str) -> OutboxItem | None:
        """The item sent last, should a gateway use a name twice; None for an empty one."""
        rows = tables.outbox
        same = (rows.c.receipt == storable(receipt)) & (rows.c.channel == channel)
        query = select(rows).where(same & (rows.c.receipt != ""))
        found = await self._ledger.rows(query.order_by(rows.c.created_at.desc()).limit(1))
        return to_item(found[0]) if found else None

    # -- who may be dialled ----------------------------------------------------------

    async def opted_out(self, number: str) -> OptOut | None:
        rows = tables.opt_outs
        query = select(rows).where(rows.c.number == storable(number))
        found = await self._ledger.rows(query.order_by(rows.c.id.desc()).limit(1))
        entry = to_opt_out(found[0]) if found else None
        return entry if entry is not None and entry.state is Listed.OUT else None

    async def say_opt_out(self, entry: OptOut) -> None:
        await self.say_opt_outs((entry,))

    async def say_opt_outs(self, entries: Sequence[OptOut]) -> None:
        """All of them or, when this raises LedgerError, none."""
        await self._ledger.submit(None, (), opt_outs=tuple(entries))

    async def opt_outs(self, *, all_entries: bool = False) -> Sequence[OptOut]:
        """Every entry ever made, or the last of each number that is out; oldest first."""
        rows = tables.opt_outs
        query = select(rows).order_by(rows.c.id)
        if not all_entries:
            newest = select(func.max(rows.c.id)).group_by(rows.c.number)
            query = query.where(rows.c.id.in_(newest), rows.c.state == Listed.OUT.value)
        return [to_opt_out(row) for row in await self._ledger.rows(query)]

    async def dialled(self, since: datetime, *, obligation: str) -> Sequence[Dialled]:
        rows, owed = tables.events, tables.obligations
        called_back = rows.c.kind.in_([CallBackStarted.kind, CallBackEnded.kind])
        call = select(owed.c.call).where(owed.c.id == obligation).scalar_subquery()
        query = (
            select(rows)
            .where(called_back, or_(rows.c.at >= instant_text(since), rows.c.call == call))
            .order_by(rows.c.call, rows.c.seq)
        )
        made = _dialled(to_records(await self._ledger.rows(query)))
        return [one for one in made if one.started >= since or one.obligation == obligation]

    # -- what changes ----------------------------------------------------------------

    async def news(self, mark: int) -> int:
        return await self._ledger.news.after(mark, self._written)

    async def _written(self) -> int:
        """Events and entries of the opt-out list have ever growing row ids, and rows go with
        them."""
        rowid: ColumnElement[int] = literal_column("rowid")
        latest = [
            select(func.coalesce(func.max(rowid), 0)).select_from(table).scalar_subquery()
            for table in (tables.events, tables.opt_outs)
        ]
        [(written,)] = await self._ledger.rows(select(latest[0] + latest[1]))
        return int(written)


def _queued(not_by: Collection[str], but: Collection[str]) -> ColumnElement[bool]:
    rows = tables.outbox.c
    queued = rows.state == ItemState.QUEUED.value
    if not_by:
        queued &= rows.channel.not_in(not_by)
    return queued & rows.key.not_in(but) if but else queued


def _dialled(records: Sequence[Record]) -> Sequence[Dialled]:
    """Each call back with its end. In the order of each call's record."""
    made: dict[tuple[str, int], Dialled] = {}
    for record in records:
        match record.event:
            case CallBackStarted(obligation=name, attempt=attempt, number=number):
                made[name, attempt] = Dialled(
                    obligation=name, number=number, started=record.at, ended=None
                )
            case CallBackEnded(obligation=name, attempt=attempt) if (name, attempt) in made:
                begun = made[name, attempt]
                made[name, attempt] = Dialled(
                    obligation=name, number=begun.number, started=begun.started, ended=record.at
                )
    return list(made.values())


@asynccontextmanager
async def open_desk(path: Path, clock: Clock) -> AsyncIterator[SqlFollowUp]:
    """For a command beside a running agent or without one: the ledger at `path`, made when
    there is none yet. Raises LedgerError.

    A ledger of another version is left alone: an agent may be working on it. Several
    processes may write: each append is one transaction that begins by taking the lock.
    """
    await asyncio.to_thread(make_ready, path)
    writer = Writer(path, writer_engine(path))
    readers = reader_engine(path)
    try:
        yield SqlFollowUp(SqlLedger(path, readers, writer, clock))
    finally:
        try:
            await writer.close()
        finally:
            await readers.dispose()
