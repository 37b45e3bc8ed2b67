"""What the speech adapters need to know. The composition root fills it from kai.yaml."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SpeechSettings:
    """Engines are tried in the order given; the recorded lines always come last.

    `language` is a BCP 47 tag: Moonshine and hibari speak English only, so other languages
    need `vosk` with a model of that language and `pyttsx3`. A repeated or unknown engine
    name raises ValueError.
    """

    recognizers: tuple[str, ...] = ("moonshine",)
    synthesizers: tuple[str, ...] = ("hibari", "pyttsx3")
    language: str = "en"
    vosk_model: Path | None = None
    hibari_voice: str = "heart"
    recorded_lines: Path | None = None  # the folder models/lines of the installation
    cache: Path | None = None  # None: prompts are kept in memory only
    recognition_threads: int = 2
    recognition_timeout_s: float = 5.0
    synthesis_timeout_s: float = 5.0
    engine_rest_s: float = 30.0  # how long a failed engine is left alone

    def __post_init__(self) -> None:
        for names, known in (
            (self.recognizers, RECOGNIZERS),
            (self.synthesizers, SYNTHESIZERS),
        ):
            if unknown := [name for name in names if name not in known]:
                raise ValueError(f"unknown speech engine {unknown[0]!r}: choose from {known}")
            if len(set(names)) != len(names):
                raise ValueError(f"a speech engine is named twice in {names}")


RECOGNIZERS = ("moonshine", "vosk")
SYNTHESIZERS = ("hibari", "pyttsx3", "piper")
