"""What is told beforehand is what the engine does."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kai_ari.calls.events import Situation
from kai_ari.fallback.engine import go_on, start
from kai_ari.fallback.explain import explain
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import (
    Goodbye,
    Ladder,
    Rule,
    Transfer,
    Voicemail,
)
from kai_ari.fallback.situations import leading, with_ladder
from kai_ari.fallback.steps import CameBack, End, Try
from kai_ari.fallback.world import World
from kai_ari.people.presence import Presence
from kai_ari.testing.fault_table import CLOSED_AT, DID, OPEN_AT, PHONES
from tests.fallback.shop import WHO, answers, shop
from tests.fallback.strategies import SECOND_DID, plans, worlds


def course(plan: Plan, situation: Situation, number: str, world: World) -> list[tuple[str, bool]]:
    """The rules the engine looks at, in order, when whatever it tries is busy or fails."""
    looked_at: list[tuple[str, bool]] = []
    state, step = start(plan, situation, number, world)
    while isinstance(step, Try):
        looked_at += [(passed.rule.id, True) for passed in step.passed]
        looked_at.append((step.rule.id, False))
        on_the_way = step.rule.rung.kind in ("alert", "callback")
        came_back = CameBack.NOT_DELIVERED if on_the_way else CameBack.BUSY
        state, step = go_on(state, world, came_back)
    assert isinstance(step, End)
    looked_at += [(passed.rule.id, True) for passed in step.passed]
    return [*looked_at, (step.rule.id, False)]


def away(world: World) -> World:
    """The same, with everybody away."""
    said = {
        who: Presence(person=who, away=True, at=OPEN_AT.replace(year=2025), how="command")
        for who in PHONES
    }
    return replace(world, presence=said)


@given(
    plan=plans(),
    situation=st.sampled_from(Situation),
    number=st.sampled_from([DID, SECOND_DID]),
    world=worlds() | worlds().map(away),
)
@settings(max_examples=100, deadline=None)
def test_the_sentences_are_the_steps_of_the_engine_in_its_order(
    plan: Plan, situation: Situation, number: str, world: World
) -> None:
    """Where a call goes up a ladder; else none of its rules is told as if it did."""
    sentences = explain(plan, situation, number, world)
    told = [(one.rule.id, one.passed_over) for one in sentences if one.rule is not None]
    ladders = with_ladder(plan, number, world.at)
    leads = leading(situation, ladders, urgent=world.urgent)
    if leads is not None:
        assert leads in ladders
        assert told == course(plan, leads, number, world)
        return
    assert situation not in ladders
    assert told == []
    text = " ".join(one.text for one in sentences)
    assert "Kai rings" not in text
    assert ("Nobody is rung" in text) or ("this does not arise" in text)
    for other in ladders:
        assert f"Kai follows {plan.ladder(other, number).name} when" in text


def told(at: datetime) -> str:
    sentences = explain(shop(), Situation.ASKED_FOR_HUMAN, "100", World(at=at))
    return "\n".join(sentence.text for sentence in sentences)


def test_a_call_in_the_evening_is_told_with_what_is_passed_over_and_why() -> None:
    text = told(CLOSED_AT)
    assert text.startswith(
        "It is Monday 23 November 2026, 23:00 (UTC), and Rossi Plumbing is closed."
        " Monday's hours ended at 17:00.\n"
        "A caller to 100 asks for a person. Kai follows ladders.default:"
    )
    assert (
        "Kai passes over the transfer to whoever is on call (on_call). It is for opening hours,"
        " and the business is closed: Monday's hours ended at 17:00."
    ) in text
    assert "Ann is not on call" in text
    recorded, alerts = text.splitlines()[-2:]
    assert recorded.startswith("Kai records a message, stores it, makes a note to pass it on")
    assert recorded.endswith("tells the caller that it is saved. The call ends there.")
    assert alerts.startswith("Kai tells Ann about this call")
    assert text.count("Kai tells Ann") == 1


def test_a_call_by_day_is_told_with_everybody_who_is_rung() -> None:
    text = told(OPEN_AT)
    assert "Kai rings Cy (103), for up to 25 seconds. Cy is on call" in text
    assert (
        "Kai rings Ann (101) and Bob (102 and +12125550102), one after the other, 20 seconds each."
    ) in text
    assert "Asterisk did not say who is in the queue support" in text
    assert "counts as answered but not confirmed" in text


def test_both_ladders_of_an_urgent_caller_who_asks_for_a_person_are_told() -> None:
    rule = Rule(id="ladders.urgent[0]", rung=Transfer(to=WHO["dee"], at_any_hour=True))
    end = Rule(id="ladders.urgent[1]", rung=Goodbye())
    urgently = Ladder(name="ladders.urgent", rules=(rule, end))
    rules = replace(shop(), ladders={Situation.URGENT: urgently})
    world = World(at=CLOSED_AT, urgent=True)
    asked = [s.text for s in explain(rules, Situation.ASKED_FOR_HUMAN, "100", world)]
    assert "Kai follows ladders.urgent, and before its ending ladders.default: each" in asked[1]
    assert asked[2].startswith("Kai rings Dee (104)")
    assert asked[-2].startswith("Kai records a message")
    calm = [s.text for s in explain(rules, Situation.ASKED_FOR_HUMAN, "100", World(at=CLOSED_AT))]
    assert "Kai follows ladders.default: each" in calm[1]
    both = "gets both the steps for urgent calls and those for callers who ask, one after the other"
    assert both in answers(rules)[0]
    assert both not in answers()[0]


@pytest.mark.parametrize(
    ("situation", "does"),
    [
        (Situation.OUT_OF_SCOPE, "Kai says that it cannot answer that itself"),
        (Situation.AFTER_HOURS, "Kai takes a message, as it does by day"),
        (Situation.CALLER_SILENT, "Kai says truthfully that it has no message"),
    ],
)
def test_a_situation_that_the_default_ladder_is_not_for_is_told_as_kai_handles_it(
    situation: Situation, does: str
) -> None:
    sentences = explain(shop(), situation, "100", World(at=CLOSED_AT))
    text = " ".join(sentence.text for sentence in sentences)
    assert not any(sentence.rule for sentence in sentences)
    assert "You have written no steps for that, and ladders.default is not followed for it" in text
    assert does in text
    assert "Nobody is rung to take the call." in text
    assert (
        "Kai follows ladders.default when the caller asks for a person, says that it is urgent,"
        " cannot be understood or meets a fault in Kai."
    ) in text


def test_by_day_the_hour_is_told_to_change_nothing() -> None:
    sentences = explain(shop(), Situation.AFTER_HOURS, "100", World(at=OPEN_AT))
    assert "this does not arise" in sentences[1].text


def test_another_ladder_that_takes_the_call_all_the_same_is_told() -> None:
    plan = replace(shop(), ladders={Situation.AFTER_HOURS: shop().default})
    sentences = explain(plan, Situation.OUT_OF_SCOPE, "100", World(at=CLOSED_AT))
    assert "since the caller calls outside business hours" in sentences[1].text
    assert any(sentence.rule for sentence in sentences)


def test_of_a_ladder_with_nothing_but_a_message_that_is_told() -> None:
    only = Ladder(name="ladders.default", rules=(Rule(id="v", rung=Voicemail()),))
    plan = replace(shop(), default=only, of_number={})
    asked = explain(plan, Situation.ASKED_FOR_HUMAN, "100", World(at=OPEN_AT))
    assert "ladders.default has nothing but a message" in asked[1].text
    assert "Kai says that it can connect nobody" in asked[2].text
    assert "ladders.default has nothing else." in answers(plan)[0]


@pytest.mark.parametrize("situation", Situation)
def test_every_situation_can_be_told(situation: Situation) -> None:
    assert explain(shop(), situation, "200", World(at=OPEN_AT))
