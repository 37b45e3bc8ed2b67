"""One task writes; appends that wait together share one commit.

A commit costs one flush to the disk (about 1 ms here; see `_write_batch`), whatever is in
it, so calls that append at the same moment do not queue for the disk one by one. A batch
that fails is written again append by append, so that a bad one fails alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kai_ari import log
from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record, seal
from kai_ari.calls.events import Arrived, Ended, Event
from kai_ari.ledger import tables
from kai_ari.ledger.faults import FAULTS, LedgerClosed, explain
from kai_ari.ledger.projection import project
from kai_ari.ledger.rows import event_values, obligation_values, to_records
from kai_ari.promises.obligation import Obligation

_log = log.get("ledger")

#: Appends that may wait; past it, whoever appends waits for a place.
_QUEUE = 1024
_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Append:
    call: CallId
    at: datetime
    events: tuple[Event, ...]
    obligations: tuple[Obligation, ...]
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Writer:
    def __init__(self, path: Path, engine: AsyncEngine) -> None:
        self._path = path
        self._engine = engine
        self._queue: asyncio.Queue[Append | None] = asyncio.Queue(_QUEUE)
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="ledger writer")

    async def submit(self, append: Append) -> None:
        """Returns when `append` is on the disk. Raises LedgerError."""
        if self._closed:
            raise self._closing()
        await self._queue.put(append)
        if self._task.done():
            raise self._closing()
        await append.done

    async def close(self) -> None:
        """Write what waits, then stop."""
        if not self._closed:
            self._closed = True
            await self._queue.put(None)
        await self._task

    async def _run(self) -> None:
        batch: list[Append] = []
        try:
            while batch := await self._next_batch():
                await self._write(batch)
        finally:
            waiting = [*batch, *self._waiting()]
            for append in waiting:
                self._settle(append, self._closing())

    async def _next_batch(self) -> list[Append]:
        """What waits, at least one; empty when closing."""
        first = await self._queue.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < _BATCH and not self._queue.empty():
            following = self._queue.get_nowait()
            if following is None:
                self._queue.put_nowait(None)
                break
            batch.append(following)
        return batch

    def _waiting(self) -> list[Append]:
        waiting = []
        while not self._queue.empty():
            append = self._queue.get_nowait()
            if append is not None:
                waiting.append(append)
        return waiting

    async def _write(self, batch: Sequence[Append]) -> None:
        try:
            await self._write_batch(batch)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for it
            if len(batch) > 1:
                for append in batch:
                    await self._write([append])
                return
            self._settle(batch[0], self._refusal(error, batch[0]))
        else:
            for append in batch:
                self._settle(append, None)

    def _refusal(self, error: Exception, append: Append) -> Exception:
        refusal = explain(error, self._path) if isinstance(error, FAULTS) else error
        kinds = ",".join(event.kind for event in append.events)
        _log.error("append failed", extra=log.fields(of=append.call, kinds=kinds, error=refusal))
        return refusal

    @staticmethod
    def _settle(append: Append, error: Exception | None) -> None:
        if append.done.done():
            return  # whoever waited was cancelled
        if error is None:
            append.done.set_result(None)
        else:
            append.done.set_exception(error)

    def _closing(self) -> LedgerClosed:
        return LedgerClosed(f"{self._path}: Kai is stopping; the append may not be written")

    async def _write_batch(self, batch: Sequence[Append]) -> None:
        async with self._engine.begin() as connection:
            for append in batch:
                await _write_append(connection, append)


async def _write_append(connection: AsyncConnection, append: Append) -> None:
    """Chain the events behind those the call has, and bring its row in `calls` up to date."""
    calls = tables.calls
    found = await connection.execute(
        select(calls.c.length, calls.c.head, calls.c.ended_at).where(calls.c.id == append.call)
    )
    listed = found.one_or_none()
    length, head = (listed.length, listed.head) if listed else (0, "")
    records: list[Record] = []
    for place, event in enumerate(append.events, start=length + 1):
        records.append(seal(append.call, place, append.at.astimezone(UTC), event, head))
        head = records[-1].hash

    if listed is None:
        await connection.execute(insert(calls).values(asdict(project(records))))
    elif listed.ended_at or any(isinstance(e, Arrived | Ended) for e in append.events):
        earlier = await connection.execute(
            select(tables.events)
            .where(tables.events.c.call == append.call)
            .order_by(tables.events.c.seq)
        )
        row = asdict(project([*to_records(earlier.all()), *records]))
        await connection.execute(update(calls).where(calls.c.id == append.call).values(row))
    else:
        await connection.execute(
            update(calls).where(calls.c.id == append.call).values(length=records[-1].seq, head=head)
        )
    await connection.execute(insert(tables.events), [event_values(record) for record in records])
    if append.obligations:
        await connection.execute(
            insert(tables.obligations), [obligation_values(o) for o in append.obligations]
        )
