"""When the conversation hands over to a ladder, and how it goes on from where that ended."""

from dataclasses import replace

import pytest

from kai_ari.calls.events import EndedBy, Situation
from kai_ari.dialogue import turns
from kai_ari.dialogue.conversation import step
from kai_ari.dialogue.turns import (
    Action,
    BookCallback,
    Heard,
    Input,
    LadderEnd,
    LadderEnded,
    Pressed,
    Saved,
    Silence,
    State,
)
from tests.dialogue.test_conversation import GREETING, NAME, REASON, YES, fresh, said

TO_A_PERSON = frozenset({Situation.ASKED_FOR_HUMAN, Situation.URGENT, Situation.NOT_UNDERSTOOD})


def with_ladders(*inputs: Input, number: str | None = "+12025550142") -> tuple[State, list[Action]]:
    state, actions = step(replace(fresh(number), ladders=TO_A_PERSON), GREETING)
    for given_input in inputs:
        state, actions = step(state, given_input)
    return state, list(actions)


def hand_offs(actions: list[Action]) -> list[Situation]:
    return [action.situation for action in actions if isinstance(action, turns.HandOff)]


def test_who_asks_for_a_person_is_asked_once_what_it_is_about() -> None:
    asked = Heard(text="Can I speak to someone, please?")
    state, actions = with_ladders(asked)
    assert said(actions) == ["who_is_there"]
    assert not hand_offs(actions)
    state, answered = step(state, Heard(text="My boiler is leaking."))
    assert hand_offs(list(answered)) == [Situation.ASKED_FOR_HUMAN]
    assert state.slots["reason"] == "My boiler is leaking."


@pytest.mark.parametrize(
    "answer", [Silence(), Pressed(key="0"), Heard(text="Just a person, please.")]
)
def test_who_does_not_say_what_about_is_put_through_all_the_same(answer: Input) -> None:
    state, actions = with_ladders(Heard(text="A person, please."), answer)
    assert hand_offs(actions) == [Situation.ASKED_FOR_HUMAN]
    assert "reason" not in state.slots


def test_zero_goes_to_a_person_at_once() -> None:
    for before in ((), (REASON,), (REASON, NAME)):
        assert hand_offs(with_ladders(*before, Pressed(key="0"))[1]) == [Situation.ASKED_FOR_HUMAN]


@pytest.mark.parametrize("text", ["It is urgent, the cellar is flooding.", "A pipe has burst!"])
def test_an_urgent_reason_goes_up_the_ladder(text: str) -> None:
    assert hand_offs(with_ladders(Heard(text=text))[1]) == [Situation.URGENT]


def named(actions: list[Action]) -> list[Situation]:
    return [action.situation for action in actions if isinstance(action, turns.Name)]


A_PERSON = Heard(text="Can I speak to someone?")


@pytest.mark.parametrize(
    "told",
    [
        (A_PERSON, Heard(text="Water is flooding the kitchen, it is an emergency.")),
        (A_PERSON, Heard(text="Just get me a person, it is an emergency!")),
        (Heard(text="I need to speak to someone, a pipe has burst!"),),
    ],
)
def test_who_asks_for_a_person_in_an_urgent_matter_is_urgent_too(told: tuple[Input, ...]) -> None:
    state, actions = with_ladders(*told)
    assert hand_offs(actions) == [Situation.ASKED_FOR_HUMAN]
    assert Situation.URGENT in named(actions)
    assert isinstance(told[-1], Heard)
    assert state.slots["reason"] == told[-1].text


def test_who_wants_a_person_at_once_has_said_nothing_of_their_matter() -> None:
    text = "Put me through to a person right now!"
    assert said(with_ladders(Heard(text=text))[1]) == ["who_is_there"]
    state, actions = with_ladders(A_PERSON, Heard(text=text))
    assert named(actions) == [Situation.ASKED_FOR_HUMAN]
    assert "reason" not in state.slots


@pytest.mark.parametrize("text", ["Do you do boiler repairs?", "Is the plumber coming today?"])
def test_a_reason_can_be_a_question(text: str) -> None:
    state, actions = with_ladders(A_PERSON, Heard(text=text))
    assert hand_offs(actions) == [Situation.ASKED_FOR_HUMAN]
    assert state.slots["reason"] == text


@pytest.mark.parametrize("text", ["Why do you need to know?", "Are you a robot?", "Hello?"])
def test_what_is_no_reason_is_not_passed_on_as_one(text: str) -> None:
    state, actions = with_ladders(A_PERSON, Heard(text=text))
    assert hand_offs(actions) == [Situation.ASKED_FOR_HUMAN]
    assert "reason" not in state.slots


def test_who_wants_no_calls_is_put_on_the_list_also_when_asked_what_about() -> None:
    _, actions = with_ladders(A_PERSON, Heard(text="Stop calling me."))
    assert [type(action) for action in actions] == [turns.OptOut]
    state, actions = with_ladders(A_PERSON, Heard(text="Sorry, wrong number."))
    assert state.ended
    assert not hand_offs(actions)


def test_what_is_not_urgent_is_taken_as_a_message() -> None:
    assert said(with_ladders(Heard(text="It is not urgent, my tap drips."))[1]) == ["ask_name"]


def test_a_ladder_that_ends_in_a_call_back_asks_for_leave_and_a_number() -> None:
    ended = LadderEnded(end=LadderEnd.CALL_BACK)
    state, actions = with_ladders(Pressed(key="0"), ended)
    assert said(actions) == ["offer_call_back"]
    state, actions_ = step(state, YES)
    assert BookCallback(number="+12025550142") in actions_
    state, actions_ = step(state, Saved(ok=True))
    assert said(list(actions_)) == ["call_back_booked"]
    assert state.ended


@pytest.mark.parametrize("answers", [["I'd rather not."], ["No.", "No thank you."]])
def test_a_call_back_not_wanted_goes_on_up_the_ladder(answers: list[str]) -> None:
    ended = LadderEnded(end=LadderEnd.CALL_BACK)
    _, actions = with_ladders(Pressed(key="0"), ended, *(Heard(text=text) for text in answers))
    assert [action.in_vain for action in actions if isinstance(action, turns.HandOff)] == [True]


def test_a_person_wanted_instead_of_a_call_back_leaves_the_voicemail_behind_them() -> None:
    offered = LadderEnded(end=LadderEnd.CALL_BACK)
    zero = Pressed(key="0")
    _, actions = with_ladders(zero, offered, zero, LadderEnded(end=LadderEnd.VOICEMAIL))
    assert said(actions) == ["voicemail"]
    assert turns.Record(zero_ends=True) in actions


def test_after_a_talk_with_a_person_kai_says_nothing_more() -> None:
    _, actions = with_ladders(Pressed(key="0"), LadderEnded(end=LadderEnd.HUMAN_ENDED))
    assert said(actions) == []
    assert [a.by for a in actions if isinstance(a, turns.End)] == [EndedBy.HUMAN]
