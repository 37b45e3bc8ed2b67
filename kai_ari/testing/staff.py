"""What people do when their desk phone rings: each is a script for the call that comes in."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kai_ari.testing.caller import LOUD, Voice
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.phone_process import PhoneError

StaffScript = Callable[["Desk", PhoneCall], Coroutine[Any, Any, None]]

#: Far longer than any whisper takes to begin on a busy machine.
_LIMIT_S = 40.0


@dataclass(kw_only=True)
class Desk:
    """A registered phone and who sits there; `calls` are those that came in."""

    phone: SipPhone
    voice: Voice
    calls: list[PhoneCall] = field(default_factory=list)

    async def attend(self, script: StaffScript) -> None:
        """Do `script` for each call, until cancelled."""
        async with asyncio.TaskGroup() as calls:
            while True:
                call = await self.phone.incoming()
                self.calls.append(call)
                calls.create_task(script(self, call), name="staff call")


async def hears_speech(call: PhoneCall, *, frames: int = 25, start: int = 0) -> None:
    """Wait until `frames` loud frames (20 ms each) have come."""
    loud = 0
    async with asyncio.timeout(_LIMIT_S):
        async for frame in call.frames(start):
            samples = np.frombuffer(frame.heard, dtype="<i2")
            loud += bool(samples.size and np.abs(samples).max() > LOUD)
            if loud >= frames:
                return


async def keep_saying(call: PhoneCall, audio: bytes) -> None:
    """Over and over, until the call is over: it may end in mid-sentence."""
    with contextlib.suppress(PhoneError):
        while not call.over:
            await call.say(audio)


async def press(call: PhoneCall, keys: str) -> None:
    """The last of them may end the call: before it has quite gone out, even."""
    with contextlib.suppress(PhoneError):
        await call.press(keys)


async def pick_up(call: PhoneCall) -> None:
    await call.ring()
    await call.answer()
    await hears_speech(call)


def accepts(talk_s: float = 14.0) -> StaffScript:
    """Take the call, talk, and hang up after `talk_s`."""

    async def script(desk: Desk, call: PhoneCall) -> None:
        await pick_up(call)
        await hears_speech(call, frames=150)  # who is calling, before they take them
        await call.press("1")
        await talks_for(desk, call, talk_s)

    return script


def answers(talk_s: float) -> StaffScript:
    """Talk at once, as who presses no key, and hang up after `talk_s`."""

    async def script(desk: Desk, call: PhoneCall) -> None:
        await call.ring()
        await call.answer()
        await talks_for(desk, call, talk_s)

    return script


async def talks_for(desk: Desk, call: PhoneCall, talk_s: float) -> None:
    """Talk, and hang up after `talk_s`, if the call is not over before."""
    audio = await desk.voice("Hello, this is Dana speaking, how can I help you?")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(talk_s):
            await keep_saying(call, audio)
    await call.hang_up()


def presses(key: str) -> StaffScript:
    async def script(_desk: Desk, call: PhoneCall) -> None:
        await pick_up(call)
        await press(call, key)
        await call.ended()

    return script


async def rings_out(_desk: Desk, call: PhoneCall) -> None:
    await call.ring()
    await call.ended()


def refuses(status: int) -> StaffScript:
    async def script(_desk: Desk, call: PhoneCall) -> None:
        await call.decline(status)

    return script


async def is_a_mailbox(desk: Desk, call: PhoneCall) -> None:
    """Answers, talks, and never presses a key."""
    await call.ring()
    await call.answer()
    greeting = await desk.voice("Hello, you have reached my mailbox. Please leave a message.")
    await keep_saying(call, greeting)


async def gives_back(desk: Desk, call: PhoneCall) -> None:
    await pick_up(call)
    await call.press("1")
    await call.say(await desk.voice("I am giving you back to the assistant."))
    await press(call, "**")
    await call.ended()


def forwards(number: str, *, host: str) -> StaffScript:
    """Has whoever calls call `number` at `host` instead, which is `address:port`."""

    async def script(_desk: Desk, call: PhoneCall) -> None:
        await call.forward(number, host=host)

    return script
