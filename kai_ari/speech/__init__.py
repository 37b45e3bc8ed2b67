"""Recognition, synthesis and voice activity on this machine, off the event loop."""

from kai_ari.speech.build import LocalSpeech, build_speech
from kai_ari.speech.settings import SpeechSettings

__all__ = ["LocalSpeech", "SpeechSettings", "build_speech"]
