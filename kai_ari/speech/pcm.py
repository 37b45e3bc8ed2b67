"""Samples: conversion, resampling, level and silence. PCM bytes are s16le mono at 16 kHz."""

from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from kai_ari.reception.ports import FRAME_BYTES, SAMPLE_RATE

Samples = NDArray[np.float32]

_HALF_WIDTH = 20  # zero crossings each side of the resampling filter
_BLOCK = 1 << 14  # output samples filtered at a time: bounds memory


def to_samples(pcm: bytes) -> Samples:
    """Floats from -1 to 1. Raises ValueError when half a sample is left over."""
    if len(pcm) % 2:
        raise ValueError(f"16-bit audio cannot be {len(pcm)} bytes long: half a sample is left")
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def to_pcm(samples: Samples) -> bytes:
    return (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def silence(ms: int) -> bytes:
    return bytes(ms * SAMPLE_RATE // 1000 * 2)


def frames(pcm: bytes) -> list[bytes]:
    """Whole frames of 20 ms; a shorter rest is left out."""
    last = len(pcm) - FRAME_BYTES
    return [pcm[start : start + FRAME_BYTES] for start in range(0, last + 1, FRAME_BYTES)]


def loudest_frame_dbfs(pcm: bytes) -> float:
    """RMS of the loudest 20 ms frame, in dB below full scale; -120 for digital silence."""
    whole = b"".join(frames(pcm))
    if not whole:
        return -120.0
    energy = np.square(to_samples(whole).reshape(-1, FRAME_BYTES // 2)).mean(axis=1)
    return float(10 * np.log10(max(energy.max(), 1e-12)))


def trim(samples: Samples, rate: int, *, floor: float = 0.004) -> Samples:
    """Cut the silence at both ends but for 20 and 80 ms: a soft onset, the puff of a last "p"."""
    loud = np.flatnonzero(np.abs(samples) > floor)
    if not loud.size:
        return samples[:0]
    return samples[max(0, loud[0] - rate // 50) : loud[-1] + rate * 80 // 1000]


def resample(samples: Samples, rate: int, to: int = SAMPLE_RATE) -> Samples:
    """Polyphase windowed-sinc resampling; what the lower rate cannot carry is filtered out.

    Kaiser window, beta 8: alias products are below -70 dB.
    """
    if rate == to or not samples.size:
        return samples
    common = gcd(rate, to)
    up, down = to // common, rate // common
    bank = _filter_bank(up, down)
    taps = bank.shape[1]
    total = -(-samples.size * up // down)
    padded = np.pad(samples, (taps // 2, taps))
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps)
    out = np.empty(total, np.float32)
    for start in range(0, total, _BLOCK):
        place = np.arange(start, min(start + _BLOCK, total)) * down
        out[start : start + place.size] = np.einsum(
            "nt,nt->n", windows[place // up], bank[place % up]
        )
    return out


@lru_cache(maxsize=8)
def _filter_bank(up: int, down: int) -> Samples:
    """One row of taps for each of the `up` places an output sample can have between inputs."""
    cutoff = min(1.0, 0.93 * up / down)  # room for the filter's slope below the lower rate
    half = int(np.ceil(_HALF_WIDTH / cutoff))
    offsets = np.arange(-half, half)[None, :] - np.arange(up)[:, None] / up
    ideal = cutoff * np.sinc(cutoff * offsets)
    window = np.i0(8 * np.sqrt(np.clip(1 - (offsets / half) ** 2, 0, 1))) / np.i0(8.0)
    bank = ideal * window
    return np.asarray(bank / bank.sum(axis=1, keepdims=True), np.float32)
