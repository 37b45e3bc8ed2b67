"""Words to meaning: tables of what people say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.dialogue.names import name_in
from kai_ari.dialogue.numbers import aloud, is_whole, number_in, spoken_digits
from kai_ari.dialogue.understand import Intent, intent_of, slot_in, yes_or_no


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
        ("change it to 202 555 0142", "2025550142"),
        ("2 0 2. 5 5 5. 0 1 4 2. That's it for today.", "2025550142"),
        ("Oh, it's two oh two", "202"),
        ("for one five", "415"),
        ("two for oh one", "2401"),
        ("two oh two, five five five, oh one four five, no sorry, oh one four four", "2025550144"),
        ("five oh one, I mean five oh two, 555 1234", "5025551234"),
    ],
)
def test_spoken_digits(text: str, digits: str) -> None:
    assert spoken_digits(text) == digits


@given(st.from_regex(r"\+?[0-9]{1,15}", fullmatch=True))
def test_a_number_read_aloud_is_heard_as_the_same_number(number: str) -> None:
    assert spoken_digits(aloud(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Call me on 202 555 0142 for the invoice, please.", "2025550142"),
        ("No, change it to two oh two, five five five, oh one four two.", "2025550142"),
        ("It's area code 202, then 555-0142", "2025550142"),
        ("202 555 0145, no sorry, 0144", "2025550144"),
        ("I paid four hundred dollars in twenty twenty three for two taps and one sink", ""),
        ("They lost by three goals to one, more at ten, three to one, again at eleven", ""),
        ("Invoice 2041 of the 3rd of May 2026", ""),
    ],
)
def test_only_digits_in_a_row_are_a_number(text: str, number: str) -> None:
    assert number_in(text) == number


@pytest.mark.parametrize(
    ("number", "read"),
    [
        ("+12025550142", "plus one, two zero two, five five five, zero one four two"),
        ("+442079460958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("5551234", "five five five, one two three four"),
    ],
)
def test_a_number_is_read_in_the_groups_its_country_writes(number: str, read: str) -> None:
    assert aloud(number) == read


@pytest.mark.parametrize(
    ("digits", "whole"),
    [("020555", True), ("2025550142", True), ("202555014500044", False), ("0114420794609", True)],
)
def test_a_number_is_no_longer_than_numbers_are(digits: str, whole: bool) -> None:
    assert is_whole(digits) is whole


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
        ("Sorry, wrong number. Bye.", Intent.WRONG_NUMBER),
        ("That's the wrong number.", Intent.WRONG_NUMBER),
        ("It doesn't matter.", None),
        ("Hello?", Intent.HELLO),
        ("Good morning.", Intent.HELLO),
        ("I'd like to leave a message.", Intent.LEAVE_MESSAGE),
        ("I have a question.", Intent.LEAVE_MESSAGE),
        ("What was the question?", Intent.REPEAT),
        ("What did you say my name was?", Intent.REPEAT),
        ("Are you a robot?", Intent.WHO),
        ("Am I talking to a real person?", Intent.WHO),
        ("Who is this?", Intent.WHO),
        ("Is this Rossi Plumbing?", Intent.WHO),
        ("Is anybody coming?", Intent.COMING),
        ("When will the plumber be here?", Intent.COMING),
        ("Why do you need my name?", Intent.WHY),
        ("I'd rather not say.", Intent.REFUSE),
        ("How much does it cost?", Intent.QUESTION),
        ("Thank you, bye.", Intent.GOODBYE),
        ("What happened is that my tap broke.", None),
        ("Can you fix a boiler?", None),
        ("Can I go to voicemail?", Intent.VOICEMAIL),
        ("Voice, Mel, please.", Intent.VOICEMAIL),
        ("Bye bye.", Intent.GOODBYE),
        ("Just a second.", Intent.WAIT),
        ("What time do you open on Sunday?", Intent.QUESTION),
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
        ("No problem.", True),
        ("No, that's fine.", True),
        ("No, that's not it.", False),
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
        ("Uh, John. John Baker.", "John Baker"),
        ("My name is spelled J. O. H. N.", "John"),
        ("It's Baker. B-A-K-E-R.", "Baker"),
        ("Smith, that's S-M-Y-T-H.", "Smith, spelled S M Y T H"),
        ("J. R. Smith", "J. R. Smith"),
        ("It's Dr. Patel from Acme.", "Dr. Patel from Acme"),
        ("It's Mario Lopez and I'm calling about the sink", "Mario Lopez"),
        ("John Baker, my number is 202 555 0142", "John Baker"),
        ("Hello, it's Bob about the invoice.", "Bob"),
        ("She won't know Brian.", None),
        ("I told you already!", None),
        ("Yes, that's right.", None),
    ],
)
def test_names(text: str, name: str | None) -> None:
    assert name_in(text) == name
