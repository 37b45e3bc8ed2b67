"""A caller with a script: listens until Kai has finished, then does the next step.

What was said and heard is on one timeline (the phone's recording), so the turns it returns
are what a person on that phone would measure.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kai_ari.testing.phone_call import PhoneCall

FRAME_MS = 20

#: Speech on a clean line peaks far above this; comfort noise and codec hiss stay below.
LOUD = 400  # of 32767

#: A pause this long means that Kai has finished: its pauses between sentences are shorter.
QUIET_MS = 800

#: Without a word from Kai for this long, the caller is trapped in silence: a failed call.
PATIENCE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Say:
    text: str


@dataclass(frozen=True, kw_only=True)
class Press:
    keys: str


@dataclass(frozen=True, kw_only=True)
class Interrupt:
    """Say `text` `after_ms` into Kai's next line."""

    text: str
    after_ms: int


@dataclass(frozen=True, kw_only=True)
class StaySilent:
    """Do nothing, and wait for Kai to speak again."""


@dataclass(frozen=True, kw_only=True)
class HangUp:
    """In mid-line, when `after_ms` of Kai's next line were heard; else when it is over."""

    after_ms: int | None = None


Step = Say | Press | Interrupt | StaySilent | HangUp
Voice = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Frame numbers (20 ms each) in the phone's recording. `spoke_until` is the end of the
    caller's last sound, `answered_at` the start of Kai's next; None when there was none."""

    step: Step
    spoke_until: int
    answered_at: int | None

    @property
    def answer_ms(self) -> int | None:
        if self.answered_at is None:
            return None
        return (self.answered_at - self.spoke_until) * FRAME_MS


def is_loud(pcm: bytes) -> bool:
    return bool(np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.int32)).max(initial=0) > LOUD)


class CallerTrapped(AssertionError):
    """Kai said nothing for `PATIENCE_S` while the call was up."""


async def run_script(
    call: PhoneCall, steps: Sequence[Step], voice: Voice, *, since: int = 0
) -> list[Turn]:
    """Go through `steps`; returns early, with fewer turns, when Kai ends the call.

    What Kai said before the frame number `since` is not waited for. `voice` makes 16 kHz
    PCM of a text. Raises CallerTrapped.
    """
    pcm = {step.text: await voice(step.text) for step in steps if isinstance(step, Say | Interrupt)}
    turns: list[Turn] = []
    for step in steps:
        heard = await _listen(call, since, step)
        if turns:
            turns[-1] = _answered(turns[-1], heard)
        if heard is None or call.over:
            break
        began = call.frame_count
        match step:
            case Say(text=text) | Interrupt(text=text):
                await call.say(pcm[text])
            case Press(keys=keys):
                await call.press(keys)
            case HangUp():
                await call.hang_up()
            case StaySilent():
                pass
        spoke_until = _end_of_sound(call, began)
        turns.append(Turn(step=step, spoke_until=spoke_until, answered_at=None))
        # Kai may answer before the last, silent part of what was said has been sent.
        since = spoke_until if isinstance(step, Say | Interrupt) else call.frame_count
    if turns and turns[-1].answered_at is None and not call.over:
        turns[-1] = _answered(turns[-1], await _listen(call, since, StaySilent()))
    return turns


def _answered(turn: Turn, began: int | None) -> Turn:
    return Turn(step=turn.step, spoke_until=turn.spoke_until, answered_at=began)


async def _listen(call: PhoneCall, since: int, step: Step) -> int | None:
    """Wait for Kai's line to be over, or far enough for `step`; the frame it began at."""
    wanted = step.after_ms if isinstance(step, Interrupt | HangUp) else None
    began: int | None = None
    quiet_ms = 0
    try:
        async with asyncio.timeout(PATIENCE_S) as patience:
            place = since
            async for frame in call.frames(since):
                if is_loud(frame.heard):
                    began = place if began is None else began
                    quiet_ms = 0
                    patience.reschedule(asyncio.get_running_loop().time() + PATIENCE_S)
                elif began is not None:
                    quiet_ms += FRAME_MS
                place += 1
                if began is None:
                    continue
                if wanted is not None and (place - began) * FRAME_MS >= wanted:
                    return began
                if quiet_ms >= QUIET_MS:
                    return began
    except TimeoutError:
        raise CallerTrapped(f"Kai was silent for {PATIENCE_S:.0f} s before {step}") from None
    return began


def _end_of_sound(call: PhoneCall, began: int) -> int:
    """The frame after the last loud one sent since `began`."""
    sent = call.recording().sent
    size = FRAME_MS * 32
    frames = [sent[i : i + size] for i in range(began * size, len(sent), size)]
    loud = [place for place, frame in enumerate(frames, start=began) if is_loud(frame)]
    return loud[-1] + 1 if loud else began
