"""What `scripts/bench voice` measures, on recordings whose answer is known."""

import sys
from pathlib import Path

import numpy as np
import pytest

from kai_ari.testing.caller import Say, Turn
from kai_ari.testing.phone_call import Recording

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts" / "lib"))
from turn_audio import RATE, Measured, measure

LOUD = 8000
#: Below the threshold of -40 dBFS (327), above that of -50 (103).
TAIL = 200


def audio(*spans: tuple[float, float, int], length_s: float = 12.0) -> bytes:
    """Silence with square waves in it: (from second, to second, amplitude)."""
    samples = np.zeros(round(length_s * RATE), "<i2")
    for start, end, amplitude in spans:
        part = samples[round(start * RATE) : round(end * RATE)]
        part[:] = np.where(np.arange(part.size) % 64 < 32, amplitude, -amplitude)
    return samples.tobytes()


def measured(sent: bytes, heard: bytes, *ends_s: float) -> list[Measured]:
    recording = Recording(invited_ns=0, started_ns=0, sent=sent, heard=heard)
    turns = [
        Turn(step=Say(text="..."), spoke_until=round(end * 50), answered_at=None) for end in ends_s
    ]
    return measure(recording, turns, (-30, -50))


def test_each_turn_is_measured_from_its_own_end_to_the_answer_behind_it() -> None:
    sent = audio((2.0, 3.0, LOUD), (6.0, 6.5, LOUD), (6.9, 7.5, LOUD))
    heard = audio((0.5, 1.2, LOUD), (3.4, 5.0, LOUD), (8.1, 9.0, LOUD))
    first, second = measured(sent, heard, 3.0, 7.5)
    assert first.answer_ms == pytest.approx(400, abs=1)
    assert second.began == pytest.approx(6.0 * RATE, abs=1)
    assert second.answer_ms == pytest.approx(600, abs=1)
    assert [turn.cut_in for turn in (first, second)] == [False, False]


def test_the_threshold_decides_what_of_a_tail_is_speech() -> None:
    sent = audio((2.0, 3.0, LOUD), (3.0, 3.1, TAIL), (6.0, 6.2, LOUD))
    first, second = measured(sent, audio((3.5, 4.0, LOUD), (7.0, 8.0, LOUD)), 3.0, 6.2)
    assert first.answer_ms == pytest.approx(500, abs=1)
    assert first.answer_ms_at(-30) == pytest.approx(500, abs=1)
    assert first.answer_ms_at(-50) == pytest.approx(400, abs=1)
    assert second.began == pytest.approx(6.0 * RATE, abs=1)


def test_an_answer_in_the_middle_is_a_cut_in_and_none_is_none() -> None:
    sent = audio((2.0, 3.0, LOUD), (3.6, 5.0, LOUD), (8.0, 9.0, LOUD))
    cut, unanswered = measured(sent, audio((3.5, 3.8, LOUD), (5.6, 7.0, LOUD)), 5.0, 9.0)
    assert cut.cut_in
    assert cut.answer_ms == pytest.approx(-1500, abs=1)
    assert unanswered.answer_ms is None
    assert not unanswered.cut_in
