"""Reading the ledger, also while another process writes to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record
from kai_ari.calls.events import Event
from kai_ari.ledger import tables
from kai_ari.ledger.database import reader_engine, require_current
from kai_ari.ledger.faults import FAULTS, explain
from kai_ari.ledger.projection import CallRow
from kai_ari.ledger.rows import StoredObligation, to_call_row, to_obligation, to_records
from kai_ari.ledger.verify import Break, breaks_of


class LedgerReader:
    """Queries. Every method raises LedgerError."""

    def __init__(self, path: Path, engine: AsyncEngine) -> None:
        self.path = path
        self._readers = engine

    async def records(self, call: CallId) -> Sequence[Record]:
        """The call's events with place, instant and hash, in order; empty when unknown."""
        return to_records(await self.rows(_events_of(call)))

    async def history(self, call: CallId) -> Sequence[Event]:
        return [record.event for record in await self.records(call)]

    async def open_calls(self) -> Sequence[CallId]:
        """Calls without an Ended event, oldest first."""
        calls = tables.calls.c
        query = select(calls.id).where(calls.ended_at.is_(None)).order_by(calls.started_at)
        return [CallId(row.id) for row in await self.rows(query)]

    async def calls(self, *, limit: int, prefix: str = "") -> Sequence[CallRow]:
        """The latest calls whose id starts with `prefix`, newest first."""
        columns = tables.calls.c
        query = (
            select(tables.calls)
            .where(columns.id.startswith(prefix, autoescape=True))
            .order_by(columns.started_at.desc(), columns.id.desc())
            .limit(limit)
        )
        return [to_call_row(row) for row in await self.rows(query)]

    async def obligations(self, call: CallId | None = None) -> Sequence[StoredObligation]:
        """What is owed, to one call's caller or to all, oldest first."""
        columns = tables.obligations.c
        query = select(tables.obligations).order_by(columns.since, columns.id)
        if call is not None:
            query = query.where(columns.call == call)
        return [to_obligation(row) for row in await self.rows(query)]

    async def verify(self) -> Sequence[Break]:
        """Every place where the record contradicts itself; empty when it holds.

        Reads one state of the whole ledger, a call at a time.
        """
        async with self._connection() as connection:
            listed = (await connection.execute(select(tables.calls))).all()
            out = await connection.execute(select(tables.opt_outs.c.number).distinct())
            numbers = frozenset(out.scalars())
            found: list[Break] = []
            for row in listed:
                events = (await connection.execute(_events_of(row.id))).all()
                owed = (await connection.execute(_rows_of(tables.obligations, row.id))).all()
                outbox = (await connection.execute(_rows_of(tables.outbox, row.id))).all()
                found += breaks_of(to_call_row(row), events, owed, outbox, numbers)
            return found

    async def rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        async with self._connection() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return rows

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._readers.connect() as connection:
                yield connection
        except FAULTS as error:
            raise explain(error, self.path) from error


@asynccontextmanager
async def open_reader(path: Path) -> AsyncIterator[LedgerReader]:
    """The ledger at `path`, read-only: it is neither made nor migrated. Raises LedgerError."""
    await asyncio.to_thread(require_current, path)
    engine = reader_engine(path)
    try:
        yield LedgerReader(path, engine)
    finally:
        await engine.dispose()


def _events_of(call: str) -> Select[Any]:
    columns = tables.events.c
    return select(tables.events).where(columns.call == call).order_by(columns.seq)


def _rows_of(table: Table, call: str) -> Select[Any]:
    return select(table).where(table.c.call == call)
