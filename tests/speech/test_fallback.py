"""What happens when engines break: the next takes over, on record; recordings come last."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from kai_ari.clock import SystemClock
from kai_ari.errors import SpeechError
from kai_ari.reception.ports import EngineFault, Transcript
from kai_ari.speech.chain import AllFailed, Chain
from kai_ari.speech.engines import EngineBusy, RecognitionEngine, Voice
from kai_ari.speech.espeak import EspeakVoice
from kai_ari.speech.fallback import FallbackRecognizer, FallbackSynthesizer
from kai_ari.speech.hibari_engine import HibariVoice
from kai_ari.speech.moonshine import Moonshine
from kai_ari.speech.pcm import silence
from kai_ari.speech.recorded import RecordedLines
from tests.speech.conftest import MODELS, Prompt, all_of, words


class HandClock(SystemClock):
    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Scripted:
    """A voice and recogniser at the engines' edge: does what `problems` says, then works."""

    name: str
    problems: list[Exception | None] = field(default_factory=list)
    hangs: bool = False

    async def _act(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.problems and (problem := self.problems.pop(0)):
            raise problem

    async def render(self, sentence: str) -> bytes:
        await self._act()
        return sentence.encode("utf-16-le")

    async def transcribe(self, pcm: bytes, expected: Sequence[str] = ()) -> Transcript:
        await self._act()
        return Transcript(text=self.name, confidence=1.0, engine=self.name)

    def close(self) -> None: ...


def chain_of(voices: Iterable[Voice], clock: HandClock | None = None) -> Chain[Voice]:
    return Chain("synthesizer", tuple(voices), timeout_s=0.2, rest_s=30, clock=clock or HandClock())


def recognizer_of(*engines: RecognitionEngine) -> FallbackRecognizer:
    return FallbackRecognizer(
        Chain("recognizer", engines, timeout_s=5, rest_s=30, clock=HandClock())
    )


@pytest.fixture(scope="module")
def recorded() -> RecordedLines:
    return RecordedLines(MODELS / "lines")


async def test_a_closed_recognizer_gives_way(moonshine: Moonshine, prompt: Prompt) -> None:
    broken = Moonshine()
    broken.close()
    broken.name = "broken"
    heard = await recognizer_of(broken, moonshine).transcribe(prompt("vm-nomore"))
    assert words(heard.text) == "no more messages"
    assert heard.faults == (
        EngineFault(
            part="recognizer", engine="broken", error="moonshine: closed", instead="moonshine"
        ),
    )


async def test_a_closed_voice_gives_way(espeak: EspeakVoice) -> None:
    broken = HibariVoice()
    broken.close()
    chain = Chain[Voice](
        "synthesizer", (broken, espeak), timeout_s=5, rest_s=30, clock=SystemClock()
    )
    line = FallbackSynthesizer(chain, None).speak("Good morning.")
    assert await all_of(line)
    assert [(f.engine, f.instead) for f in line.faults] == [("hibari", "pyttsx3")]


async def test_silence_asks_no_engine() -> None:
    recognizer = recognizer_of()
    for pcm in (b"", bytes(64_000), b"\x04\x00" * 8000):
        assert (await recognizer.transcribe(pcm)).text == ""


async def test_no_recognizer_at_all_is_an_error(prompt: Prompt) -> None:
    with pytest.raises(AllFailed, match="none is loaded"):
        await recognizer_of().transcribe(prompt("vm-nomore"))


async def test_a_hanging_engine_is_left() -> None:
    line = FallbackSynthesizer(chain_of([Scripted("a", hangs=True), Scripted("b")]), None)
    spoken = line.speak("One.")
    assert await all_of(spoken) == "One.".encode("utf-16-le")
    assert [f.error for f in spoken.faults] == ["no result within 0.2 s"]


async def test_a_failed_engine_rests_and_is_tried_again() -> None:
    clock = HandClock()
    first = Scripted("a", [RuntimeError("broke")])
    chain = chain_of([first, Scripted("b")], clock)
    used = []
    for clock.seconds in (0, 29, 31):
        done = await chain.first(lambda voice: voice.render("x"))
        used.append((done.engine, [f.error for f in done.faults]))
    assert used == [
        ("b", ["broke"]),
        ("b", ["resting after a failure: broke"]),
        ("a", []),
    ]


async def test_a_resting_engine_is_better_than_none() -> None:
    chain = chain_of([Scripted("a", [SpeechError("x")]), Scripted("b", [None, SpeechError("y")])])
    assert (await chain.first(lambda v: v.render("1"))).engine == "b"
    done = await chain.first(lambda v: v.render("2"))
    assert (done.engine, [f.engine for f in done.faults]) == ("a", ["b"])


async def test_a_busy_engine_does_not_rest() -> None:
    chain = chain_of([Scripted("a", [EngineBusy("full")]), Scripted("b")])
    assert (await chain.first(lambda v: v.render("1"))).engine == "b"
    assert (await chain.first(lambda v: v.render("2"))).engine == "a"


async def test_a_voice_that_breaks_in_mid_line_repeats_and_loses_nothing() -> None:
    first = Scripted("a", [None, SpeechError("broke")])
    line = FallbackSynthesizer(chain_of([first, Scripted("b")]), None).speak("One. Two. Three.")
    said = (await all_of(line)).replace(silence(200), b"")
    assert said.decode("utf-16-le") == "One.Two.Three."
    assert {f.instead for f in line.faults} == {"b"}


async def test_with_no_voice_a_recorded_line_is_spoken(
    recorded: RecordedLines, moonshine: Moonshine
) -> None:
    dead = Scripted("a", [SpeechError("dead")])
    line = FallbackSynthesizer(chain_of([dead]), recorded).speak(
        "I am sorry, I have technical trouble. Please leave your message after the beep, "
        "and press the hash key when you are done."
    )
    heard = words((await moonshine.transcribe(await all_of(line))).text)
    assert "technical trouble" in heard
    assert "message after the beep" in heard
    assert [(f.engine, f.instead) for f in line.faults] == [("a", "recorded")]


async def test_half_a_line_is_never_spoken(recorded: RecordedLines) -> None:
    line = FallbackSynthesizer(chain_of([]), recorded).speak("Thank you. Your plumber is Ann.")
    first = aiter(line)
    with pytest.raises(AllFailed):
        await anext(first)


async def test_a_line_without_words_is_silent() -> None:
    assert await all_of(FallbackSynthesizer(chain_of([]), None).speak(" … ")) == b""
