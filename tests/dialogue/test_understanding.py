"""Words to meaning: tables of what people say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.dialogue.numbers import aloud, spoken_digits
from kai_ari.dialogue.understand import Intent, intent_of, name_in, slot_in, yes_or_no


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("five five five, oh one four two", "5550142"),
        ("double five, triple zero, twelve", "5500012"),
        ("+1 (202) 555-0142", "+12025550142"),
        ("eight hundred five five five twenty three forty two", "8005552342"),
        ("two oh seven, nine four six, oh one two three", "2079460123"),
        ("twenty zero", "200"),
        ("no digits at all", ""),
    ],
)
def test_spoken_digits(text: str, digits: str) -> None:
    assert spoken_digits(text) == digits


@given(st.from_regex(r"\+?[0-9]{1,15}", fullmatch=True))
def test_a_number_read_aloud_is_heard_as_the_same_number(number: str) -> None:
    assert spoken_digits(aloud(number)) == number


@given(st.text())
def test_understanding_is_total(text: str) -> None:
    intent_of(text)
    yes_or_no(text)
    name_in(text)
    slot_in(text)
    spoken_digits(text)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("What?", Intent.REPEAT),
        ("Sorry, can you repeat that?", Intent.REPEAT),
        ("Could you say that again please", Intent.REPEAT),
        ("Pardon me?", Intent.REPEAT),
        ("Can I speak to a real person?", Intent.HUMAN),
        ("Operator.", Intent.HUMAN),
        ("put me through to somebody", Intent.HUMAN),
        ("Never mind.", Intent.WITHDRAW),
        ("Sorry, wrong number. Bye.", Intent.WITHDRAW),
        ("Hello?", Intent.HELLO),
        ("Good morning.", Intent.HELLO),
        ("I'd like to leave a message.", Intent.LEAVE_MESSAGE),
        ("Can I go to voicemail?", Intent.VOICEMAIL),
        ("Bye bye.", Intent.GOODBYE),
        ("Just a second.", Intent.WAIT),
        ("What time do you open on Sunday?", None),
        ("Hello, my tap is leaking.", None),
        ("The person who came yesterday left the water off.", None),
        ("I want to cancel my appointment.", None),
    ],
)
def test_intents(text: str, intent: Intent | None) -> None:
    assert intent_of(text) is intent


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes.", True),
        ("Yeah, that's right.", True),
        ("Mm-hmm", True),
        ("Sure, go ahead.", True),
        ("No.", False),
        ("That's not right.", False),
        ("Yes, no, the name is wrong.", False),
        ("Use a different one, please.", False),
        ("Elephants.", None),
    ],
)
def test_yes_or_no_and_doubt_counts_as_no(text: str, answer: bool | None) -> None:
    assert yes_or_no(text) is answer


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My name is Maria Lopez.", "Maria Lopez"),
        ("It's Bob.", "Bob"),
        ("This is John Smith calling.", "John Smith"),
        ("Yes, uh, I'm Tom O'Neill, thanks.", "Tom O'Neill"),
        ("isaac", "Isaac"),
        ("I'm", None),
        ("five five five", None),
        ("I have been waiting for a plumber since this morning", None),
    ],
)
def test_names(text: str, name: str | None) -> None:
    assert name_in(text) == name
