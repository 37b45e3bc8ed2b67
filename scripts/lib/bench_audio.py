"""Where speech begins and ends in a recording of both directions of a call."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kai_ari.testing.caller import FRAME_MS, Turn
from kai_ari.testing.phone_call import Recording

RATE = 16_000

#: A sample is speech when its amplitude is above this, in dB below full scale. Callers peak
#: at -3 to -20: what remains of a last vowel below -40 is 20 to 37 dB down, and drowns in the
#: noise of a real line.
SPEECH_DBFS = -40

#: No pause after the last word can have been noticed sooner: Kai had taken an earlier one for
#: the end.
CUT_IN_MS = 100

Amplitudes = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Sample numbers in the recording. `answered` is Kai's first since the caller began."""

    began: int
    ended: int
    answered: int | None
    ended_at: dict[int, int]  # by threshold in dBFS: `ended`, had another been chosen

    @property
    def answer_ms(self) -> float | None:
        return None if self.answered is None else (self.answered - self.ended) * 1000 / RATE

    def answer_ms_at(self, dbfs: int) -> float | None:
        return (
            None if self.answered is None else (self.answered - self.ended_at[dbfs]) * 1000 / RATE
        )

    @property
    def cut_in(self) -> bool:
        """Kai spoke before, or at, the end of what the caller said."""
        return self.answer_ms is not None and self.answer_ms < CUT_IN_MS


def amplitudes(pcm: bytes) -> Amplitudes:
    return np.abs(np.frombuffer(pcm, "<i2").astype(np.int32))


def level(dbfs: float) -> float:
    return float(32768 * 10 ** (dbfs / 20))


def first_speech(heard: Amplitudes) -> int | None:
    loud = np.flatnonzero(heard > level(SPEECH_DBFS))
    return int(loud[0]) if loud.size else None


def measure(
    recording: Recording, turns: Sequence[Turn], thresholds: Sequence[int]
) -> list[Measured]:
    """One for each turn in which the caller said something.

    A turn is looked for between the end of the one before and the beginning of the next;
    the phone sends digital silence in between, so that nothing else is there to be found.
    """
    sent, heard = amplitudes(recording.sent), amplitudes(recording.heard)
    ends = [turn.spoke_until * FRAME_MS * RATE // 1000 for turn in turns]
    measured: list[Measured] = []
    for place, end in enumerate(ends):
        since = ends[place - 1] if place else 0
        before = sent[since:end]
        # A previous turn's tail and this turn are told apart by the digital silence between.
        quiet = np.flatnonzero(_runs_of_silence(before))
        start = since + (int(quiet[0]) if quiet.size and place else 0)
        loud = np.flatnonzero(sent[start:end] > level(SPEECH_DBFS))
        if not loud.size:
            continue
        began = start + int(loud[0])
        until = end + RATE // 2  # the tail below the frame's threshold
        ended_at = {
            dbfs: began + int(np.flatnonzero(sent[began:until] > level(dbfs))[-1])
            for dbfs in (*thresholds, SPEECH_DBFS)
        }
        answer = first_speech(heard[began:])
        measured.append(
            Measured(
                began=began,
                ended=ended_at[SPEECH_DBFS],
                answered=None if answer is None else began + answer,
                ended_at=ended_at,
            )
        )
    return measured


def _runs_of_silence(samples: Amplitudes) -> NDArray[np.bool_]:
    """Where 20 ms of digital silence begin."""
    size = RATE * FRAME_MS // 1000
    if samples.size < size:
        return np.zeros(0, bool)
    busy = np.concatenate(([0], np.cumsum(samples > 0)))
    return np.asarray(busy[size:] == busy[:-size])
