"""When a turn ends: by the answer, and by the sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.dialogue.endpointing import (
    FULL_ANSWER_MS,
    GOES_ON_MS,
    SENTENCE_MS,
    STORY_MS,
    UNSURE_MS,
    WHOLE_ANSWER_MS,
    Expect,
    SpeechTracker,
    silence_needed,
)

#: From the end of a voice to the detector's release, in 95 of 100 turns at least: a pause
#: is that much longer than the silence counted in it.
RELEASE_MS = 67


@pytest.mark.parametrize(
    ("expect", "words", "silence"),
    [
        (Expect.YES_NO, "Yes.", WHOLE_ANSWER_MS),
        (Expect.YES_NO, "Yes, that's right.", WHOLE_ANSWER_MS),
        (Expect.YES_NO, "Yes, you can use that one.", FULL_ANSWER_MS),
        (Expect.YES_NO, "No, it should be something else.", SENTENCE_MS),
        (Expect.NAME, "What?", WHOLE_ANSWER_MS),
        (Expect.NAME, "My name is John Baker.", FULL_ANSWER_MS),
        (Expect.NAME, "Grace Miller,", FULL_ANSWER_MS),
        (Expect.NAME, "Maria.", SENTENCE_MS),
        (Expect.OPEN, "I'd like to leave a message.", SENTENCE_MS),
        (Expect.OPEN, "My tap is leaking.", STORY_MS),
        (Expect.OPEN, "My tap is leaking and", GOES_ON_MS),
        (Expect.OPEN, "Well.", UNSURE_MS),
        (Expect.OPEN, None, UNSURE_MS),
        (Expect.NUMBER, "202 555 0142", FULL_ANSWER_MS),
        (Expect.NUMBER, "+1 202 555 0142", FULL_ANSWER_MS),
        (Expect.NUMBER, "0207 946 0958", SENTENCE_MS),
        (Expect.NUMBER, "555 0142", UNSURE_MS),
        (Expect.NUMBER, "five five five", GOES_ON_MS),
    ],
)
def test_the_answer_decides_how_long_to_wait(
    expect: Expect, words: str | None, silence: int
) -> None:
    assert silence_needed(expect, words) == silence


@pytest.mark.parametrize(
    ("expect", "so_far", "pause_ms"),
    [
        # "|" is where the caller pauses; the words before it as the recogniser writes them.
        (Expect.OPEN, "Um, well,", 500),  # | it's about
        (Expect.OPEN, "I'm well. It's about", 450),  # | my boiler
        (Expect.OPEN, "Good morning.", 600),  # | we had a new heating put in
        (Expect.OPEN, "Sorry.", 450),  # | can you hear me
        (Expect.OPEN, "The shower drips all night.", 610),  # | and it gets worse every day
        (Expect.OPEN, "Please call me back about", 450),  # | the invoice
        (Expect.OPEN, "We had a new heating system put in last week,", 450),  # | and since
        (Expect.NAME, "My name is", 450),  # | Henry Clark
        (Expect.NAME, "Maria.", 450),  # | Lopez
        (Expect.YES_NO, "No.", 450),  # | my name is Tom
        (Expect.YES_NO, "No, it's", 600),  # | Tom Walker
        (Expect.NUMBER, "Nine, one, seven,", 870),  # | five five five
        (Expect.NUMBER, "Nine, one, seven, five, five, five,", 870),  # | zero one
        (Expect.NUMBER, "917 555 01", 700),  # | two three
        (Expect.NUMBER, "It's 555", 870),  # | zero one nine nine
        (Expect.NUMBER, "0151 234 567", 700),  # | eight nine
        (Expect.NUMBER, "+49 30 123 456", 480),  # | seven eight
    ],
)
def test_a_caller_who_pauses_is_not_cut_off(expect: Expect, so_far: str, pause_ms: int) -> None:
    assert silence_needed(expect, so_far) > pause_ms - RELEASE_MS


@given(st.sampled_from(list(Expect)), st.none() | st.text())
def test_the_wait_is_always_bounded(expect: Expect, words: str | None) -> None:
    assert WHOLE_ANSWER_MS <= silence_needed(expect, words) <= GOES_ON_MS


def run(*spans: tuple[float, int]) -> SpeechTracker:
    tracker = SpeechTracker(frame_ms=20)
    for probability, milliseconds in spans:
        for _ in range(milliseconds // 20):
            tracker.feed(probability)
    return tracker


def test_a_click_is_not_speech_and_a_dip_is_not_silence() -> None:
    assert not run((0.9, 40), (0.0, 200)).speaking
    tracker = run((0.9, 200), (0.4, 100), (0.9, 100))
    assert tracker.speaking
    assert tracker.silence_ms == 0
    assert tracker.voiced_ms == 400


def test_silence_is_counted_from_the_last_voice() -> None:
    assert run((0.9, 200), (0.1, 300)).silence_ms == 300
