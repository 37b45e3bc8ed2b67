"""The record of one call: written through to the ledger, and kept for the guard to read."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from kai_ari.calls.call import CallId
from kai_ari.calls.events import EngineFailed, Event, ObligationWritten
from kai_ari.clock import Clock
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.reception.ports import EngineFault, Ledger


class CallRecord:
    def __init__(self, call: CallId, ledger: Ledger, clock: Clock) -> None:
        self.call = call
        self.history: list[Event] = []
        self._ledger = ledger
        self._clock = clock

    async def note(self, *events: Event) -> None:
        """Write facts; they are durable on return. Raises LedgerError."""
        await self._write(events)

    async def owe(
        self,
        owed: Owed,
        about: dict[str, str],
        *,
        first: Sequence[Event] = (),
        then: Sequence[Event] = (),
        recording: str | None = None,
    ) -> None:
        """Write an obligation between the events around it, all or nothing."""
        obligation = Obligation(
            id=uuid4().hex[:16], call=self.call, owed=owed, since=self._clock.now(), about=about
        )
        written = ObligationWritten(
            obligation=obligation.id, owed=obligation.owed.value, recording=recording
        )
        await self._write((*first, written, *then), (obligation,))

    async def note_faults(self, faults: Sequence[EngineFault]) -> None:
        if faults:
            await self.note(
                *(
                    EngineFailed(part=f.part, engine=f.engine, error=f.error, instead=f.instead)
                    for f in faults
                )
            )

    async def _write(self, events: Sequence[Event], owed: Sequence[Obligation] = ()) -> None:
        """Who stops waiting does not undo an append: it is waited for, so that what follows is
        decided by all that is written."""
        writing = asyncio.create_task(self._append(events, owed), name="write")
        cancelled: asyncio.CancelledError | None = None
        while not writing.done():
            try:
                await asyncio.wait({writing})
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is None:
            return writing.result()
        if not writing.cancelled():
            writing.exception()  # said by the ledger; nobody here waits for it
        raise cancelled

    async def _append(self, events: Sequence[Event], owed: Sequence[Obligation]) -> None:
        await self._ledger.append(self.call, *events, obligations=owed)
        self.history += events
