"""Voice activity on real speech, silence and noise, by both detectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.reception.ports import FRAME_BYTES, duration_ms
from kai_ari.speech.pcm import silence, to_pcm
from kai_ari.speech.vad import (
    SPEECH,
    Detector,
    GuardedDetector,
    SileroDetector,
    SileroModel,
    WebRtcDetector,
    utterances,
    voiced_frames,
)
from tests.speech.conftest import Prompt


def detector(kind: str, silero: SileroModel) -> Detector:
    return SileroDetector(silero) if kind == "silero" else WebRtcDetector()


@pytest.mark.parametrize("kind", ["silero", "webrtc"])
def test_speech_is_found_where_it_is(kind: str, silero: SileroModel, prompt: Prompt) -> None:
    speech = prompt("transfer")
    voiced = voiced_frames(silence(1000) + speech + silence(1000), detector(kind, silero))
    first, last = voiced.index(True) * 20, len(voiced) * 20 - voiced[::-1].index(True) * 20
    assert 900 <= first <= 1200
    assert abs(last - 1000 - duration_ms(speech)) <= 400
    assert sum(voiced) * 20 > 0.6 * duration_ms(speech)


def test_silence_and_noise_are_no_speech(silero: SileroModel) -> None:
    noise = to_pcm(np.random.default_rng(3).normal(0, 0.02, 48_000).astype(np.float32))
    assert not any(voiced_frames(silence(2000), SileroDetector(silero)))
    assert sum(voiced_frames(noise, SileroDetector(silero))) <= 2
    assert not any(voiced_frames(silence(2000), WebRtcDetector()))


@given(cuts=st.lists(st.integers(0, 400), max_size=20))
def test_frames_of_any_even_length_will_do(cuts: list[int]) -> None:
    for vad in (GuardedDetector(SileroDetector(MODEL), name="silero"), WebRtcDetector()):
        for samples in cuts:
            assert 0 <= vad.feed(bytes(2 * samples)) <= 1


MODEL = SileroModel()


def test_half_a_sample_is_refused(silero: SileroModel) -> None:
    guarded = GuardedDetector(SileroDetector(silero), name="silero")
    with pytest.raises(ValueError, match="half a sample"):
        guarded.feed(bytes(641))
    assert guarded.faults == []


def test_calls_do_not_disturb_each_other(silero: SileroModel, prompt: Prompt) -> None:
    speech = prompt("transfer")
    alone = voiced_frames(speech, SileroDetector(silero))
    mine, other = SileroDetector(silero), SileroDetector(silero)
    together = []
    for at in range(0, len(speech) - FRAME_BYTES + 1, FRAME_BYTES):
        together.append(mine.feed(speech[at : at + FRAME_BYTES]) >= SPEECH)
        other.feed(bytes(FRAME_BYTES))
    assert together == alone


def test_a_broken_detector_is_replaced_in_mid_call(prompt: Prompt) -> None:
    class Broken:
        def feed(self, frame: bytes) -> float:
            raise RuntimeError("no model")

    guarded = GuardedDetector(Broken(), name="silero")
    assert any(voiced_frames(prompt("transfer"), guarded))
    assert [(f.part, f.engine, f.instead) for f in guarded.faults] == [("vad", "silero", "webrtc")]


@given(st.lists(st.booleans(), max_size=300), st.integers(20, 2000))
def test_utterances_keep_every_voiced_frame(voiced: list[bool], longest_ms: int) -> None:
    pcm = b"".join(place.to_bytes(2, "little") * 320 for place in range(len(voiced)))
    pieces = utterances(pcm, voiced, longest_ms=longest_ms)
    assert all(0 < duration_ms(piece) <= longest_ms for piece in pieces)
    kept = [int.from_bytes(p[i : i + 2], "little") for p in pieces for i in range(0, len(p), 640)]
    assert kept == sorted(set(kept))
    assert {place for place, voice in enumerate(voiced) if voice} <= set(kept)


def test_a_long_recording_is_cut_in_its_pauses() -> None:
    voiced = [True] * 60 + [False] * 20 + [True] * 60
    pieces = utterances(bytes(len(voiced) * FRAME_BYTES), voiced, longest_ms=2000)
    assert [duration_ms(piece) for piece in pieces] == [1400, 1400]
