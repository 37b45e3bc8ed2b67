"""Which situations take the call from Kai, and up a ladder."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pytest

from kai_ari.calls.events import Situation
from kai_ari.dialogue.conversation import step
from kai_ari.dialogue.turns import (
    Action,
    CannotListen,
    HandOff,
    Heard,
    Input,
    Record,
    Silence,
    Started,
    State,
)
from kai_ari.fallback.rungs import Alert, Goodbye, Transfer, Voicemail
from kai_ari.fallback.situations import leading, with_ladder
from kai_ari.testing.fault_table import CLOSED_AT, DID, OPEN_AT
from tests.fallback.house import ASKED, WHO, ladder, plan

#: Situations that Kai cannot handle by a message of its own accord.
ALWAYS = {ASKED, Situation.URGENT, Situation.NOT_UNDERSTOOD, Situation.AGENT_FAULT}


def test_a_ladder_that_only_takes_a_message_leaves_it_to_kai() -> None:
    assert with_ladder(plan(Voicemail()), DID, OPEN_AT) == set()


def test_any_other_rung_is_gone_an_ending_by_itself_too() -> None:
    for rungs in ([Goodbye()], [Alert(to=WHO["ann"]), Voicemail()]):
        assert with_ladder(plan(*rungs), DID, OPEN_AT) == ALWAYS
    assert with_ladder(plan(Transfer(to=WHO["ann"]), Goodbye()), DID, CLOSED_AT) == ALWAYS


def test_where_a_message_would_do_only_a_ladder_of_its_own_takes_the_call() -> None:
    own = ladder(Alert(to=WHO["ann"]), Voicemail())
    rules = replace(
        plan(Voicemail()),
        ladders={Situation.OUT_OF_SCOPE: own, Situation.AFTER_HOURS: own},
    )
    assert with_ladder(rules, DID, OPEN_AT) == {Situation.OUT_OF_SCOPE}
    assert with_ladder(rules, DID, CLOSED_AT) == {Situation.OUT_OF_SCOPE, Situation.AFTER_HOURS}


def test_a_numbers_own_ladder_counts_for_that_number() -> None:
    rules = replace(
        plan(Voicemail()),
        of_number={"200": {Situation.CALLER_SILENT: ladder(Goodbye())}},
    )
    assert with_ladder(rules, "200", OPEN_AT) == {Situation.CALLER_SILENT}
    assert with_ladder(rules, DID, OPEN_AT) == set()


#: What gets a conversation into each situation, and whether it is urgent, too.
CALLERS: list[tuple[Situation, bool, Sequence[Input]]] = [
    (ASKED, False, (Heard(text="A person, please."), Heard(text="My tap drips."))),
    (Situation.URGENT, True, (Heard(text="It is urgent, a pipe has burst."),)),
    (Situation.NOT_UNDERSTOOD, False, (Heard(text=""),) * 3),
    (Situation.OUT_OF_SCOPE, False, (Heard(text="Do you repair boilers?"),)),
    (Situation.OUT_OF_SCOPE, True, (Heard(text="Do you repair boilers right away?"),)),
    (Situation.AFTER_HOURS, False, (Heard(text="My tap drips."),)),
    (Situation.AFTER_HOURS, True, (Heard(text="It is urgent, my tap drips."),)),
    (Situation.AGENT_FAULT, False, (CannotListen(),)),
    (Situation.CALLER_SILENT, False, (Silence(),) * 3),
]
#: Where Kai goes on alone it records a message in these, and takes one down in the others.
RECORDED = {Situation.NOT_UNDERSTOOD, Situation.AGENT_FAULT, Situation.CALLER_SILENT}
SUBSETS = [
    frozenset(some) for size in range(len(Situation) + 1) for some in combinations(Situation, size)
]


def conversed(ladders: frozenset[Situation], inputs: Sequence[Input]) -> Sequence[Action]:
    """What Kai does at the end of `inputs`, or with the first that leads up a ladder."""
    state, actions = step(
        State(business="Rossi Plumbing", caller_number=None, ladders=ladders),
        Started(greeting="Hello.", resumed=False),
    )
    for given in inputs:
        if not any(isinstance(action, HandOff) for action in actions):
            state, actions = step(state, given)
    return actions


@pytest.mark.parametrize(("situation", "urgent", "says"), CALLERS)
def test_a_conversation_goes_up_the_ladder_that_is_told_beforehand(
    situation: Situation, urgent: bool, says: Sequence[Input]
) -> None:
    for ladders in SUBSETS:
        actions = conversed(ladders, says)
        led = [action.situation for action in actions if isinstance(action, HandOff)]
        leads = leading(situation, ladders, urgent=urgent)
        assert led == ([leads] if leads else []), ladders
        if leads is None:
            recorded = any(isinstance(action, Record) for action in actions)
            assert recorded is (situation in RECORDED)
