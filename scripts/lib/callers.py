"""Who calls in `scripts/bench voice`, what they say, and in which voices.

A number between bars is a pause in milliseconds: "well |350| it's about my boiler".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kai_ari.speech.espeak import EspeakVoice
from kai_ari.speech.pcm import Samples, resample, silence, to_pcm, to_samples, trim
from kai_ari.speech.wav import read_wav
from kai_ari.testing.installation import installed_root

#: The package asterisk-core-sounds-en-wav: a person, recorded for telephones.
RECORDED = Path("usr/share/asterisk/sounds/en_US_f_Allison")


@dataclass(frozen=True, kw_only=True)
class Line:
    """`then` is the id of the line Kai should answer with, if it heard well; `takes` what it
    should have understood, as far as that can be spelled in one way only."""

    text: str
    then: str
    takes: str | None = None


@dataclass(frozen=True, kw_only=True)
class Manner:
    """`pitch` below 1 lowers and slows the voice, as a tape does; `speed` leaves the pitch."""

    engine: str = "hibari"
    speed: float = 1.0
    pitch: float = 1.0
    gain_db: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Caller:
    says: tuple[Line, ...]
    manner: Manner = field(default_factory=Manner)


def _say(text: str, then: str, takes: str | None = None) -> Line:
    return Line(text=text, then=then, takes=takes)


def _caller(*says: Line, **manner: Any) -> Caller:
    return Caller(says=says, manner=Manner(**manner))


_LOW: dict[str, Any] = {"pitch": 0.84, "speed": 1.15}

CALLERS: tuple[Caller, ...] = (
    _caller(
        _say("Hello, my kitchen tap is leaking and there is water on the floor.", "ask_name"),
        _say("My name is John Baker.", "offer_caller_id", "John Baker"),
        _say("Yes, please.", "read_back"),
        _say("Yes, that's right.", "message_saved"),
    ),
    _caller(
        _say("Um, well, |350| it's about |300| my boiler. It makes a knocking noise.", "ask_name"),
        _say("It's Maria Lopez.", "offer_caller_id", "Maria Lopez"),
        _say("No, please use another number.", "ask_number"),
        _say(
            "Two zero two, |500| five five five, |500| zero one four two.",
            "read_back",
            "2025550142",
        ),
        _say("Yes.", "message_saved"),
        **_LOW,
    ),
    _caller(
        _say("I would like a price for a new bathroom.", "ask_name"),
        _say("My name is Peter Smith.", "offer_caller_id", "Peter Smith"),
        _say("Yes.", "read_back"),
        _say("That is correct.", "message_saved"),
        engine="espeak",
    ),
    _caller(
        _say("[ss-noservice]", "ask_name"),
        _say("Grace Miller.", "offer_caller_id", "Grace Miller"),
        _say("No.", "ask_number"),
        _say(
            "[digits/2][digits/0][digits/2] |400| [digits/5][digits/5][digits/5] |400|"
            " [digits/0][digits/1][digits/7][digits/3]",
            "read_back",
            "2025550173",
        ),
        _say("Yes, thank you.", "message_saved"),
    ),
    _caller(
        _say(
            "Good morning. We had a new heating system put in last week, |350| and since"
            " yesterday the radiators upstairs stay cold, |400| even though the ones downstairs"
            " are hot. Could somebody have a look at it, please?",
            "ask_name",
        ),
        _say("Yes, hello, this is Thomas Reed.", "offer_caller_id", "Thomas Reed"),
        _say("Yes, that's fine.", "read_back"),
        _say("Yes, that's all correct.", "message_saved"),
        **_LOW,
    ),
    _caller(
        _say("Hello?", "ask_reason"),
        _say("My toilet is blocked.", "ask_name"),
        _say("Anna Brown.", "offer_caller_id", "Anna Brown"),
        _say("Sure.", "read_back"),
        _say("No, that's wrong.", "ask_what_to_change"),
        _say("The name, please.", "ask_name_again"),
        _say("It's Diana Brown.", "read_back", "Diana Brown"),
        _say("Yes, that's it.", "message_saved"),
        speed=1.2,
    ),
    _caller(
        _say("Can I speak to a real person, please?", "ask_reason_of_call"),
        _say("[followme/sorry]", "ask_name"),
        _say("My name is |300| Henry Clark.", "offer_caller_id", "Henry Clark"),
        _say("Okay.", "read_back"),
        _say("Perfect, thank you.", "message_saved"),
        **_LOW,
    ),
    _caller(
        _say("Hi, my name is Robert Hill and my last bill is wrong.", "offer_caller_id", "Robert"),
        _say("No, I have a new one.", "ask_number"),
        _say("It's five five five |600| zero one nine nine.", "read_back", "5550199"),
        _say("Yes, correct.", "message_saved"),
    ),
    _caller(
        _say("Sorry, what was that?", "greeting"),
        _say("The shower drips all night, |450| and it gets worse every day.", "ask_name"),
        _say("Sarah Green.", "offer_caller_id", "Sarah Green"),
        _say("Yes, use that one.", "read_back"),
        _say("Mm, yes, that's right.", "message_saved"),
        gain_db=-12,
    ),
    _caller(
        _say("I'd like to leave a message.", "ask_reason_of_message"),
        _say("Please call me back about |350| the invoice from last month.", "ask_name"),
        _say("This is George King.", "offer_caller_id", "George King"),
        _say("Okay, yes.", "read_back"),
        _say("No, my name is Tom Walker.", "read_back", "Tom Walker"),
        _say("That's right.", "message_saved"),
        **_LOW,
    ),
    _caller(
        _say(
            "My basement is flooded. Please call me on two zero two, five five five,"
            " zero one seven three.",
            "ask_name",
            "2025550173",
        ),
        _say("Laura White.", "read_back", "Laura White"),
        _say("Yes, please.", "message_saved"),
        speed=0.85,
    ),
    _caller(
        _say("[check-number-dial-again] |400| [vm-nobodyavail]", "ask_name"),
        _say("My name is Daniel Young.", "offer_caller_id", "Daniel Young"),
        _say("No, thanks.", "ask_number"),
        _say(
            "Nine one seven |700| five five five |700| zero one |500| two three.",
            "read_back",
            "9175550123",
        ),
        _say("Yeah.", "message_saved"),
        **_LOW,
    ),
    _caller(
        _say("When are you open on Saturday?", "ask_name"),
        _say("Well, |300| I'm Emma Wood.", "offer_caller_id", "Emma Wood"),
        _say("Yes, you can use it.", "read_back"),
        _say("Exactly.", "message_saved"),
        gain_db=-6,
    ),
)


class CallersVoices:
    """PCM at 16 kHz of what a caller says. A [name] is one of Asterisk's recorded prompts."""

    def __init__(self) -> None:
        from hibari import Hibari

        self._hibari = Hibari()
        self._espeak = EspeakVoice()
        self._recorded = installed_root() / RECORDED

    def close(self) -> None:
        self._espeak.close()

    async def say(self, text: str, manner: Manner) -> bytes:
        said = b""
        for place, part in enumerate(text.split("|")):
            if place % 2:
                said += silence(int(part))
            elif part.strip():
                said += await self._clause(part.strip(), manner)
        return to_pcm(to_samples(said) * np.float32(10 ** (manner.gain_db / 20)))

    async def _clause(self, text: str, manner: Manner) -> bytes:
        if text.startswith("["):
            return b"".join(self._prompt(name) for name in text.strip("[]").split("]["))
        if manner.engine == "espeak":
            return await self._espeak.render(text)
        rate = self._hibari.sample_rate
        wide: Samples = trim(self._hibari(text, speed=manner.speed, seed=1), rate)
        return to_pcm(resample(wide, round(rate * manner.pitch / 100) * 100))

    def _prompt(self, name: str) -> bytes:
        pcm = read_wav((self._recorded / f"{name}.wav").read_bytes())
        return to_pcm(trim(to_samples(pcm), 16_000))


def scripts(count: int) -> Sequence[Caller]:
    """`count` callers: all of them in turn, and again from the first."""
    return [CALLERS[place % len(CALLERS)] for place in range(count)]
