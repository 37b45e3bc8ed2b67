"""The ladder in the cases that people ask about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kai_ari.calls.events import Situation
from kai_ari.fallback.engine import ask_again, go_on, start
from kai_ari.fallback.plan import BUILT_IN_ENDING, Plan
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Kind,
    Mode,
    Queue,
    Rung,
    Target,
    Transfer,
    Voicemail,
    When,
)
from kai_ari.fallback.state import State
from kai_ari.fallback.steps import CameBack, Done, End, NoHuman, Reason, Step, Try, Why
from kai_ari.fallback.world import World
from kai_ari.people.availability import PbxState, PhoneState, QueueMember
from kai_ari.people.presence import Presence
from kai_ari.testing.fault_table import DID, OPEN_AT, STAFF
from tests.fallback.house import ASKED, CLOSED, OPEN, WHO, ladder, plan


def begin(rules: Plan, world: World = OPEN, situation: Situation = ASKED) -> tuple[State, Step]:
    return start(rules, situation, DID, world)


def rung_by(step: Step) -> list[str]:
    assert isinstance(step, Try), step
    return [callee.address for callee in step.callees]


def because(step: Step) -> Reason:
    assert not isinstance(step, Done)
    return step.reason


def ends_with(step: Step) -> Rung:
    assert isinstance(step, End), step
    return step.rule.rung


def test_who_declines_is_followed_by_the_next_and_the_reason_says_so() -> None:
    state, step = begin(plan(Transfer(to=WHO["ann"]), Transfer(to=WHO["cy"]), Voicemail()))
    assert rung_by(step) == ["101"]
    assert because(step).why is Why.FIRST
    state, step = go_on(state, OPEN, CameBack.DECLINED)
    assert rung_by(step) == ["103"]
    assert because(step).sentence == "The transfer to Ann was declined"
    state, step = go_on(state, OPEN, CameBack.NO_ANSWER)
    assert ends_with(step) == Voicemail()


def test_an_accepted_call_is_done_and_can_come_back() -> None:
    state, _ = begin(plan(Transfer(to=WHO["ann"]), Transfer(to=WHO["cy"]), Voicemail()))
    state, step = go_on(state, OPEN, CameBack.ACCEPTED)
    assert isinstance(step, Done)
    state, step = go_on(state, OPEN, CameBack.HANDOFF_SUSPECT)
    assert rung_by(step) == ["103"]
    state, step = go_on(state, OPEN, CameBack.GIVEN_BACK)
    assert ends_with(step) == Voicemail()


def test_a_talk_that_was_cut_off_counts_for_no_waiting() -> None:
    state, _ = begin(plan(Transfer(to=WHO["ann"]), Transfer(to=WHO["cy"]), Voicemail()))
    state, _ = go_on(state, OPEN, CameBack.ACCEPTED)
    talked = replace(OPEN, at=OPEN.at + timedelta(minutes=30))
    _, step = go_on(state, talked, CameBack.CUT_OFF)
    assert rung_by(step) == ["103"]


def test_a_person_has_all_their_phones_rung_and_none_of_them_again() -> None:
    state, step = begin(plan(Transfer(to=WHO["bob"]), Transfer(to=WHO["crew"]), Goodbye()))
    assert rung_by(step) == ["102", "+12125550102"]
    state, step = go_on(state, OPEN, CameBack.NO_ANSWER)
    assert rung_by(step) == ["101"]
    assert isinstance(step, Try)
    assert [reason.sentence for reason in step.left_out] == 2 * [
        "Bob was tried before on this call"
    ]


def test_in_turn_takes_as_long_as_all_of_them() -> None:
    _, step = begin(plan(Transfer(to=WHO["crew"], ring_s=20, mode=Mode.IN_TURN), Goodbye()))
    assert isinstance(step, Try)
    assert step.limit_s == 60


def test_a_wish_for_a_message_leads_past_people_to_the_voicemail() -> None:
    rules = plan(
        Transfer(to=WHO["ann"]),
        Queue(name="support"),
        Alert(to=WHO["dee"]),
        Callback(by=WHO["ann"]),
        Voicemail(),
    )
    for wish in (CameBack.TAKE_MESSAGE, CameBack.CALLER_STOPPED_WAITING):
        state, _ = begin(rules)
        state, step = go_on(state, OPEN, wish)
        assert isinstance(step, Try)
        assert step.rule.rung == Alert(to=WHO["dee"])
        assert [passed.reason.why for passed in step.passed] == [Why.MESSAGE_WANTED]
        state, step = go_on(state, OPEN, CameBack.DELIVERED)
        assert ends_with(step) == Voicemail()


def test_without_a_voicemail_a_call_back_is_still_offered() -> None:
    state, _ = begin(plan(Transfer(to=WHO["ann"]), Callback(by=WHO["ann"]), Goodbye()))
    state, step = go_on(state, OPEN, CameBack.CALLER_STOPPED_WAITING)
    assert isinstance(step, Try)
    assert step.rule.rung == Callback(by=WHO["ann"])
    state, step = go_on(state, OPEN, CameBack.DELIVERED)
    assert isinstance(step, Done)


def test_a_voicemail_that_fails_ends_in_a_goodbye_that_owes() -> None:
    state, step = begin(plan(Voicemail()))
    assert isinstance(step, End)
    assert not step.follow_up
    state, step = go_on(state, OPEN, CameBack.NOT_DELIVERED)
    assert isinstance(step, End)
    assert step.rule == BUILT_IN_ENDING
    assert step.follow_up


def test_without_a_ladder_a_message_is_taken() -> None:
    _, step = begin(Plan(business="Rossi Plumbing", staff=STAFF))
    assert ends_with(step) == Voicemail()


@pytest.mark.parametrize(
    ("world", "why", "sentence"),
    [
        (
            replace(
                OPEN,
                presence={"ann": Presence(person="ann", away=True, at=OPEN_AT, how="command")},
            ),
            Why.AWAY,
            "Ann is away",
        ),
        (replace(OPEN, caller="101"), Why.CALLER_THEMSELVES, "The call comes from Ann"),
        (
            replace(OPEN, reserved=frozenset({"101"})),
            Why.IN_USE,
            "Ann is busy with another call",
        ),
        (
            replace(OPEN, pbx=PbxState(phones={"101": PhoneState.OFFLINE})),
            Why.OFFLINE,
            "Ann's phone 101 is not connected",
        ),
        (
            replace(OPEN, pbx=PbxState(phones={"101": PhoneState.IN_USE})),
            Why.IN_USE,
            "Ann is on the phone",
        ),
        (
            CLOSED,
            Why.OFF_DUTY,
            "The business is closed (Monday's hours ended at 17:00) and Ann is not on call",
        ),
    ],
)
def test_who_cannot_be_rung_is_passed_over_and_it_says_why(
    world: World, why: Why, sentence: str
) -> None:
    _, step = begin(plan(Transfer(to=WHO["ann"]), Voicemail()), world)
    assert isinstance(step, End)
    assert step.passed[0].reason.why is why
    assert step.passed[0].reason.sentence == sentence


def test_a_person_on_one_phone_with_another_caller_is_rung_on_none() -> None:
    world = replace(OPEN, reserved=frozenset({"+12125550102"}))
    _, step = begin(plan(Transfer(to=WHO["bob"]), Goodbye()), world)
    assert ends_with(step) == Goodbye()


@pytest.mark.parametrize("number", ["+19005550100", "+442071838750", DID])
def test_what_no_rule_permits_and_kai_itself_are_never_dialled(number: str) -> None:
    to = Target(kind=Kind.NUMBER, key=number, name=number)
    rules = replace(
        plan(Transfer(to=to, at_any_hour=True), Goodbye()),
        staff=replace(STAFF, phones=STAFF.phones | {DID}),
    )
    _, step = begin(rules)
    assert isinstance(step, End)
    assert step.passed[0].reason.why is (Why.KAI_ITSELF if number == DID else Why.NOT_PERMITTED)


def test_after_hours_only_who_is_on_call_is_rung_unless_the_rule_is_for_any_hour() -> None:
    _, step = begin(plan(Transfer(to=WHO["on_call"]), Goodbye()), CLOSED)
    assert rung_by(step) == ["103"]
    _, step = begin(plan(Transfer(to=WHO["ann"], at_any_hour=True), Goodbye()), CLOSED)
    assert rung_by(step) == ["101"]


def test_a_queue_is_waited_in_only_if_somebody_there_could_answer() -> None:
    paused = QueueMember(name="104", reachable=True, paused=True, in_call=False)
    world = replace(OPEN, pbx=PbxState(queues={"support": (paused,)}))
    _, step = begin(plan(Queue(name="support"), Goodbye()), world)
    assert isinstance(step, End)
    assert step.passed[0].reason.why is Why.ALL_PAUSED
    _, step = begin(plan(Queue(name="support"), Goodbye()), replace(OPEN, pbx=PbxState()))
    assert isinstance(step, End)
    assert step.passed[0].reason.why is Why.NOT_KNOWN


def test_conditions_are_read_when_the_rule_is_reached() -> None:
    rules = plan(
        Transfer(to=WHO["cy"]),
        (Transfer(to=WHO["ann"]), When.OPEN),
        (Transfer(to=WHO["dee"], at_any_hour=True), When.CLOSED),
        Goodbye(),
    )
    closing = datetime(2026, 11, 23, 16, 59, 50, tzinfo=UTC)
    state, _ = begin(rules, replace(OPEN, at=closing))
    _, step = go_on(state, replace(OPEN, at=closing + timedelta(seconds=25)), CameBack.NO_ANSWER)
    assert rung_by(step) == ["104"]


def test_zero_in_a_message_reaches_the_next_person_and_then_the_message_again() -> None:
    rules = plan(Transfer(to=WHO["ann"]), Transfer(to=WHO["cy"]), Alert(to=WHO["dee"]), Voicemail())
    state, _ = begin(rules)
    state, step = go_on(state, OPEN, CameBack.CALLER_STOPPED_WAITING)
    state, step = go_on(state, OPEN, CameBack.DELIVERED)
    assert ends_with(step) == Voicemail()
    state, asked = ask_again(state, OPEN)
    assert rung_by_asked(asked) == ["103"]
    state, step = go_on(state, OPEN, CameBack.DECLINED)
    assert ends_with(step) == Voicemail()
    same, asked = ask_again(state, OPEN)
    assert isinstance(asked, NoHuman)
    assert same == state
    assert [passed.reason.why for passed in asked.passed] == [Why.TRIED, Why.TRIED]


def rung_by_asked(asked: Try | NoHuman) -> list[str]:
    assert isinstance(asked, Try), asked
    return rung_by(asked)


def test_zero_reaches_somebody_who_was_busy_before() -> None:
    busy = replace(OPEN, reserved=frozenset({"101"}))
    state, step = begin(plan(Transfer(to=WHO["ann"]), Voicemail()), busy)
    assert ends_with(step) == Voicemail()
    _, asked = ask_again(state, OPEN)
    assert rung_by_asked(asked) == ["101"]


def test_zero_on_another_ladder_follows_the_one_for_those_who_ask() -> None:
    rules = replace(
        plan(Voicemail()),
        ladders={ASKED: ladder(Transfer(to=WHO["ann"]), Goodbye(), name="ladders.asked")},
    )
    state, step = begin(rules, situation=Situation.CALLER_SILENT)
    assert ends_with(step) == Voicemail()
    state, asked = ask_again(state, OPEN)
    assert rung_by_asked(asked) == ["101"]
    _, step = go_on(state, OPEN, CameBack.BUSY)
    assert ends_with(step) == Goodbye()


def urgent_and_asked(*urgently: Rung, asked: bool = True) -> Plan:
    """Ann is for urgent calls; Cy, or the default, for who asks for a person."""
    rules = plan(Transfer(to=WHO["cy"]), Goodbye())
    ladders = {Situation.URGENT: ladder(*urgently, name="ladders.urgent")}
    if asked:
        ladders[ASKED] = ladder(Transfer(to=WHO["cy"]), Goodbye(), name="ladders.asked")
    return replace(rules, ladders=ladders)


URGENTLY = replace(OPEN, urgent=True)


@pytest.mark.parametrize("asked", [True, False])
def test_who_asks_in_an_urgent_matter_has_the_urgent_ladder_and_then_the_one_for_who_asks(
    asked: bool,
) -> None:
    rules = urgent_and_asked(
        Transfer(to=WHO["ann"]), Alert(to=WHO["dee"]), Voicemail(), asked=asked
    )
    state, step = begin(rules, URGENTLY)
    assert rung_by(step) == ["101"]
    state, step = go_on(state, URGENTLY, CameBack.NO_ANSWER)
    assert isinstance(step, Try)
    assert step.rule.rung == Alert(to=WHO["dee"])
    state, step = go_on(state, URGENTLY, CameBack.DELIVERED)
    assert rung_by(step) == ["103"]
    _, step = go_on(state, URGENTLY, CameBack.NO_ANSWER)
    assert ends_with(step) == Goodbye()
    _, step = begin(rules, OPEN)
    assert rung_by(step) == ["103"]


def test_with_nobody_left_on_the_other_ladder_the_ending_is_that_of_the_first() -> None:
    cy_away = replace(URGENTLY, reserved=frozenset({"103"}))
    state, _ = begin(urgent_and_asked(Transfer(to=WHO["ann"]), Voicemail()), cy_away)
    state, step = go_on(state, cy_away, CameBack.NO_ANSWER)
    assert ends_with(step) == Voicemail()
    assert isinstance(step, End)
    assert [passed.rule.id for passed in step.passed] == ["ladders.asked[0]"]


def test_who_would_rather_leave_a_message_has_no_other_ladder_gone() -> None:
    state, _ = begin(urgent_and_asked(Transfer(to=WHO["ann"]), Voicemail()), URGENTLY)
    _, step = go_on(state, URGENTLY, CameBack.CALLER_STOPPED_WAITING)
    assert ends_with(step) == Voicemail()


def test_an_urgent_ladder_of_its_own_is_not_needed_for_the_rungs_of_urgent_calls() -> None:
    """The default serves urgent calls then, and comes after what was written for who asks."""
    rules = replace(
        plan((Transfer(to=WHO["ann"]), When.URGENT), Voicemail()),
        ladders={ASKED: ladder(Transfer(to=WHO["cy"]), Goodbye(), name="ladders.asked")},
    )
    state, step = begin(rules, URGENTLY)
    assert rung_by(step) == ["103"]
    state, step = go_on(state, URGENTLY, CameBack.BUSY)
    assert rung_by(step) == ["101"]
    _, step = go_on(state, URGENTLY, CameBack.BUSY)
    assert ends_with(step) == Voicemail()


def test_zero_in_an_urgent_call_reaches_the_people_of_both_ladders() -> None:
    rules = urgent_and_asked(
        Transfer(to=WHO["ann"]), Alert(to=WHO["dee"]), Transfer(to=WHO["bob"]), Voicemail()
    )
    state, step = begin(rules, URGENTLY, Situation.URGENT)
    assert rung_by(step) == ["101"]
    state, asked = ask_again(state, URGENTLY)
    assert rung_by_asked(asked) == ["102", "+12125550102"]
    state, asked = ask_again(state, URGENTLY)
    assert rung_by_asked(asked) == ["103"]
    assert isinstance(ask_again(state, URGENTLY)[1], NoHuman)
    _, step = go_on(state, URGENTLY, CameBack.NO_ANSWER)
    assert isinstance(step, Try)
    assert step.rule.rung == Alert(to=WHO["dee"])  # jumped over, and not lost


def test_nobody_asks_after_having_left() -> None:
    state, _ = begin(plan(Transfer(to=WHO["ann"]), Voicemail()))
    state, _ = go_on(state, OPEN, CameBack.CALLER_LEFT)
    with pytest.raises(ValueError, match="nobody is there"):
        ask_again(state, OPEN)


def test_a_second_ladder_on_one_call_knows_what_the_first_has_tried() -> None:
    state, _ = begin(plan(Transfer(to=WHO["ann"]), Voicemail()))
    _, step = start(state.plan, Situation.AGENT_FAULT, DID, OPEN, before=state)
    assert ends_with(step) == Voicemail()


def test_a_wait_is_cut_to_the_time_that_is_left() -> None:
    state, _ = begin(plan(Transfer(to=WHO["ann"]), Queue(name="support", wait_s=600), Goodbye()))
    later = replace(OPEN, at=OPEN.at + timedelta(minutes=10))
    _, step = go_on(state, later, CameBack.NO_ANSWER)
    assert isinstance(step, Try)
    assert step.limit_s == 300
    _, step = go_on(state, replace(OPEN, at=OPEN.at + timedelta(minutes=15)), CameBack.NO_ANSWER)
    assert ends_with(step) == Goodbye()


def test_a_person_who_took_the_call_was_progress() -> None:
    state, _ = begin(plan(Transfer(to=WHO["ann"]), Queue(name="support"), Goodbye()))
    state, _ = go_on(state, OPEN, CameBack.ACCEPTED)
    later = replace(OPEN, at=OPEN.at + timedelta(minutes=30))
    _, step = go_on(state, later, CameBack.GIVEN_BACK)
    assert isinstance(step, Try)
