"""Frames, resampling, and strangers at the AudioSocket door; no Asterisk needed."""

import asyncio
import uuid

import numpy as np
import pytest

from kai_ari.errors import MediaError
from kai_ari.media.audiosocket import AudioSocket
from kai_ari.media.audiosocket_session import AudioSocketMedia
from kai_ari.media.frames import Framer, ReceivedFrames
from kai_ari.media.resample import Double, Halve
from kai_ari.reception.ports import FRAME_BYTES


def test_a_framer_gives_back_all_it_was_fed() -> None:
    framer = Framer()
    audio = bytes(range(256)) * 10
    frames = [
        frame for start in range(0, 2560, 100) for frame in framer.feed(audio[start : start + 100])
    ]
    frames += framer.rest()
    assert {len(frame) for frame in frames} == {FRAME_BYTES}
    assert b"".join(frames)[: len(audio)] == audio
    assert framer.rest() == []


async def test_a_slow_listener_loses_the_oldest_frames_and_they_are_counted() -> None:
    received = ReceivedFrames(limit=3)
    for number in range(5):
        received.put(bytes([number]))
    received.close()
    assert [frame[0] async for frame in received] == [2, 3, 4]
    assert received.dropped == 2


@pytest.mark.parametrize(
    ("hertz", "decibels"), [(300, 0.0), (1000, 0.0), (3000, 0.0), (3400, -0.4)]
)
def test_speech_survives_the_way_to_8_khz_and_back(hertz: int, decibels: float) -> None:
    there, back = Halve(), Double()
    tone = np.round(10_000 * np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000))
    frames = [tone[start : start + 320].astype("<i2").tobytes() for start in range(0, 16_000, 320)]
    heard = np.frombuffer(b"".join(back.feed(there.feed(frame)) for frame in frames), "<i2")
    level = 20 * np.log10(heard[200:].std() / tone[200:].std())
    assert level == pytest.approx(decibels, abs=0.1)


def test_what_8_khz_cannot_carry_is_taken_out_not_folded_down() -> None:
    tone = (10_000 * np.sin(2 * np.pi * 5_000 * np.arange(16_000) / 16_000)).astype("<i2")
    narrow = np.frombuffer(Halve().feed(tone.tobytes()), "<i2")
    assert np.abs(narrow[50:]).max() <= 2


async def said(server: AudioSocket, hello: bytes) -> bytes:
    host, _, port = server.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(hello)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "hello",
    [
        pytest.param(b"\x01\x00\x10" + uuid.uuid4().bytes, id="unknown UUID"),
        pytest.param(b"\x10\x00\x02\x00\x00", id="audio before a name"),
        pytest.param(b"\x01\x00\x02ab", id="no UUID"),
    ],
)
async def test_a_stranger_is_refused(hello: bytes) -> None:
    async with AudioSocket("127.0.0.1", 0) as server:
        assert await said(server, hello) == b""


async def test_a_stranger_who_says_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kai_ari.media.audiosocket.HELLO_LIMIT_S", 0.05)
    async with AudioSocket("127.0.0.1", 0) as server:
        assert await said(server, b"") == b""


async def test_asterisk_not_connecting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kai_ari.media.audiosocket.CONNECT_LIMIT_S", 0.05)
    async with AudioSocket("127.0.0.1", 0) as server:
        with pytest.raises(MediaError, match="can it reach that address"):
            await server.offer().connect({})
        assert not server.expected


async def test_a_taken_port_is_told() -> None:
    async with AudioSocket("127.0.0.1", 0) as first:
        port = int(first.address.rpartition(":")[2])
        with pytest.raises(MediaError, match="choose another port"):
            await AudioSocket("127.0.0.1", port).__aenter__()


async def test_the_playout_clock_does_not_drift() -> None:
    """Two seconds of audio take two seconds, however late the loop wakes up for each frame."""
    loop = asyncio.get_running_loop()
    arrived: list[float] = []
    over = asyncio.Event()

    async def asterisk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(100):
            await reader.readexactly(3 + 320)
            arrived.append(loop.time())
        await reader.read()
        writer.close()
        await writer.wait_closed()
        over.set()

    server = await asyncio.start_server(asterisk, "127.0.0.1", 0)
    async with server:
        media = AudioSocketMedia(*await asyncio.open_connection(*server.sockets[0].getsockname()))
        line = media.start_line()
        await line.write(bytes(FRAME_BYTES) * 100)
        assert await line.finish() == 2000
        await media.close()
        await over.wait()
    assert arrived[-1] - arrived[0] == pytest.approx(99 * 0.02, abs=0.1)
