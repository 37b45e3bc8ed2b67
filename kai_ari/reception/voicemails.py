"""Voicemails that the telephone system took without Kai, while Kai was away or after it had let
go of the caller: each gets a record of its own, and is owed like any other message."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls.call import named_call_id
from kai_ari.calls.events import EndedBy
from kai_ari.calls.voicemail import Voicemail
from kai_ari.clock import Clock
from kai_ari.errors import AsteriskError, LedgerError, MediaError, SpeechError
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about
from kai_ari.reception.ports import Ledger
from kai_ari.reception.record import CallRecord
from kai_ari.reception.voicemail import Archive

#: What lies there for longer, its owner knows of: it was there before Kai was.
MAX_AGE = timedelta(days=7)
#: After so many failures to fetch the sound, somebody is told of the message without it.
FETCH_ATTEMPTS = 3

_RECORDING = "voicemail"

_log = log.get("voicemails")


class VoicemailShelf(Protocol):
    async def fetch(self, message: Voicemail) -> bytes:
        """Its sound as a WAV file; it stays as it is, unheard. Raises AsteriskError, MediaError."""
        ...


class Voicemails:
    """`put_by_kai` names those that Kai itself has put into a mailbox since an instant; messages
    from `extensions` are between colleagues. `normalise` is as in `Asterisk`."""

    def __init__(
        self,
        *,
        shelf: VoicemailShelf,
        archive: Archive,
        ledger: Ledger,
        clock: Clock,
        put_by_kai: Callable[[datetime], Awaitable[frozenset[str]]],
        normalise: Callable[[str], str | None],
        extensions: frozenset[str],
    ) -> None:
        self._shelf = shelf
        self._archive = archive
        self._ledger = ledger
        self._clock = clock
        self._put_by_kai = put_by_kai
        self._normalise = normalise
        self._extensions = extensions
        self._known: set[str] = set()
        self._failures: dict[str, int] = {}

    async def collect(self, messages: Sequence[Voicemail]) -> None:
        """Take up those that are new and nobody's yet. Raises LedgerError, once all were tried."""
        self._known &= {message.id for message in messages}
        faults = []
        for message in messages:
            if message.id in self._known:
                continue
            try:
                if await self._is_news(message):
                    await self._take_up(message)
                else:
                    self._known.add(message.id)
            except LedgerError as error:  # its own record may be damaged
                faults.append(error)
        if faults:
            raise faults[0]

    async def _is_news(self, message: Voicemail) -> bool:
        if not message.new or message.caller_number in self._extensions:
            return False
        if self._clock.now() - message.left_at > MAX_AGE:
            return False
        return message.id not in await self._put_by_kai(message.left_at - MAX_AGE)

    async def _take_up(self, message: Voicemail) -> None:
        """Each step is looked up first: an earlier agent may have died between two of them."""
        call = named_call_id(message.left_at, f"{message.box} {message.id}")
        record = CallRecord(call, self._ledger, self._clock)
        record.history += await self._ledger.history(call)
        if not record.history:
            await record.note(*self._beginning(message))
        if not any(isinstance(event, ev.RecordingStored) for event in record.history):
            try:
                await self._store(record, message)
            except (AsteriskError, MediaError, SpeechError) as error:
                failures = self._failures[message.id] = self._failures.get(message.id, 0) + 1
                _log.warning("a voicemail was not fetched", extra=log.fields(error=str(error)))
                if failures < FETCH_ATTEMPTS:
                    return
                if not _told(record):  # by an earlier agent
                    await self._tell_without_sound(record, message, str(error))
        if not any(isinstance(event, ev.Ended) for event in record.history):
            stored = any(isinstance(event, ev.RecordingStored) for event in record.history)
            by = EndedBy.CALLER if stored else EndedBy.FAULT
            await record.note(ev.Ended(by=by, cause=None, reason="voicemail_without_kai"))
        self._known.add(message.id)
        self._failures.pop(message.id, None)
        _log.info("took up a voicemail left without Kai", extra=log.fields(of=call))

    def _beginning(self, message: Voicemail) -> tuple[ev.Event, ...]:
        raw = message.caller_number
        return (
            ev.Arrived(
                channel=f"voicemail {message.id}",
                did=message.box.partition("@")[0],
                caller_raw=raw,
                caller_name=message.caller_name,
                caller_number=self._normalise(raw) if raw else None,
                resumed_from=None,
            ),
            ev.VoicemailFound(
                mailbox=message.box,
                message=message.id,
                left_at=message.left_at.isoformat(),
                duration_ms=message.duration_s * 1000,
            ),
        )

    async def _store(self, record: CallRecord, message: Voicemail) -> None:
        wav = await self._shelf.fetch(message)
        if not any(isinstance(event, ev.RecordingFinished) for event in record.history):
            await record.note(
                ev.RecordingFinished(recording=_RECORDING, duration_ms=message.duration_s * 1000)
            )
        pcm = await self._archive.keep(record, _RECORDING, wav)
        if pcm is not None:
            await self._archive.transcribe(record, _RECORDING, pcm)

    async def _tell_without_sound(self, record: CallRecord, message: Voicemail, why: str) -> None:
        await record.note(ev.RecordingFailed(recording=_RECORDING, why=why))
        await record.owe(Owed.ALERT, {**about(record.history), "voicemail": message.box})


def _told(record: CallRecord) -> bool:
    return any(
        isinstance(event, ev.ObligationWritten) and event.owed == Owed.ALERT
        for event in record.history
    )
