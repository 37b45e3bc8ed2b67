"""The conversation as a table of what callers do, and the proof that it always ends."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.calls.events import Situation
from kai_ari.dialogue import conversation, turns
from kai_ari.dialogue.conversation import MAX_TURNS, step
from kai_ari.dialogue.turns import (
    CannotListen,
    Heard,
    Input,
    LadderEnd,
    LadderEnded,
    Name,
    Noise,
    Pressed,
    Record,
    Save,
    Saved,
    Say,
    Silence,
    Started,
    State,
    Step,
    Take,
)
from kai_ari.dialogue.ways_out import MAX_HAND_OFFS, MAX_RECORDINGS

GREETING = Started(greeting="Hello, this is Rossi Plumbing. How can I help?")


def fresh(caller_number: str | None = "+12025550142") -> State:
    return State(business="Rossi Plumbing", caller_number=caller_number)


def play(*inputs: Input, state: State | None = None) -> tuple[State, list[turns.Action]]:
    """The state after `inputs` and the actions of the last one."""
    state = state or fresh()
    actions: tuple[turns.Action, ...] = ()
    for given_input in (GREETING, *inputs):
        state, actions = step(state, given_input)
    return state, list(actions)


def said(actions: list[turns.Action]) -> list[str]:
    return [action.line.id for action in actions if isinstance(action, Say)]


REASON, NAME = Heard(text="My kitchen tap is leaking."), Heard(text="It's Maria Lopez.")
YES, NO = Heard(text="Yes, that's right."), Heard(text="No.")


def test_a_message_is_taken_read_back_and_saved() -> None:
    state, actions = play(REASON, NAME, YES)
    assert said(actions) == ["read_back"]
    assert state.slots == {
        "reason": "My kitchen tap is leaking.",
        "name": "Maria Lopez",
        "number": "+12025550142",
    }
    state, actions = play(REASON, NAME, YES, YES)
    assert [type(action) for action in actions] == [turns.Confirm, Save]
    state, actions = play(REASON, NAME, YES, YES, Saved(ok=True))
    assert said(actions) == ["message_saved"]
    assert state.ended


def test_what_the_caller_says_with_the_reason_is_not_asked_again() -> None:
    text = "Hi, my name is Tom Baker and my boiler is out, call me on 202 555 0199."
    state, actions = play(Heard(text=text))
    assert said(actions) == ["read_back"]
    assert state.slots["name"] == "Tom Baker"
    assert state.slots["number"] == "2025550199"


@pytest.mark.parametrize(
    ("inputs", "number"),
    [
        ([Heard(text="five five five oh one four two")], "5550142"),
        ([Heard(text="double five five"), Heard(text="oh one four two")], "5550142"),
        ([Pressed(key=key) for key in "5550142#"], "5550142"),
        ([*(Pressed(key=key) for key in "020555"), Silence()], "020555"),
        ([*(Pressed(key=key) for key in "12#"), *(Pressed(key=k) for k in "5550142#")], "5550142"),
    ],
)
def test_numbers_by_voice_and_keypad(inputs: list[Input], number: str) -> None:
    state, actions = play(REASON, NAME, NO, *inputs)
    assert state.slots["number"] == number
    assert said(actions) == ["read_back"]


def test_a_hidden_caller_id_is_not_offered() -> None:
    _, actions = play(REASON, NAME, state=fresh(caller_number=None))
    assert said(actions) == ["ask_number"]


@pytest.mark.parametrize(
    ("correction", "slot", "value"),
    [
        ("No, my name is Mario Lopez.", "name", "Mario Lopez"),
        ("No, no, the name is Jon Becker.", "name", "Jon Becker"),
        ("No, it's five five five, zero one nine nine.", "number", "5550199"),
    ],
)
def test_a_correction_can_come_with_the_no(correction: str, slot: str, value: str) -> None:
    state, actions = play(REASON, NAME, YES, Heard(text=correction))
    assert state.slots[slot] == value
    assert said(actions) == ["read_back"]


@pytest.mark.parametrize(
    ("choice", "question"),
    [
        (Heard(text="The name."), "ask_name_again"),
        (Pressed(key="2"), "ask_number"),
        (Heard(text="the reason is wrong"), "ask_reason_again"),
    ],
)
def test_a_bare_no_asks_what_to_change(choice: Input, question: str) -> None:
    assert said(play(REASON, NAME, YES, NO)[1]) == ["ask_what_to_change"]
    assert said(play(REASON, NAME, YES, NO, choice)[1]) == [question]


@pytest.mark.parametrize(
    "asking", [Heard(text="What?"), Heard(text="Can you repeat that, please?"), Pressed(key="*")]
)
def test_the_question_is_said_again_when_asked(asking: Input) -> None:
    _, actions = play(REASON, asking, asking, asking, asking)
    assert said(actions) == ["ask_name_again"]


@pytest.mark.parametrize("asking", [Heard(text="I want to talk to a person"), Pressed(key="0")])
def test_who_asks_for_a_person_hears_the_truth_and_is_recorded_the_second_time(
    asking: Input,
) -> None:
    _, actions = play(asking)
    assert Name(situation=Situation.ASKED_FOR_HUMAN) in actions
    assert said(actions) == ["no_person", "ask_reason_of_call"]
    _, actions = play(asking, REASON, asking)
    assert said(actions) == ["no_person_voicemail", "voicemail"]
    assert Record() in actions


def test_silence_is_asked_about_twice_and_then_recorded() -> None:
    assert said(play(Silence())[1]) == ["still_there", "greeting"]
    _, actions = play(Silence(), Silence(), Silence())
    assert Name(situation=Situation.CALLER_SILENT) in actions
    assert said(actions) == ["cannot_hear", "voicemail"]


def test_what_is_not_understood_ends_in_a_recording_then_an_honest_goodbye() -> None:
    mumble = Heard(text="")
    _, actions = play(mumble, mumble, mumble)
    assert said(actions) == ["cannot_understand", "voicemail"]
    _, actions = play(mumble, mumble, mumble, Saved(ok=False))
    assert said(actions) == ["no_message_heard", "voicemail"]
    state, actions = play(mumble, mumble, mumble, Saved(ok=False), Saved(ok=False))
    assert said(actions) == ["no_message"]
    assert state.ended


def test_a_message_that_could_not_be_kept_is_admitted_and_no_other_is_asked_for() -> None:
    state, actions = play(Heard(text="voicemail please"), Saved(ok=False, not_kept=True))
    assert said(actions) == ["not_saved"]
    assert state.ended


def test_without_a_recogniser_the_message_is_recorded() -> None:
    _, actions = play(CannotListen())
    assert Name(situation=Situation.AGENT_FAULT) in actions
    assert Record() in actions


def test_a_cough_that_cut_a_line_off_gets_the_line_again() -> None:
    assert said(play(REASON, Noise())[1]) == ["ask_name_again"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Are you a robot?", "who_i_am"),
        ("Is anybody coming?", "cannot_send"),
        ("Why do you need to know?", "why_i_ask"),
        ("How much does it cost?", "cannot_answer"),
    ],
)
def test_a_question_in_between_is_answered_truthfully_and_takes_no_slot(
    question: str, answer: str
) -> None:
    asks = Heard(text=question)
    state, actions = play(REASON, asks, asks, asks)
    assert said(actions) == [answer, "ask_name_again"]
    assert set(state.slots) == {"reason"}
    _, actions = play(REASON, NAME, YES, asks)
    assert said(actions) == [answer, "confirm_again"]  # without reading all back again


def test_a_question_that_is_why_the_caller_calls_becomes_the_message() -> None:
    state, actions = play(Heard(text="What are your opening hours?"))
    assert said(actions) == ["question_taken", "ask_name"]
    assert state.slots == {"reason": "What are your opening hours?"}
    state, actions = play(Heard(text="Are you a robot?"))
    assert said(actions) == ["who_i_am", "ask_reason"]
    assert not state.slots


def test_who_says_hello_thrice_is_heard() -> None:
    hello = Heard(text="Hello?")
    assert said(play(hello)[1]) == ["ask_reason"]
    assert said(play(hello, hello)[1]) == ["i_hear_you"]
    assert said(play(hello, hello, hello)[1]) == ["voicemail"]


def test_who_will_not_give_a_name_can_record() -> None:
    assert said(play(REASON, Heard(text="I'd rather not say."))[1]) == [
        "rather_record",
        "voicemail",
    ]


def test_a_number_and_a_name_given_together_are_both_taken() -> None:
    state, actions = play(REASON, Heard(text="John Baker, 202 555 0199."))
    assert said(actions) == ["read_back"]
    assert (state.slots["name"], state.slots["number"]) == ("John Baker", "2025550199")


@pytest.mark.parametrize(
    ("parts", "number"),
    [
        (["two zero two", "five five five zero one four two"], "2025550142"),
        (["five five five oh one", "five five five oh one four two"], "5550142"),
        (["five five five oh four", "no sorry, oh one", "four two"], "5550142"),
    ],
)
def test_a_number_in_parts(parts: list[str], number: str) -> None:
    state, _ = play(REASON, NAME, NO, *(Heard(text=part) for part in parts))
    assert state.slots["number"] == number


def test_a_no_that_names_what_is_wrong_is_not_asked_about() -> None:
    _, actions = play(REASON, NAME, YES, Heard(text="Yes, but the number is wrong."))
    assert said(actions) == ["ask_number"]
    _, actions = play(REASON, NAME, YES, NO, Heard(text="Nothing, it's fine."))
    assert Save() in actions


def test_a_long_story_is_read_back_by_its_beginning() -> None:
    story = "My boiler makes a strange noise and it gets worse each night " * 5
    _, actions = play(Heard(text=story), NAME, YES)
    [line] = [action.line.text for action in actions if isinstance(action, Say)]
    assert "a strange noise and it gets worse each night My boiler" in line
    assert len(line.split()) < 60
    assert "and so on. Is that right?" in line


def test_without_a_recording_the_goodbye_denies_no_reason_that_was_given() -> None:
    failed = (Saved(ok=False), Saved(ok=False))
    assert said(play(REASON, *(Silence(),) * 3, *failed)[1]) == ["not_confirmed"]
    assert said(play(*(Silence(),) * 3, *failed)[1]) == ["no_message"]


def test_a_key_that_means_nothing_gets_the_question_again() -> None:
    assert said(play(REASON, Pressed(key="7"))[1]) == ["ask_name_again"]
    assert said(play(REASON, NAME, YES, Pressed(key="#"))[1]) == ["confirm_again"]


def test_a_message_withdrawn_is_not_passed_on() -> None:
    state, actions = play(REASON, Heard(text="Never mind."))
    assert said(actions) == ["withdrawn"]
    assert state.ended


@pytest.mark.parametrize("asked", [(REASON, NAME), (REASON, NAME, YES)])
def test_a_wrong_number_at_the_read_back_is_kai_s_not_the_caller_s(
    asked: tuple[Input, ...],
) -> None:
    state, actions = play(*asked, Heard(text="No, wrong number."))
    assert said(actions) == ["ask_number"]
    assert state.slots["reason"]


def test_who_dialled_the_wrong_number_is_let_go() -> None:
    assert play(Heard(text="Sorry, wrong number."))[0].ended


INPUTS: st.SearchStrategy[Input] = st.one_of(
    st.builds(
        Heard,
        text=st.sampled_from(
            ["", "yes", "no", "what?", "hold on", "my name is Al", "five five", "hello",
             "a person please", "leave a message", "5550142", "the name", "voicemail", "tap drips"]
        )
        | st.text(max_size=40),
    ),
    st.builds(Pressed, key=st.sampled_from("0123456789*#")),
    st.builds(Saved, ok=st.booleans()),
    st.sampled_from([Silence(), Noise(), CannotListen(), GREETING]),
)  # fmt: skip


LADDERS = st.sampled_from([frozenset(), frozenset(Situation)]) | st.frozensets(
    st.sampled_from(Situation)
)
ENDS = st.lists(st.sampled_from(LadderEnd), min_size=1, max_size=5)


@given(st.lists(INPUTS, max_size=60), st.none() | st.just("+12025550142"), LADDERS, ENDS)
def test_every_conversation_ends_whatever_the_caller_does(
    inputs: list[Input],
    caller_number: str | None,
    ladders: frozenset[Situation],
    ends: list[LadderEnd],
) -> None:
    """Repeat the caller's behaviour for ever: the conversation ends within its cap."""
    state = replace(fresh(caller_number), ladders=ladders)
    state, _ = step(state, GREETING)
    behaviour = inputs or [Noise()]
    limit = MAX_TURNS + 10 * (MAX_RECORDINGS + MAX_HAND_OFFS) * (len(behaviour) + 1)
    for turn in range(limit):
        waits_for_saved = state.step in (Step.RECORDING, Step.SAVING, Step.OPTING_OUT)
        given_input = Saved(ok=False) if waits_for_saved else behaviour[turn % len(behaviour)]
        if state.step is Step.HANDING_OFF:
            given_input = LadderEnded(end=ends[turn % len(ends)], who="the desk")
        state, _ = step(state, given_input)
        if state.ended:
            return
    pytest.fail(f"still in {state.step} after {limit} turns")


@given(st.lists(INPUTS, max_size=30))
def test_every_state_speaks_or_listens_and_never_confirms_a_missing_slot(
    inputs: list[Input],
) -> None:
    state, _ = step(fresh(), GREETING)
    for given_input in inputs:
        state, actions = step(state, given_input)
        for action in actions:
            if isinstance(action, turns.Confirm):
                assert {slot for slot, value in action.slots if value} == {
                    "reason",
                    "name",
                    "number",
                }
            if isinstance(action, Take):
                assert action.value
        assert state.ended == any(isinstance(action, turns.End) for action in actions) or (
            state.ended and not actions
        )


def test_a_caller_cut_off_by_kai_goes_on_with_the_same_answer() -> None:
    before, _ = play(REASON, NAME, NO)
    half = Heard(text="Nine one seven, five five five,")
    state, _ = step(before, half)
    state, joined = conversation.go_on(before, half, state, Heard(text="zero one two three."))
    assert state.turns == before.turns + 1  # counted: whoever goes on for ever is ended too
    state, actions = step(state, joined)
    assert said(list(actions)) == ["read_back"]
    assert state.slots["number"] == "9175550123"


@pytest.mark.parametrize("given_input", [Heard(text="What?"), Heard(text=""), Pressed(key="*")])
def test_what_is_no_second_half_answers_the_new_question(given_input: Input) -> None:
    before, _ = play()
    state, _ = step(before, REASON)
    assert conversation.go_on(before, REASON, state, given_input) == (state, given_input)
