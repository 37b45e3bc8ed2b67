"""Where a word, a tone or silence begins in what a phone heard."""

import numpy as np
from turn_audio import RATE, SPEECH_DBFS, Amplitudes, amplitudes, level

from kai_ari.testing.phone_call import Recording

#: At the phone, hold music peaks at -16 dBFS and its notes fade to -28; Kai's words peak at -3.
WORDS_DBFS = -14
#: Music is never below speech for so long: it has been stopped.
STOPPED_MS = 5

#: What the two sides of a talk send: no music and no voice is like it.
CALLER_HERTZ = 2400
STAFF_HERTZ = 2000
_WINDOW = RATE // 50  # 20 ms
_HOP = RATE // 1000
#: Share of a window's energy that is the tone, when nothing else is there.
_PURE = 0.8


def tone(hertz: int, seconds: float) -> bytes:
    time = np.arange(round(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes()


def next_word(recording: Recording, after_ns: int) -> int | None:
    """When the first word after `after_ns` was heard, in music: `time.monotonic_ns()`.

    That is the first sample of speech once the music has stopped; where no stop can be told,
    the first one that is too loud for music.
    """
    heard = amplitudes(recording.heard)[_sample(recording, after_ns) :]
    loud = _first(heard > level(WORDS_DBFS))
    if loud is None:
        return None
    stopped = _first_quiet(heard[:loud])
    word = None if stopped is None else _first(heard[stopped:] > level(SPEECH_DBFS))
    at = loud if stopped is None or word is None else stopped + word
    return after_ns + at * 1_000_000_000 // RATE


def tone_begins(recording: Recording, hertz: int, after_ns: int) -> int | None:
    """When the first 20 ms of nothing but this tone were begun to be heard."""
    start = _sample(recording, after_ns)
    heard = np.frombuffer(recording.heard, "<i2").astype(np.float64)[start:]
    wave = np.exp(-2j * np.pi * hertz * np.arange(heard.size) / RATE)
    tones = np.cumsum(np.concatenate(([0], heard * wave)))
    energy = np.cumsum(np.concatenate(([0], heard**2)))
    begins = np.arange(0, max(0, heard.size - _WINDOW), _HOP)
    in_tone = 2 * np.abs(tones[begins + _WINDOW] - tones[begins]) ** 2 / _WINDOW
    in_all = energy[begins + _WINDOW] - energy[begins]
    floor = _WINDOW * level(SPEECH_DBFS) ** 2
    place = _first((in_all > floor) & (in_tone > _PURE * in_all))
    return None if place is None else after_ns + int(begins[place]) * 1_000_000_000 // RATE


def longest_silence_ms(recording: Recording) -> float:
    """Since the call was answered, until its end."""
    loud = np.flatnonzero(amplitudes(recording.heard) > level(SPEECH_DBFS))
    total = len(recording.heard) // 2
    marks = np.concatenate(([0], loud, [total]))
    return float(np.diff(marks).max()) * 1000 / RATE


def _sample(recording: Recording, at_ns: int) -> int:
    return max(0, (at_ns - recording.started_ns) * RATE // 1_000_000_000)


def _first(found: np.ndarray) -> int | None:
    places = np.flatnonzero(found)
    return int(places[0]) if places.size else None


def _first_quiet(heard: Amplitudes) -> int | None:
    size = STOPPED_MS * RATE // 1000
    busy = np.concatenate(([0], np.cumsum(heard > level(SPEECH_DBFS))))
    return _first(busy[size:] == busy[:-size]) if heard.size >= size else None
