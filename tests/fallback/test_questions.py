"""The four questions that owners ask are answered as the rules have it."""

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from kai_ari.calls.events import Situation
from kai_ari.fallback.explain import explain
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import (
    Callback,
    Kind,
    Ladder,
    Queue,
    Rule,
    Target,
    Voicemail,
)
from kai_ari.fallback.world import World
from kai_ari.people.availability import PbxState, QueueMember
from kai_ari.people.hours import Holidays, Hours
from kai_ari.people.local_time import Span
from kai_ari.people.staff import Person
from kai_ari.testing.fault_table import OPEN_AT, STAFF
from tests.fallback.shop import ALL_WAYS, ANN, WHO, ann_texts, answers, shop, staff_of
from tests.fallback.strategies import plans


def test_who_makes_call_backs_and_who_is_told_is_said() -> None:
    _, told_to, _, retries = answers()
    assert "kai-ari inbox" in told_to
    assert "Your people make these call backs." in retries
    callbacks = {"automatic": True, "attempts": 3, "per_day": 2, "between": "09:00-20:00"}
    steps = [
        {"tell": "ann", "by": ["sms", "phone"], "wait": 10},
        {"tell": "crew", "wait": 90},
        {"tell": "crm", "wait": 5},
    ]
    written = {"callbacks": {**callbacks, "retry_after": 30}, "alerts": {"steps": steps}}
    plan = replace(shop(), settings=written, staff=staff_of(ann_texts), channels=ALL_WAYS)
    _, told_to, _, retries = answers(plan)
    assert (
        "Kai tells Ann about all of this, by text message and phone call. If that fails, or nobody"
        " acknowledges it within 10 minutes, Kai tells the team crew (Ann by text message and text"
        " on the desk phone, Bob by text on the desk phone). If that fails, or nobody acknowledges"
        " it within 90 minutes, Kai tells the system crm. If that fails too, Kai tries every"
        " other way it has to reach the same people."
    ) in told_to
    assert "ring or text" not in told_to
    assert "Kai makes these call backs itself, from 09:00 to 20:00 on the clock of" in retries
    assert "at most 3 times in all, and at most twice in 24 hours to one number" in retries
    assert "waits at least 30 minutes" in retries


@pytest.mark.parametrize(
    ("ann", "channels", "how"),
    [
        (ANN, {"phone", "sip_message"}, "by text on the desk phone. If that fails, Kai tries"),
        (ANN, {"phone"}, "by phone call. From"),
        (ann_texts, ALL_WAYS, "by text message and text on the desk phone. If that fails"),
        (replace(ANN, by=("phone",)), ALL_WAYS, "by phone call. If that fails, Kai tries"),
        (
            replace(ANN, phone=None),
            {"phone"},
            "but has no way set up to do so. From",
        ),
    ],
)
def test_that_the_owner_is_told_by_the_ways_that_there_are_is_said(
    ann: Person, channels: set[str], how: str
) -> None:
    quiet = {"alerts": {"quiet": "21:00-07:00"}}
    plan = replace(shop(), staff=staff_of(ann), channels=frozenset(channels), settings=quiet)
    assert f"Kai tells Ann about all of this, {how}" in answers(plan)[1]


def test_an_alert_to_somebody_else_than_the_first_to_be_told_is_told() -> None:
    bob = Target(kind=Kind.PERSON, key="bob", name="Bob")
    plan = replace(shop(), owner=bob, channels=ALL_WAYS)
    first = "Where your steps alert Ann, Kai tells them first, by text on the desk phone."
    assert first in answers(plan)[1]
    assert first not in answers(replace(shop(), channels=ALL_WAYS))[1]
    nobody = answers(replace(plan, owner=None))[1]
    assert first.replace(" first", "") in nobody
    assert "Otherwise nobody is named to be told." in nobody


def test_who_is_told_of_a_call_back_and_who_makes_it_is_told() -> None:
    rules = (Rule(id="a", rung=Callback(by=WHO["bob"])), Rule(id="b", rung=Voicemail()))
    by_bob = Ladder(name="ladders.default", rules=rules)
    plan = replace(shop(), default=by_bob, of_number={}, channels=ALL_WAYS)
    first = "Of a call back that your steps leave to Bob, Kai tells them first, by text on the desk"
    world = World(at=OPEN_AT)

    def told(plan: Plan) -> str:
        sentences = explain(plan, Situation.ASKED_FOR_HUMAN, "100", world)
        return " ".join((*answers(plan), *(sentence.text for sentence in sentences)))

    assert told(plan).count(first) == 2
    assert "Kai offers a call back by Bob. If the caller wants one" in told(plan)
    itself = {"automatic": True, "attempts": 3, "per_day": 2, "between": "09:00-20:00"}
    kai = replace(plan, settings={"callbacks": {**itself, "retry_after": 30}})
    assert told(kai).count(first) == 2
    assert "Kai offers a call back. If the caller wants one" in told(kai)
    assert "a call back by Bob" not in told(kai)


def test_the_daily_list_is_told() -> None:
    daily = replace(shop(), settings={"alerts": {"digest": "18:00"}}, channels=ALL_WAYS)
    sent = "Every day at 18:00 Kai sends Ann the list of what is still open, if anything is, by"
    assert f"{sent} text on the desk phone." in answers(daily)[1]
    by_mail = replace(daily, staff=staff_of(replace(ann_texts, email="ann@example.com")))
    assert f"{sent} e-mail." in answers(by_mail)[1]
    assert "Every day at" not in answers(replace(daily, channels=frozenset({"phone"})))[1]


def test_that_what_is_not_urgent_waits_in_quiet_hours_is_said() -> None:
    quiet = replace(shop(), settings={"alerts": {"quiet": "21:00-07:00"}}, channels=ALL_WAYS)
    only = "From 21:00 to 07:00 only urgent alerts ring or text; the rest wait until 07:00"
    assert f"{only}." in answers(quiet)[1]
    ann = replace(ANN, email="ann@example.com", quiet=Span(begins=20 * 60, ends=32 * 60))
    own = answers(replace(quiet, staff=staff_of(ann)))[1]
    assert f"{only}, except e-mail. For Ann that is from 20:00 to 08:00." in own
    alone = answers(replace(quiet, staff=staff_of(ann), settings={}))[1]
    assert "For Ann, from 20:00 to 08:00 only urgent alerts ring or text; the rest" in alone


def test_what_needs_no_key_is_told_as_an_exception() -> None:
    who = answers()[0]
    assert "gets the caller only after pressing 1: no mailbox or answering machine" in who
    assert "There are exceptions. At our dispatch desk no key is pressed" in who
    assert "counts as answered but not confirmed" in who
    assert "it lets go of the call, and cannot know who took it. If nobody answers, Aster" in who
    assert "In the queue support no key is pressed" not in who
    attended = {"queues": {"support": {"members": ["104"], "attended": True}}}
    plan = replace(shop(), settings=attended)
    key = "In the queue support no key is pressed: you have said that a person answers every phone"
    assert key in answers(plan)[0]
    queue = Ladder(name="q", rules=(Rule(id="q[0]", rung=Queue(name="support")),))
    only = replace(plan, default=queue, of_number={})
    assert key in answers(only)[0]
    assert "pressing 1" not in answers(only)[0]
    pbx = PbxState(
        queues={"support": (QueueMember(name="1", reachable=True, paused=False, in_call=False),)}
    )
    for settings_, says in ((attended, key), ({}, "only after pressing 1")):
        sentences = explain(
            replace(only, settings=settings_),
            Situation.ASKED_FOR_HUMAN,
            "100",
            World(at=OPEN_AT, pbx=pbx),
        )
        assert says in sentences[2].text


def test_what_follows_when_every_step_fails_is_what_ends_the_steps() -> None:
    hours = answers()[2]
    assert (
        "If every step fails, Kai says so and takes a recorded message (ladders.default), or says"
        " goodbye, and the call stays open until a person has seen to it"
        " (numbers.200.ladders.default). If the caller leaves none, Kai says goodbye"
    ) in hours
    voicemail = answers(replace(shop(), of_number={}))[2]
    assert "If every step fails, Kai says so and takes a recorded message. If the" in voicemail
    of_200 = shop().of_number["200"][None]
    goodbye = answers(replace(shop(), default=of_200, of_number={}))[2]
    assert "If every step fails, Kai says so and says goodbye, and the call stays" in goodbye
    assert "message" not in goodbye.partition("If every step fails")[2]


def test_what_is_rung_when_closed_is_told() -> None:
    hours = answers()[2]
    assert (
        "Then, for callers, it rings only whoever is on call, unless one of your steps is for"
        " closed hours, urgent calls, an outside number, a queue or a desk of yours."
    ) in hours
    assert (
        "Of the usual steps, these still apply when you are closed: ringing the team crew; waiting"
        " in the queue support; calling our dispatch desk; sending the case to the case system;"
        " alerting Ann; offering a call back by Ann; recording a message."
    ) in hours
    nobody = replace(shop(), staff=replace(STAFF, rotas={}), default=shop().of_number["200"][None])
    assert (
        "it rings nobody, unless one of your steps is for closed hours, urgent"
        in answers(replace(nobody, of_number={}))[2]
    )


def test_holidays_and_special_days_are_told_by_name() -> None:
    holidays = Holidays(country="US", subdivision="NY")
    special = {date(2026, 12, 24): (Span(begins=8 * 60, ends=12 * 60),)}
    week = ((Span(begins=540, ends=1020),),) * 7
    hours = Hours(zone=ZoneInfo("UTC"), week=week, holidays=holidays, open_days=special)
    told_of = answers(replace(shop(), staff=replace(STAFF, hours=hours)))[2]
    assert "It is closed on public holidays (United States, New York)." in told_of
    assert "On 24 December 2026 it has special hours: 08:00 to 12:00." in told_of


def test_the_four_questions_are_answered_from_the_rules() -> None:
    who, owner, hours, retries = answers()
    assert "Kai answers 100 and 200 for Rossi Plumbing itself" in who
    assert (
        "First, during opening hours, Kai rings whoever is on call (Cy, changing every Monday"
        " 08:00) for 25 seconds."
    ) in who
    assert "Kai rings the team crew (Ann and Bob) for 20 seconds, each in turn." in who
    assert "without waiting for anybody to accept" in who
    assert "The owner is Ann. When Kai itself is not running, Asterisk rings phone 101" in owner
    assert "Rossi Plumbing is open Monday to Sunday from 09:00 to 17:00 (UTC)." in hours
    assert "numbers that begin with +1, except +1900" in retries


def test_a_business_that_wrote_nothing_is_told_so() -> None:
    bare = Plan(business="Bianchi", staff=replace(STAFF, hours=None), own_numbers=frozenset({"1"}))
    who, owner, hours, retries = answers(bare)
    assert who.count("you have written no steps, so Kai takes a message and rings nobody") == 1
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


def test_the_answers_name_who_is_led_up_which_ladder() -> None:
    who, _, hours, _ = answers()
    led = "the caller asks for a person, says that it is urgent, cannot be understood or meets a"
    assert f"When {led} fault in Kai, these steps follow" in who
    assert f"On 200, when {led} fault in Kai, these steps follow" in who
    assert (
        "When the caller wants something that Kai does not do, calls outside business hours or"
        " stays silent, you have written no steps, so Kai takes a message and rings nobody"
    ) in who
    assert "Being closed does not by itself make Kai ring anyone; it takes a message" in hours
    own = shop().default
    written = replace(shop(), ladders=dict.fromkeys(Situation, own))
    who, _, hours, _ = answers(written)
    assert "is not used: every situation has steps of its own." in who
    assert "you have written no steps" not in who
    assert "the steps for that follow once the caller has said why they are calling" in who
    assert "Being closed" not in hours
    single: dict[str, dict[Situation | None, Ladder]] = {"200": {Situation.AFTER_HOURS: own}}
    who, _, hours, _ = answers(replace(shop(), of_number=single))
    assert "you have written no steps (except on 200)" in who
    assert "make Kai ring anyone, except on 200; it takes a message" in hours
