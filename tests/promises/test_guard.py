"""No claim without backing, and no line that promises in words what it does not claim."""

import re
from dataclasses import replace

import pytest
from hypothesis import given

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import Event
from kai_ari.dialogue import conversation, turns
from kai_ari.dialogue.all_lines import ALL
from kai_ari.dialogue.lines import Line
from kai_ari.promises.guard import Claim, unbacked
from tests.calls.strategies import ANY

OWED = ev.ObligationWritten(obligation="1", owed="deliver_message")

#: Words that tell a caller that something is so, was done or will be, and the claim they make.
#: A line makes the claims whose words are in it, and no other.
WORDS: dict[str, frozenset[Claim]] = {
    r"message is saved": frozenset({Claim.MESSAGE_SAVED}),
    r"written down .* to be called back": frozenset({Claim.CALL_BACK_OWED}),
    r"written down that we call you": frozenset({Claim.CALL_BACK_OWED}),
    r"now on our list": frozenset({Claim.OPTED_OUT}),
    r"written down .* that you called": frozenset({Claim.FOLLOW_UP_OWED}),
    r"I am (still )?trying": frozenset({Claim.TRYING}),
    r"nobody (can|else)": frozenset({Claim.NOT_REACHED}),
    r"is busy": frozenset({Claim.BUSY}),
    r"no answer": frozenset({Claim.NO_ANSWER}),
    r"cannot take": frozenset({Claim.DECLINED}),
    r"cannot reach": frozenset({Claim.UNREACHABLE}),
    r"asks me to": frozenset({Claim.WANTS_MESSAGE}),
    r"you were cut off": frozenset({Claim.CUT_OFF}),
    r"back with me": frozenset({Claim.GIVEN_BACK}),
    r"has your case": frozenset({Claim.HANDED_OFF}),
}
#: Never said at all: nothing could back it.
FORBIDDEN = re.compile(
    r"\b(is coming|on (the|their|his|her) way|"
    r"(?<!who )will (call|ring|be|read|contact|come|get back)|"
    r"connecting you|putting you through|have told|is waiting for you|hold for)\b",
    re.IGNORECASE,
)


@given(ANY)
def test_a_claim_is_backed_by_an_obligation_and_nothing_else(history: list[Event]) -> None:
    backed = any(
        isinstance(event, ev.ObligationWritten) and event.owed == "deliver_message"
        for event in history
    )
    assert unbacked([Claim.MESSAGE_SAVED], history) == (
        frozenset() if backed else frozenset({Claim.MESSAGE_SAVED})
    )


@pytest.mark.parametrize("line", ALL, ids=lambda line: line.id)
def test_every_line_that_promises_something_claims_it(line: Line) -> None:
    said = [claims for words, claims in WORDS.items() if re.search(words, line.text, re.IGNORECASE)]
    assert frozenset(line.claims) == frozenset().union(*said)
    assert not FORBIDDEN.search(line.text)


@pytest.mark.parametrize("line", ALL, ids=lambda line: line.id)
def test_every_line_is_plain_speech(line: Line) -> None:
    assert not re.search(r"\d|[&/*#@]", line.text), "figures and signs are read in surprising ways"
    assert [each for each in ALL if each.id == line.id] == [line], "two lines share an id"


def test_a_line_with_a_claim_is_never_spoken_without_an_honest_alternative() -> None:
    said = [
        action
        for call_back in (True, False)
        for state_step in (turns.Step.RECORDING, turns.Step.SAVING)
        for ok in (True, False)
        for action in conversation.step(
            turns.State(
                business="Rossi Plumbing", caller_number=None, step=state_step, call_back=call_back
            ),
            turns.Saved(ok=ok),
        )[1]
        if isinstance(action, turns.Say)
    ]
    assert any(say.line.claims for say in said)
    for say in said:
        if say.line.claims:
            assert say.otherwise is not None
            assert not say.otherwise.claims


def test_with_nothing_on_record_nothing_can_be_claimed() -> None:
    assert unbacked(Claim, []) == frozenset(Claim)


def test_every_claim_is_made_by_a_line_and_known_by_its_words() -> None:
    assert frozenset().union(*WORDS.values()) == frozenset(Claim)
    assert frozenset(claim for line in ALL for claim in line.claims) == frozenset(Claim)


CALLED = leg.LegStarted(leg="leg1", who="Dana", to="101")
OVER = leg.LegEnded(leg="leg1", result="busy", cause=17, sip=486, reason="busy")
TRIED = leg.RungEnded(rung="ladders.default[0]", result="busy")
PARTED = leg.LegParted(leg="leg1", by=ev.EndedBy.HUMAN, lasted_ms=3000, given_back=False)

BACKED: dict[str, tuple[Claim, list[Event], bool]] = {
    "ringing": (Claim.TRYING, [CALLED], True),
    "rang in vain": (Claim.TRYING, [CALLED, OVER], False),
    "busy": (Claim.BUSY, [CALLED, OVER, TRIED], True),
    "busy, then another": (
        Claim.BUSY,
        [CALLED, OVER, TRIED, leg.RungEnded(rung="ladders.default[1]", result="no_answer")],
        False,
    ),
    "nobody while it rings": (Claim.NOT_REACHED, [CALLED], False),
    "nobody, untried": (Claim.NOT_REACHED, [], False),
    "nobody, tried": (Claim.NOT_REACHED, [CALLED, OVER, TRIED], True),
    "nobody, all away": (
        Claim.NOT_REACHED,
        [leg.RungSkipped(rung="ladders.default[0]", why="Dana is away")],
        True,
    ),
    "cut off": (Claim.CUT_OFF, [PARTED], True),
    "hung up by the caller": (Claim.CUT_OFF, [replace(PARTED, by=ev.EndedBy.CALLER)], False),
    "given back": (Claim.GIVEN_BACK, [replace(PARTED, given_back=True)], True),
    "an empty acknowledgement": (Claim.HANDED_OFF, [leg.Acknowledged(workflow="w", id=" ")], False),
    "acknowledged": (Claim.HANDED_OFF, [leg.Acknowledged(workflow="w", id="7")], True),
}


@pytest.mark.parametrize("name", BACKED)
def test_what_backs_a_claim(name: str) -> None:
    claim, history, backed = BACKED[name]
    assert (not unbacked([claim], history)) is backed


def test_what_backs_a_claim_is_the_call_s_own_record() -> None:
    assert not unbacked([Claim.MESSAGE_SAVED], [OWED])
    assert unbacked([Claim.MESSAGE_SAVED], [])
