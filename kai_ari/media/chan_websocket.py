"""Media through Asterisk's chan_websocket: audio in bulk, timed by Asterisk.

Asterisk queues what it is sent and plays a frame every 20 ms. A `MARK_MEDIA` takes its
place in that queue and comes back as `MEDIA_MARK_PROCESSED` when its turn has come, which
tells what the caller heard; `FLUSH_MEDIA` empties the queue, marks included and without
a word about them (chan_websocket.c, handle_command).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp

from kai_ari import log
from kai_ari.errors import MediaError
from kai_ari.media.frames import Framer, ReceivedFrames
from kai_ari.reception.ports import BYTES_PER_MS, FRAME_MS, Playout

CONNECT_LIMIT_S = 5.0
HEARTBEAT_S = 10.0
#: Frames between marks: what was heard of a cut line is known to 100 ms.
MARK_FRAMES = 5
#: Audio sent ahead of its playing, at most. Asterisk says MEDIA_XOFF at 900 frames (18 s) and
#: drops audio in silence beyond 1000; in-flight messages must fit between.
AHEAD_LIMIT_MS = 10_000
#: A mark behind a flush returns at the next 20 ms tick; past this the transport is sick.
FLUSH_LIMIT_S = 1.0

_log = log.get("media")


class WebSocketOffer:
    """One media channel to be: what to ask of Asterisk, and how to meet it."""

    external_media: Mapping[str, str] = {
        "external_host": "INCOMING",
        "transport": "websocket",
        "encapsulation": "none",
        "connection_type": "server",
        "format": "slin16",
    }

    def __init__(self, http: aiohttp.ClientSession, root: str) -> None:
        self._http = http
        self._root = root

    async def connect(self, channel_variables: Mapping[str, str]) -> "WebSocketMedia":
        """Raises MediaError when the socket does not open in time."""
        connection = channel_variables.get("MEDIA_WEBSOCKET_CONNECTION_ID")
        if connection is None:
            raise MediaError(
                "Asterisk made a media channel without MEDIA_WEBSOCKET_CONNECTION_ID; "
                "is its chan_websocket of 20.18 / 22.8 or later?"
            )
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                socket = await self._http.ws_connect(
                    f"{self._root}/media/{connection}",
                    protocols=["media"],
                    heartbeat=HEARTBEAT_S,
                    compress=0,
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise MediaError(
                f"no media socket at {self._root}/media: {error or 'timed out'}; "
                "check http.conf and that chan_websocket.so is loaded"
            ) from error
        return WebSocketMedia(socket)

    def withdraw(self) -> None:
        """Nothing is held for a socket that was never opened."""


class ChanWebSocket:
    """The transport: media sockets to the Asterisk whose ARI is at `ari_url`."""

    name = "chan_websocket"

    def __init__(self, ari_url: str) -> None:
        self._root = ari_url.rstrip("/").removesuffix("/ari")
        self._http = aiohttp.ClientSession()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    def offer(self) -> WebSocketOffer:
        return WebSocketOffer(self._http, self._root)


class WebSocketMedia:
    """One caller's audio over one media socket. One line is spoken at a time."""

    transport = "chan_websocket"

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._received = ReceivedFrames()
        self._moved = asyncio.Condition()  # a mark came back, XON, or the socket closed
        self._marks: dict[int, _Mark] = {}  # by number, in the order sent
        self._last_mark = 0
        self._flowing = True
        self._lost: str | None = None
        self._reader = asyncio.create_task(self._read(), name="media-socket")

    def frames(self) -> AsyncIterator[bytes]:
        return aiter(self._received)

    @property
    def dropped(self) -> int:
        return self._received.dropped

    def start_line(self) -> Playout:
        return _Line(self)

    async def close(self) -> None:
        await self._socket.close()
        await self._reader

    # -- for lines -----------------------------------------------------------------

    async def play(self, line: "_Line", frames: list[bytes], heard_ms: int) -> None:
        """Send frames and a mark: once it returns, `heard_ms` of the line were heard."""
        await self._until(lambda: self._flowing and self._ahead_ms() < AHEAD_LIMIT_MS)
        try:
            await self._socket.send_bytes(b"".join(frames))
            await self._mark(_Mark(line=line, heard_ms=heard_ms, own_ms=len(frames) * FRAME_MS))
        except ConnectionError as error:
            raise MediaError(f"the media socket was lost while speaking: {error}") from error

    async def drain(self, line: "_Line") -> None:
        """Wait until every mark of the line came back."""
        await self._until(lambda: all(mark.line is not line for mark in self._marks.values()))

    async def flush(self) -> None:
        """Drop what was not played; marks that come back before the fence were heard."""
        if not self._marks or self._lost:
            return
        try:
            await self._socket.send_str("FLUSH_MEDIA")
            fence = await self._mark(_Mark(line=None, heard_ms=0, own_ms=0))
            async with asyncio.timeout(FLUSH_LIMIT_S):
                await self._until(lambda: fence not in self._marks)
        except (MediaError, ConnectionError, TimeoutError) as error:
            _log.warning("media flush not confirmed", extra=log.fields(error=str(error)))
            self._marks.clear()

    def _ahead_ms(self) -> int:
        return sum(mark.own_ms for mark in self._marks.values())

    async def _mark(self, mark: "_Mark") -> int:
        self._last_mark += 1
        number = self._last_mark
        self._marks[number] = mark
        await self._socket.send_str(f"MARK_MEDIA {number}")
        return number

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._lost or condition())
        if not condition():
            raise MediaError(f"the media socket was lost while speaking: {self._lost}")

    # -- the socket ----------------------------------------------------------------

    async def _read(self) -> None:
        framer = Framer()
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    for frame in framer.feed(message.data):
                        self._received.put(frame)
                elif message.type is aiohttp.WSMsgType.TEXT:
                    await self._control(message.data)
        finally:
            self._received.close()
            async with self._moved:
                self._lost = f"closed with code {self._socket.close_code}"
                self._moved.notify_all()

    async def _control(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        async with self._moved:
            match word:
                case "MEDIA_MARK_PROCESSED":
                    self._processed(int(rest))
                case "MEDIA_XOFF":
                    self._flowing = False
                case "MEDIA_XON":
                    self._flowing = True
                case "ERROR":
                    _log.warning("Asterisk refused a media command", extra=log.fields(error=rest))
                case _:
                    _log.debug("media control message", extra=log.fields(message=word))
            self._moved.notify_all()

    def _processed(self, number: int) -> None:
        """Marks return in order: older ones still here were flushed, and their audio unheard."""
        mark = self._marks.pop(number, None)
        if mark is None:
            return
        for older in [n for n in self._marks if n < number]:
            del self._marks[older]
        if mark.line is not None:
            mark.line.heard_ms = mark.heard_ms


class _Line:
    """A line of speech, sent in slices of 100 ms with a mark behind each."""

    def __init__(self, media: WebSocketMedia) -> None:
        self._media = media
        self._framer = Framer()
        self._slice: list[bytes] = []
        self._total_ms = 0
        self._bytes = 0
        self._over = False
        self.heard_ms = 0

    async def write(self, pcm: bytes) -> None:
        self._bytes += len(pcm)
        await self._send(self._framer.feed(pcm))

    async def finish(self) -> int:
        await self._send(self._framer.rest())
        if self._slice and not self._over:
            await self._play_slice()
        await self._media.drain(self)
        self._over = True
        return self.heard_ms

    async def cut(self) -> int:
        """Audio written after this is dropped: the voice may not know yet that it was cut."""
        self._over = True
        await self._media.flush()
        return self.heard_ms

    async def _send(self, frames: list[bytes]) -> None:
        for frame in frames:
            if self._over:
                return
            self._slice.append(frame)
            if len(self._slice) == MARK_FRAMES:
                await self._play_slice()

    async def _play_slice(self) -> None:
        frames, self._slice = self._slice, []
        self._total_ms += len(frames) * FRAME_MS
        heard_ms = min(self._total_ms, self._bytes // BYTES_PER_MS)  # without the last padding
        await self._media.play(self, frames, heard_ms)


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """A place in Asterisk's queue: behind `own_ms` of audio, at `heard_ms` of its line."""

    line: _Line | None  # None for the fence behind a flush
    heard_ms: int
    own_ms: int
