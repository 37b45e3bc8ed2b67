"""From the caller's frames to turns of words.

Recognition starts at the first pause, before the turn is known to be over, so that its
time is hidden in the silence that decides the turn; if the caller goes on, that result is
thrown away and the next pause starts another.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from kai_ari import log
from kai_ari.clock import Clock
from kai_ari.dialogue.endpointing import (
    LIKELY,
    MAX_UTTERANCE_MS,
    PAUSE_MS,
    Expect,
    SpeechTracker,
    silence_needed,
)
from kai_ari.errors import SpeechError
from kai_ari.reception.ports import (
    FRAME_BYTES,
    FRAME_MS,
    EngineFault,
    Recognizer,
    Transcript,
    VoiceDetector,
)

_log = log.get("ears")

#: Audio kept from before the onset: detectors fire late and engines need the first sound.
PRE_ROLL_MS = 300

#: Voice of this length while Kai talks is a person interrupting, not a cough or a click.
BARGE_IN_MS = 240

#: A phone that suppresses silence sends nothing: past this gap the missing audio is silence.
GAP_MS = 100

_SILENT_FRAME = bytes(FRAME_BYTES)


@dataclass(frozen=True, kw_only=True)
class SpeechBegan:
    """The caller has been talking for `BARGE_IN_MS`."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """A finished turn. Instants are Clock.monotonic seconds."""

    transcript: Transcript
    speech_ms: int
    last_voice_at: float
    silent_enough_at: float
    emitted_at: float


@dataclass(frozen=True, kw_only=True)
class Deaf:
    """No recogniser works."""

    error: str


@dataclass(frozen=True, kw_only=True)
class AudioEnded:
    """The media transport closed."""


Report = SpeechBegan | Words | Deaf | AudioEnded


class Ears:
    """One caller's ears. `expect` is set by the conversation before each question; `note_faults`
    is told of those of the detector."""

    def __init__(
        self,
        *,
        detector: VoiceDetector,
        recognizer: Recognizer,
        clock: Clock,
        report: Callable[[Report], Awaitable[None]],
        note_faults: Callable[[Sequence[EngineFault]], Awaitable[None]],
    ) -> None:
        self.expect = Expect.OPEN
        self._detector = detector
        self._recognizer = recognizer
        self._clock = clock
        self._report = report
        self._note_faults = note_faults
        self._faults_noted = 0
        self._tracker = SpeechTracker(frame_ms=FRAME_MS)
        self._before: deque[bytes] = deque(maxlen=PRE_ROLL_MS // FRAME_MS)
        self._speech = bytearray()
        self._guess: asyncio.Task[tuple[Transcript, float]] | None = None
        self._began_reported = False
        self._last_voice_at = 0.0

    @property
    def caller_is_talking(self) -> bool:
        return self._tracker.speaking

    def forget(self) -> None:
        """Drop what is being said: it was not meant for the question that comes now."""
        self._drop_guess()
        self._tracker.reset()
        self._speech.clear()
        self._began_reported = False

    async def listen(self, frames: AsyncIterator[bytes]) -> None:
        """Run until the frames end; reports AudioEnded last."""
        coming: asyncio.Future[bytes] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(frames))
                timeout = GAP_MS / 1000 if self._tracker.speaking else None
                await asyncio.wait({coming}, timeout=timeout)
                if coming.done():
                    frame, coming = coming.result(), None
                    await self._hear(frame)
                else:
                    for _ in range(GAP_MS // FRAME_MS):
                        await self._hear(_SILENT_FRAME)
        except StopAsyncIteration:
            await self._report(AudioEnded())
        finally:
            self._drop_guess()
            if coming is not None and not coming.done():
                coming.cancel()
                await asyncio.wait({coming})

    async def _hear(self, frame: bytes) -> None:
        tracker, was_speaking = self._tracker, self._tracker.speaking
        tracker.feed(self._detector.feed(frame))
        if new := self._detector.faults[self._faults_noted :]:
            self._faults_noted += len(new)
            await self._note_faults(new)
        if not tracker.speaking:
            self._before.append(frame)
            return
        if not was_speaking:
            self._speech = bytearray(b"".join(self._before))
            self._before.clear()
        self._speech += frame
        too_long = len(self._speech) >= MAX_UTTERANCE_MS * FRAME_BYTES // FRAME_MS
        if tracker.silence_ms == 0:
            self._last_voice_at = self._clock.monotonic()
            if not too_long:  # else what was said so far is all that is recognised of it
                self._drop_guess()
        if tracker.voiced_ms >= BARGE_IN_MS and not self._began_reported:
            self._began_reported = True
            await self._report(SpeechBegan())
        if self._guess is None and (tracker.silence_ms >= PAUSE_MS or too_long):
            self._guess = asyncio.create_task(self._recognise(), name="recognise")
        await self._end_turn_if_over(too_long=too_long)

    async def _recognise(self) -> tuple[Transcript, float]:
        likely = LIKELY.get(self.expect, ())
        transcript = await self._recognizer.transcribe(bytes(self._speech), likely)
        return transcript, self._clock.monotonic()

    async def _end_turn_if_over(self, *, too_long: bool) -> None:
        if self._guess is None or not self._guess.done():
            return
        try:
            transcript, known_at = self._guess.result()
        except SpeechError as error:
            _log.error("no recogniser works", extra=log.fields(error=str(error)))
            self.forget()
            await self._report(Deaf(error=f"{error.code}: {error}"))
            return
        needed = silence_needed(self.expect, transcript.text)
        if self._tracker.silence_ms < needed and not too_long:
            return
        now = self._clock.monotonic()
        words = Words(
            transcript=transcript,
            speech_ms=self._tracker.voiced_ms,
            last_voice_at=self._last_voice_at,
            silent_enough_at=min(now, self._last_voice_at + needed / 1000)
            if known_at > self._last_voice_at + needed / 1000
            else now,
            emitted_at=now,
        )
        self.forget()
        await self._report(words)

    def _drop_guess(self) -> None:
        if self._guess is not None:
            self._guess.cancel()
            self._guess = None
