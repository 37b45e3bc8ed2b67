"""One caller's audio over one AudioSocket connection."""

import asyncio
import contextlib
import struct
import time
from collections import deque
from collections.abc import AsyncIterator

from kai_ari.errors import MediaError
from kai_ari.media.frames import Framer, ReceivedFrames
from kai_ari.media.resample import Double, Halve
from kai_ari.reception.ports import BYTES_PER_MS, FRAME_MS, Playout

KIND_AUDIO = 0x10
_HEADER = struct.Struct("!BH")  # kind, length of the payload

#: Frames of one line that may wait to be played: 10 s.
AHEAD_FRAMES = 500
#: Behind by more than this, the clock starts anew instead of sending a burst.
BEHIND_LIMIT_S = 0.1


async def read_message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Raises IncompleteReadError at the end of the connection."""
    kind, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    return kind, await reader.readexactly(length)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):  # the far end may have closed first, or be out of reach
        await writer.wait_closed()


class AudioSocketMedia:
    """Kai sends a frame every 20 ms while there is something to say, and nothing otherwise."""

    transport = "audiosocket"

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._received = ReceivedFrames()
        self._queue: deque[tuple[_Line, bytes, int]] = deque()  # line, 16 kHz frame, ms heard by it
        self._playing: tuple[_Line, int] | None = None  # sent, its 20 ms not over
        self._moved = asyncio.Condition()  # a frame was queued or played, or the connection closed
        self._lost: str | None = None
        self._tasks = (
            asyncio.create_task(self._read(), name="audiosocket-read"),
            asyncio.create_task(self._pace(), name="audiosocket-pace"),
        )

    def frames(self) -> AsyncIterator[bytes]:
        return aiter(self._received)

    @property
    def dropped(self) -> int:
        return self._received.dropped

    def start_line(self) -> Playout:
        return _Line(self)

    async def close(self) -> None:
        await self._lose("closed by Kai")
        await hang_up(self._writer)
        await asyncio.gather(*self._tasks)

    # -- for lines -----------------------------------------------------------------

    async def play(self, line: "_Line", frame: bytes, heard_ms: int) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._lost or len(self._queue) < AHEAD_FRAMES)
            self._check()
            self._queue.append((line, frame, heard_ms))
            self._moved.notify_all()

    async def drain(self, line: "_Line") -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._lost or not self._has(line))
            if self._has(line):
                self._check()

    async def drop(self, line: "_Line") -> None:
        """Drop what was not sent; the frame in the caller's ear is heard to its end."""
        if self._playing is not None and self._playing[0] is line:
            line.heard_ms = self._playing[1]
        async with self._moved:
            self._queue = deque(entry for entry in self._queue if entry[0] is not line)
            self._moved.notify_all()

    def _has(self, line: "_Line") -> bool:
        playing = self._playing is not None and self._playing[0] is line
        return playing or any(entry[0] is line for entry in self._queue)

    def _check(self) -> None:
        if self._lost:
            raise MediaError(f"the AudioSocket connection was lost while speaking: {self._lost}")

    # -- the connection ------------------------------------------------------------

    async def _read(self) -> None:
        framer, double = Framer(), Double()
        try:
            while True:
                kind, payload = await read_message(self._reader)
                if kind == KIND_AUDIO:
                    for frame in framer.feed(double.feed(payload)):
                        self._received.put(frame)
        except (asyncio.IncompleteReadError, OSError) as error:
            await self._lose(str(error) or repr(error))  # an error may have no text
        finally:
            self._received.close()
            await hang_up(self._writer)

    async def _pace(self) -> None:
        """The playout clock: frames leave at fixed instants, however late each wake-up is."""
        halve = Halve()
        due = 0.0
        while not self._lost:
            async with self._moved:
                await self._moved.wait_for(lambda: self._lost or self._queue)
                if self._lost:
                    return
                line, frame, heard_ms = self._queue.popleft()
                self._playing = (line, heard_ms)
            now = time.monotonic()
            if now - due > BEHIND_LIMIT_S:
                due = now
            payload = halve.feed(frame)
            self._writer.write(_HEADER.pack(KIND_AUDIO, len(payload)) + payload)
            due += FRAME_MS / 1000
            await asyncio.sleep(due - time.monotonic())
            async with self._moved:
                self._playing = None
                if not self._lost:
                    line.heard_ms = heard_ms
                self._moved.notify_all()

    async def _lose(self, why: str) -> None:
        async with self._moved:
            self._lost = self._lost or why
            self._moved.notify_all()


class _Line:
    """A line of speech; a frame counts as heard 20 ms after it was sent."""

    def __init__(self, media: AudioSocketMedia) -> None:
        self._media = media
        self._framer = Framer()
        self._frames_ms = 0
        self._bytes = 0
        self._over = False
        self.heard_ms = 0

    async def write(self, pcm: bytes) -> None:
        self._bytes += len(pcm)
        await self._send(self._framer.feed(pcm))

    async def finish(self) -> int:
        await self._send(self._framer.rest())
        await self._media.drain(self)
        self._over = True
        return self.heard_ms

    async def cut(self) -> int:
        """Audio written after this is dropped: the voice may not know yet that it was cut."""
        self._over = True
        await self._media.drop(self)
        return self.heard_ms

    async def _send(self, frames: list[bytes]) -> None:
        for frame in frames:
            if self._over:
                return
            self._frames_ms += FRAME_MS
            heard_ms = min(self._frames_ms, self._bytes // BYTES_PER_MS)  # without the last padding
            await self._media.play(self, frame, heard_ms)
