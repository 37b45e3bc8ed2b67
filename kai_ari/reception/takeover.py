"""After a crash: what an earlier agent left open is closed, and what it left behind collected."""

import asyncio
from collections.abc import Mapping

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy
from kai_ari.clock import Clock
from kai_ari.reception.ports import Ledger, RecordingShelf, duration_ms
from kai_ari.reception.record import CallRecord
from kai_ari.reception.voicemail import Archive
from kai_ari.reception.wrap_up import conclude

_log = log.get("takeover")


async def close_abandoned(ledger: Ledger, clock: Clock) -> Mapping[str, CallId]:
    """Close every open call as what its evidence says; the calls by their callers' channels.

    A caller who is still there is served anew, and the new call names the old one.
    """
    by_channel: dict[str, CallId] = {}
    for call in await ledger.open_calls():
        record = await _record_of(call, ledger, clock)
        for event in record.history:
            if isinstance(event, ev.Arrived):
                by_channel[event.channel] = call
        await conclude(record, ev.Ended(by=EndedBy.FAULT, cause=None, reason="agent_died"))
        _log.warning("closed a call that an earlier agent left open", extra=log.fields(of=call))
    return by_channel


async def collect_recordings(
    shelf: RecordingShelf, archive: Archive, ledger: Ledger, clock: Clock
) -> None:
    """Store what Asterisk still holds of ended calls, owe it to somebody, and clear the shelf.

    Asterisk lists a recording as stored only when it is finished, which is the evidence.
    """
    for call, recording in await shelf.left_recordings():
        record = await _record_of(call, ledger, clock)
        if not record.history:
            _log.warning("left a recording of a call that is not ours", extra=log.fields(of=call))
            continue
        if not any(
            isinstance(event, ev.RecordingStored) and event.recording == recording
            for event in record.history
        ):
            await _collect(shelf, archive, record, recording)
        await shelf.delete_left(call, recording)


async def _collect(
    shelf: RecordingShelf, archive: Archive, record: CallRecord, recording: str
) -> None:
    wav = await shelf.fetch_left(record.call, recording)
    if not any(
        isinstance(event, ev.RecordingFinished) and event.recording == recording
        for event in record.history
    ):
        pcm = await asyncio.to_thread(archive.speech.decode_wav, wav)
        finished = ev.RecordingFinished(recording=recording, duration_ms=duration_ms(pcm))
        await record.note(finished)
    message = await archive.keep(record, recording, wav)
    _log.warning("collected a recording left in Asterisk", extra=log.fields(of=record.call))
    if message is not None:
        await archive.transcribe(record, recording, message)


async def _record_of(call: CallId, ledger: Ledger, clock: Clock) -> CallRecord:
    record = CallRecord(call, ledger, clock)
    record.history += await ledger.history(call)
    return record
