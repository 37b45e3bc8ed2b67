"""A call without a telephone: a scripted caller, on virtual time, behind reception's ports."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kai_ari.calls.call import Arrival, CallId
from kai_ari.calls.events import EndedBy
from kai_ari.errors import AsteriskError, MediaError
from kai_ari.reception.legs import AudioFlow, Destination, LegRequest
from kai_ari.reception.ports import (
    BYTES_PER_MS,
    FRAME_BYTES,
    FRAME_MS,
    SAMPLE_RATE,
    CallerGone,
    Key,
    MediaSession,
    RecordingBroken,
    RecordingDone,
    Signal,
    duration_ms,
)
from kai_ari.testing.caller import HangUp, Interrupt, Press, Say, StaySilent
from kai_ari.testing.scripted_legs import Behaviour, ScriptedLegs, address_of
from kai_ari.testing.scripted_speech import Utterances

_SILENCE = bytes(FRAME_BYTES)


# -- what a caller does, besides the steps of `caller` --------------------------------


@dataclass(frozen=True, kw_only=True)
class LeaveRecording:
    """Speak `voiced_ms` after the beep, then press hash or zero, or hang up."""

    voiced_ms: int
    hang_up: bool = False
    broken: bool = False
    zero: bool = False


@dataclass(frozen=True, kw_only=True)
class LoseAudio:
    """The media channel dies: after Kai's next line, or `after_ms` into it."""

    after_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class HangUpInTalk:
    """Hang up `after_ms` after a person was joined."""

    after_ms: int


@dataclass(frozen=True, kw_only=True)
class Cough:
    """Noise too short for words, `times` over, five seconds apart."""

    times: int


Act = (
    Say
    | Press
    | Interrupt
    | StaySilent
    | LeaveRecording
    | LoseAudio
    | HangUpInTalk
    | Cough
    | HangUp
)


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
            self._media.call.spoken_to_nobody += not self._media.call.in_bridge
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
            self._note_played()
            self._media.call.kai_finished()
            return self._total

    async def cut(self) -> int:
        self._note_played()
        return self._heard()

    def _note_played(self) -> None:
        if self._started_at is not None:
            ended_at = self._started_at + self._heard() / 1000
            self._media.call.played.append((self._started_at, ended_at))


class AsteriskAway(AsteriskError):
    """As the adapter says it of a PBX that does not answer."""

    retryable = True


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
        fails: Mapping[str, int] | None = None,
        people: Mapping[str, Behaviour] | None = None,
    ) -> None:
        """`fails` names requests (start_recording, ...) and how often each fails at first;
        `people` what each who is rung does, by extension, number, "queue:NAME" or SIP address."""
        self.arrival = Arrival(
            call=CallId("0000000test1"), channel="caller", did=did,
            caller_raw=number or "", caller_name="", caller_number=number,
        )  # fmt: skip
        self.released = False
        self.played: list[tuple[float, float]] = []  # spans of loop time
        self.left_to_dialplan = False
        self.sent_on: list[list[str]] = []  # rounds of addresses
        self.in_bridge = True
        self.spoken_to_nobody = 0  # lines and music begun while the caller was not in Kai's bridge
        self._acts = list(acts)
        self._utterances = utterances
        self._fail_to_answer = fail_to_answer
        self._fails = dict(fails or {})
        self._signals: asyncio.Queue[Signal] = asyncio.Queue()
        self._recorded: bytes = b""
        self._ending: RecordingDone | RecordingBroken | None = None  # of what is recorded now
        self.legs = ScriptedLegs(people or {}, self._signals.put_nowait)
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
        self._maybe_fail("open_audio")
        self.media = ScriptedMedia(self)
        return self.media

    def _later(self, milliseconds: float, act: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(milliseconds / 1000, act))

    def _say(self, text: str) -> None:
        if self.media is not None:
            self.media.speak(self._utterances.audio(text))

    def _cough(self) -> None:
        if self.media is not None:
            self.media.speak(np.full(200 * SAMPLE_RATE // 1000, -1, dtype="<i2").tobytes())

    def _lose_audio(self, after_ms: int) -> None:
        if self.media is not None:
            self._later(after_ms, self.media.lost.set)

    def _hang_up(self) -> None:
        self._signals.put_nowait(CallerGone(by=EndedBy.CALLER, cause=16, reason="hung_up"))

    def kai_speaks(self) -> None:
        match self._acts:
            case [Interrupt() as act, *rest]:
                self._acts = rest
                self._later(act.after_ms, lambda: self._say(act.text))
            case [LoseAudio(after_ms=int(after_ms)), *rest]:
                self._acts = rest
                self._lose_audio(after_ms)

    def kai_finished(self) -> None:
        match self._acts:
            case [Say() as act, *rest]:
                self._later(300, lambda: self._say(act.text))
            case [Press(keys=keys), *rest]:
                for place, key in enumerate(keys):
                    self._signals_later(200 * (place + 1), Key(key=key))
            case [LoseAudio(after_ms=None), *rest]:
                self._lose_audio(300)
            case [Cough(times=times), *rest]:
                for place in range(times):
                    self._later(5000 * (place + 1), self._cough)
            case [HangUp(), *rest]:
                self._later(300, self._hang_up)
            case [StaySilent(), *rest]:
                pass
            case _:
                return
        self._acts = rest

    def _signals_later(self, milliseconds: float, signal: Signal) -> None:
        self._later(milliseconds, lambda: self._signals.put_nowait(signal))

    def _maybe_fail(self, request: str) -> None:
        if self._fails.get(request, 0) > 0:
            self._fails[request] -= 1
            raise AsteriskAway(f"{request} fails, says the script")

    async def start_recording(self, recording: str, *, max_s: int, max_silence_s: int) -> None:
        self.in_bridge = False
        self._maybe_fail("start_recording")
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
        done: RecordingDone | RecordingBroken = RecordingDone(
            recording=recording, duration_ms=length
        )
        if act.broken:
            done = RecordingBroken(recording=recording, why="says the script")
        if act.zero:
            self._signals_later(act.voiced_ms, Key(key="0"))
            length += 5000  # if it means nothing, silence ends the recording
        self._ending = done
        self._later(length, lambda: self._recording_ends(done))

    async def end_recording(self, recording: str) -> None:
        if self._ending is not None and self._ending.recording == recording:
            self._recording_ends(self._ending)

    def _recording_ends(self, done: RecordingDone | RecordingBroken) -> None:
        if self._ending is done:
            self._ending = None
            self._signals.put_nowait(done)

    async def fetch_recording(self, recording: str) -> bytes:
        self._maybe_fail("fetch_recording")
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(self._recorded)
        return buffer.getvalue()

    @property
    def recording_left(self) -> bool:
        return bool(self._recorded)

    async def delete_recording(self, recording: str) -> None:
        self._maybe_fail("delete_recording")
        self._recorded = b""

    async def rejoin(self) -> None:
        self._maybe_fail("rejoin")
        self.in_bridge = True

    # -- legs ------------------------------------------------------------------------

    async def ring(self, request: LegRequest) -> None:
        await self.legs.ring(request)

    async def open_leg_audio(self, leg: str) -> MediaSession:
        return await self.legs.open_audio(leg)

    async def join(self, leg: str) -> None:
        self.in_bridge = False
        await self.legs.join(leg)
        match self._acts:
            case [HangUpInTalk(after_ms=after_ms), *rest]:
                self._acts = rest
                self._later(after_ms, self._hang_up)

    @property
    def talking(self) -> bool:
        return self.legs.talking

    async def part(self) -> None:
        self._maybe_fail("part")
        await self.legs.part()
        self.in_bridge = True

    async def audio_flow(self, leg: str) -> AudioFlow:
        return await self.legs.audio_flow(leg)

    async def hang_up_leg(self, leg: str, *, answered_elsewhere: bool = False) -> None:
        await self.legs.hang_up(leg)

    async def hang_up(self) -> None:
        pass

    async def send_on(self, rounds: Sequence[Sequence[Destination]], *, ring_s: int) -> bool:
        self._maybe_fail("send_on")
        wanted = [[address_of(to) for to in at_once] for at_once in rounds]
        there = any(self.legs.is_there(address) for at_once in wanted for address in at_once)
        self.sent_on = wanted if there else []
        return there

    async def leave_to_dialplan(self) -> None:
        self.left_to_dialplan = True

    async def release(self) -> None:
        self.released = True
        self.legs.release()
        for timer in self._timers:
            timer.cancel()
