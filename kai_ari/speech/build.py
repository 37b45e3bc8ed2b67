"""Load the engines once and put them together."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

from kai_ari.clock import Clock, SystemClock
from kai_ari.errors import SpeechError
from kai_ari.log import fields, get
from kai_ari.reception.ports import FRAME_MS, EngineFault
from kai_ari.speech.cache import PromptCache
from kai_ari.speech.chain import Chain
from kai_ari.speech.engines import EngineUnavailable, RecognitionEngine, Voice
from kai_ari.speech.fallback import FallbackRecognizer, FallbackSynthesizer
from kai_ari.speech.moonshine import MAX_UTTERANCE_MS
from kai_ari.speech.recorded import RecordedLines
from kai_ari.speech.settings import SpeechSettings
from kai_ari.speech.vad import (
    GuardedDetector,
    SileroDetector,
    SileroModel,
    WebRtcDetector,
    utterances,
    voiced_frames,
)
from kai_ari.speech.wav import read_wav

T = TypeVar("T")

log = get("speech")

_DISTRIBUTIONS = {"hibari": "hibari-tts", "pyttsx3": "pyttsx3", "piper": "piper-tts"}


class LocalSpeech:
    """A `Speech`: one for all calls. `faults` names engines that could not be loaded."""

    def __init__(
        self,
        *,
        recognizers: Sequence[RecognitionEngine],
        voices: Sequence[Voice],
        recorded: RecordedLines | None,
        silero: SileroModel | None,
        faults: Sequence[EngineFault],
        settings: SpeechSettings,
        clock: Clock,
    ) -> None:
        self.faults = tuple(faults)
        self._closing = [*(e.close for e in recognizers), *(v.close for v in voices)]
        self._silero = silero
        self.recognizer = FallbackRecognizer(
            Chain(
                "recognizer",
                recognizers,
                timeout_s=settings.recognition_timeout_s,
                rest_s=settings.engine_rest_s,
                clock=clock,
            )
        )
        chain = Chain(
            "synthesizer",
            voices,
            timeout_s=settings.synthesis_timeout_s,
            rest_s=settings.engine_rest_s,
            clock=clock,
        )
        self.synthesizer = PromptCache(
            FallbackSynthesizer(chain, recorded), settings.cache, identity=_identity(settings)
        )

    def new_voice_detector(self) -> GuardedDetector:
        if self._silero is None:
            return GuardedDetector(WebRtcDetector(), name=WebRtcDetector.name)
        return GuardedDetector(SileroDetector(self._silero), name=SileroDetector.name)

    async def prepare(self, texts: Iterable[str]) -> tuple[EngineFault, ...]:
        """See `PromptCache.prepare`."""
        return await self.synthesizer.prepare(texts)

    def decode_wav(self, data: bytes) -> bytes:
        """See `read_wav`; raises BadAudio, a SpeechError."""
        return read_wav(data)

    def voiced_ms(self, pcm: bytes) -> int:
        """How much of this audio is speech. Blocks, 4 ms for a second of audio."""
        return sum(voiced_frames(pcm, self.new_voice_detector())) * FRAME_MS

    def utterances(self, pcm: bytes) -> list[bytes]:
        """A long recording cut at its pauses into pieces that `transcribe` takes. Blocks too."""
        voiced = voiced_frames(pcm, self.new_voice_detector())
        return utterances(pcm, voiced, longest_ms=MAX_UTTERANCE_MS)

    async def close(self) -> None:
        """Wait for work in hand and end every engine's threads and processes."""
        for close in self._closing:
            await asyncio.to_thread(close)


def build_speech(settings: SpeechSettings, *, clock: Clock | None = None) -> LocalSpeech:
    """Load every engine named: about 2 s, blocking.

    An engine that cannot be loaded is left out and named in `faults`: with none at all Kai
    still has its recorded lines, keypad and voicemail.
    """
    loading = _Loading()
    recognizers = loading.all(
        "recognizer", settings.recognizers, lambda n: _recognizer(n, settings)
    )
    voices = loading.all("synthesizer", settings.synthesizers, lambda n: _voice(n, settings))
    silero = loading.all("vad", (SileroDetector.name,), lambda _: SileroModel())
    recorded: list[RecordedLines] = []
    if folder := settings.recorded_lines:
        recorded = loading.all("synthesizer", (RecordedLines.name,), _recordings(folder))
    return LocalSpeech(
        recognizers=recognizers,
        voices=voices,
        recorded=recorded[0] if recorded else None,
        silero=silero[0] if silero else None,
        faults=loading.faults,
        settings=settings,
        clock=clock or SystemClock(),
    )


def _recordings(folder: Path) -> Callable[[str], RecordedLines]:
    return lambda _: RecordedLines(folder)


class _Loading:
    def __init__(self) -> None:
        self.faults: list[EngineFault] = []

    def all(self, part: str, names: Sequence[str], load: Callable[[str], T]) -> list[T]:
        loaded: list[T] = []
        failed: list[tuple[str, str]] = []
        working: list[str] = []
        for name in names:
            try:
                loaded.append(load(name))
                working.append(name)
            except Exception as error:
                unforeseen = not isinstance(error, SpeechError)
                log.warning(
                    "speech engine not loaded",
                    exc_info=error if unforeseen else None,
                    extra=fields(part=part, engine=name, error=str(error)),
                )
                failed.append((name, str(error) or repr(error)))
        instead = working[0] if working else None
        self.faults += [
            EngineFault(part=part, engine=name, error=error, instead=instead)
            for name, error in failed
        ]
        return loaded


def _recognizer(name: str, settings: SpeechSettings) -> RecognitionEngine:
    if name == "vosk":
        from kai_ari.speech.vosk_engine import VoskEngine

        return VoskEngine(settings.vosk_model, threads=settings.recognition_threads)
    _english_only(name, settings)
    from kai_ari.speech.moonshine import Moonshine

    return Moonshine(threads=settings.recognition_threads)


def _voice(name: str, settings: SpeechSettings) -> Voice:
    if name == "pyttsx3":
        from kai_ari.speech.espeak import EspeakVoice

        return EspeakVoice(language=settings.language)
    _english_only(name, settings)
    if name == "piper":
        from kai_ari.speech.piper_engine import PiperVoice

        return PiperVoice()
    from kai_ari.speech.hibari_engine import HibariVoice

    return HibariVoice(voice=settings.hibari_voice)


def _identity(settings: SpeechSettings) -> str:
    """Of the voice that speaks when all is well, also while it cannot be loaded."""
    if not settings.synthesizers:
        return "none"
    first = settings.synthesizers[0]
    try:
        release = version(_DISTRIBUTIONS[first])
    except PackageNotFoundError:
        release = "missing"
    return f"{first} {release} {settings.hibari_voice} {settings.language}"


def _english_only(name: str, settings: SpeechSettings) -> None:
    if settings.language.split("-")[0].lower() != "en":
        raise EngineUnavailable(
            f"{name} speaks English only and the language is {settings.language}: "
            "set vosk as recognizer and pyttsx3 as synthesizer"
        )
