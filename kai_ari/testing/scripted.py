"""A call without a telephone: a scripted caller, scripted speech, and a record in memory.

They stand behind reception's ports, for whole calls on virtual time. Speech is coded in
the audio itself: every sample of an utterance is its number in the script, so what
reaches the recogniser is what really came through the frames.
"""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kai_ari.calls.call import Arrival, CallId
from kai_ari.calls.events import EndedBy, Event
from kai_ari.errors import LedgerError, MediaError, SpeechError
from kai_ari.promises.obligation import Obligation
from kai_ari.reception.ports import (
    BYTES_PER_MS,
    FRAME_BYTES,
    FRAME_MS,
    SAMPLE_RATE,
    CallerGone,
    EngineFault,
    Key,
    RecordingBroken,
    RecordingDone,
    Signal,
    Transcript,
    duration_ms,
)

#: Speaking rate of both sides: about 150 words a minute.
WORD_MS = 400

_SILENCE = bytes(FRAME_BYTES)


def _words_ms(text: str) -> int:
    return max(1, len(text.split())) * WORD_MS


# -- what a caller does ----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Say:
    text: str


@dataclass(frozen=True, kw_only=True)
class Press:
    keys: str


@dataclass(frozen=True, kw_only=True)
class Interrupt:
    """Say `text` while Kai's next line plays, `after_ms` into it."""

    text: str
    after_ms: int


@dataclass(frozen=True, kw_only=True)
class StaySilent:
    """Let Kai's next line come."""


@dataclass(frozen=True, kw_only=True)
class LeaveRecording:
    """Speak `voiced_ms` after the beep, then press hash, or hang up."""

    voiced_ms: int
    hang_up: bool = False
    broken: bool = False


@dataclass(frozen=True, kw_only=True)
class LoseAudio:
    """The media channel dies."""


@dataclass(frozen=True, kw_only=True)
class HangUp:
    pass


Act = Say | Press | Interrupt | StaySilent | LeaveRecording | LoseAudio | HangUp


class Utterances:
    """Texts by the number that their audio is made of."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def audio(self, text: str) -> bytes:
        self._texts.append(text)
        number = len(self._texts)
        return np.full(_words_ms(text) * SAMPLE_RATE // 1000, number, dtype="<i2").tobytes()

    def text(self, pcm: bytes) -> str:
        numbers = [n for n in dict.fromkeys(np.frombuffer(pcm, dtype="<i2").tolist()) if n > 0]
        return " ".join(self._texts[number - 1] for number in numbers)


# -- speech ----------------------------------------------------------------------


class ScriptedRecognizer:
    def __init__(self, utterances: Utterances, *, works: bool = True) -> None:
        self._utterances = utterances
        self._works = works
        self.asked = 0

    async def transcribe(self, pcm: bytes, expected: Sequence[str] = ()) -> Transcript:
        self.asked += 1
        await asyncio.sleep(0.05)
        if not self._works:
            raise SpeechError("the recogniser is broken by the script")
        return Transcript(text=self._utterances.text(pcm), confidence=None, engine="scripted")


class ScriptedUtterance:
    engine = "scripted"
    faults: Sequence[EngineFault] = ()

    def __init__(self, text: str, *, works: bool) -> None:
        self._text = text
        self._works = works

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.02)
        if not self._works:
            raise SpeechError("the voice is broken by the script")
        yield bytes(_words_ms(self._text) * BYTES_PER_MS)


class ScriptedSynthesizer:
    def __init__(self, *, works: bool = True) -> None:
        self.works = works

    def speak(self, text: str) -> ScriptedUtterance:
        return ScriptedUtterance(text, works=self.works)


class _Detector:
    def feed(self, frame: bytes) -> float:
        return 1.0 if any(frame) else 0.0


class ScriptedSpeech:
    def __init__(self, utterances: Utterances, *, hears: bool = True, speaks: bool = True) -> None:
        self.recognizer = ScriptedRecognizer(utterances, works=hears)
        self.synthesizer = ScriptedSynthesizer(works=speaks)

    def new_voice_detector(self) -> _Detector:
        return _Detector()

    def decode_wav(self, data: bytes) -> bytes:
        with wave.open(io.BytesIO(data)) as file:
            pcm: bytes = file.readframes(file.getnframes())
            return pcm

    def voiced_ms(self, pcm: bytes) -> int:
        return int(np.count_nonzero(np.frombuffer(pcm, dtype="<i2"))) * 1000 // SAMPLE_RATE

    def utterances(self, pcm: bytes) -> Sequence[bytes]:
        return [pcm]


# -- the record ------------------------------------------------------------------


@dataclass(kw_only=True)
class ListLedger:
    """Events and obligations in lists. `fails_at` breaks the append of that many-th event."""

    events: list[Event] = field(default_factory=list)
    obligations: list[Obligation] = field(default_factory=list)
    fails_at: int | None = None

    async def append(
        self, call: CallId, *events: Event, obligations: Sequence[Obligation] = ()
    ) -> None:
        await asyncio.sleep(0.001)
        if self.fails_at is not None and len(self.events) + len(events) >= self.fails_at:
            raise LedgerError("the disk is full, says the script")
        self.events += events
        self.obligations += obligations

    async def history(self, call: CallId) -> Sequence[Event]:
        return self.events

    async def open_calls(self) -> Sequence[CallId]:
        return ()


@dataclass(kw_only=True)
class DictRecordings:
    files: dict[str, bytes] = field(default_factory=dict)

    async def store(self, name: str, data: bytes) -> tuple[str, str]:
        self.files[name] = data
        return f"recordings/{name}", "0" * 64


# -- the call --------------------------------------------------------------------


class ScriptedPlayout:
    def __init__(self, media: "ScriptedMedia") -> None:
        self._media = media
        self._loop = asyncio.get_running_loop()
        self._total = 0
        self._started_at: float | None = None

    async def write(self, pcm: bytes) -> None:
        if self._started_at is None:
            self._started_at = self._loop.time()
            self._media.call.kai_speaks()
        self._total += duration_ms(pcm)

    def _heard(self) -> int:
        if self._started_at is None:
            return 0
        return min(self._total, round((self._loop.time() - self._started_at) * 1000))

    async def finish(self) -> int:
        left_ms = self._total - self._heard()
        try:
            async with asyncio.timeout(left_ms / 1000):
                await self._media.lost.wait()
                raise MediaError("the media channel is gone")
        except TimeoutError:
            self._media.call.kai_finished()
            return self._total

    async def cut(self) -> int:
        return self._heard()


class ScriptedMedia:
    transport = "scripted"
    dropped = 0

    def __init__(self, call: "ScriptedCall") -> None:
        self.call = call
        self.lost = asyncio.Event()
        self.outgoing: list[bytes] = []

    def start_line(self) -> ScriptedPlayout:
        return ScriptedPlayout(self)

    async def frames(self) -> AsyncIterator[bytes]:
        while not self.lost.is_set():
            await asyncio.sleep(FRAME_MS / 1000)
            yield self.outgoing.pop(0) if self.outgoing else _SILENCE

    def speak(self, pcm: bytes) -> None:
        self.outgoing += [
            pcm[i : i + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
            for i in range(0, len(pcm), FRAME_BYTES)
        ]

    async def close(self) -> None:
        self.lost.set()


class ScriptedCall:
    """A caller who does the next act each time Kai has finished speaking."""

    def __init__(
        self,
        *acts: Act,
        utterances: Utterances,
        number: str | None = "+12025550142",
        did: str = "100",
        fail_to_answer: Exception | None = None,
    ) -> None:
        self.arrival = Arrival(
            call=CallId("0000000test1"), channel="caller", did=did,
            caller_raw=number or "", caller_name="", caller_number=number,
        )  # fmt: skip
        self.released = False
        self._acts = list(acts)
        self._utterances = utterances
        self._fail_to_answer = fail_to_answer
        self._signals: asyncio.Queue[Signal] = asyncio.Queue()
        self._recorded: bytes = b""
        self._timers: list[asyncio.TimerHandle] = []
        self.media: ScriptedMedia | None = None

    async def signals(self) -> AsyncIterator[Signal]:
        while True:
            signal = await self._signals.get()
            yield signal

    async def answer(self) -> None:
        if self._fail_to_answer:
            self._hang_up()
            raise self._fail_to_answer

    async def open_audio(self) -> ScriptedMedia:
        self.media = ScriptedMedia(self)
        return self.media

    def _later(self, milliseconds: float, act: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(milliseconds / 1000, act))

    def _say(self, text: str) -> None:
        if self.media is not None:
            self.media.speak(self._utterances.audio(text))

    def _hang_up(self) -> None:
        self._signals.put_nowait(CallerGone(by=EndedBy.CALLER, cause=16, reason="hung_up"))

    def kai_speaks(self) -> None:
        match self._acts:
            case [Interrupt() as act, *rest]:
                self._acts = rest
                self._later(act.after_ms, lambda: self._say(act.text))

    def kai_finished(self) -> None:
        match self._acts:
            case [Say() as act, *rest]:
                self._later(300, lambda: self._say(act.text))
            case [Press(keys=keys), *rest]:
                for place, key in enumerate(keys):
                    self._signals_later(200 * (place + 1), Key(key=key))
            case [LoseAudio(), *rest]:
                media = self.media
                if media is not None:
                    self._later(300, media.lost.set)
            case [HangUp(), *rest]:
                self._later(300, self._hang_up)
            case [StaySilent(), *rest]:
                pass
            case _:
                return
        self._acts = rest

    def _signals_later(self, milliseconds: float, signal: Signal) -> None:
        self._later(milliseconds, lambda: self._signals.put_nowait(signal))

    async def start_recording(self, recording: str, *, max_s: int, max_silence_s: int) -> None:
        match self._acts:
            case [LeaveRecording() as act, *rest]:
                self._acts = rest
            case _:
                act = LeaveRecording(voiced_ms=0)
        samples = act.voiced_ms * SAMPLE_RATE // 1000
        self._recorded = np.ones(samples, dtype="<i2").tobytes() + bytes(1000 * BYTES_PER_MS)
        length = duration_ms(self._recorded)
        if act.hang_up:
            self._later(act.voiced_ms, self._hang_up)
        done: Signal = RecordingDone(recording=recording, duration_ms=length)
        if act.broken:
            done = RecordingBroken(recording=recording, why="says the script")
        self._signals_later(length, done)

    async def fetch_recording(self, recording: str) -> bytes:
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(self._recorded)
        return buffer.getvalue()

    async def delete_recording(self, recording: str) -> None:
        self._recorded = b""

    async def rejoin(self) -> None:
        pass

    async def hang_up(self) -> None:
        pass

    async def release(self) -> None:
        self.released = True
        for timer in self._timers:
            timer.cancel()
