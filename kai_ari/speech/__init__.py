"""Recognition, synthesis and voice activity on this machine, off the event loop."""

from kai_ari.speech.build import LocalSpeech, Reading, build_speech
from kai_ari.speech.settings import SpeechSettings

__all__ = ["LocalSpeech", "Reading", "SpeechSettings", "build_speech"]
