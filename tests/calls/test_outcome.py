"""The outcome follows from the evidence: for any events, and for the calls that people make."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kai_ari.calls.events import (
    Answered,
    Arrived,
    CallerSilent,
    Ended,
    EndedBy,
    Event,
    ObligationWritten,
    RecordingFailed,
    RecordingFinished,
    RecordingStored,
    Situation,
    SituationNamed,
    SlotConfirmed,
    SlotTaken,
)
from kai_ari.calls.outcome import Headline, confirmed_slots, need_and_number, outcome
from tests.calls.strategies import HISTORY, PROVING

H = Headline

# -- what counts as proof, said again and independently ------------------------


def proves_details(events: Sequence[Event]) -> bool:
    """Some delivery was written when each slot's latest word was the caller's own, and none
    of the three was taken anew afterwards without being confirmed before another delivery."""
    return any(
        isinstance(owed, ObligationWritten)
        and owed.owed == "deliver_message"
        and owed.recording is None
        and all(
            stands(events, slot) is not None and stands(events, slot) == stands(events[:at], slot)
            for slot in ("reason", "name", "number")
        )
        for at, owed in enumerate(events)
    )


def stands(events: Sequence[Event], slot: str) -> tuple[int, str] | None:
    """Place and value of the confirmation of `slot` that no later taking has undone."""
    about = [
        (at, e)
        for at, e in enumerate(events)
        if (isinstance(e, SlotTaken) and e.slot == slot)
        or (isinstance(e, SlotConfirmed) and e.slot == slot and e.value.strip())
    ]
    if not about:
        return None
    at, last = about[-1]
    return (at, last.value) if isinstance(last, SlotConfirmed) else None


def proves_message(events: Sequence[Event]) -> bool:
    return any(
        isinstance(finished, RecordingFinished)
        and isinstance(stored, RecordingStored)
        and isinstance(owed, ObligationWritten)
        and finished.recording == stored.recording == owed.recording
        and owed.owed == "deliver_message"
        and stored.duration_ms >= 1500
        and stored.voiced_ms >= 500
        for f, finished in enumerate(events)
        for s, stored in enumerate(events[f:], f)
        for owed in events[s:]
    )


def proves_caller_left(events: Sequence[Event]) -> bool:
    endings = [e for e in events if isinstance(e, Ended)]
    if not endings or endings[0].by is not EndedBy.CALLER:
        return False
    follow_up = any(isinstance(e, ObligationWritten) and e.owed == "call_back" for e in events)
    return follow_up or need_and_number(events) is None


PROOFS = {
    H.DETAILS_TAKEN: proves_details,
    H.MESSAGE_LEFT: proves_message,
    H.CALLER_LEFT: proves_caller_left,
}


def test_every_good_headline_has_a_proof_here() -> None:
    assert set(PROOFS) | {H.UNRESOLVED} == set(Headline)


# -- for any events ------------------------------------------------------------


@given(HISTORY)
def test_any_events_have_one_outcome_and_its_evidence_is_among_them(events: list[Event]) -> None:
    result = outcome(events)
    assert result.headline in result.facts
    assert list(result.evidence) == sorted(set(result.evidence))
    assert all(1 <= place <= len(events) for place in result.evidence)
    assert bool(result.evidence) == (result.headline is not H.UNRESOLVED)
    assert outcome(iter(events)) == result


@given(HISTORY)
def test_no_good_headline_without_its_evidence(events: list[Event]) -> None:
    result = outcome(events)
    for fact in result.facts - {H.UNRESOLVED}:
        assert PROOFS[fact](events), fact


@given(HISTORY)
def test_no_evidence_is_overlooked(events: list[Event]) -> None:
    facts = outcome(events).facts
    for headline in (H.DETAILS_TAKEN, H.MESSAGE_LEFT):
        assert (headline in facts) == PROOFS[headline](events)


@given(PROVING)
def test_the_evidence_alone_proves_as_much(events: list[Event]) -> None:
    result = outcome(events)
    assume(result.headline in (H.DETAILS_TAKEN, H.MESSAGE_LEFT))
    alone = [events[place - 1] for place in result.evidence]
    assert outcome(alone).headline is result.headline


@given(PROVING, st.data())
def test_without_one_piece_of_evidence_the_proof_falls_unless_another_stands(
    events: list[Event], data: st.DataObject
) -> None:
    result = outcome(events)
    assume(result.evidence)
    place = data.draw(st.sampled_from(result.evidence))
    rest = events[: place - 1] + events[place:]
    if result.headline in outcome(rest).facts:
        assert PROOFS[result.headline](rest)


@given(HISTORY, st.integers(0, 24))
def test_an_event_delivered_twice_changes_nothing(events: list[Event], at: int) -> None:
    assume(at < len(events))
    twice = [*events[: at + 1], *events[at:]]
    once = outcome(events)
    again = outcome(twice)
    assert (again.headline, again.facts, again.ended_by) == (
        once.headline,
        once.facts,
        once.ended_by,
    )


@given(HISTORY)
def test_only_confirmed_words_stand(events: list[Event]) -> None:
    assert confirmed_slots(events) == {
        slot: found[1]
        for slot in ("reason", "name", "number", "day")
        if (found := stands(events, slot))
    }


# -- the calls that people make ------------------------------------------------

ARRIVED = Arrived(
    channel="c",
    did="100",
    caller_raw="5550199",
    caller_name="",
    caller_number="+15550199",
    resumed_from=None,
)
HIDDEN = Arrived(
    channel="c", did="100", caller_raw="", caller_name="", caller_number=None, resumed_from=None
)
LEFT = Ended(by=EndedBy.CALLER, cause=16, reason="hung_up")
DONE = Ended(by=EndedBy.KAI, cause=16, reason="said_goodbye")
DELIVERY = ObligationWritten(obligation="o1", owed="deliver_message")
CALL_BACK = ObligationWritten(obligation="o2", owed="call_back")
REASON = SlotTaken(slot="reason", value="a leak", how="voice")


def confirmed(*slots: str) -> list[Event]:
    return [
        event
        for slot in slots
        for event in (
            SlotTaken(slot=slot, value="x", how="voice"),
            SlotConfirmed(slot=slot, value="x"),
        )
    ]


def recorded(name: str = "a", *, ms: int = 6000, voiced: int = 4000) -> list[Event]:
    return [
        RecordingFinished(recording=name, duration_ms=ms),
        RecordingStored(recording=name, file="f", sha256="s", duration_ms=ms, voiced_ms=voiced),
        ObligationWritten(obligation="o", owed="deliver_message", recording=name),
    ]


ALL = confirmed("reason", "name", "number")

EXAMPLES: dict[str, tuple[list[Event], Headline, tuple[int, ...], str]] = {
    "nothing": ([], H.UNRESOLVED, (), "in_progress"),
    "just arrived": ([ARRIVED, Answered()], H.UNRESOLVED, (), "in_progress"),
    "details taken": ([*ALL, DELIVERY, DONE], H.DETAILS_TAKEN, (2, 4, 6, 7), "said_goodbye"),
    "details taken, caller hangs up": (
        [*ALL, DELIVERY, LEFT],
        H.DETAILS_TAKEN,
        (2, 4, 6, 7),
        "hung_up",
    ),
    "no delivery written": ([*ALL, DONE], H.UNRESOLVED, (), "said_goodbye"),
    "delivery written before the last word": (
        [*confirmed("reason", "name"), DELIVERY, *confirmed("number"), DONE],
        H.UNRESOLVED,
        (),
        "said_goodbye",
    ),
    "one slot missing": ([*confirmed("reason", "name"), DELIVERY, DONE], H.UNRESOLVED, (), ""),
    "a slot taken anew and left open": ([*ALL, REASON, DELIVERY, DONE], H.UNRESOLVED, (), ""),
    "a slot corrected": (
        [*ALL, REASON, SlotConfirmed(slot="reason", value="a flood"), DELIVERY, DONE],
        H.DETAILS_TAKEN,
        (4, 6, 8, 9),
        "",
    ),
    "blank confirmation": (
        [*confirmed("reason", "name"), SlotConfirmed(slot="number", value=" "), DELIVERY, DONE],
        H.UNRESOLVED,
        (),
        "",
    ),
    "voicemail": ([*recorded(), LEFT], H.MESSAGE_LEFT, (1, 2, 3), "hung_up"),
    "voicemail too short": ([*recorded(ms=1499), DONE], H.UNRESOLVED, (), ""),
    "voicemail of silence": ([*recorded(voiced=499), DONE], H.UNRESOLVED, (), ""),
    "voicemail never finished": ([*recorded()[1:], DONE], H.UNRESOLVED, (), ""),
    "voicemail not stored": ([recorded()[0], recorded()[2], DONE], H.UNRESOLVED, (), ""),
    "voicemail owed to nobody": ([*recorded()[:2], DONE], H.UNRESOLVED, (), ""),
    "owed is another recording": (
        [*recorded()[:2], recorded("b")[2], DONE],
        H.UNRESOLVED,
        (),
        "",
    ),
    "the first recording failed": (
        [RecordingFailed(recording="a", why="disk"), *recorded("b"), DONE],
        H.MESSAGE_LEFT,
        (2, 3, 4),
        "",
    ),
    "details and a voicemail": (
        [*ALL, DELIVERY, *recorded(), DONE],
        H.DETAILS_TAKEN,
        (2, 4, 6, 7),
        "",
    ),
    "hung up at once": ([ARRIVED, LEFT], H.CALLER_LEFT, (2,), "hung_up"),
    "hung up after stating a need": ([ARRIVED, REASON, LEFT], H.UNRESOLVED, (), "hung_up"),
    "the same, and followed up": (
        [ARRIVED, REASON, LEFT, CALL_BACK],
        H.CALLER_LEFT,
        (3, 4),
        "hung_up",
    ),
    "a need, but no number to reach": ([HIDDEN, REASON, LEFT], H.CALLER_LEFT, (3,), "hung_up"),
    "silence": (
        [
            ARRIVED,
            CallerSilent(waited_ms=8000),
            SituationNamed(situation=Situation.CALLER_SILENT),
            DONE,
        ],
        H.UNRESOLVED,
        (),
        "caller_silent",
    ),
    "a fault": (
        [ARRIVED, Ended(by=EndedBy.FAULT, cause=None, reason="agent_died")],
        H.UNRESOLVED,
        (),
        "agent_died",
    ),
    "the network": (
        [ARRIVED, Ended(by=EndedBy.NETWORK, cause=38, reason="asterisk_gone")],
        H.UNRESOLVED,
        (),
        "asterisk_gone",
    ),
    "the caller left before Kai hung up": ([ARRIVED, LEFT, DONE], H.CALLER_LEFT, (2,), "hung_up"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str) -> None:
    events, headline, evidence, reason = EXAMPLES[name]
    result = outcome(events)
    assert result.headline is headline
    assert result.evidence == evidence
    assert reason in ("", result.reason)


def test_words_and_good_will_prove_nothing() -> None:
    """Everything said, nothing written: however it is shuffled, it is not handled."""
    events = [e for e in [*ALL, *recorded()] if not isinstance(e, ObligationWritten)]
    for seed in range(50):
        random.Random(seed).shuffle(events)  # noqa: S311 - no secret
        assert outcome([*events, DONE]).headline is H.UNRESOLVED
