"""The outcome follows from the evidence: for any events, and for the calls that people make."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kai_ari.calls.events import (
    Ended,
    EndedBy,
    Event,
    ObligationWritten,
    RecordingFinished,
    RecordingStored,
    SlotConfirmed,
    SlotTaken,
)
from kai_ari.calls.follow_events import CalledOut, OptedOut
from kai_ari.calls.leg_events import (
    Acceptance,
    Acknowledged,
    AudioBothWays,
    CallbackBooked,
    Conversed,
    LegAccepted,
    LegJoined,
    LegParted,
    RungEnded,
)
from kai_ari.calls.outcome import (
    Headline,
    confirmed_slots,
    left_unfinished,
    need_and_number,
    outcome,
)
from tests.calls.examples import ALL, ARRIVED, DONE, EXAMPLES, LEFT, recorded, talked
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
    called_out = any(isinstance(e, CalledOut) for e in events)
    return follow_up or called_out or need_and_number(events) is None


def legs_of(events: Sequence[Event], *how: Acceptance) -> set[tuple[int, str]]:
    """Each acceptance of these kinds: its place, and its leg."""
    return {
        (at, e.leg) for at, e in enumerate(events) if isinstance(e, LegAccepted) and e.how in how
    }


def was_talked_to(events: Sequence[Event], accepted_at: int, leg: str) -> bool:
    """Joined after the acceptance, and after the joining heard both ways for the minimum, or
    until the caller hung up."""
    of_leg = [e for e in events[accepted_at:] if getattr(e, "leg", None) == leg]
    joined = next((at for at, e in enumerate(of_leg) if isinstance(e, LegJoined)), None)
    if joined is None:
        return False
    behind = of_leg[joined:]
    for at, e in enumerate(behind):
        if isinstance(e, Conversed) and e.lasted_ms >= 5000 and e.lasted_ms >= e.minimum_ms:
            return True
        if isinstance(e, AudioBothWays) and min(e.from_caller, e.from_leg) > 0:
            ends = [p for p in behind[at:] if isinstance(p, LegParted)]
            if ends and ends[0].by is EndedBy.CALLER:
                return True
    return False


def proves_human(events: Sequence[Event]) -> bool:
    return any(
        was_talked_to(events, at, leg)
        for at, leg in legs_of(events, Acceptance.KEY, Acceptance.QUEUE)
    )


def proves_handed_off(events: Sequence[Event]) -> bool:
    acknowledged = any(isinstance(e, Acknowledged) and e.id.strip() for e in events)
    return acknowledged or any(
        was_talked_to(events, at, leg) for at, leg in legs_of(events, Acceptance.ANSWER)
    )


def proves_suspect(events: Sequence[Event]) -> bool:
    """Accepted, joined, parted, and not talked to."""
    for at, leg in legs_of(events, *Acceptance):
        kinds = [type(e) for e in events[at:] if getattr(e, "leg", None) == leg]
        parted = LegJoined in kinds and LegParted in kinds[kinds.index(LegJoined) :]
        if parted and not was_talked_to(events, at, leg):
            return True
    return False


def proves_callback(events: Sequence[Event]) -> bool:
    return any(
        isinstance(booked, CallbackBooked)
        and booked.number.strip()
        and booked.due.strip()
        and any(isinstance(e, ObligationWritten) and e.owed == "call_back" for e in events[at:])
        for at, booked in enumerate(events)
    )


def proves_opted_out(events: Sequence[Event]) -> bool:
    return any(isinstance(e, OptedOut) for e in events)


PROOFS = {
    H.OPTED_OUT: proves_opted_out,
    H.HUMAN_CONNECTED: proves_human,
    H.HANDED_OFF: proves_handed_off,
    H.CALLBACK_BOOKED: proves_callback,
    H.HANDOFF_SUSPECT: proves_suspect,
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
    for headline in set(PROOFS) - {H.CALLER_LEFT}:
        assert (headline in facts) == PROOFS[headline](events)


@given(PROVING)
def test_the_evidence_alone_proves_as_much(events: list[Event]) -> None:
    result = outcome(events)
    assume(result.headline not in (H.CALLER_LEFT, H.UNRESOLVED))
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


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str) -> None:
    events, headline, evidence, reason = EXAMPLES[name]
    result = outcome(events)
    assert result.headline is headline
    assert result.evidence == evidence
    assert reason in ("", result.reason)


def test_words_and_good_will_prove_nothing() -> None:
    """Everything said, nothing written: however it is shuffled, it is not handled."""
    talk = [
        LegJoined(leg="a"),
        AudioBothWays(leg="a", from_caller=900, from_leg=900),
        Conversed(leg="a", lasted_ms=20_000, minimum_ms=10_000),
        CallbackBooked(number="+15550100", due="2026-11-23T09:00:00+00:00"),
    ]
    everything = [*ALL, *recorded(), *talk]
    events = [e for e in everything if not isinstance(e, ObligationWritten)]
    for seed in range(50):
        random.Random(seed).shuffle(events)  # noqa: S311 - no secret
        assert outcome([*events, DONE]).headline is H.UNRESOLVED


GIVEN_BACK = talked(given_back=True)


@pytest.mark.parametrize(
    ("then", "unfinished"),
    [
        ([], True),
        ([LEFT], True),
        ([*talked("leg2", heard=False, ms=4000, by=EndedBy.CALLER), LEFT], True),
        ([*talked("leg2", given_back=True), LEFT], True),
        ([*talked("leg2"), DONE], False),
        ([*talked("leg2")[:-2], DONE], False),  # the two talk on without Kai
        ([*talked("leg2", ms=4000, by=EndedBy.CALLER), LEFT], False),
        ([*recorded(), DONE], False),
        ([Acknowledged(workflow="dispatch", id="case-7"), DONE], False),
    ],
)
def test_who_was_given_back_is_unfinished_until_something_is_concluded(
    then: list[Event], unfinished: bool
) -> None:
    assert left_unfinished([ARRIVED, *GIVEN_BACK, *then]) is unfinished


def test_whom_kai_took_out_of_a_proven_talk_is_unfinished() -> None:
    assert left_unfinished([ARRIVED, *talked(by=EndedBy.KAI), LEFT])


def test_whose_proven_talk_broke_off_is_unfinished_if_they_were_still_there() -> None:
    lost = [ARRIVED, *talked(by=EndedBy.NETWORK)]
    assert left_unfinished([*lost, RungEnded(rung="ladders.default[0]", result="cut_off"), LEFT])
    assert not left_unfinished([*lost, Ended(by=EndedBy.NETWORK, cause=38, reason="lost")])


@pytest.mark.parametrize("name", EXAMPLES)
def test_unfinished_is_who_is_suspect_or_came_back_from_the_last_talk(name: str) -> None:
    """None of the examples ends with a caller given back."""
    events, headline, _, _ = EXAMPLES[name]
    assert left_unfinished(events) is (headline is H.HANDOFF_SUSPECT)


@given(HISTORY)
def test_unfinished_is_never_who_was_not_joined_with_anybody(events: list[Event]) -> None:
    if left_unfinished(events):
        assert any(isinstance(event, LegParted) for event in events)
