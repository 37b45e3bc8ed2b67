"""The whole of it, built as the agent does."""

import asyncio
import threading
from pathlib import Path

import pytest

from kai_ari.speech.build import build_speech
from kai_ari.speech.settings import SpeechSettings
from kai_ari.speech.wav import write_wav
from tests.speech.conftest import MODELS, Prompt, all_of, words


async def test_default_engines_hear_what_they_say(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    speech = build_speech(SpeechSettings(recorded_lines=MODELS / "lines", cache=tmp_path / "c"))
    try:
        assert speech.faults == ()
        assert await speech.prepare(["Please hold the line."]) == ()
        pcm = await all_of(speech.synthesizer.speak("Please hold the line."))
        assert words((await speech.recognizer.transcribe(pcm)).text) == "please hold the line"
        assert speech.voiced_ms(speech.decode_wav(write_wav(pcm))) > 600
        assert speech.new_voice_detector().feed(pcm[:640]) < 0.5
    finally:
        await speech.close()
    mine = [thread.name for thread in set(threading.enumerate()) - before]
    assert not [name for name in mine if not name.startswith("asyncio")]


async def test_missing_engines_are_named_and_recordings_remain(tmp_path: Path) -> None:
    speech = build_speech(
        SpeechSettings(
            recognizers=("moonshine", "vosk"),
            synthesizers=("hibari",),
            language="fr",
            vosk_model=tmp_path,
            recorded_lines=MODELS / "lines",
        )
    )
    try:
        assert [(f.part, f.engine, f.instead) for f in speech.faults] == [
            ("recognizer", "moonshine", None),
            ("recognizer", "vosk", None),
            ("synthesizer", "hibari", None),
        ]
        assert "scripts/fetch-models" in speech.faults[1].error
        line = speech.synthesizer.speak("Goodbye.")
        assert await all_of(line)
    finally:
        await speech.close()


async def test_a_long_message_is_read_in_pieces(prompt: Prompt) -> None:
    speech = build_speech(SpeechSettings(synthesizers=()))
    try:
        pieces = speech.utterances(prompt("agent-pass") * 9)
        texts = await asyncio.gather(*(speech.recognizer.transcribe(piece) for piece in pieces))
        said = words(" ".join(transcript.text for transcript in texts))
        assert said.count("please enter your password followed by the pound key") == 9
    finally:
        await speech.close()


@pytest.mark.parametrize("names", [("whisper",), ("vosk", "vosk")])
def test_unknown_and_repeated_engines_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"whisper|twice"):
        SpeechSettings(recognizers=names)
