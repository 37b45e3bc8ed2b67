"""hibari (Apache-2.0): natural English speech, weights of the voice "heart" in its package."""

from typing import Any

from kai_ari.errors import SpeechError
from kai_ari.speech.engines import EngineUnavailable, Workers
from kai_ari.speech.pcm import resample, to_pcm, trim

_SEED = 1  # of the noise in the voice: the same text gives the same audio


class HibariVoice:
    """A `Voice`. Loading and warming up take about 0.8 s and raise EngineUnavailable."""

    name = "hibari"

    def __init__(self, *, voice: str = "heart") -> None:
        self._model = _load(voice)
        self._workers = Workers(self.name, threads=1, waiting=32)
        self.render_now("Warm up.")

    async def render(self, sentence: str) -> bytes:
        return await self._workers.run(self.render_now, sentence)

    def close(self) -> None:
        self._workers.close()

    def render_now(self, sentence: str) -> bytes:
        """As `render`, blocking; 20 ms for a short sentence."""
        wide = self._model(sentence, seed=_SEED)
        if not wide.size:
            raise SpeechError("hibari cannot pronounce any of this line; use another voice for it")
        return to_pcm(resample(trim(wide, self._model.sample_rate), self._model.sample_rate))


def _load(voice: str) -> Any:
    from hibari import Hibari, voices

    try:
        # Never download during a start: a voice that is not there is said to be missing.
        path = voices.voice_path(voice, download_missing=False)
    except (ValueError, FileNotFoundError) as error:
        raise EngineUnavailable(
            f"hibari voice {voice!r} is not on this machine ({error}); use 'heart', or fetch it "
            f"with: python -c \"from hibari import Hibari; Hibari(voice='{voice}')\""
        ) from error
    return Hibari(voice=voice, model=path)
