"""Recordings are deleted when their days are over, and the record of their call says so.

What was owed with a recording has to be done first: until then its sound stays. Words are part
of the hash chain of the call and cannot be taken out of it.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from kai_ari import log
from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record
from kai_ari.calls.events import Event, ObligationWritten, RecordingStored
from kai_ari.calls.follow_events import RecordingDeleted
from kai_ari.clock import Clock
from kai_ari.errors import LedgerError
from kai_ari.followup.ports import Desk
from kai_ari.promises.standing import State, standing

_EVERY_S = 86_400.0

_log = log.get("retention")


class RecordingFiles(Protocol):
    """The files of recordings, each named `CALL-...`. Raises LedgerError."""

    async def names(self) -> Sequence[str]: ...

    async def delete(self, name: str) -> None:
        """Idempotent."""
        ...


class Retention:
    """`days` after a recording was stored it is deleted."""

    def __init__(self, *, desk: Desk, files: RecordingFiles, days: int, clock: Clock) -> None:
        self._desk = desk
        self._files = files
        self._days = days
        self._clock = clock

    async def run(self) -> None:
        """Every day, until cancelled."""
        while True:
            try:
                deleted = await self.once()
                _log.info("old recordings deleted", extra=log.fields(count=deleted))
            except LedgerError as error:
                _log.error("old recordings not deleted", extra=log.fields(error=str(error)))
            await asyncio.sleep(_EVERY_S)

    async def once(self) -> int:
        """How many were deleted. Raises LedgerError when they cannot be listed."""
        before = self._clock.now() - timedelta(days=self._days)
        deleted = 0
        for name in await self._files.names():
            try:
                deleted += await self._delete(name, before)
            except LedgerError as error:  # of its own call only, as far as is known
                why = log.fields(of=name, error=str(error))
                _log.error("a recording cannot be looked at", extra=why)
        return deleted

    async def _delete(self, name: str, before: datetime) -> bool:
        """Whether it was deleted, being older."""
        call = CallId(name.partition("-")[0])
        records = await self._desk.records(call)
        recording = _over(records, name, before)
        if recording is None:
            return False
        if not any(isinstance(r.event, RecordingDeleted) for r in records if _is(r, recording)):
            why = f"older than {self._days} days (keep.recordings)"
            await self._desk.note(call, RecordingDeleted(recording=recording, why=why))
        await self._files.delete(name)
        return True


def _is(record: Record, recording: str) -> bool:
    return getattr(record.event, "recording", None) == recording


def _over(records: Sequence[Record], file: str, before: datetime) -> str | None:
    """The recording in `file`, when it may go: old enough, and nothing is owed with it."""
    history = [record.event for record in records]
    for record in records:
        event = record.event
        if isinstance(event, RecordingStored) and event.file == file and record.at < before:
            return None if _owed(history) else event.recording
    return None


def _owed(history: Sequence[Event]) -> bool:
    """Whether anything of the call is still to be done, or was not."""
    owed = [event.obligation for event in history if isinstance(event, ObligationWritten)]
    standings = [standing(history, obligation) for obligation in owed]
    return any(now is not None and now.state in (State.OPEN, State.BROKEN) for now in standings)
