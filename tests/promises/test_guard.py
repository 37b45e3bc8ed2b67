"""No claim without backing, and no line that promises in words what it does not claim."""

import re

import pytest
from hypothesis import given

from kai_ari.calls import events as ev
from kai_ari.calls.events import Event
from kai_ari.dialogue import conversation, lines, turns
from kai_ari.dialogue.lines import Line
from kai_ari.promises.guard import Claim, unbacked
from tests.calls.strategies import ANY

OWED = ev.ObligationWritten(obligation="1", owed="deliver_message")

#: Words that tell a caller that something is done or will be; "not" and "no" before them
#: make the sentence an honest one.
PROMISES = re.compile(
    r"\b(is saved|is stored|have passed|will (call|ring|be|read|contact)|is coming|"
    r"connecting you|putting you through|have told)\b",
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


@pytest.mark.parametrize("line", lines.ALL, ids=lambda line: line.id)
def test_every_line_that_promises_something_claims_it(line: Line) -> None:
    assert bool(PROMISES.search(line.text)) == bool(line.claims)


@pytest.mark.parametrize("line", lines.ALL, ids=lambda line: line.id)
def test_every_line_is_plain_speech(line: Line) -> None:
    assert not re.search(r"\d|[&/*#@]", line.text), "figures and signs are read in surprising ways"
    assert lines.BY_ID[line.id] is line, "two lines share an id"


def test_a_line_with_a_claim_is_never_spoken_without_an_honest_alternative() -> None:
    said = [
        action
        for state_step in (turns.Step.RECORDING, turns.Step.SAVING)
        for ok in (True, False)
        for action in conversation.step(
            turns.State(business="Rossi Plumbing", caller_number=None, step=state_step),
            turns.Saved(ok=ok),
        )[1]
        if isinstance(action, turns.Say)
    ]
    assert any(say.line.claims for say in said)
    for say in said:
        if say.line.claims:
            assert say.otherwise is not None
            assert not say.otherwise.claims


def test_what_backs_a_claim_is_the_call_s_own_record() -> None:
    assert not unbacked([Claim.MESSAGE_SAVED], [OWED])
    assert unbacked([Claim.MESSAGE_SAVED], [])
