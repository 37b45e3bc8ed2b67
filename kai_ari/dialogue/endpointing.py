"""When has the caller finished? A pure function of voice activity, words and the question.

Instants are milliseconds of the caller's own audio; nothing here reads a clock. Waiting
costs the caller time and cutting in costs them their words, so an answer that is whole
ends soon and one that plainly goes on is waited for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kai_ari.dialogue.names import name_in
from kai_ari.dialogue.numbers import mentions_number, spoken_digits
from kai_ari.dialogue.understand import Intent, intent_of, normal, yes_or_no


class Expect(StrEnum):
    """What the question asks for."""

    OPEN = "open"
    NAME = "name"
    NUMBER = "number"
    YES_NO = "yes_no"
    CHOICE = "choice"


#: Answers that most callers give, for recognisers that can be told what to expect.
LIKELY: Mapping[Expect, tuple[str, ...]] = {
    Expect.YES_NO: ("yes", "yes please", "that's right", "no", "no thank you", "that's wrong"),
    Expect.CHOICE: ("name", "the name", "number", "the number", "reason", "the reason"),
}


#: Silence after which the answer so far is worth recognising: the detector's release lag
#: is 54 to 76 ms, so this is the first moment that means a pause.
PAUSE_MS = 120

# Silences by how the words so far look. They are counted from the detector's release, 67 to
# 169 ms behind a caller's last audible sample (113 in the median), so the pauses that they
# bridge are that much longer. On calls with synthesised and recorded callers, pauses
# between clauses were 330 to 610 ms, between groups of digits 480 to 870 ms.
WHOLE_ANSWER_MS = 280  # "yes": nothing is missing
FULL_ANSWER_MS = 360  # a name of two words, ten digits: complete, and seldom followed by more
SENTENCE_MS = 440
STORY_MS = 640  # a sentence of an open answer, where another often follows
UNSURE_MS = 850
GOES_ON_MS = 1300

#: A recogniser's memory grows with the utterance; people pause well before this.
MAX_UTTERANCE_MS = 20_000

_DANGLING = re.compile(
    r"\b(and|or|but|so|because|the|a|an|my|our|your|to|of|in|on|at|for|with|from|is|are|was|"
    r"it's|i|i'm|we|that|which|who|if|when|about)\Z"
)


#: Ten digits as North America dials them, with or without the country's 1. A leading 0 or
#: another country's code makes a number longer.
_TEN_DIGITS = re.compile(r"(\+?1)?[2-9][0-9]{9}")


def silence_needed(expect: Expect, words: str | None) -> int:
    """Milliseconds of silence that end the turn, given the words so far (None: not known yet)."""
    if words is None:
        return UNSURE_MS
    if expect is Expect.NUMBER and mentions_number(words):
        return _number_silence(words)
    intent = intent_of(words)
    if expect is Expect.OPEN:
        return _open_silence(words, intent)
    if intent is not None:
        return WHOLE_ANSWER_MS
    plain = normal(words)
    if not plain:
        return UNSURE_MS
    if _DANGLING.search(plain):
        return GOES_ON_MS
    if expect is Expect.YES_NO:
        if not yes_or_no(words):
            return SENTENCE_MS  # what is right instead often follows a "no"
        return WHOLE_ANSWER_MS if len(plain.split()) <= 3 else FULL_ANSWER_MS
    if expect is Expect.NAME:
        # A comma is no sign here: recognisers put one behind a bare name.
        name = name_in(words)
        return FULL_ANSWER_MS if name and " " in name else SENTENCE_MS
    return GOES_ON_MS if _trails_off(words) else SENTENCE_MS


def _open_silence(words: str, intent: Intent | None) -> int:
    """A greeting is a beginning, and "sorry" or "can I speak to someone" may be."""
    if intent is not None:
        return UNSURE_MS if intent is Intent.HELLO else SENTENCE_MS
    plain = normal(words)
    if plain and (_DANGLING.search(plain) or _trails_off(words)):
        return GOES_ON_MS
    return UNSURE_MS if len(plain.split()) < 3 else STORY_MS


def _trails_off(words: str) -> bool:
    return words.rstrip().endswith((",", "-", "..."))


def _number_silence(words: str) -> int:
    """People pause between the groups of a number."""
    digits = spoken_digits(words)
    if _TEN_DIGITS.fullmatch(digits):
        return FULL_ANSWER_MS
    figures = len(digits.lstrip("+"))
    if figures > 10:
        return SENTENCE_MS
    return UNSURE_MS if figures >= 7 else GOES_ON_MS


@dataclass(kw_only=True)
class SpeechTracker:
    """Turns a stream of speech probabilities into speech and silence, with hysteresis.

    A click is not speech (`onset_ms` of it in a row is), and a dip inside a word is not
    silence. All figures are milliseconds of audio.
    """

    frame_ms: int
    onset_ms: int = 60
    start_at: float = 0.5
    stay_at: float = 0.35
    speaking: bool = False  # inside an utterance, pauses included
    voiced_ms: int = 0  # of this utterance
    silence_ms: int = 0  # since the last voiced frame of this utterance
    _run_ms: int = field(default=0, repr=False)

    def feed(self, probability: float) -> None:
        if not self.speaking:
            self._run_ms = self._run_ms + self.frame_ms if probability >= self.start_at else 0
            if self._run_ms >= self.onset_ms:
                self.speaking = True
                self.voiced_ms = self._run_ms
                self.silence_ms = 0
            return
        if probability >= self.stay_at:
            self.voiced_ms += self.frame_ms
            self.silence_ms = 0
        else:
            self.silence_ms += self.frame_ms

    def reset(self) -> None:
        """The utterance is over."""
        self.speaking = False
        self.voiced_ms = self.silence_ms = self._run_ms = 0
