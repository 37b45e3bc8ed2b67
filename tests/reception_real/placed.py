"""One call, as it stands on record and as the caller's phone recorded it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kai_ari.calls import events as ev
from kai_ari.calls.chain import Record
from kai_ari.calls.events import Event
from kai_ari.calls.outcome import Outcome, confirmed_slots, outcome
from kai_ari.ledger.rows import StoredObligation
from kai_ari.promises.obligation import Obligation
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.phone_call import Ending, Recording

E = TypeVar("E", bound=Event)

RATE = 16_000
#: A sound of the caller's that is no words, by the name a script gives it.
NOISE = "[three bursts of white noise]"


@dataclass(frozen=True, kw_only=True)
class Placed:
    """`heard` is what a recogniser made of the sound in the caller's ear."""

    records: Sequence[Record]
    obligations: Sequence[StoredObligation]
    heard: str = ""
    recording: Recording | None = None
    ending: Ending | None = None

    @property
    def call(self) -> str:
        return self.records[0].call

    @property
    def channel(self) -> str:
        return self.one(ev.Arrived).channel

    @property
    def events(self) -> list[Event]:
        return [record.event for record in self.records]

    @property
    def outcome(self) -> Outcome:
        return outcome(self.events)

    @property
    def proof(self) -> list[str]:
        """The kinds of the events that prove the outcome."""
        return [self.events[place - 1].kind for place in self.outcome.evidence]

    @property
    def owed(self) -> list[Obligation]:
        return [stored.obligation for stored in self.obligations]

    @property
    def slots(self) -> dict[str, str]:
        return confirmed_slots(self.events)

    @property
    def said(self) -> list[str]:
        """The ids of Kai's lines."""
        return [event.line for event in self.of(ev.LineStarted)]

    @property
    def understood(self) -> str:
        """All words that Kai took from the caller."""
        spoken = [event.text for event in self.of(ev.CallerSpoke)]
        return " ".join([*spoken, *(event.text for event in self.of(ev.RecordingTranscribed))])

    @property
    def complete(self) -> bool:
        """Ended, and words put to every message that was kept."""
        kept = [owed for owed in self.of(ev.ObligationWritten) if owed.recording]
        return bool(self.of(ev.Ended)) and len(kept) == len(self.of(ev.RecordingTranscribed))

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def one(self, kind: type[E]) -> E:
        [event] = self.of(kind)
        return event


def matches(words: str, text: str, *, at_least: float = 0.7) -> bool:
    """Whether `text` says `words`, with what recognisers and telephone lines do to them:
    most of the words, close together."""
    wanted, found = _plain(words), _plain(text)
    window = len(wanted) + 3
    stretches = (found[at : at + window] for at in range(len(found)))
    best = max((sum(word in stretch for word in wanted) for stretch in stretches), default=0)
    return best >= at_least * len(wanted)


def _plain(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


async def words_heard(speech: LocalSpeech, pcm: bytes) -> str:
    parts = [await speech.recognizer.transcribe(piece) for piece in speech.utterances(pcm)]
    return " ".join(part.text for part in parts)


def caller_sound(name: str) -> bytes | None:
    """The PCM of a sound that is no line; None for a line."""
    if name != NOISE:
        return None
    random = np.random.default_rng(1)
    bursts = [random.normal(0, 0.2, RATE // 3) if i % 2 else np.zeros(RATE // 5) for i in range(6)]
    pcm = (np.clip(np.concatenate(bursts), -1, 1) * 32_767).astype("<i2")
    return bytes(pcm.tobytes())
