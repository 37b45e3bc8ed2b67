"""Voice activity: Silero (MIT) by onnxruntime, with WebRTC's detector (BSD) to fall back on.

Silero runs at its native 8 kHz: telephone speech has nothing above, and a 32 ms window
costs 85 microseconds of one core there against 110 (its 16 kHz model) or 170 (the combined
model at 16 kHz). The detectors of all calls share one session; each keeps its own state.
"""

from typing import Protocol

import numpy as np
import onnxruntime as ort
import webrtcvad

from kai_ari.log import fields, get
from kai_ari.reception.ports import FRAME_BYTES, FRAME_MS, SAMPLE_RATE, EngineFault
from kai_ari.speech.assets import package_file
from kai_ari.speech.pcm import Samples, frames, to_samples

SPEECH = 0.5  # the probability above which a frame counts as speech, as Silero is trained

_RATE = 8_000
_WINDOW = 256  # samples: 32 ms
_CONTEXT = 32  # samples of the window before, which the model wants again


log = get("speech")


class Detector(Protocol):
    def feed(self, frame: bytes) -> float:
        """As of a `VoiceDetector`."""
        ...


class SileroModel:
    """Loaded once. Raises EngineUnavailable when the package is missing."""

    def __init__(self) -> None:
        path = package_file("silero_vad", "data/silero_vad.onnx", install="--no-deps silero-vad")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self._rate = np.array(_RATE, np.int64)

    def run(self, window: Samples, state: Samples) -> tuple[float, Samples]:
        probability, after = self._session.run(
            ["output", "stateN"], {"input": window[None], "state": state, "sr": self._rate}
        )
        return float(probability[0, 0]), after


class SileroDetector:
    """State of one call. A result is renewed every 32 ms and held in between."""

    name = "silero"

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._state = np.zeros((2, 1, 128), np.float32)
        self._halve = Halver()
        self._samples = np.zeros(_CONTEXT, np.float32)
        self._probability = 0.0

    def feed(self, frame: bytes) -> float:
        self._samples = np.concatenate((self._samples, self._halve.feed(to_samples(frame))))
        while self._samples.size >= _CONTEXT + _WINDOW:
            window = self._samples[: _CONTEXT + _WINDOW]
            self._probability, self._state = self._model.run(window, self._state)
            self._samples = self._samples[_WINDOW:]
        return self._probability


class Halver:
    """16 to 8 kHz on a stream: a half-band filter that adds 1 ms of delay."""

    _TAPS = 31

    def __init__(self) -> None:
        offsets = np.arange(self._TAPS) - self._TAPS // 2
        taps = np.sinc(offsets / 2) * np.hamming(self._TAPS)
        self._taps = (taps / taps.sum()).astype(np.float32)
        self._kept = np.zeros(self._TAPS - 1, np.float32)

    def feed(self, samples: Samples) -> Samples:
        joined = np.concatenate((self._kept, samples))
        whole = (joined.size - self._TAPS + 1) // 2 * 2  # an odd sample waits for the next frame
        out = np.convolve(joined[: whole + self._TAPS - 1], self._taps, "valid")[::2]
        self._kept = joined[whole:]
        return out


class WebRtcDetector:
    """State of one call. Needs no model, but takes noise for speech (15 % of frames at 10 dB):
    its strictest mode is asked, and its verdicts are averaged over 100 ms."""

    name = "webrtc"

    _HELD = 5  # verdicts

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(3)
        self._audio = b""
        self._verdicts: list[bool] = []

    def feed(self, frame: bytes) -> float:
        self._audio += frame
        for whole in frames(self._audio):
            verdict = self._vad.is_speech(whole, SAMPLE_RATE)
            self._verdicts = [*self._verdicts[1 - self._HELD :], verdict]
        self._audio = self._audio[len(self._audio) // FRAME_BYTES * FRAME_BYTES :]
        return sum(self._verdicts) / self._HELD


class GuardedDetector:
    """A `VoiceDetector` that changes to WebRTC's for the rest of a call when its own fails.

    Frames may have any even length. Raises ValueError when half a sample is left over.
    """

    def __init__(self, first: Detector, *, name: str) -> None:
        self._detector = first
        self._name = name
        self.faults: list[EngineFault] = []

    def feed(self, frame: bytes) -> float:
        if len(frame) % 2:
            raise ValueError(
                f"16-bit audio cannot be {len(frame)} bytes long: half a sample is left"
            )
        try:
            return self._detector.feed(frame)
        except Exception as error:
            if isinstance(self._detector, WebRtcDetector):
                raise
            log.warning("voice detector failed", exc_info=True, extra=fields(engine=self._name))
            self._detector = WebRtcDetector()
            self.faults.append(
                EngineFault(
                    part="vad", engine=self._name, error=repr(error), instead=WebRtcDetector.name
                )
            )
            return self._detector.feed(frame)


def voiced_frames(pcm: bytes, detector: Detector) -> list[bool]:
    """For each whole 20 ms frame, whether it is speech."""
    return [detector.feed(frame) >= SPEECH for frame in frames(pcm)]


def utterances(pcm: bytes, voiced: list[bool], *, longest_ms: int) -> list[bytes]:
    """Cut a recording into pieces with speech, none longer than `longest_ms`.

    Cuts lie in the middle of the longest pause that keeps a piece short enough; speech
    without any pause is cut hard. A piece keeps real audio around its speech, which
    recognisers need more than they need silence.
    """
    longest = longest_ms // FRAME_MS
    pieces = []
    start = 0
    while start < len(voiced):
        end = min(start + longest, len(voiced))
        if end < len(voiced):
            end = _longest_pause(voiced, start + longest // 2, end)
        if any(voiced[start:end]):
            pieces.append(pcm[start * FRAME_BYTES : end * FRAME_BYTES])
        start = end
    return pieces


def _longest_pause(voiced: list[bool], start: int, end: int) -> int:
    """The middle of the longest run of silence between two frames, or `end` without any."""
    best, middle, run = 0, end, 0
    for place in range(start, end):
        run = 0 if voiced[place] else run + 1
        if run > best:
            best, middle = run, place + 1 - run // 2
    return middle
