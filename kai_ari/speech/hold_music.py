"""Music for callers who wait, made here: nobody's recording, so nobody's licence.

Soft broken chords that come round without a seam. Kept below speech, so that whoever waits
can talk over it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 16_000  # samples per second
_NOTE_S: Final = 0.4
_RING_S: Final = 1.6  # a note rings on under the next ones
_PEAK: Final = 2600  # of 32767: some -22 dBFS

#: Four bars of eight notes, as semitones from A4 (440 Hz): Am7, Fmaj7, C, G6.
_CHORDS: Final = (
    (-12, -5, 0, 3, 7, 3, 0, -5),
    (-16, -9, -4, 0, 3, 0, -4, -9),
    (-21, -14, -9, -5, 0, -5, -9, -14),
    (-14, -10, -7, -2, 2, -2, -7, -10),
)


def hold_music() -> bytes:
    """A loop of 12.8 s, 16-bit mono PCM at 16 kHz."""
    notes = [semitone for chord in _CHORDS for semitone in chord]
    step, ring = round(_NOTE_S * RATE), round(_RING_S * RATE)
    total = step * len(notes)
    loop = np.zeros(total)
    for place, semitone in enumerate(notes):
        at = (np.arange(ring) + place * step) % total  # the last notes ring into the first
        np.add.at(loop, at, _note(semitone, ring))
    scaled: NDArray[np.int16] = (loop / np.abs(loop).max() * _PEAK).astype("<i2")
    return scaled.tobytes()


def _note(semitone: int, samples: int) -> NDArray[np.float64]:
    """A plucked tone: two partials, dying away."""
    time = np.arange(samples) / RATE
    pitch = 440.0 * 2.0 ** (semitone / 12)
    fade_in = np.minimum(time / 0.02, 1.0)
    wave = np.sin(2 * np.pi * pitch * time) + 0.3 * np.sin(4 * np.pi * pitch * time)
    tone: NDArray[np.float64] = wave * np.exp(-3.0 * time) * fade_in
    return tone
