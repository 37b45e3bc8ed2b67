"""What is told beforehand is what the engine does."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kai_ari.calls.events import Situation
from kai_ari.fallback.engine import go_on, start
from kai_ari.fallback.explain import explain
from kai_ari.fallback.plan import DialOut, Plan
from kai_ari.fallback.questions import explain_all
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Kind,
    Ladder,
    Mode,
    Queue,
    Rule,
    Rung,
    Target,
    Transfer,
    Voicemail,
    When,
    Workflow,
)
from kai_ari.fallback.situations import leading, with_ladder
from kai_ari.fallback.steps import CameBack, End, Try
from kai_ari.fallback.world import World
from kai_ari.people.local_time import Span
from kai_ari.people.presence import Presence
from kai_ari.testing.fault_table import CLOSED_AT, DID, OPEN_AT, PHONES, STAFF, TARGETS
from tests.fallback.strategies import SECOND_DID, plans, worlds

WHO = {target.key: target for target in TARGETS}


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


def shop() -> Plan:
    rules: list[tuple[Rung, *tuple[When, ...]]] = [
        (Transfer(to=WHO["on_call"]), When.OPEN),
        (Transfer(to=WHO["crew"], ring_s=20, mode=Mode.IN_TURN),),
        (Queue(name="support"),),
        (Workflow(key="desk", name="our dispatch desk", takes_calls=True, confirms=False),),
        (Workflow(key="cases", name="the case system", takes_calls=False),),
        (Alert(to=WHO["ann"]),),
        (Callback(by=WHO["ann"]),),
        (Voicemail(),),
    ]
    number = Target(kind=Kind.NUMBER, key="+12125550142", name="the number +12125550142")
    blind = Rule(id="numbers.200.ladders.default[0]", rung=Transfer(to=number, blind=True))
    end = Rule(id="numbers.200.ladders.default[1]", rung=Goodbye())
    return Plan(
        business="Rossi Plumbing",
        staff=STAFF,
        default=Ladder(
            name="ladders.default",
            rules=tuple(
                Rule(
                    id=f"ladders.default[{index}]",
                    rung=rung,
                    when=frozenset(when),
                    where=f"kai.yaml line {40 + index}",
                )
                for index, (rung, *when) in enumerate(rules)
            ),
        ),
        of_number={"200": {None: Ladder(name="numbers.200.ladders.default", rules=(blind, end))}},
        owner=WHO["ann"],
        own_numbers=frozenset({"100", "200"}),
        dial_out=(DialOut(prefix="+1", trunk="provider", but_not=("+1900",)),),
    )


def told(at: datetime) -> str:
    sentences = explain(shop(), Situation.ASKED_FOR_HUMAN, "100", World(at=at))
    return "\n".join(sentence.text for sentence in sentences)


def test_a_call_in_the_evening_is_told_with_what_is_passed_over_and_why() -> None:
    text = told(CLOSED_AT)
    assert text.startswith(
        "It is Monday 23 November 2026, 23:00 (UTC), and Rossi Plumbing is closed."
        " Monday's hours ended at 17:00.\n"
        "The caller of 100 asks for a person. Kai follows ladders.default:"
    )
    assert (
        "Kai passes over the transfer to whoever is on call (on_call). It is for opening hours,"
        " and the business is closed: Monday's hours ended at 17:00."
    ) in text
    assert "Ann is not on call" in text
    assert text.endswith("says that it is saved. The call ends there.")


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
    assert asked[-1].startswith("Kai records a message")
    calm = [s.text for s in explain(rules, Situation.ASKED_FOR_HUMAN, "100", World(at=CLOSED_AT))]
    assert "Kai follows ladders.default: each" in calm[1]
    assert "has the steps for urgent calls and those for who asks" in answers(rules)[0]
    assert "one after the other: first" not in answers()[0]


def test_who_makes_call_backs_and_who_is_told_is_said() -> None:
    _, told_to, _, retries = answers()
    assert "kai-ari inbox" in told_to
    assert "made by people" in retries
    callbacks = {"automatic": True, "attempts": 3, "per_day": 2, "between": "09:00-20:00"}
    steps = [
        {"tell": "ann", "by": ["sms", "phone"], "wait": 10},
        {"tell": "crew", "wait": 90},
        {"tell": "crm", "wait": 5},
    ]
    written = {"callbacks": {**callbacks, "retry_after": 30}, "alerts": {"steps": steps}}
    _, told_to, _, retries = answers(replace(shop(), settings=written))
    assert (
        "Of all this Kai tells Ann by text message and a phone call. If nobody acknowledges it"
        " within 10 minutes, it tells the team crew. If nobody acknowledges it within 90 minutes,"
        " it tells the system crm."
    ) in told_to
    assert "no noise" not in told_to
    assert "Kai makes the call backs that are owed itself, at 09:00-20:00" in retries
    assert "up to 3 times in all" in retries


def test_that_what_is_not_urgent_waits_in_quiet_hours_is_said() -> None:
    quiet = replace(shop(), settings={"alerts": {"quiet": "21:00-07:00"}})
    assert "makes no noise in quiet hours (21:00-07:00), but waits." in answers(quiet)[1]
    ann = replace(STAFF.people["ann"], quiet=Span(begins=20 * 60, ends=32 * 60))
    staff = replace(STAFF, people={**STAFF.people, "ann": ann})
    own = answers(replace(quiet, staff=staff))[1]
    assert "(21:00-07:00 or those that a person has of their own)" in own


def answers(plan: Plan | None = None) -> list[str]:
    return [" ".join(answer.sentences) for answer in explain_all(plan or shop())]


def test_the_four_questions_are_answered_from_the_rules() -> None:
    who, owner, hours, retries = answers()
    assert "Kai answers 100 and 200 for Rossi Plumbing itself" in who
    assert (
        "First, in opening hours, Kai rings whoever is on call (Cy, changing every Monday 08:00)"
        " for 25 seconds."
    ) in who
    assert "Kai rings the team crew (Ann and Bob) for 20 seconds, each in turn." in who
    assert "without waiting for anybody to accept" in who
    assert "The owner is Ann. When Kai itself is not running, Asterisk rings phone 101" in owner
    assert "Rossi Plumbing is open Monday to Sunday from 09:00 to 17:00 (UTC)." in hours
    assert "numbers that begin with +1, except +1900" in retries


def test_a_business_that_wrote_nothing_is_told_so() -> None:
    bare = Plan(business="Bianchi", staff=replace(STAFF, hours=None), own_numbers=frozenset({"1"}))
    who, owner, hours, retries = answers(bare)
    assert "no ladder is written, so nobody is rung" in who
    assert "Nobody is named as the owner." in owner
    assert "counts as always open" in hours
    assert "Kai dials no number outside the house." in retries


@given(plan=plans())
@settings(max_examples=50, deadline=None)
def test_whatever_the_rules_the_sentences_are_sentences(plan: Plan) -> None:
    for text in answers(plan):
        assert text
        assert "  " not in text
        assert ".." not in text
        assert "None" not in text


@pytest.mark.parametrize(
    ("situation", "does"),
    [
        (Situation.OUT_OF_SCOPE, "Kai says that it cannot answer that itself"),
        (Situation.AFTER_HOURS, "Kai takes a message, as it does in business hours"),
        (Situation.CALLER_SILENT, "Kai says truthfully that it has no message"),
    ],
)
def test_a_situation_that_the_default_ladder_is_not_for_is_told_as_kai_handles_it(
    situation: Situation, does: str
) -> None:
    sentences = explain(shop(), situation, "100", World(at=CLOSED_AT))
    text = " ".join(sentence.text for sentence in sentences)
    assert not any(sentence.rule for sentence in sentences)
    assert "No ladder is written for that, and ladders.default is not followed for it" in text
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


def test_the_answers_name_who_is_led_up_which_ladder() -> None:
    who, _, hours, _ = answers()
    led = "the caller asks for a person, says that it is urgent, cannot be understood or meets a"
    assert f"When {led} fault in Kai, these steps follow" in who
    assert f"On 200, when {led} fault in Kai, these steps follow" in who
    assert (
        "When the caller wants something that Kai does not do, calls outside business hours or"
        " stays silent, no ladder is written for it, and Kai takes a message by itself"
    ) in who
    assert "The hour alone leads up no ladder" in hours
    own = shop().default
    written = replace(shop(), ladders=dict.fromkeys(Situation, own))
    who, _, hours, _ = answers(written)
    assert "is not used: every situation has a ladder of its own." in who
    assert "no ladder is written for it" not in who
    assert "what is written for those is followed once the caller has said why they call" in who
    assert "The hour alone" not in hours


@pytest.mark.parametrize("situation", Situation)
def test_every_situation_can_be_told(situation: Situation) -> None:
    assert explain(shop(), situation, "200", World(at=OPEN_AT))
