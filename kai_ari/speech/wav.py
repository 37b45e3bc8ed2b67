"""WAV files to and from PCM: what Asterisk records, and what other tools play."""

import io
import struct
import wave

import numpy as np

from kai_ari.errors import SpeechError
from kai_ari.reception.ports import SAMPLE_RATE
from kai_ari.speech.pcm import Samples, resample, to_pcm, to_samples

_PCM, _MULAW, _EXTENSIBLE = 1, 7, 0xFFFE


class BadAudio(SpeechError):
    """A file is not audio that Kai can read."""

    code = "speech_bad_audio"
    retryable = False


def read_wav(data: bytes) -> bytes:
    """Any 16-bit PCM or mu-law WAV file as PCM at 16 kHz mono; channels are averaged.

    A file cut short (its writer died) gives what is there. Raises BadAudio.
    """
    encoding, channels, rate, width, body = _chunks(data)
    if not 1 <= channels <= 8 or not 4_000 <= rate <= 192_000:
        raise BadAudio(f"WAV with {channels} channels at {rate} Hz: not telephone audio")
    if encoding == _PCM and width == 16:
        samples = to_samples(body[: len(body) // 2 * 2])
    elif encoding == _MULAW and width == 8:
        samples = _mulaw(body)
    else:
        raise BadAudio(f"WAV encoding {encoding} with {width} bits: record as 16-bit wav or ulaw")
    whole = samples[: samples.size // channels * channels].reshape(-1, channels)
    return to_pcm(resample(whole.mean(axis=1, dtype=np.float32), rate))


def write_wav(pcm: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm)
    return out.getvalue()


def write_mulaw_wav(samples: Samples, rate: int) -> bytes:
    """G.711 mu-law, as on a telephone line: a byte a sample."""
    linear = np.clip(np.round(samples * 32768), -32635, 32635).astype(np.int32)
    magnitude = np.abs(linear) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(linear < 0, 0x80, 0)
    body: bytes = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes()
    layout: bytes = struct.pack("<HHIIHHH", _MULAW, 1, rate, rate, 1, 8, 0)
    chunks = b"fmt " + struct.pack("<I", len(layout)) + layout
    chunks += b"data" + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _chunks(data: bytes) -> tuple[int, int, int, int, bytes]:
    """Encoding, channels, rate, bits and samples; the standard's `wave` knows no mu-law."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadAudio("not a WAV file: it does not begin with RIFF....WAVE")
    layout: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            encoding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
            if encoding == _EXTENSIBLE and len(body) >= 26:
                (encoding,) = struct.unpack_from("<H", body, 24)
            layout = encoding, channels, rate, bits
        elif name == b"data" and layout:
            return *layout, body
        at += 8 + size + size % 2
    raise BadAudio("a WAV file without a format or without samples")


def _mulaw(body: bytes) -> Samples:
    """G.711 mu-law, ITU-T G.711 table 2a."""
    code = ~np.frombuffer(body, np.uint8)
    magnitude = ((((code & 0x0F).astype(np.int32) << 3) + 132) << ((code & 0x70) >> 4)) - 132
    signed = np.where(code & 0x80, -magnitude, magnitude)
    return signed.astype(np.float32) / np.float32(32768)
