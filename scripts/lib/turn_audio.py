"""Where speech begins and ends in a recording of both directions of a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    """One for each turn; in every one of them the caller said something.

    A turn is looked for between the end of the one before and half a second past its own:
    `Turn.spoke_until` has a threshold of its own, and the phone sends digital silence
    around what is said, so that nothing else is there to be found.
    """
    sent, heard = amplitudes(recording.sent), amplitudes(recording.heard)
    ends = [turn.spoke_until * FRAME_MS * RATE // 1000 for turn in turns]
    return [
        _measure(sent, heard, _after_tail(sent, since), end + RATE // 2, thresholds)
        for since, end in pairwise([0, *ends])
    ]


def _measure(
    sent: Amplitudes, heard: Amplitudes, since: int, until: int, thresholds: Sequence[int]
) -> Measured:
    def last(dbfs: int) -> int:
        return since + int(np.flatnonzero(sent[since:until] > level(dbfs)).max(initial=0))

    began = since + (first_speech(sent[since:until]) or 0)
    answer = first_speech(heard[began:])
    return Measured(
        began=began,
        ended=last(SPEECH_DBFS),
        answered=None if answer is None else began + answer,
        ended_at={dbfs: last(dbfs) for dbfs in thresholds},
    )


def _after_tail(sent: Amplitudes, since: int) -> int:
    """Where the digital silence behind what was said until `since` begins."""
    size = RATE * FRAME_MS // 1000
    busy = np.concatenate(([0], np.cumsum(sent[since:] > 0)))
    silent = np.flatnonzero(busy[size:] == busy[:-size])
    return since + int(silent.min(initial=sent.size))
