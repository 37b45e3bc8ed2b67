"""A recorded message: proven by RecordingFinished, checked, stored, and owed to somebody."""

import asyncio
from dataclasses import dataclass, replace

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls.outcome import is_message
from kai_ari.dialogue.turns import Saved
from kai_ari.errors import AsteriskError, LedgerError, SpeechError
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about
from kai_ari.reception.hold import hold_while
from kai_ari.reception.inbox import Inbox
from kai_ari.reception.left import CallerLeft
from kai_ari.reception.ports import (
    CallerGone,
    Key,
    LiveCall,
    RecordingBroken,
    RecordingDone,
    Recordings,
    Speech,
    duration_ms,
)
from kai_ari.reception.record import CallRecord
from kai_ari.reception.scene import Item, Scene

_log = log.get("voicemail")

#: Silence that ends a recording for a caller who forgot the hash key.
MAX_SILENCE_S = 5

#: A caller who hangs up ends the recording; Asterisk reports it within milliseconds.
LAST_WORD_S = 5.0

#: Waits before fetching a recording again. What cannot be fetched or kept stays with Asterisk, and
#: is collected when the call is over (see takeover).
FETCH_AGAIN_S = (0.5, 2.0)

#: A caller who waits for it is not kept any longer by one fetching.
FETCH_S = 10.0

#: Asterisk tells that a recording is over a moment before it lets its channel into a bridge.
REJOIN_AGAIN_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Where recordings of any call are checked and kept."""

    recordings: Recordings
    speech: Speech

    async def keep(self, record: CallRecord, recording: str, wav: bytes) -> bytes | None:
        """Store a finished recording; its audio when it is a message, which is then owed.

        Raises SpeechError, LedgerError.
        """
        pcm = await asyncio.to_thread(self.speech.decode_wav, wav)
        voiced_ms = await asyncio.to_thread(self.speech.voiced_ms, pcm)
        file, sha256 = await self.recordings.store(f"{record.call}-{recording}.wav", wav)
        stored = ev.RecordingStored(
            recording=recording,
            file=file,
            sha256=sha256,
            duration_ms=duration_ms(pcm),
            voiced_ms=voiced_ms,
        )
        if not is_message(stored):
            await record.note(stored)
            return None
        known = about([*record.history, stored])
        await record.owe(Owed.DELIVER_MESSAGE, known, first=[stored], recording=recording)
        return pcm

    async def transcribe(self, record: CallRecord, recording: str, pcm: bytes) -> None:
        """Put words to what was stored. The message stands without them: a failure is noted."""
        recognizer = self.speech.recognizer
        try:
            parts = [
                await recognizer.transcribe(utterance)
                for utterance in await asyncio.to_thread(self.speech.utterances, pcm)
            ]
        except SpeechError as error:
            await record.note(
                ev.EngineFailed(part="recognizer", engine="all", error=str(error), instead=None)
            )
            return
        await record.note_faults([fault for part in parts for fault in part.faults])
        await record.note(
            ev.RecordingTranscribed(
                recording=recording,
                text=" ".join(part.text for part in parts if part.text),
                engine=parts[-1].engine if parts else "none",
            )
        )


class Voicemail:
    """The recordings of one live call."""

    def __init__(self, *, call: LiveCall, record: CallRecord, archive: Archive, max_s: int) -> None:
        self._call = call
        self._record = record
        self._archive = archive
        self._max_s = max_s
        self._taken = 0
        self._zero = False  # was pressed to end the recording
        self.not_kept = False  # what was recorded last, which the caller has to be told
        self._untranscribed: list[tuple[str, bytes]] = []

    async def take(self, scene: Scene, *, zero_ends: bool) -> Saved:
        """Record once; whether a message now stands. With `zero_ends` that key ends it, for a
        caller who wants a person.

        Who did not leave is back with Kai then, whatever went wrong, and hears music if keeping
        it takes long. Raises CallerLeft and MediaError when it is kept, AsteriskError when they
        could not be brought back, and LedgerError before they are taken away.
        """
        self._taken += 1
        recording = f"message{self._taken}"
        await self._record.note(ev.RecordingStarted(recording=recording))
        try:
            await self._call.start_recording(
                recording, max_s=self._max_s, max_silence_s=MAX_SILENCE_S
            )
        except AsteriskError as error:
            await self._note_failure(recording, str(error))
            await self._call.rejoin()
            return Saved(ok=False, failed=True)
        self._zero = False
        done, gone = await self._wait(recording, scene.inbox, zero_ends=zero_ends)
        if gone is not None:
            await self._keep(recording, done, limit_s=None)
            raise CallerLeft(gone)
        try:
            await self._rejoin()
        except AsteriskError:
            await self._keep(recording, done, limit_s=FETCH_S)
            raise
        saved = await hold_while(scene, self._keep(recording, done, limit_s=FETCH_S))
        return replace(saved, wants_human=self._zero)

    async def _rejoin(self) -> None:
        try:
            await self._call.rejoin()
        except AsteriskError as error:
            _log.warning("not back from a recording yet", extra=log.fields(error=str(error)))
            await asyncio.sleep(REJOIN_AGAIN_S)
            await self._call.rejoin()

    async def _wait(
        self, recording: str, inbox: Inbox[Item], *, zero_ends: bool
    ) -> tuple[RecordingDone | RecordingBroken, CallerGone | None]:
        gone: CallerGone | None = None
        limit: float = self._max_s + 30
        while True:
            try:
                async with asyncio.timeout(LAST_WORD_S if gone else limit):
                    item = await inbox.take()
            except TimeoutError:
                why = "Asterisk did not report its end"
                return RecordingBroken(recording=recording, why=why), gone
            match item:
                case CallerGone():
                    gone = item
                case Key(key="0") if zero_ends and not self._zero:
                    self._zero = True
                    await self._end_for_a_person(recording)
                case RecordingDone() | RecordingBroken() if item.recording == recording:
                    return item, gone

    async def _end_for_a_person(self, recording: str) -> None:
        """If it cannot be ended, hash and silence still can."""
        try:
            await self._record.note(ev.KeyPressed(key="0"))
            await self._call.end_recording(recording)
        except (AsteriskError, LedgerError) as error:
            _log.warning("a recording was not ended", extra=log.fields(error=str(error)))

    async def _keep(
        self, recording: str, done: RecordingDone | RecordingBroken, *, limit_s: float | None
    ) -> Saved:
        """Fetch and store; Asterisk's own copy goes last, when nothing can be lost any more."""
        if isinstance(done, RecordingBroken):
            await self._note_failure(recording, done.why)
            return Saved(ok=False, failed=True)
        finished = ev.RecordingFinished(recording=recording, duration_ms=done.duration_ms)
        try:
            await self._record.note(finished)
            wav = await self._fetch(recording, limit_s)
            pcm = await self._archive.keep(self._record, recording, wav)
        except AsteriskError as error:
            await self._note_failure(recording, f"not fetched yet: {error}")
            return Saved(ok=False, failed=True)
        except (LedgerError, SpeechError) as error:
            self.not_kept = True
            await self._note_failure(recording, f"not kept yet: {error}")
            return Saved(ok=False, not_kept=True)
        try:
            await self._call.delete_recording(recording)
        except AsteriskError as error:
            _log.warning("a stored recording stays in Asterisk", extra=log.fields(error=str(error)))
        if pcm is None:
            return Saved(ok=False)
        self._untranscribed.append((recording, pcm))
        return Saved(ok=True)

    async def _note_failure(self, recording: str, why: str) -> None:
        """The caller is outside: without a record of it, too, they have to come back to Kai."""
        _log.warning("a recording failed", extra=log.fields(error=why))
        try:
            await self._record.note(ev.RecordingFailed(recording=recording, why=why))
        except LedgerError as error:
            _log.error("this is not on record", extra=log.fields(error=str(error)))

    async def _fetch(self, recording: str, limit_s: float | None) -> bytes:
        for wait_s in FETCH_AGAIN_S:
            try:
                return await self._fetch_once(recording, limit_s)
            except AsteriskError as error:
                _log.warning("a recording was not fetched", extra=log.fields(error=str(error)))
                await asyncio.sleep(wait_s)
        return await self._fetch_once(recording, limit_s)

    async def _fetch_once(self, recording: str, limit_s: float | None) -> bytes:
        try:
            async with asyncio.timeout(limit_s):
                return await self._call.fetch_recording(recording)
        except TimeoutError:
            raise AsteriskError(f"it was not here within {limit_s} s") from None

    async def transcribe(self) -> None:
        for recording, pcm in self._untranscribed:
            await self._archive.transcribe(self._record, recording, pcm)
        self._untranscribed.clear()
