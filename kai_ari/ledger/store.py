"""The ledger of a running agent: the reader's queries, and `append`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event, ObligationWritten
from kai_ari.clock import Clock
from kai_ari.followup.outbox import OutboxItem
from kai_ari.ledger.database import prepare, reader_engine, writer_engine
from kai_ari.ledger.faults import LedgerRefused
from kai_ari.ledger.news import News
from kai_ari.ledger.reader import LedgerReader
from kai_ari.ledger.writer import Append, Writer
from kai_ari.promises.obligation import Obligation
from kai_ari.promises.opt_out import OptOut


class SqlLedger(LedgerReader):
    """Implements `reception.ports.Ledger`. Made by `open_ledger`.

    `SqlFollowUp` is what is owed in it, for `followup`.
    """

    def __init__(self, path: Path, readers: AsyncEngine, writer: Writer, clock: Clock) -> None:
        super().__init__(path, readers)
        self._writer = writer
        self._clock = clock

    async def append(
        self, call: CallId, *events: Event, obligations: Sequence[Obligation] = ()
    ) -> None:
        """Write events and obligations in one transaction; durable on return.

        The instant of the events is when this was called. Whoever stops waiting does not
        undo the append. Raises LedgerError: nothing of it was written, except that after
        LedgerClosed it may have been.
        """
        if not events:
            raise LedgerRefused("an append needs at least one event")
        await self.submit(call, events, obligations=tuple(obligations))

    async def submit(
        self,
        call: CallId | None,
        events: tuple[Event, ...],
        *,
        obligations: tuple[Obligation, ...] = (),
        planned: tuple[OutboxItem, ...] = (),
        moved: OutboxItem | None = None,
        opt_outs: tuple[OptOut, ...] = (),
    ) -> None:
        """`append` with the rows that go with the events. Raises LedgerError."""
        if call is not None:
            _require_pairs(call, events, obligations)
        await self._writer.submit(
            Append(
                call=call,
                at=self._clock.now(),
                events=events,
                obligations=obligations,
                planned=planned,
                moved=moved,
                opt_outs=opt_outs,
            )
        )

    @property
    def news(self) -> News:
        return self._writer.news


@asynccontextmanager
async def open_ledger(path: Path, clock: Clock) -> AsyncIterator[SqlLedger]:
    """The ledger at `path`, made or migrated as needed; one process writes to it at a time.

    On leaving, every append that was asked for is written first. Raises LedgerError.
    """
    await asyncio.to_thread(prepare, path)
    writer = Writer(path, writer_engine(path))
    readers = reader_engine(path)
    try:
        yield SqlLedger(path, readers, writer, clock)
    finally:
        try:
            await writer.close()
        finally:
            await readers.dispose()


def _require_pairs(
    call: CallId, events: Sequence[Event], obligations: Sequence[Obligation]
) -> None:
    """An obligation and the event that says so are written together or not at all."""
    said = sorted(
        (event.obligation, event.owed) for event in events if isinstance(event, ObligationWritten)
    )
    owed = sorted((obligation.id, obligation.owed.value) for obligation in obligations)
    if said != owed:
        raise LedgerRefused(
            f"call {call}: each obligation needs its ObligationWritten in the same append"
            f" (events: {said}, obligations: {owed})"
        )
    if any(obligation.call != call for obligation in obligations):
        raise LedgerRefused(f"call {call}: an obligation names another call")
