"""A call on a SipPhone: both directions of its audio on one timeline, and how it ended."""

import asyncio
import base64
import itertools
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kai_ari.testing import phone_wire as wire
from kai_ari.testing.phone_process import PhoneError

_CROSSING_S = 5.0


class CallOver(PhoneError):
    """The call ended before what was waited for; `status` is the SIP code, 0 for none."""

    code = "phone_call_over"

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Changes:
    """Wakes all that wait, each time something has changed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def next(self) -> None:
        await self._event.wait()


@dataclass(frozen=True, kw_only=True)
class Frame:
    """20 ms of the phone's clock: what went to the PBX and what came from it."""

    at_ns: int
    sent: bytes
    heard: bytes


@dataclass(frozen=True, kw_only=True)
class Ending:
    """`status` is the SIP code of the last response: 200 after a conversation, 486 for busy.
    `at_ns` is when this phone's part of the call was over, `time.monotonic_ns()`."""

    status: int
    reason: str
    by_us: bool
    at_ns: int


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Both directions, equally long, from the moment there was audio.

    `invited_ns` and `started_ns` (of the first sample) are `time.monotonic_ns()`.
    """

    invited_ns: int
    started_ns: int
    sent: bytes
    heard: bytes

    def save(self, path: Path) -> None:
        """A WAV file of two channels: left is sent, right is heard."""
        both = np.stack([np.frombuffer(side, "<i2") for side in (self.sent, self.heard)], axis=1)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(wire.RATE)
            file.writeframes(both.tobytes())


class PhoneCall:
    """Made by SipPhone; requests raise PhoneError when the call is over."""

    def __init__(self, number: int, ask: Callable[..., Awaitable[dict[str, Any]]]) -> None:
        self._number = number
        self._ask = ask
        self._changes = Changes()
        self._frames: list[Frame] = []
        self._state = ""
        self._ending: Ending | None = None
        self._hung_up = False
        self._transfer = 0
        self.invited_ns = 0  # when the INVITE was sent, or came
        self.caller = ""  # of an incoming call: its From
        self.invite = ""  # of an incoming call: the whole message
        self.last_message = ""  # the one that came and ended it
        self.codec: str | None = None  # as SDP calls it, once there is audio
        self.keys = ""  # pressed at the far end

    # -- doing -----------------------------------------------------------------

    async def ring(self) -> None:
        await self._respond(180)

    async def answer(self) -> None:
        await self._respond(200)
        await self.answered()

    async def decline(self, status: int = 603) -> None:
        await self._respond(status)

    async def forward(self, number: str, *, host: str = "127.0.0.1") -> None:
        """Tell whoever calls to call `number` instead (302)."""
        await self._respond(302, ("Contact", f"<sip:{number}@{host}>"))

    async def refer(self, number: str) -> None:
        """Transfer the far end to `number`, blind (REFER). Returns when that was sent."""
        self._transfer = 0
        await self._ask(do="refer", call=self._number, number=number)

    async def refer_to(self, other: "PhoneCall") -> None:
        """Connect the far ends of two calls of this phone with each other (REFER, Replaces)."""
        self._transfer = 0
        await self._ask(do="refer_to", call=self._number, other=other._number)

    async def say(self, audio: bytes | Path) -> None:
        """Send PCM, or a 16 kHz mono WAV file; returns when the last of it was sent."""
        pcm = _read_wav(audio) if isinstance(audio, Path) else audio
        await self._ask(do="say", call=self._number, pcm=base64.b64encode(pcm).decode())

    async def press(self, keys: str) -> None:
        """Send keys by RFC 4733; returns when they were sent."""
        await self._ask(do="press", call=self._number, keys=keys)

    async def mute(self) -> None:
        """Send no audio at all any more, as when the network loses it on the way."""
        await self._ask(do="mute", call=self._number)

    async def hang_up(self, *headers: tuple[str, str]) -> None:
        """End the call, or stop it ringing. Returns when it is over; no error if it was.

        `headers` go with the BYE, such as the Reason of a network whose subscriber is lost.
        """
        if self._ending is None:
            self._hung_up = True
            try:
                await self._ask(do="hang_up", call=self._number, headers=headers)
            except PhoneError:  # the far end was quicker: then the ending is on its way
                async with asyncio.timeout(_CROSSING_S):
                    await self.ended()
        await self.ended()

    async def _respond(self, status: int, *headers: tuple[str, str]) -> None:
        await self._ask(do="respond", call=self._number, code=status, headers=headers)

    # -- waiting ---------------------------------------------------------------

    async def ringing(self) -> None:
        """Wait until the far end rings. Raises CallOver."""
        await self._until(lambda: self._state in {"ringing", "answered"}, "rang")

    async def answered(self) -> None:
        """Wait until the call is answered and has audio. Raises CallOver."""
        await self._until(
            lambda: self._state == "answered" and self.codec is not None, "was answered"
        )

    async def pressed(self, count: int = 1) -> str:
        """Wait for `count` keys from the far end; all keys so far. Raises CallOver."""
        await self._until(lambda: len(self.keys) >= count, f"brought {count} keys")
        return self.keys

    async def transferred(self) -> int:
        """The final SIP status of the last `refer`; 200: carried out. Raises CallOver."""
        await self._until(lambda: self._transfer >= 200, "was transferred")
        return self._transfer

    async def ended(self) -> Ending:
        while self._ending is None:
            await self._changes.next()
        return self._ending

    @property
    def over(self) -> bool:
        return self._ending is not None

    async def frames(self, start: int = 0) -> AsyncIterator[Frame]:
        """Every 20 ms from frame number `start` on, as it comes; ends with the call."""
        for place in itertools.count(start):
            while place >= len(self._frames):
                if self._ending is not None:
                    return
                await self._changes.next()
            yield self._frames[place]

    @property
    def frame_count(self) -> int:
        """How many frames there are: the number of the next one."""
        return len(self._frames)

    def recording(self) -> Recording:
        """What was said so far, both ways. Raises PhoneError before there is audio."""
        if not self._frames:
            raise PhoneError("there is no recording: this call had no audio")
        return Recording(
            invited_ns=self.invited_ns,
            started_ns=self._frames[0].at_ns,
            sent=b"".join(frame.sent for frame in self._frames),
            heard=b"".join(frame.heard for frame in self._frames),
        )

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        while not condition():
            if self._ending is not None:
                status, reason = self._ending.status, self._ending.reason
                raise CallOver(f"the call ended before it {what}: {status} {reason}", status)
            await self._changes.next()

    # -- what SipPhone learns from the process ---------------------------------

    def note_state(self, state: str, status: int, reason: str, at_ns: int) -> None:
        self._state = state
        if state == "over" and self._ending is None:
            self._ending = Ending(status=status, reason=reason, by_us=self._hung_up, at_ns=at_ns)
        self._changes.notify()

    def note_audio(self, codec: str) -> None:
        self.codec = codec
        self._changes.notify()

    def note_key(self, key: str) -> None:
        self.keys += key
        self._changes.notify()

    def note_transfer(self, status: int) -> None:
        self._transfer = status
        self._changes.notify()

    def note_frame(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._changes.notify()


def _read_wav(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if form != (1, 2, wire.RATE):
            raise PhoneError(
                f"{path}: the phone speaks 16-bit mono WAV at {wire.RATE} Hz, not {form}"
            )
        return file.readframes(file.getnframes())
