"""Engines loaded once for all tests, and real telephone speech."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kai_ari.reception.ports import Utterance
from kai_ari.speech.espeak import EspeakVoice
from kai_ari.speech.hibari_engine import HibariVoice
from kai_ari.speech.moonshine import Moonshine
from kai_ari.speech.pcm import resample, to_samples
from kai_ari.speech.vad import SileroModel
from kai_ari.speech.wav import read_wav, write_mulaw_wav
from kai_ari.testing.installation import installed_root

MODELS = Path(__file__).parents[2] / "models"

Prompt = Callable[[str], bytes]


@pytest.fixture(scope="session")
def moonshine() -> Iterator[Moonshine]:
    engine = Moonshine()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def hibari() -> Iterator[HibariVoice]:
    voice = HibariVoice()
    yield voice
    voice.close()


@pytest.fixture(scope="session")
def espeak() -> Iterator[EspeakVoice]:
    voice = EspeakVoice()
    yield voice
    voice.close()


@pytest.fixture(scope="session")
def silero() -> SileroModel:
    return SileroModel()


@pytest.fixture(scope="session")
def prompt() -> Prompt:
    """A prompt of Asterisk's, a real voice, as it comes over a mu-law telephone line."""
    folder = installed_root() / "usr/share/asterisk/sounds/en_US_f_Allison"

    def load(name: str) -> bytes:
        clean = read_wav((folder / f"{name}.wav").read_bytes())
        narrow = resample(to_samples(clean), 16_000, 8_000)
        return read_wav(write_mulaw_wav(narrow, 8_000))

    return load


async def all_of(line: Utterance) -> bytes:
    return b"".join([chunk async for chunk in line])


def words(text: str) -> str:
    """Lower case, without punctuation."""
    kept = "".join(c if c.isalnum() or c == "'" else " " for c in text.lower())
    return " ".join(kept.split())
