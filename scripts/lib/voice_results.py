"""What a caller heard and what Kai recorded, turn by turn, and the figures made of it."""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from callers import Line
from turn_audio import RATE, Measured, amplitudes, first_speech, measure

from kai_ari.calls import events as ev
from kai_ari.calls.chain import Record
from kai_ari.testing.caller import Turn
from kai_ari.testing.phone_call import Recording

THRESHOLDS = (-30, -35, -40, -45, -50)
PARTS = ("endpointing", "recognition", "thinking", "voice")


@dataclass(frozen=True, kw_only=True)
class Called:
    """One call: what the phone recorded, and which turns of the script were reached."""

    phone: str
    name: str
    says: Sequence[Line]
    turns: Sequence[Turn]
    recording: Recording | None  # None: Kai was not reached

    @property
    def first_audio_ms(self) -> float | None:
        if self.recording is None:
            return None
        at = first_speech(amplitudes(self.recording.heard))
        if at is None:
            return None
        since_invite = self.recording.started_ns - self.recording.invited_ns
        return since_invite / 1e6 + at * 1000 / RATE


@dataclass(frozen=True, kw_only=True)
class Result:
    """One turn: heard at the phone, and what Kai's record says of it."""

    call: str
    line: Line
    measured: Measured
    facts: Sequence[ev.Event]

    @property
    def timed(self) -> ev.TurnTimed | None:
        return next((fact for fact in self.facts if isinstance(fact, ev.TurnTimed)), None)

    @property
    def as_expected(self) -> bool:
        spoken = {fact.line for fact in self.facts if isinstance(fact, ev.LineStarted)}
        taken = {fact.value for fact in self.facts if isinstance(fact, ev.SlotTaken)}
        wanted = self.line.takes
        return self.line.then in spoken and (
            wanted is None or any(wanted.lower() in value.lower() for value in taken)
        )

    def as_json(self) -> dict[str, Any]:
        heard = [fact.text for fact in self.facts if isinstance(fact, ev.CallerSpoke)]
        spoken = [fact.line for fact in self.facts if isinstance(fact, ev.LineStarted)]
        timed = self.timed
        return {
            "call": self.call,
            "said": self.line.text,
            "heard": heard,
            "answered": spoken,
            "expected": self.line.then,
            "as_expected": self.as_expected,
            "cut_in": self.measured.cut_in,
            "answer_ms": self.measured.answer_ms and round(self.measured.answer_ms),
            "parts_ms": timed and [getattr(timed, f"{part}_ms") for part in PARTS],
        }


def results_of(call: Called, records: Sequence[Record]) -> list[Result]:
    if call.recording is None:
        return []
    measured = measure(call.recording, call.turns, THRESHOLDS)
    epoch = datetime.now(UTC) - timedelta(seconds=time.monotonic())
    instants = [
        epoch + timedelta(seconds=call.recording.started_ns / 1e9 + turn.began / RATE)
        for turn in measured
    ] + [datetime.max.replace(tzinfo=UTC)]
    return [
        Result(
            call=call.name,
            line=line,
            measured=turn,
            facts=[r.event for r in records if instants[place] <= r.at < instants[place + 1]],
        )
        for place, (line, turn) in enumerate(zip(call.says, measured, strict=False))
    ]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Nearest rank: each is a value that was measured."""
    if not values:
        raise SystemExit("nothing was measured: see the messages above")
    ordered = sorted(values)

    def at(share: float) -> int:
        return round(ordered[math.ceil(share * len(ordered)) - 1])

    return {"p50": at(0.5), "p95": at(0.95), "max": at(1), "n": len(ordered)}


def summary(called: Sequence[Called], results: Sequence[Result]) -> dict[str, Any]:
    answered = [r for r in results if r.measured.answer_ms is not None]
    good = [r for r in answered if not r.measured.cut_in]
    timed = [(r.measured.answer_ms or 0.0, r.timed) for r in good if r.timed]
    shares = {
        part: statistics.median(getattr(turn, f"{part}_ms") for _, turn in timed) for part in PARTS
    }
    shares["outside"] = round(statistics.median(ms - turn.total_ms for ms, turn in timed))
    return {
        "voice_to_voice_ms": percentiles([r.measured.answer_ms or 0.0 for r in good]),
        "first_audio_ms": percentiles(
            [ms for call in called if (ms := call.first_audio_ms) is not None]
        ),
        "shares_ms": shares,
        "turns": len(results),
        "cut_in": len(answered) - len(good),
        "unanswered": len(results) - len(answered),
        "not_as_expected": sum(not r.as_expected for r in results),
        "silent_calls": sum(call.first_audio_ms is None for call in called),
        "by_threshold": {
            str(dbfs): percentiles([r.measured.answer_ms_at(dbfs) or 0.0 for r in good])["p50"]
            for dbfs in THRESHOLDS
        },
    }
