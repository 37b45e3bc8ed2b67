"""When has the caller finished? A pure function of voice activity, words and the question.

Instants are milliseconds of the caller's own audio; nothing here reads a clock. Waiting
costs the caller time and cutting in costs them their words, so an answer that is whole
ends soon and one that plainly goes on is waited for.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from kai_ari.dialogue.numbers import is_whole, mentions_number, spoken_digits
from kai_ari.dialogue.understand import intent_of, normal, yes_or_no


class Expect(StrEnum):
    """What the question asks for."""

    OPEN = "open"
    NAME = "name"
    NUMBER = "number"
    YES_NO = "yes_no"
    CHOICE = "choice"


#: Silence after which the answer so far is worth recognising: the detector's release lag
#: is 54 to 76 ms, so this is the first moment that means a pause.
PAUSE_MS = 120

WHOLE_ANSWER_MS = 280
SENTENCE_MS = 480
UNSURE_MS = 750
GOES_ON_MS = 1300

#: A recogniser's memory grows with the utterance; people pause well before this.
MAX_UTTERANCE_MS = 20_000

_DANGLING = re.compile(
    r"\b(and|or|but|so|because|the|a|an|my|our|your|to|of|in|on|at|for|with|from|is|are|was|"
    r"it's|i|i'm|we|that|which|who|if|when|about)\Z"
)


def silence_needed(expect: Expect, words: str | None) -> int:
    """Milliseconds of silence that end the turn, given the words so far (None: not known yet)."""
    if words is None:
        return UNSURE_MS
    if expect is Expect.NUMBER and mentions_number(words):
        return _number_silence(words)
    if intent_of(words) is not None:
        return WHOLE_ANSWER_MS
    if expect is Expect.YES_NO:
        short = len(normal(words).split()) <= 3
        return WHOLE_ANSWER_MS if short and yes_or_no(words) is not None else SENTENCE_MS
    plain = normal(words)
    if not plain:
        return UNSURE_MS
    if _DANGLING.search(plain) or words.rstrip().endswith((",", "-", "...")):
        return GOES_ON_MS
    if expect is Expect.OPEN and len(plain.split()) < 3:
        return UNSURE_MS
    return SENTENCE_MS


def _number_silence(words: str) -> int:
    """People pause between the groups of a number; ten digits and more are seldom half one."""
    digits = spoken_digits(words).lstrip("+")
    if len(digits) >= 10:
        return SENTENCE_MS
    return UNSURE_MS if is_whole(digits) else GOES_ON_MS


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
