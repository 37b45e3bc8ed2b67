"""Vosk (Apache-2.0): recognition in some twenty languages, with a model from disk."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kai_ari.reception.ports import SAMPLE_RATE, Transcript
from kai_ari.speech.engines import EngineUnavailable, Workers

_CHUNK = 8000  # bytes: Kaldi's own examples feed a quarter of a second
_REQUIRED = ("am/final.mdl", "conf/mfcc.conf")


class VoskEngine:
    """A `RecognitionEngine`. The model is shared, each utterance has a recogniser of its own.

    Loading takes seconds and raises EngineUnavailable.
    """

    name = "vosk"

    def __init__(self, model: Path | None, *, threads: int = 2) -> None:
        self._vosk = _import_vosk()
        if model is None or any(not (model / part).is_file() for part in _REQUIRED):
            raise EngineUnavailable(
                f"no Vosk model at {model}: run scripts/fetch-models, or set the path of one"
            )
        self._model = self._vosk.Model(str(model))
        self._workers = Workers(self.name, threads=threads, waiting=32)

    async def transcribe(self, pcm: bytes, expected: Sequence[str] = ()) -> Transcript:
        """Words that are none of the `expected` phrases are heard in a second pass."""
        return await self._workers.run(self._transcribe, pcm, tuple(expected))

    def close(self) -> None:
        self._workers.close()

    def _transcribe(self, pcm: bytes, expected: tuple[str, ...]) -> Transcript:
        if expected:
            # [unk], where the model has it, takes what fits none of the phrases. Kaldi reads
            # UTF-8, and would take \u escapes for words.
            phrases = [phrase.lower() for phrase in expected]
            words = self._words(pcm, json.dumps([*phrases, "[unk]"], ensure_ascii=False))
            if words and all(word["word"] != "[unk]" for word in words):
                return self._transcript(words)
        return self._transcript(self._words(pcm))

    def _words(self, pcm: bytes, *grammar: str) -> list[dict[str, Any]]:
        recognizer = self._vosk.KaldiRecognizer(self._model, SAMPLE_RATE, *grammar)
        recognizer.SetWords(True)
        words: list[dict[str, Any]] = []
        for start in range(0, len(pcm), _CHUNK):
            if recognizer.AcceptWaveform(pcm[start : start + _CHUNK]):
                words += json.loads(recognizer.Result()).get("result", [])
        words += json.loads(recognizer.FinalResult()).get("result", [])
        return words

    def _transcript(self, words: list[dict[str, Any]]) -> Transcript:
        heard = [word for word in words if not word["word"].startswith("[")]  # noises, [unk]
        return Transcript(
            text=" ".join(word["word"] for word in heard),
            confidence=sum(word["conf"] for word in heard) / len(heard) if heard else None,
            engine=self.name,
        )


def _import_vosk() -> Any:
    try:
        import vosk
    except ImportError as error:
        raise EngineUnavailable("vosk is not installed: pip install 'kai-ari[vosk]'") from error
    vosk.SetLogLevel(-1)
    return vosk
