"""What a caller waits for on the way to a person, measured on real calls at both phones.

Callers and staff are SIP phones on a real Asterisk with a real agent; all audio is recorded
on the phones' own clocks, behind their jitter buffers (which hold back up to 60 ms).

failed_to_next_word_ms  the staff's phone said no (486, 603, hang-up, or key 2 released), while
                        the caller had music -> first sample of Kai's next word at the caller
hangup_to_ring_stop_ms  the caller's phone was told to hang up -> the staff's phone has stopped
accept_to_audio_ms      the staff released key 1 -> each heard the other, the later of both
longest_silence_ms      the longest that any of these callers heard nothing above -40 dBFS
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benching import PHONE_PASSWORD, Site, site
from fallback_audio import (
    CALLER_HERTZ,
    STAFF_HERTZ,
    WORDS_DBFS,
    longest_silence_ms,
    next_word,
    tone,
    tone_begins,
)
from turn_audio import SPEECH_DBFS, amplitudes, level
from voice_results import percentiles

from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.phone_process import PhoneError
from kai_ari.testing.staff import hears_speech

#: As the phones press it (RFC 4733): Kai is told of a key when it is released.
KEY_MS = 100
#: Music without a word for so long: what was said before is over.
MUSIC_MS = 700
#: As desk phones do: pjsua2's own 400 ms would be what is measured, once packets came in bursts.
JITTER_MS = 60
#: A second of Kai's voice, in frames of 20 ms, before the caller presses 0: nobody is with Kai
#: for less when staff picks up. pjmedia plays a jump of RTP timestamps that is shorter than
#: its jitter buffer (500 ms) as a gap, and when a caller is joined with somebody they jump by as
#: much as the one has been on the line longer than the other.
LISTENS_FRAMES = 50
CALL_LIMIT_S = 60.0
_TONE_S = 2.0
WANTED = (
    ("failed_to_next_word_ms", 500),
    ("hangup_to_ring_stop_ms", 300),
    ("accept_to_audio_ms", 300),
)


@dataclass(kw_only=True)
class Figures:
    """Milliseconds by what was measured."""

    of: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    silences: list[float] = field(default_factory=list)
    missed: int = 0


#: From when to when, `time.monotonic_ns()`; None when it never came.
Span = tuple[int, int | None]
Act = Callable[[PhoneCall, PhoneCall], Awaitable[Span]]
#: Ends the rung at the staff's phone; when that was.
Refusal = Callable[[PhoneCall], Awaitable[int]]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`act` has the caller's call and the staff's, which rings."""

    measures: str
    name: str
    act: Act


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A caller and the person whom their number leads to: one call at a time."""

    caller: SipPhone
    staff: SipPhone
    number: str
    figures: Figures
    keep: Path | None

    async def place(self, scene: Scene) -> None:
        call = await self.caller.dial(self.number)
        span: Span = (0, None)
        rung: PhoneCall | None = None
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                await call.answered()
                await hears_speech(call, frames=LISTENS_FRAMES)
                await call.press("0")
                rung = await self.staff.incoming()
                await rung.ring()
                span = await scene.act(call, rung)
        except TimeoutError:
            _progress(f"{scene.name}: not over in {CALL_LIMIT_S:.0f} s")
        finally:
            await call.hang_up()
        recording = call.recording()
        self.figures.silences.append(await aside(longest_silence_ms, recording))
        since, until = span
        if until is None:
            self.figures.missed += 1
        else:
            self.figures.of[scene.measures].append((until - since) / 1e6)
            _progress(f"{scene.name}: {(until - since) // 1_000_000} ms")
        if self.keep is not None:
            await asyncio.to_thread(recording.save, self.keep / f"{scene.name}.wav")
            if rung is not None and rung.frame_count:
                at_staff = self.keep / f"{scene.name} - staff.wav"
                await asyncio.to_thread(rung.recording().save, at_staff)


#: Looking through a recording takes tenths of a second, in which other calls' keys would wait.
aside = asyncio.to_thread


# -- scenes ------------------------------------------------------------------------


def fails(refuse: Refusal) -> Act:
    async def act(call: PhoneCall, rung: PhoneCall) -> Span:
        await hears_music(call)
        failed_ns = await refuse(rung)
        await hears_speech(call, frames=150, start=call.frame_count)
        return failed_ns, await aside(next_word, call.recording(), failed_ns)

    return act


def declines(status: int) -> Refusal:
    async def refuse(rung: PhoneCall) -> int:
        await rung.decline(status)
        return (await rung.ended()).at_ns

    return refuse


async def leaves(rung: PhoneCall) -> int:
    await rung.answer()
    await hears_speech(rung)
    left_ns = time.monotonic_ns()
    await rung.hang_up()
    return left_ns


async def presses_two(rung: PhoneCall) -> int:
    await rung.answer()
    await hears_speech(rung)
    pressed_ns = time.monotonic_ns()
    with contextlib.suppress(PhoneError):  # Kai hangs up before all of it is sent
        await rung.press("2")
    return pressed_ns + KEY_MS * 1_000_000


async def hangs_up(call: PhoneCall, rung: PhoneCall) -> Span:
    await hears_speech(call, frames=50, start=call.frame_count)
    left_ns = time.monotonic_ns()
    await call.hang_up()
    return left_ns, (await rung.ended()).at_ns


async def accepts(call: PhoneCall, rung: PhoneCall) -> Span:
    await rung.answer()
    await hears_speech(rung)
    async with asyncio.TaskGroup() as talking:
        talking.create_task(call.say(tone(CALLER_HERTZ, _TONE_S)), name="caller's tone")
        pressed_ns = time.monotonic_ns()
        talking.create_task(rung.press("1"), name="key")
        talking.create_task(rung.say(tone(STAFF_HERTZ, _TONE_S)), name="staff's tone")
    released_ns = pressed_ns + KEY_MS * 1_000_000
    at_caller = await aside(tone_begins, call.recording(), STAFF_HERTZ, released_ns)
    at_staff = await aside(tone_begins, rung.recording(), CALLER_HERTZ, released_ns)
    both = None if at_caller is None or at_staff is None else max(at_caller, at_staff)
    return released_ns, both


async def hears_music(call: PhoneCall) -> None:
    """Wait until something is heard, and no word in it, for `MUSIC_MS`."""
    music_ms = 0
    async for frame in call.frames(call.frame_count):
        loudest = amplitudes(frame.heard).max(initial=0)
        is_music = level(SPEECH_DBFS) < loudest < level(WORDS_DBFS)
        music_ms = music_ms + 20 if is_music else 0
        if music_ms >= MUSIC_MS:
            return


REFUSALS: Sequence[tuple[str, Refusal]] = (
    ("busy", declines(486)),
    ("declines", declines(603)),
    ("leaves", leaves),
    ("presses 2", presses_two),
)


def scenes(calls: int) -> list[Scene]:
    """`calls` of each kind, mixed."""
    each: list[Scene] = []
    for number in range(calls):
        name, refuse = REFUSALS[number % len(REFUSALS)]
        for measures, what, act in (
            ("failed_to_next_word_ms", name, fails(refuse)),
            ("hangup_to_ring_stop_ms", "hangs up", hangs_up),
            ("accept_to_audio_ms", "accepts", accepts),
        ):
            each.append(Scene(measures=measures, name=f"{number + 1} {what}", act=act))
    return each


# -- the bench ---------------------------------------------------------------------


def rules(lanes: int) -> str:
    """For each caller a number of Kai's of their own, and a person whom it leads to."""
    each = range(lanes)
    numbers = "\n".join(
        f'  "{111 + n}": {{ladders: {{default: [{{transfer: p{n}, ring: 60}}, voicemail]}}}}'
        for n in each
    )
    people = "\n".join(f'  p{n}: {{name: Dana, phone: "{201 + n}"}}' for n in each)
    phones = "\n".join(f'  "{201 + n}": {{name: Dana}}' for n in each)
    return f"numbers:\n{numbers}\npeople:\n{people}\nphones:\n{phones}\n"


async def bench(calls: int, at_once: int, keep: Path | None) -> dict[str, Any]:
    loads = [os.getloadavg()[0]]
    figures = Figures()
    waiting = scenes(calls)[::-1]
    total = len(waiting)

    async def calls_of(running: Site, lane: int) -> None:
        async with (
            _phone(running, 101 + lane, register=False) as caller,
            _phone(running, 201 + lane) as staff,
        ):
            one = Lane(
                caller=caller, staff=staff, number=str(111 + lane), figures=figures, keep=keep
            )
            while waiting:
                await one.place(waiting.pop())

    staff = [str(201 + lane) for lane in range(at_once)]
    async with (
        site(phones=at_once, staff=staff, rules=rules(at_once)) as running,
        asyncio.TaskGroup() as lanes,
    ):
        for lane in range(at_once):
            lanes.create_task(calls_of(running, lane), name=f"lane {lane}")
    loads.append(os.getloadavg()[0])
    return {
        **{name: percentiles(figures.of[name]) for name, _ in WANTED},
        "longest_silence_ms": round(max(figures.silences)),
        "calls": total,
        "missed": figures.missed,
        "at_once": at_once,
        "load": [round(load, 2) for load in loads],
    }


def _phone(running: Site, user: int, *, register: bool = True) -> SipPhone:
    return SipPhone(
        server=running.pbx.sip_address,
        user=str(user),
        password=PHONE_PASSWORD,
        register=register,
        holds_back_ms=JITTER_MS,
    )


def show(result: Mapping[str, Any]) -> None:
    for name, wanted in WANTED:
        print(
            f"{name:23}",
            "  ".join(f"{k} {v}" for k, v in result[name].items()),
            f"(p95 under {wanted})",
        )
    print(f"{'longest_silence_ms':23}", result["longest_silence_ms"], "(under 2500)")
    counts = f"{result['calls']} calls, {result['missed']} missed"
    print(f"{counts}, load {' before, '.join(map(str, result['load']))} after")


def _progress(text: str) -> None:
    print(f"bench fallback: {text}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench fallback",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.add_argument("--calls", type=int, default=51, metavar="N", help="of each kind (51)")
    parser.add_argument("--at-once", type=int, default=3, metavar="N", help="callers at once (3)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep recordings there")
    args = parser.parse_args()
    if args.keep is not None:
        args.keep.mkdir(parents=True, exist_ok=True)
    result = asyncio.run(bench(args.calls, args.at_once, args.keep))
    if args.json:
        print(json.dumps(result))
    else:
        show(result)


if __name__ == "__main__":
    main()
