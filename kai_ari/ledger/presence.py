"""Who is away until when: written by the command line or by the agent, read by both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from kai_ari.ledger.database import make_ready, reader_engine, writer_engine
from kai_ari.ledger.faults import FAULTS, LedgerCorrupt, explain
from kai_ari.ledger.tables import presence as table
from kai_ari.people.presence import Presence, PresenceBook


class SqlPresence:
    """Implements `reception.feature_codes.PresenceKeeper`. Made by `open_presence`."""

    def __init__(self, path: Path, readers: AsyncEngine, writer: Engine) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    async def say(self, presence: Presence) -> None:
        """Durable on return. Raises LedgerError."""
        await asyncio.to_thread(self._insert, presence)

    async def latest(self) -> PresenceBook:
        """What each person said last. Raises LedgerError."""
        newest = select(func.max(table.c.id)).group_by(table.c.person)
        try:
            async with self._readers.connect() as connection:
                rows = (await connection.execute(select(table).where(table.c.id.in_(newest)))).all()
        except FAULTS as error:
            raise explain(error, self._path) from error
        return {row.person: _to_presence(row) for row in rows}

    def _insert(self, presence: Presence) -> None:
        values = {
            "person": presence.person,
            "away": presence.away,
            "at": presence.at.isoformat(),
            "until": presence.until.isoformat() if presence.until else None,
            "note": presence.note,
            "how": presence.how,
        }
        try:
            with self._writer.begin() as connection:
                connection.execute(insert(table).values(values))
        except FAULTS as error:
            raise explain(error, self._path) from error


@asynccontextmanager
async def open_presence(path: Path) -> AsyncIterator[SqlPresence]:
    """In the ledger at `path`, made when there is none yet. Raises LedgerError.

    A ledger of another version is left alone: an agent may be working on it.
    """
    await asyncio.to_thread(make_ready, path)
    readers, writer = reader_engine(path), writer_engine(path)
    try:
        yield SqlPresence(path, readers, writer)
    finally:
        writer.dispose()
        await readers.dispose()


def _to_presence(row: Row[Any]) -> Presence:
    try:
        return Presence(
            person=row.person,
            away=row.away,
            at=datetime.fromisoformat(row.at),
            until=datetime.fromisoformat(row.until) if row.until else None,
            note=row.note,
            how=row.how,
        )
    except (ValueError, TypeError) as error:
        raise LedgerCorrupt(f"presence {row.id}: the row is damaged ({error})") from error
