"""What happened on a call, computed from its evidence and from nothing else.

No function here takes an outcome as input: there is no way to set one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kai_ari.calls import events as ev
from kai_ari.calls.events import EndedBy, Event
from kai_ari.calls.follow_events import CalledOut, OptedOut
from kai_ari.calls.handoff import (
    callback_booked,
    handed_off,
    handoff_suspect,
    human_connected,
    taken_back,
)
from kai_ari.calls.leg_events import LadderStarted

#: A recording is a message from this length and this much voice on: shorter ones are
#: a cough, a bump or a hang-up tone.
MIN_MESSAGE_MS = 1500
MIN_VOICED_MS = 500

#: What a message needs before somebody can act on it.
REQUIRED_SLOTS = ("reason", "name", "number")

#: The need of a caller who asked for a person and said no more.
A_PERSON = "wanted to talk to a person"


class Headline(StrEnum):
    """What a call can come to. Of several, the one concluded last is the headline; the order
    here decides between those that one event concludes. A caller who merely left, or nothing
    at all, is the headline of a call without another conclusion."""

    OPTED_OUT = "opted_out"
    HUMAN_CONNECTED = "human_connected"
    HANDED_OFF = "handed_off"
    DETAILS_TAKEN = "details_taken"
    MESSAGE_LEFT = "message_left"
    CALLBACK_BOOKED = "callback_booked"
    HANDOFF_SUSPECT = "handoff_suspect"
    CALLER_LEFT = "caller_left"
    UNRESOLVED = "unresolved"


_NO_CONCLUSION = frozenset({Headline.CALLER_LEFT, Headline.UNRESOLVED})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    headline: Headline
    facts: frozenset[Headline]
    ended_by: EndedBy | None  # None while the caller is still connected
    reason: str
    evidence: tuple[int, ...]  # places (from 1) of the events that prove the headline


def outcome(events: Iterable[Event]) -> Outcome:
    """Total: any sequence of events has exactly one outcome."""
    history = tuple(events)
    ended = next((e for e in history if isinstance(e, ev.Ended)), None)
    proofs = {
        Headline.OPTED_OUT: _opted_out(history),
        Headline.HUMAN_CONNECTED: human_connected(history),
        Headline.HANDED_OFF: handed_off(history),
        Headline.DETAILS_TAKEN: _details_taken(history),
        Headline.MESSAGE_LEFT: _message_left(history),
        Headline.CALLBACK_BOOKED: callback_booked(history),
        Headline.HANDOFF_SUSPECT: handoff_suspect(history),
        Headline.CALLER_LEFT: _caller_left(history),
    }
    facts = frozenset(headline for headline, proof in proofs.items() if proof)
    concluded = [h for h in Headline if h in facts and h not in _NO_CONCLUSION]
    fallback = Headline.CALLER_LEFT if Headline.CALLER_LEFT in facts else Headline.UNRESOLVED
    headline = max(concluded, key=lambda h: max(proofs[h]), default=fallback)
    return Outcome(
        headline=headline,
        facts=facts or frozenset({Headline.UNRESOLVED}),
        ended_by=ended.by if ended else None,
        reason=_reason(history, ended),
        evidence=proofs.get(headline, ()),
    )


def is_message(stored: ev.RecordingStored) -> bool:
    return stored.duration_ms >= MIN_MESSAGE_MS and stored.voiced_ms >= MIN_VOICED_MS


def left_unfinished(events: Iterable[Event]) -> bool:
    """Whether the last that came of a hand-off is nothing: it is suspect, or the caller was given
    back to Kai, and nothing was concluded since. What was proven before does not settle it."""
    history = tuple(events)
    result = outcome(history)
    if result.headline is Headline.HANDOFF_SUSPECT:
        return True
    back = taken_back(history)
    if back is None:
        return False
    return result.headline in _NO_CONCLUSION or max(result.evidence) < back


def confirmed_slots(events: Iterable[Event]) -> dict[str, str]:
    """The values that stand: confirmed, and not taken anew since."""
    return {slot: value for slot, (_, value) in _standing_slots(tuple(events)).items()}


def _standing_slots(history: Sequence[Event]) -> dict[str, tuple[int, str]]:
    standing: dict[str, tuple[int, str]] = {}
    for place, event in enumerate(history, start=1):
        if isinstance(event, ev.SlotTaken):
            standing.pop(event.slot, None)
        elif isinstance(event, ev.SlotConfirmed) and event.value.strip():
            standing[event.slot] = (place, event.value)
    return standing


def _opted_out(history: Sequence[Event]) -> tuple[int, ...]:
    """On the list, whose entry says what they said: it is written with this event, or not."""
    places = (place for place, e in enumerate(history, start=1) if isinstance(e, OptedOut))
    return tuple(places)[:1]


def _details_taken(history: Sequence[Event]) -> tuple[int, ...]:
    """Every required slot stands confirmed, and delivery was written after that."""
    standing = _standing_slots(history)
    if any(slot not in standing for slot in REQUIRED_SLOTS):
        return ()
    places = [standing[slot][0] for slot in REQUIRED_SLOTS]
    owed = _first_owed(history, "deliver_message", after=max(places), recording=None)
    return (*sorted(places), owed) if owed else ()


def _message_left(history: Sequence[Event]) -> tuple[int, ...]:
    """Some recording finished, is long and voiced enough, is stored, and is owed to somebody."""
    for stored_at, stored in enumerate(history, start=1):
        if not isinstance(stored, ev.RecordingStored) or not is_message(stored):
            continue
        finished_at = next(
            (
                place
                for place, event in enumerate(history[: stored_at - 1], start=1)
                if isinstance(event, ev.RecordingFinished) and event.recording == stored.recording
            ),
            None,
        )
        owed = _first_owed(history, "deliver_message", after=stored_at, recording=stored.recording)
        if finished_at and owed:
            return (finished_at, stored_at, owed)
    return ()


def _first_owed(
    history: Sequence[Event], owed: str, *, after: int, recording: str | None
) -> int | None:
    return next(
        (
            place
            for place, event in enumerate(history, start=1)
            if place > after
            and isinstance(event, ev.ObligationWritten)
            and event.owed == owed
            and event.recording == recording
        ),
        None,
    )


def need_and_number(events: Iterable[Event]) -> tuple[str, str] | None:
    """The need a caller stated and a number to reach them on, even unconfirmed.

    Who was put on the way to a person wanted one, whatever else they said.

    What the caller typed or said for the number counts before the caller id.
    """
    need, number = _need(events)
    return (need, number) if need and number else None


def _need(events: Iterable[Event]) -> tuple[str | None, str | None]:
    need = number = None
    for event in events:
        match event:
            case ev.Arrived(caller_number=str(given)) | CalledOut(number=given):
                number = given
            case ev.SlotTaken(slot="reason", value=value) if value.strip():
                need = value
            case LadderStarted():
                need = need or A_PERSON
            case ev.SlotTaken(slot="number", value=value) if value.strip():
                number = value
    return need, number


def usable_number(events: Iterable[Event]) -> str | None:
    """Where the caller can be reached: what they gave, else the caller id."""
    return _need(events)[1]


def _caller_left(history: Sequence[Event]) -> tuple[int, ...]:
    """The caller hung up first; a follow-up exists if they stated a need and can be reached."""
    left = next(
        ((place, e.by) for place, e in enumerate(history, start=1) if isinstance(e, ev.Ended)),
        None,
    )
    if left is None or left[1] is not EndedBy.CALLER:
        return ()
    place = left[0]
    called_out = any(isinstance(e, CalledOut) for e in history)  # what for, is owed as before
    if called_out or need_and_number(history) is None:
        return (place,)
    owed = _first_owed(history, "call_back", after=0, recording=None)
    return tuple(sorted((place, owed))) if owed else ()


def _reason(history: Sequence[Event], ended: ev.Ended | None) -> str:
    if ended is None:
        return "in_progress"
    situations = [e.situation.value for e in history if isinstance(e, ev.SituationNamed)]
    return situations[-1] if situations else ended.reason
