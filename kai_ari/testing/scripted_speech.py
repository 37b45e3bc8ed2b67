"""Scripted speech: audio that codes its own words, so that what is heard is what was sent.

Every sample of an utterance is its number in the script; silence is zero.
"""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Sequence

import numpy as np

from kai_ari.dialogue.all_lines import ALL
from kai_ari.errors import SpeechError
from kai_ari.reception.ports import BYTES_PER_MS, SAMPLE_RATE, EngineFault, Transcript

#: Speaking rate of both sides: about 150 words a minute.
WORD_MS = 400


def _words_ms(text: str) -> int:
    return max(1, len(text.split())) * WORD_MS


class Utterances:
    """Texts by the number that their audio is made of."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def audio(self, text: str) -> bytes:
        self._texts.append(text)
        number = len(self._texts)
        return np.full(_words_ms(text) * SAMPLE_RATE // 1000, number, dtype="<i2").tobytes()

    def text(self, pcm: bytes) -> str:
        numbers = [n for n in dict.fromkeys(np.frombuffer(pcm, dtype="<i2").tolist()) if n > 0]
        return " ".join(self._texts[n - 1] for n in numbers if n <= len(self._texts))


# -- speech ----------------------------------------------------------------------


class ScriptedRecognizer:
    def __init__(self, utterances: Utterances, *, works: bool = True) -> None:
        self._utterances = utterances
        self._works = works
        self.asked = 0

    async def transcribe(self, pcm: bytes, expected: Sequence[str] = ()) -> Transcript:
        self.asked += 1
        await asyncio.sleep(0.05)
        if not self._works:
            raise SpeechError("the recogniser is broken by the script")
        return Transcript(text=self._utterances.text(pcm), confidence=None, engine="scripted")


#: What a broken voice still says: lines that ship as recordings.
RECORDED = frozenset(line.text for line in ALL if not line.fields)


class ScriptedUtterance:
    engine = "scripted"
    faults: Sequence[EngineFault] = ()

    def __init__(self, text: str, *, works: bool) -> None:
        self._text = text
        self._works = works

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.02)
        if not self._works and self._text not in RECORDED:
            raise SpeechError("the voice is broken by the script")
        yield bytes(_words_ms(self._text) * BYTES_PER_MS)


class ScriptedSynthesizer:
    def __init__(self, *, works: bool = True) -> None:
        self.works = works
        self.spoken: list[str] = []

    def speak(self, text: str) -> ScriptedUtterance:
        self.spoken.append(text)
        return ScriptedUtterance(text, works=self.works)


class ScriptedDetector:
    faults: Sequence[EngineFault] = ()

    def feed(self, frame: bytes) -> float:
        return 1.0 if any(frame) else 0.0


class ScriptedSpeech:
    def __init__(self, utterances: Utterances, *, hears: bool = True, speaks: bool = True) -> None:
        self.recognizer = ScriptedRecognizer(utterances, works=hears)
        self.synthesizer = ScriptedSynthesizer(works=speaks)

    def new_voice_detector(self) -> ScriptedDetector:
        return ScriptedDetector()

    def decode_wav(self, data: bytes) -> bytes:
        try:
            with wave.open(io.BytesIO(data)) as file:
                pcm: bytes = file.readframes(file.getnframes())
                return pcm
        except (wave.Error, EOFError) as error:
            raise SpeechError(f"no WAV file: {error}") from error

    def voiced_ms(self, pcm: bytes) -> int:
        return int(np.count_nonzero(np.frombuffer(pcm, dtype="<i2"))) * 1000 // SAMPLE_RATE

    def utterances(self, pcm: bytes) -> Sequence[bytes]:
        return [pcm]
