"""A recorded message: proven by RecordingFinished, checked, stored, and owed to somebody."""

import asyncio
from typing import Any

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls.outcome import MIN_MESSAGE_MS, MIN_VOICED_MS
from kai_ari.errors import AsteriskError, SpeechError
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about
from kai_ari.reception.inbox import Inbox
from kai_ari.reception.ports import (
    CallerGone,
    LiveCall,
    RecordingBroken,
    RecordingDone,
    Recordings,
    Speech,
    duration_ms,
)
from kai_ari.reception.record import CallRecord

_log = log.get("voicemail")

#: Silence that ends a recording for a caller who forgot the hash key.
MAX_SILENCE_S = 5

#: A caller who hangs up ends the recording; Asterisk reports it within milliseconds.
LAST_WORD_S = 5.0


class Voicemail:
    def __init__(
        self,
        *,
        call: LiveCall,
        record: CallRecord,
        recordings: Recordings,
        speech: Speech,
        max_s: int,
    ) -> None:
        self._call = call
        self._record = record
        self._recordings = recordings
        self._speech = speech
        self._max_s = max_s
        self._taken = 0
        self._untranscribed: list[tuple[str, bytes]] = []

    async def take(self, inbox: Inbox[Any]) -> tuple[bool, CallerGone | None]:
        """Record once. Whether a message now stands, and who left while it was recorded."""
        self._taken += 1
        recording = f"message{self._taken}"
        await self._record.note(ev.RecordingStarted(recording=recording))
        try:
            await self._call.start_recording(
                recording, max_s=self._max_s, max_silence_s=MAX_SILENCE_S
            )
        except AsteriskError as error:
            await self._record.note(ev.RecordingFailed(recording=recording, why=str(error)))
            return False, None
        done, gone = await self._wait(recording, inbox)
        stands = await self._keep(recording, done)
        if gone is None:
            await self._call.rejoin()
        return stands, gone

    async def _wait(
        self, recording: str, inbox: Inbox[Any]
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
                case RecordingDone() | RecordingBroken() if item.recording == recording:
                    return item, gone

    async def _keep(self, recording: str, done: RecordingDone | RecordingBroken) -> bool:
        """Fetch, check and store; the obligation is written only for a message."""
        if isinstance(done, RecordingBroken):
            await self._record.note(ev.RecordingFailed(recording=recording, why=done.why))
            return False
        await self._record.note(
            ev.RecordingFinished(recording=recording, duration_ms=done.duration_ms)
        )
        wav = await self._call.fetch_recording(recording)
        pcm = await asyncio.to_thread(self._speech.decode_wav, wav)
        voiced = await asyncio.to_thread(self._speech.voiced_ms, pcm)
        file, sha256 = await self._recordings.store(f"{self._record.call}-{recording}.wav", wav)
        stored = ev.RecordingStored(
            recording=recording,
            file=file,
            sha256=sha256,
            duration_ms=duration_ms(pcm),
            voiced_ms=voiced,
        )
        await self._record.note(stored)
        await self._call.delete_recording(recording)
        if stored.duration_ms < MIN_MESSAGE_MS or stored.voiced_ms < MIN_VOICED_MS:
            return False
        await self._record.owe(
            Owed.DELIVER_MESSAGE, about(self._record.history), recording=recording
        )
        self._untranscribed.append((recording, pcm))
        return True

    async def transcribe(self) -> None:
        """Put words to what was stored. The message stands without them: a failure is noted."""
        for recording, pcm in self._untranscribed:
            try:
                parts = [
                    await self._speech.recognizer.transcribe(utterance)
                    for utterance in await asyncio.to_thread(self._speech.utterances, pcm)
                ]
            except SpeechError as error:
                await self._record.note(
                    ev.EngineFailed(part="recognizer", engine="all", error=str(error), instead=None)
                )
                continue
            await self._record.note_faults([fault for part in parts for fault in part.faults])
            await self._record.note(
                ev.RecordingTranscribed(
                    recording=recording,
                    text=" ".join(part.text for part in parts if part.text),
                    engine=parts[-1].engine if parts else "none",
                )
            )
        self._untranscribed.clear()
