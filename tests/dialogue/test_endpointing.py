"""When a turn ends: by the answer, and by the sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.dialogue.endpointing import (
    GOES_ON_MS,
    SENTENCE_MS,
    UNSURE_MS,
    WHOLE_ANSWER_MS,
    Expect,
    SpeechTracker,
    silence_needed,
)


@pytest.mark.parametrize(
    ("expect", "words", "silence"),
    [
        (Expect.YES_NO, "Yes.", WHOLE_ANSWER_MS),
        (Expect.YES_NO, "No, it should be something else.", SENTENCE_MS),
        (Expect.OPEN, "What?", WHOLE_ANSWER_MS),
        (Expect.OPEN, "My tap is leaking.", SENTENCE_MS),
        (Expect.OPEN, "My tap is leaking and", GOES_ON_MS),
        (Expect.OPEN, "Well.", UNSURE_MS),
        (Expect.OPEN, None, UNSURE_MS),
        (Expect.NAME, "Maria.", SENTENCE_MS),
        (Expect.NUMBER, "five five five", GOES_ON_MS),
        (Expect.NUMBER, "202 555 0142", SENTENCE_MS),
        (Expect.NUMBER, "555 0142", UNSURE_MS),
    ],
)
def test_the_answer_decides_how_long_to_wait(
    expect: Expect, words: str | None, silence: int
) -> None:
    assert silence_needed(expect, words) == silence


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
