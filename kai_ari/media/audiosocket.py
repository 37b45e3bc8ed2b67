"""Media through AudioSocket, for an Asterisk without chan_websocket.

Asterisk connects to Kai over TCP and names a UUID that Kai gave it; frames follow, each a
kind, a length and a payload (res_audiosocket.c). Audio is 8 kHz here, which every version
speaks. Asterisk plays what comes when it comes, so Kai owns the 20 ms clock.
"""

import asyncio
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from kai_ari import log
from kai_ari.address import written
from kai_ari.errors import MediaError
from kai_ari.media.audiosocket_session import AudioSocketMedia, hang_up, read_message

#: Asterisk connects while it creates the channel; its own limit is 2 s.
CONNECT_LIMIT_S = 5.0
#: A connection says who it is at once.
HELLO_LIMIT_S = 2.0
#: Connections that have not said who they are: strangers cannot hold more.
STRANGERS_LIMIT = 32

KIND_UUID = 0x01

_log = log.get("media")

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class AudioSocketOffer:
    """One media channel to be: what to ask of Asterisk, and how to meet it."""

    def __init__(self, server: "AudioSocket") -> None:
        self._server = server
        self._id = uuid.uuid4()
        self._streams: asyncio.Future[_Streams] = asyncio.get_running_loop().create_future()
        server.expected[self._id] = self._streams

    @property
    def external_media(self) -> Mapping[str, str]:
        return {
            "external_host": self._server.address,
            "transport": "tcp",
            "encapsulation": "audiosocket",
            "connection_type": "client",
            "format": "slin",
            "data": str(self._id),
        }

    async def connect(self, channel_variables: Mapping[str, str]) -> AudioSocketMedia:  # noqa: ARG002
        """Raises MediaError when Asterisk does not connect in time."""
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                reader, writer = await self._streams
        except TimeoutError:
            raise MediaError(
                f"Asterisk did not connect to {self._server.address} within "
                f"{CONNECT_LIMIT_S:.0f} s; can it reach that address?"
            ) from None
        finally:
            self.withdraw()
        return AudioSocketMedia(reader, writer)

    def withdraw(self) -> None:
        """Idempotent. A future that has its connection already is not affected."""
        self._server.expected.pop(self._id, None)
        self._streams.cancel()


class AudioSocket:
    """The transport: a TCP server on `host:port`, known to Asterisk as `advertise`.

    Port 0 takes a free one. Connections with a UUID nobody waits for are closed.
    """

    name = "audiosocket"

    def __init__(self, host: str, port: int, *, advertise: str | None = None) -> None:
        self._host = host
        self._port = port
        self._advertise = advertise or host
        self._server: asyncio.Server | None = None
        self._strangers: set[asyncio.StreamWriter] = set()
        self.expected: dict[uuid.UUID, asyncio.Future[_Streams]] = {}

    @property
    def address(self) -> str:
        return written(self._advertise, self._port)

    async def __aenter__(self) -> Self:
        """Raises MediaError when the port is taken."""
        try:
            self._server = await asyncio.start_server(self._on_connection, self._host, self._port)
        except OSError as error:
            raise MediaError(
                f"AudioSocket cannot listen on {written(self._host, self._port)}: {error}; "
                "choose another port or stop what uses it"
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for stranger in list(self._strangers):
            await hang_up(stranger)

    def offer(self) -> AudioSocketOffer:
        return AudioSocketOffer(self)

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        payload = await self._hello(reader, writer)
        waiting = self.expected.pop(uuid.UUID(bytes=payload), None) if payload else None
        if waiting is not None and not waiting.done():
            waiting.set_result((reader, writer))
            return
        peer = writer.get_extra_info("peername")
        _log.warning("unknown media connection refused", extra=log.fields(peer=peer))
        await hang_up(writer)

    async def _hello(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        """The 16 bytes of the UUID that a connection must begin with, or None."""
        if len(self._strangers) >= STRANGERS_LIMIT:
            return None
        self._strangers.add(writer)
        try:
            async with asyncio.timeout(HELLO_LIMIT_S):
                kind, payload = await read_message(reader)
        except (OSError, asyncio.IncompleteReadError):
            return None
        finally:
            self._strangers.discard(writer)
        return payload if kind == KIND_UUID and len(payload) == 16 else None
