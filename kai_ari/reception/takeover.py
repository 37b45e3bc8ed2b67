"""After a crash: what an earlier agent left open is closed, and what it left behind collected;
as is what a call of this agent's had to leave behind, or could not write."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy
from kai_ari.clock import Clock
from kai_ari.errors import AsteriskError, KaiError, LedgerError, SpeechError
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about
from kai_ari.reception.ports import Ledger, RecordingShelf, duration_ms
from kai_ari.reception.record import CallRecord
from kai_ari.reception.voicemail import Archive
from kai_ari.reception.wrap_up import conclude

#: How often Asterisk is asked for what was left, besides after each connection.
COLLECT_EVERY_S = 60.0
#: After so many refusals to give a recording out, somebody is told of it.
FETCH_ATTEMPTS = 3

_Left = tuple[CallId, str]  # its call, and the name that the call gave it

_log = log.get("takeover")


async def close_abandoned(ledger: Ledger, clock: Clock) -> Mapping[str, CallId]:
    """Close every open call as what its evidence says; the calls by their callers' channels.

    A caller who is still there is served anew, and the new call names the old one. One whose
    record is damaged stays open, and is told of at each start. Raises LedgerError.
    """
    by_channel: dict[str, CallId] = {}
    for call in await ledger.open_calls():
        try:
            record = await _record_of(call, ledger, clock)
        except LedgerError as error:
            if error.retryable:
                raise
            fields = log.fields(of=call, error=str(error))
            _log.error("a call that an earlier agent left open stays open", extra=fields)
            continue
        for event in record.history:
            if isinstance(event, ev.Arrived):
                by_channel[event.channel] = call
        await conclude(record, ev.Ended(by=EndedBy.FAULT, cause=None, reason="agent_died"))
        _log.warning("closed a call that an earlier agent left open", extra=log.fields(of=call))
    return by_channel


class LeftRecordings:
    """Stores what Asterisk still holds of ended calls, owes it to somebody, and clears it away;
    and writes the endings that were not taken when their calls were over, `unwritten`.

    Asterisk lists a recording as stored only when it is finished, which is the evidence. One that
    fails keeps no other waiting: it stays where it is, and is tried again.
    """

    def __init__(
        self,
        archive: Archive,
        ledger: Ledger,
        clock: Clock,
        unwritten: dict[CallId, ev.Ended],
    ) -> None:
        self._archive = archive
        self._ledger = ledger
        self._clock = clock
        self._unwritten = unwritten
        self._shelf: RecordingShelf | None = None
        self._settled = asyncio.Event()
        self._busy = asyncio.Lock()  # two at once would owe the same message twice
        self._refusals: Counter[_Left] = Counter()
        self._told: dict[_Left | None, str] = {}

    async def settled(self, shelf: RecordingShelf) -> None:
        """Asterisk can be asked, and no event of before is outstanding: look at once."""
        self._shelf = shelf
        self._settled.set()

    async def run(self) -> None:
        """Until cancelled: after each connection, and now and then for what a call left behind."""
        while True:
            try:
                async with asyncio.timeout(COLLECT_EVERY_S):
                    await self._settled.wait()
            except TimeoutError:
                pass
            self._settled.clear()
            await self.once()

    async def once(self) -> None:
        """Try all that is left now. Each failure is logged once, however often it is met."""
        async with self._busy:
            await self.conclude()
            if self._shelf is not None:
                await self._collect_from(self._shelf)

    async def conclude(self) -> None:
        """Write the endings again. What is owed is found by the record as it is now: a recording
        may have been kept since."""
        for call, ended in tuple(self._unwritten.items()):
            try:
                await self._end(await _record_of(call, self._ledger, self._clock), ended)
            except Exception as error:  # noqa: BLE001 - the others are to be written all the same
                fault = None if isinstance(error, KaiError) else error
                told = log.fields(of=call, error=str(error))
                _log.warning("an ending is not written yet", exc_info=fault, extra=told)

    async def _end(self, record: CallRecord, ended: ev.Ended) -> None:
        if not any(isinstance(event, ev.Ended) for event in record.history):
            await conclude(record, ended)
        self._unwritten.pop(record.call, None)

    async def _collect_from(self, shelf: RecordingShelf) -> None:
        try:
            left = await shelf.left_recordings()
        except AsteriskError as error:
            self._tell(None, str(error))
            return
        self._told = {what: why for what, why in self._told.items() if what in left}
        for call, recording in left:
            try:
                await self._collect(shelf, call, recording)
            except Exception as error:  # noqa: BLE001 - the others are to be kept all the same
                fault = None if isinstance(error, KaiError) else error
                self._tell((call, recording), str(error), fault)

    async def _collect(self, shelf: RecordingShelf, call: CallId, recording: str) -> None:
        record = await _record_of(call, self._ledger, self._clock)
        if not record.history:
            self._tell((call, recording), "it is of a call that is not on record here")
            return
        if not _has(record, ev.RecordingStored, recording):
            await self._keep(shelf, record, recording)
        # What had no room for the message had none for the ending: now nobody waits for it.
        unknown = ev.Ended(by=EndedBy.FAULT, cause=None, reason="ending_not_written")
        await self._end(record, self._unwritten.get(call, unknown))
        await shelf.delete_left(call, recording)

    async def _keep(self, shelf: RecordingShelf, record: CallRecord, recording: str) -> None:
        try:
            wav = await shelf.fetch_left(record.call, recording)
        except AsteriskError as error:
            await self._refused(record, recording, error)
            raise
        try:
            pcm = await asyncio.to_thread(self._archive.speech.decode_wav, wav)
        except SpeechError as error:
            await self._set_aside(record, recording, wav, error)
            return
        if not _has(record, ev.RecordingFinished, recording):
            finished = ev.RecordingFinished(recording=recording, duration_ms=duration_ms(pcm))
            await record.note(finished)
        message = await self._archive.keep(record, recording, wav)
        _log.warning("collected a recording left in Asterisk", extra=log.fields(of=record.call))
        if message is not None:
            await self._archive.transcribe(record, recording, message)

    async def _set_aside(
        self, record: CallRecord, recording: str, wav: bytes, error: SpeechError
    ) -> None:
        """Nobody can hear it: what there is of it is kept as it is, and somebody is told."""
        file, sha256 = await self._archive.recordings.store(f"{record.call}-{recording}.wav", wav)
        stored = ev.RecordingStored(
            recording=recording, file=file, sha256=sha256, duration_ms=0, voiced_ms=0
        )
        await _owe_alert(record, recording, f"its audio cannot be read: {error}", stored)
        _log.error("a recording cannot be read", extra=log.fields(of=record.call, error=str(error)))

    async def _refused(self, record: CallRecord, recording: str, error: AsteriskError) -> None:
        """Somebody is told of what Asterisk will not give out; it may do so later all the same."""
        if error.retryable:
            return
        self._refusals[record.call, recording] += 1
        told = any(
            isinstance(e, ev.ObligationWritten)
            and e.owed == Owed.ALERT
            and e.recording == recording
            for e in record.history
        )
        if self._refusals[record.call, recording] >= FETCH_ATTEMPTS and not told:
            await _owe_alert(record, recording, f"Asterisk does not give it out: {error}")

    def _tell(self, what: _Left | None, why: str, fault: Exception | None = None) -> None:
        if self._told.get(what) == why:
            return
        self._told[what] = why
        _log.warning(
            "what is left in Asterisk is not collected yet",
            exc_info=fault,
            extra=log.fields(of=what and what[0], error=why),
        )


async def _owe_alert(record: CallRecord, recording: str, why: str, *before: ev.Event) -> None:
    failed = ev.RecordingFailed(recording=recording, why=why)
    known = about(record.history)
    await record.owe(Owed.ALERT, known, first=[*before, failed], recording=recording)


def _has(
    record: CallRecord, kind: type[ev.RecordingStored] | type[ev.RecordingFinished], recording: str
) -> bool:
    return any(isinstance(e, kind) and e.recording == recording for e in record.history)


async def _record_of(call: CallId, ledger: Ledger, clock: Clock) -> CallRecord:
    record = CallRecord(call, ledger, clock)
    record.history += await ledger.history(call)
    return record
