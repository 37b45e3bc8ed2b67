"""The voices, heard back by the recogniser, and what becomes of a voice's dead process."""

import asyncio
import os
import signal

import pytest

from kai_ari.errors import SpeechError
from kai_ari.reception.ports import duration_ms
from kai_ari.speech.engines import EngineUnavailable, Voice
from kai_ari.speech.espeak import EspeakVoice
from kai_ari.speech.hibari_engine import HibariVoice
from kai_ari.speech.moonshine import Moonshine
from kai_ari.speech.pcm import loudest_frame_dbfs
from tests.speech.conftest import words


async def test_hibari_is_understood(hibari: HibariVoice, moonshine: Moonshine) -> None:
    pcm = await hibari.render("Please leave your message after the beep.")
    assert (
        words((await moonshine.transcribe(pcm)).text) == "please leave your message after the beep"
    )


async def test_espeak_is_understood(espeak: EspeakVoice, moonshine: Moonshine) -> None:
    pcm = await espeak.render("Please call again tomorrow morning.")
    assert "call again tomorrow morning" in words((await moonshine.transcribe(pcm)).text)


@pytest.mark.parametrize("name", ["hibari", "espeak"])
async def test_speech_begins_at_once(name: str, request: pytest.FixtureRequest) -> None:
    voice: Voice = request.getfixturevalue(name)
    pcm = await voice.render("Hello there.")
    assert loudest_frame_dbfs(pcm[: 60 * 32]) > -45
    assert 300 < duration_ms(pcm) < 2000


async def test_hibari_says_the_same_line_the_same_way(hibari: HibariVoice) -> None:
    assert await hibari.render("Goodbye.") == await hibari.render("Goodbye.")


async def test_espeak_lines_asked_at_once_do_not_mix(espeak: EspeakVoice) -> None:
    lines = ["One.", "The number is five five five, one two three four.", "Yes, this is so."]
    alone = [duration_ms(await espeak.render(line)) for line in lines]
    at_once = await asyncio.gather(*(espeak.render(line) for line in lines))
    # Its noise differs each time, and with it the length by a few milliseconds.
    assert [duration_ms(pcm) for pcm in at_once] == pytest.approx(alone, abs=30)


async def test_espeak_speaks_other_languages(espeak: EspeakVoice) -> None:
    german = EspeakVoice(language="de")
    try:
        spoken = await asyncio.gather(*(v.render("777 777 777.") for v in (german, espeak)))
        assert abs(duration_ms(spoken[0]) - duration_ms(spoken[1])) > 500
    finally:
        await asyncio.to_thread(german.close)


async def test_a_dead_espeak_process_is_replaced() -> None:
    voice = EspeakVoice()
    try:
        killed = voice.worker_pid
        assert killed
        os.kill(killed, signal.SIGKILL)
        await asyncio.to_thread(os.waitid, os.P_PID, killed, os.WEXITED | os.WNOWAIT)
        assert await voice.render("Hello.")
        assert voice.worker_pid != killed
    finally:
        await asyncio.to_thread(voice.close)


async def test_a_hung_espeak_process_fails_the_line_and_is_replaced() -> None:
    voice = EspeakVoice(timeout_s=0.5)
    try:
        hung = voice.worker_pid
        assert hung
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(SpeechError, match="no answer"):
            await voice.render("Hello.")
        assert await voice.render("Hello.")
        assert voice.worker_pid != hung
    finally:
        await asyncio.to_thread(voice.close)


async def test_a_closed_voice_says_so() -> None:
    voice = HibariVoice()
    voice.close()
    with pytest.raises(SpeechError, match="closed"):
        await voice.render("Hello.")


def test_an_unknown_voice_or_language_says_what_to_do() -> None:
    with pytest.raises(EngineUnavailable, match="hibari voice 'nobody'"):
        HibariVoice(voice="nobody")
    with pytest.raises(EngineUnavailable, match="no voice for 'qx-klingon'"):
        EspeakVoice(language="qx-klingon")
