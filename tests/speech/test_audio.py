"""Samples and WAV files."""

import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.speech.pcm import loudest_frame_dbfs, resample, to_pcm, to_samples, trim
from kai_ari.speech.sentences import sentences
from kai_ari.speech.wav import BadAudio, read_wav, write_mulaw_wav, write_wav


def tone(hz: float, rate: int, seconds: float = 0.5) -> np.typing.NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


def level(samples: np.typing.NDArray[np.float32]) -> float:
    middle = samples[samples.size // 4 : -samples.size // 4]
    return float(20 * np.log10(np.sqrt(np.square(middle).mean()) + 1e-9))


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100, 48_000])
def test_resampling_keeps_the_tone_and_its_length(rate: int) -> None:
    out = resample(tone(1000, rate), rate)
    assert abs(out.size - 8_000) <= 1
    middle = slice(1000, 7000)
    assert np.abs(out[middle] - tone(1000, 16_000)[: out.size][middle]).max() < 0.005


@pytest.mark.parametrize("hz", [8_800, 9_500, 11_000])
def test_what_the_lower_rate_cannot_carry_is_filtered_out(hz: int) -> None:
    assert level(resample(tone(hz, 24_000), 24_000)) < -55


@given(st.binary(max_size=4000))
def test_wav_and_back(data: bytes) -> None:
    pcm = data[: len(data) // 2 * 2]
    back = np.frombuffer(read_wav(write_wav(pcm)), "<i2").astype(int)
    assert np.abs(back - np.frombuffer(pcm, "<i2")).max(initial=0) <= 1


def test_mulaw_and_back() -> None:
    samples = tone(440, 8_000)
    back = to_samples(read_wav(write_mulaw_wav(samples, 8_000)))
    assert np.abs(back[::2][: samples.size] - samples)[50:-50].max() < 0.02


def test_channels_are_averaged() -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(struct.pack("<4h", 1000, 3000, -500, -1500))
    assert np.allclose(np.frombuffer(read_wav(out.getvalue()), "<i2"), [2000, -1000], atol=1)


def test_a_file_cut_short_gives_what_is_there() -> None:
    whole = write_wav(to_pcm(tone(440, 16_000)))
    assert 0 < len(read_wav(whole[:5001])) < len(whole)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for junk in (data, b"RIFF\0\0\0\0WAVE" + data, b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + data):
        try:
            read_wav(junk)
        except BadAudio:
            continue


def test_an_unknown_encoding_is_named() -> None:
    whole = bytearray(write_wav(bytes(100)))
    whole[20] = 17
    with pytest.raises(BadAudio, match="encoding 17"):
        read_wav(bytes(whole))


def test_level_and_silence() -> None:
    assert loudest_frame_dbfs(bytes(6400)) == -120
    assert loudest_frame_dbfs(b"") == -120
    assert -10 < loudest_frame_dbfs(to_pcm(tone(440, 16_000))) < -8
    padded = np.concatenate((np.zeros(8000, np.float32), tone(440, 16_000)))
    assert trim(padded, 16_000).size < 8_000 + 2_000
    assert trim(np.zeros(100, np.float32), 16_000).size == 0


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("Hello. How can I help?", ("Hello.", "How can I help?")),
        ("Dr. Smith will call at 3.30 p.m. today.", ("Dr. Smith will call at 3.30 p.m. today.",)),
        ("J. Jones is here!  Really…  Yes", ("J. Jones is here!", "Really…", "Yes")),
        ("  ", ()),
        ("...", ()),
    ],
)
def test_sentences(line: str, parts: tuple[str, ...]) -> None:
    assert sentences(line) == parts
