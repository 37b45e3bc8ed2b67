"""What reception needs from the outside world. Adapters implement these.

Audio is always 16-bit little-endian mono PCM at 16 kHz: 32 bytes are a millisecond.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from kai_ari.calls.call import Arrival, CallId
from kai_ari.calls.events import EndedBy, Event
from kai_ari.promises.obligation import Obligation
from kai_ari.reception.legs import AudioFlow, Destination, LegRequest, LegSignal

SAMPLE_RATE = 16_000
BYTES_PER_MS = SAMPLE_RATE * 2 // 1000
FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS


def duration_ms(pcm: bytes) -> int:
    return len(pcm) // BYTES_PER_MS


# -- the call ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Key:
    key: str  # 0-9 * # A-D


@dataclass(frozen=True, kw_only=True)
class CallerGone:
    """`talks_on`: they may well talk with a person still, and Kai cannot see it."""

    by: EndedBy
    cause: int | None
    reason: str
    talks_on: bool = False


@dataclass(frozen=True, kw_only=True)
class RecordingDone:
    recording: str
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class RecordingBroken:
    recording: str
    why: str


Signal = Key | CallerGone | RecordingDone | RecordingBroken | LegSignal


class Playout(Protocol):
    """One line on its way to the caller."""

    async def write(self, pcm: bytes) -> None:
        """Queue audio; returns at once unless the transport's queue is full."""
        ...

    async def finish(self) -> int:
        """Wait until all of it was played; milliseconds the caller heard.

        Raises MediaError when the transport is lost meanwhile.
        """
        ...

    async def cut(self) -> int:
        """Drop what was not played yet; milliseconds the caller heard."""
        ...


class MediaSession(Protocol):
    """The caller's audio, both ways."""

    transport: str

    def frames(self) -> AsyncIterator[bytes]:
        """The caller's audio in frames of 20 ms; ends when the transport closes.

        A consumer that falls behind loses the oldest frames: see `dropped`.
        """
        ...

    @property
    def dropped(self) -> int: ...

    def start_line(self) -> Playout: ...

    async def close(self) -> None: ...


class LiveCall(Protocol):
    """The caller's leg, and those Kai makes from it to other people.

    Requests raise AsteriskError; `ChannelGone` when the caller has left. Every leg carries a
    time limit in Asterisk itself: an agent that dies leaves no phone ringing.
    """

    arrival: Arrival

    def signals(self) -> AsyncIterator[Signal]:
        """What happens on the call, in order, each once; ends after CallerGone."""
        ...

    async def answer(self) -> None: ...

    async def open_audio(self) -> MediaSession:
        """Join the caller and a media channel in a bridge of this call's own."""
        ...

    async def start_recording(self, recording: str, *, max_s: int, max_silence_s: int) -> None:
        """Take the caller out of the bridge, beep, record. `#` ends it.

        RecordingDone or RecordingBroken follows as a signal.
        """
        ...

    async def end_recording(self, recording: str) -> None:
        """As `#` does. Nothing happens to one that is over."""
        ...

    async def fetch_recording(self, recording: str) -> bytes:
        """The recording as a WAV file's bytes, over ARI: no shared disk is assumed."""
        ...

    async def delete_recording(self, recording: str) -> None: ...

    async def rejoin(self) -> None:
        """Put the caller back into the bridge after a recording, if they are not in it."""
        ...

    # -- legs (see `legs`) -----------------------------------------------------------

    async def ring(self, request: LegRequest) -> None:
        """Start ringing; everything else about the leg, refusal included, comes as signals.

        Raises ValueError for a name that is used already, or is not 1 to 16 of a-z and 0-9.
        """
        ...

    async def open_leg_audio(self, leg: str) -> MediaSession:
        """Speak to an answered leg alone, out of the caller's hearing."""
        ...

    async def join(self, leg: str) -> None:
        """Caller and answered leg hear each other, and Kai neither.

        Kai's media to the caller stays open, in silence; the leg's own is closed. Raises LegGone
        or ChannelGone.
        """
        ...

    @property
    def talking(self) -> bool:
        """Whether the caller is joined with a leg now."""
        ...

    async def part(self) -> None:
        """The caller comes back to Kai's media, after a joined leg has gone or was sent away.

        Wherever they are: also from a recording that is over, or from Kai's media itself.
        """
        ...

    async def audio_flow(self, leg: str) -> AudioFlow: ...

    async def hang_up_leg(self, leg: str, *, answered_elsewhere: bool = False) -> None:
        """End a leg in any state; LegEnded follows. Idempotent; never raises AsteriskError."""
        ...

    async def send_on(self, rounds: Sequence[Sequence[Destination]], *, ring_s: int) -> bool:
        """Let go of the caller for good: the PBX rings each round at once, `ring_s` seconds each,
        and then has the owner's mailbox for them. False when nobody is there to be rung."""
        ...

    # -- the end ---------------------------------------------------------------------

    async def hang_up(self) -> None: ...

    async def leave_to_dialplan(self) -> None:
        """Let the dialplan go on with a caller Kai cannot serve; one who talks with a person is
        left to them, and taken up when they have left. Never raises AsteriskError."""
        ...

    async def release(self) -> None:
        """Remove every Asterisk object of this call's but those of a talk that was left; a running
        recording is ended and kept.

        Idempotent; never raises AsteriskError.
        """
        ...


class RecordingShelf(Protocol):
    """Recordings that Asterisk still holds of calls that nobody serves any more.

    A recording ends here when the agent dies, or its fetching fails, between the caller's
    last word and the message being stored. Requests raise AsteriskError.
    """

    async def left_recordings(self) -> Sequence[tuple[CallId, str]]:
        """Each as its call and the name that the call gave it."""
        ...

    async def fetch_left(self, call: CallId, recording: str) -> bytes: ...

    async def delete_left(self, call: CallId, recording: str) -> None: ...


# -- speech --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class EngineFault:
    """`instead` is the engine that took over, or None when none was left."""

    part: str  # recognizer, synthesizer, vad
    engine: str
    error: str
    instead: str | None


@dataclass(frozen=True, kw_only=True)
class Transcript:
    text: str  # as spoken, with the engine's own punctuation; "" for no words
    confidence: float | None  # 0 to 1
    engine: str
    faults: tuple[EngineFault, ...] = ()


class Recognizer(Protocol):
    async def transcribe(self, pcm: bytes, expected: Sequence[str] = ()) -> Transcript:
        """The words in one utterance of up to 20 s.

        `expected` names likely phrases for engines that can use them. Raises SpeechError
        when every engine failed.
        """
        ...


class Utterance(Protocol):
    """A line being synthesised: iterate for its audio. `faults` is complete afterwards."""

    @property
    def faults(self) -> Sequence[EngineFault]: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class Synthesizer(Protocol):
    def speak(self, text: str) -> Utterance:
        """Audio in chunks, the first as soon as it exists; no leading silence.

        Iterating raises SpeechError when neither an engine nor a recorded line could speak.
        """
        ...


class VoiceDetector(Protocol):
    """Voice activity on one call; holds state, so one per call."""

    @property
    def faults(self) -> Sequence[EngineFault]:
        """All so far."""
        ...

    def feed(self, frame: bytes) -> float:
        """Probability of speech, 0 to 1, after this 20 ms frame."""
        ...


class Speech(Protocol):
    @property
    def recognizer(self) -> Recognizer: ...

    @property
    def synthesizer(self) -> Synthesizer: ...

    def new_voice_detector(self) -> VoiceDetector: ...

    # For whole recordings. These block, some 4 ms for a second of audio: call them in a thread.

    def decode_wav(self, data: bytes) -> bytes:
        """The audio of a WAV file as 16 kHz PCM. Raises SpeechError when it is none."""
        ...

    def voiced_ms(self, pcm: bytes) -> int:
        """How much of `pcm` is voice."""
        ...

    def utterances(self, pcm: bytes) -> Sequence[bytes]:
        """`pcm` cut at its pauses into pieces that a Recognizer takes."""
        ...


# -- the record ----------------------------------------------------------------


class Ledger(Protocol):
    async def append(
        self, call: CallId, *events: Event, obligations: Sequence[Obligation] = ()
    ) -> None:
        """Write events and obligations in one transaction; durable on return.

        Raises LedgerError.
        """
        ...

    async def history(self, call: CallId) -> Sequence[Event]: ...

    async def open_calls(self) -> Sequence[CallId]:
        """Calls without an Ended event."""
        ...


class Recordings(Protocol):
    async def store(self, name: str, data: bytes) -> tuple[str, str]:
        """Flush `data` to disk as one file; its path relative to the store, and its SHA-256."""
        ...
