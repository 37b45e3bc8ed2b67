"""Times as people name them, who wants no calls, and that every call of Kai's own ends."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.calls.events import Situation
from kai_ari.dialogue.conversation import step
from kai_ari.dialogue.turns import (
    Alerted,
    CannotListen,
    CannotSpeak,
    End,
    Heard,
    Input,
    LadderEnd,
    LadderEnded,
    Noise,
    Pressed,
    Reached,
    Saved,
    Silence,
    State,
    Step,
    Why,
)
from kai_ari.dialogue.understand import Intent, intent_of
from kai_ari.dialogue.when import when_in

ZONE = ZoneInfo("America/New_York")
#: A Monday, 10:00 there; on the next Sunday clocks go forward.
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "spoken", "at"),
    [
        ("In an hour, please.", "in an hour", "02 11:00"),
        ("In about two hours.", "in two hours", "02 12:00"),
        ("Maybe in half an hour?", "in half an hour", "02 10:30"),
        ("Tomorrow.", "tomorrow morning", "03 09:30"),
        ("Tomorrow in the afternoon.", "tomorrow afternoon", "03 14:00"),
        ("This evening would be good.", "this evening", "02 18:00"),
        ("Tonight.", "this evening", "02 18:00"),
        ("This morning.", "this morning", "02 11:00"),  # half past nine is over
        ("On Monday.", "on Monday morning", "09 09:30"),
        ("Sunday morning.", "on Sunday morning", "08 09:30"),
    ],
)
def test_a_time_is_understood(said: str, spoken: str, at: str) -> None:
    when = when_in(said)
    assert when is not None
    assert when.spoken == spoken
    assert f"{when.at(NOW, ZONE).astimezone(ZONE):%d %H:%M}" == at


@pytest.mark.parametrize("said", ["Later today.", "I do not know.", "", "Call me."])
def test_what_names_no_time_is_none(said: str) -> None:
    assert when_in(said) is None


@given(st.integers(0, 400 * 24 * 60))
def test_another_time_is_always_to_come(minutes: int) -> None:
    now = datetime.fromtimestamp(NOW.timestamp() + 60 * minutes, UTC)
    for said in ("this evening", "tomorrow morning", "sunday", "in an hour", "this morning"):
        when = when_in(said)
        assert when is not None
        assert now < when.at(now, ZONE)


@pytest.mark.parametrize(
    "said",
    [
        "Stop calling me.",
        "Please stop calling.",
        "Never call me again!",
        "Don't call here any more.",
        "Take me off your list.",
        "Remove my number from there.",
        "Put me on the do not call list.",
        "I want to opt out.",
    ],
)
def test_who_wants_no_calls_is_understood(said: str) -> None:
    assert intent_of(said) is Intent.STOP


@pytest.mark.parametrize(
    "said",
    [
        "My alarm won't stop ringing.",
        "The water does not stop.",
        "Can you stop the leak?",
        "Don't call before five.",
        "You never called me back.",
        "Take my name, please.",
        "Please call me again tomorrow.",
    ],
)
def test_who_has_another_matter_is_not_taken_at_their_word(said: str) -> None:
    assert intent_of(said) is not Intent.STOP


def called_and_heard(*said: str) -> State:
    state, _ = step(
        State(business="R", caller_number="+12025550142", ladders=frozenset()),
        Reached(why=Why.CUT_OFF, machine=False),
    )
    for text in said:
        state, _ = step(state, Heard(text=text))
    return state


def ends_as(*said: str) -> str | None:
    """The reason with which the call ends on the last of what is `said`."""
    before = called_and_heard(*said[:-1])
    _, actions = step(before, Heard(text=said[-1]))
    return next((action.reason for action in actions if isinstance(action, End)), None)


@pytest.mark.parametrize(
    "said",
    [
        ("No one is available to take your call.",),
        ("I'm not available right now. Please leave your name and number.",),
        ("The person you are calling is not available.",),
        ("You have reached the voicemail of Bob Smith.",),
        ("Hi, this is Bob. I can't come to the phone right now.", "Record your message."),
        ("I'm not here.", "Please leave a short message after the tone."),
    ],
)
def test_a_mailbox_that_was_taken_for_a_person_declines_nothing(said: tuple[str, ...]) -> None:
    assert ends_as(*said) == "machine"


@pytest.mark.parametrize(
    "said", ["Sorry, I can't talk right now.", "He is not here.", "Nobody is available."]
)
def test_who_cannot_talk_now_is_asked_when_to_call(said: str) -> None:
    assert called_and_heard(said).step is Step.WHEN
    assert called_and_heard(said, said).step is Step.WHEN


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("No, I have found somebody.", "not_wanted"),
        ("No, I left you a voicemail that it is done.", "not_wanted"),
        ("Can I leave a message?", None),
    ],
)
def test_a_person_is_not_taken_for_a_mailbox(said: str, reason: str | None) -> None:
    assert ends_as(said) == reason


INPUTS = (
    st.sampled_from([Silence(), Noise(), CannotListen(), CannotSpeak(), Heard(text="")])
    | st.sampled_from("0123456789*#").map(lambda key: Pressed(key=key))
    | st.sampled_from(
        ["yes", "no", "later", "tomorrow", "stop calling me", "what?", "a person", "hm hm"]
    ).map(lambda text: Heard(text=text))
)
FIRST = st.builds(Reached, why=st.sampled_from(Why), machine=st.booleans()) | st.builds(
    Alerted, what=st.just("Lee, about the boiler."), callable=st.booleans()
)


@given(FIRST, st.lists(INPUTS, min_size=1, max_size=30), st.booleans(), st.booleans())
def test_every_call_of_kais_own_ends(
    first: Input, behaviour: list[Input], has_ladder: bool, saves: bool
) -> None:
    ladders = frozenset({Situation.ASKED_FOR_HUMAN}) if has_ladder else frozenset()
    state, _ = step(State(business="R", caller_number="+12025550142", ladders=ladders), first)
    for turn in range(2000):
        given_input: Input = behaviour[turn % len(behaviour)]
        if state.step in (
            *(Step.RECORDING, Step.SAVING, Step.POSTPONING, Step.OPTING_OUT),
            Step.ACKNOWLEDGING,
        ):
            given_input = Saved(ok=saves)
        if state.step in (Step.HANDING_OFF, Step.CALLING_THROUGH):
            given_input = LadderEnded(end=LadderEnd.VOICEMAIL)
        state, _ = step(state, given_input)
        if state.ended:
            return
    pytest.fail(f"still in {state.step}")
