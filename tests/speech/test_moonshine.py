"""Moonshine on real telephone speech."""

import asyncio

import numpy as np
import pytest

from kai_ari.reception.ports import BYTES_PER_MS
from kai_ari.speech.moonshine import Moonshine
from kai_ari.speech.moonshine_tokens import looping, text_of
from kai_ari.speech.pcm import to_pcm
from tests.speech.conftest import Prompt, words

SPOKEN = {
    "agent-pass": "please enter your password followed by the pound key",
    "transfer": "please hold while i try that extension",
    "conf-onlyperson": "you are currently the only person in this conference",
    "vm-nomore": "no more messages",
    "queue-thankyou": "thank you for your patience",
    "please-try-again": "please try again",
    "all-circuits-busy-now": "all circuits are busy now",
    "cannot-complete-as-dialed": "your call cannot be completed as dialed",
}


async def test_parallel_callers_each_get_their_own_words(
    moonshine: Moonshine, prompt: Prompt
) -> None:
    heard = await asyncio.gather(*(moonshine.transcribe(prompt(name)) for name in SPOKEN))
    assert [words(transcript.text) for transcript in heard] == list(SPOKEN.values())
    assert all(transcript.engine == "moonshine" for transcript in heard)


async def test_the_loop_goes_on_while_it_works(moonshine: Moonshine, prompt: Prompt) -> None:
    recognition = asyncio.ensure_future(moonshine.transcribe(prompt("agent-pass") * 5))
    turns = 0
    while not recognition.done():
        await asyncio.sleep(0)
        turns += 1
    assert recognition.result().text
    assert turns > 100


async def test_clear_speech_is_surer_than_noise(moonshine: Moonshine, prompt: Prompt) -> None:
    noise = to_pcm(np.random.default_rng(7).normal(0, 0.02, 32_000).astype(np.float32))
    clear, unclear = await asyncio.gather(
        moonshine.transcribe(prompt("agent-pass")), moonshine.transcribe(noise)
    )
    assert clear.confidence is not None
    assert clear.confidence > 0.8
    assert unclear.confidence is None or unclear.confidence < 0.6


async def test_a_long_story_is_heard_in_pieces(moonshine: Moonshine, prompt: Prompt) -> None:
    """Up to a minute: what comes after it is cut, as recognition may not take for ever."""
    pause = bytes(500 * BYTES_PER_MS)
    story = b"".join(prompt(name) + pause for name in SPOKEN)
    assert 12_000 < len(story) / BYTES_PER_MS < 25_000
    heard = await moonshine.transcribe(story * 2)
    said = words(heard.text).split()
    expected = " ".join(SPOKEN.values()).split() * 2
    assert 0.9 < len(said) / len(expected) < 1.1
    assert said[-3:] == expected[-3:]
    endless = await moonshine.transcribe(story * 9)
    assert len(words(endless.text).split()) < 60_000 * BYTES_PER_MS / len(story) * len(expected)


@pytest.mark.parametrize("length", [0, 2, 640, 2 * 1599])
async def test_too_little_audio_says_nothing(moonshine: Moonshine, length: int) -> None:
    heard = await moonshine.transcribe(b"\x10\x00" * (length // 2))
    assert (heard.text, heard.confidence) == ("", None)


async def test_half_a_sample_is_refused(moonshine: Moonshine) -> None:
    with pytest.raises(ValueError, match="half a sample"):
        await moonshine.transcribe(bytes(6401))


def test_a_loop_is_noticed_and_repeated_digits_are_not() -> None:
    assert looping([7, 1, 2, 1, 2, 1, 2, 1, 2]) == 3
    assert looping([5] * 10) == 1
    assert looping([8, 0, 0, 0, 0, 0, 0, 0]) is None
    assert looping([1, 2, 3, 1, 2, 3]) is None


def test_tokens_of_single_bytes_make_one_letter() -> None:
    vocabulary = [b"<unk>", b"<s>", b"</s>", b"\xc3", b"\xa9", "▁Caf".encode(), b"<<ST_1>>"]
    assert text_of([5, 3, 4, 6, 0], vocabulary) == "Café"
