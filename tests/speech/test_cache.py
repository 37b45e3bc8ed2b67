"""Fixed lines are synthesised once and survive a restart; damage and faults do not stay."""

from pathlib import Path

import pytest

from kai_ari.clock import SystemClock
from kai_ari.errors import SpeechError
from kai_ari.speech.cache import PromptCache
from kai_ari.speech.chain import Chain
from kai_ari.speech.engines import Voice
from kai_ari.speech.fallback import FallbackSynthesizer
from kai_ari.speech.hibari_engine import HibariVoice
from tests.speech.conftest import all_of
from tests.speech.test_fallback import Scripted, chain_of

LINE = "Hello. How can I help?"


def cache_of(folder: Path | None, *voices: Voice, identity: str = "v1") -> PromptCache:
    return PromptCache(FallbackSynthesizer(chain_of(voices), None), folder, identity=identity)


async def test_a_prepared_line_needs_no_voice_after_a_restart(
    tmp_path: Path, hibari: HibariVoice
) -> None:
    chain = Chain[Voice]("synthesizer", (hibari,), timeout_s=5, rest_s=30, clock=SystemClock())
    cache = PromptCache(FallbackSynthesizer(chain, None), tmp_path, identity="v1")
    assert await cache.prepare([LINE]) == ()
    restarted = cache_of(tmp_path)
    assert await restarted.prepare([LINE]) == ()
    assert await all_of(restarted.speak(LINE)) == await all_of(cache.speak(LINE)) != b""


async def test_another_voice_or_text_is_another_recording(tmp_path: Path) -> None:
    await cache_of(tmp_path, Scripted("a")).prepare([LINE])
    (old,) = tmp_path.iterdir()
    await cache_of(tmp_path, Scripted("a"), identity="v2").prepare([LINE])
    (new,) = tmp_path.iterdir()
    assert old != new


async def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    await cache_of(tmp_path, Scripted("a")).prepare([LINE])
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for damaged in (b"", whole[:20], whole[:-2], b"\0" + whole[1:]):
        path.write_bytes(damaged)
        cache = cache_of(tmp_path, Scripted("a"))
        await cache.prepare([LINE])
        assert path.read_bytes() == whole
        assert await all_of(cache.speak(LINE))


async def test_what_a_fallback_voice_said_is_not_kept(tmp_path: Path) -> None:
    cache = cache_of(tmp_path, Scripted("a", [SpeechError("broke")]), Scripted("b"))
    faults = await cache.prepare([LINE, "Goodbye."])
    assert {(fault.engine, fault.instead) for fault in faults} == {("a", "b")}
    assert list(tmp_path.iterdir()) == []


async def test_with_no_voice_and_no_disk_kai_starts_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    cache = cache_of(file / "below", Scripted("a"))
    assert await cache.prepare([LINE]) == ()
    assert await all_of(cache.speak(LINE))
    assert await cache_of(None).prepare([LINE]) == ()


async def test_other_lines_are_never_written(tmp_path: Path) -> None:
    cache = cache_of(tmp_path, Scripted("a"))
    assert await all_of(cache.speak("Ann, 555 1234."))
    assert list(tmp_path.iterdir()) == []


async def test_old_and_half_written_files_go(tmp_path: Path) -> None:
    (tmp_path / "old.pcm").touch()
    (tmp_path / "tmp123.part").touch()
    await cache_of(tmp_path, Scripted("a")).prepare([LINE])
    assert len(list(tmp_path.iterdir())) == 1


async def test_a_kept_first_sentence_is_there_before_any_voice_works() -> None:
    voice = Scripted("a")
    cache = cache_of(None, voice)
    whole = await all_of(cache.speak(LINE))
    await cache.prepare(["Hello."])
    assert await all_of(cache.speak(LINE)) == whole
    voice.hangs = True
    line = cache.speak(LINE)
    chunks = aiter(line)
    assert await anext(chunks) == "Hello.".encode("utf-16-le")
    with pytest.raises(SpeechError):
        await anext(chunks)
    assert [fault.engine for fault in line.faults] == ["a"]
