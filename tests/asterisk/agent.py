"""An agent on a real Asterisk, for tests: the adapter alone, with a handler of the test's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

import numpy as np

from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.asterisk.connection import MAX_CALLS, Asterisk, OnSettled
from kai_ari.asterisk.media_transport import MediaTransport
from kai_ari.clock import SystemClock
from kai_ari.media.audiosocket import AudioSocket
from kai_ari.media.chan_websocket import ChanWebSocket
from kai_ari.reception.ports import CallerGone, LiveCall, MediaSession, RecordingShelf
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone

TRANSPORTS = ("chan_websocket", "audiosocket")
PHONE = PhoneAccount(user="caller", password="a-secret", caller_id=None)

OnCall = Callable[[LiveCall], Awaitable[None]]


def settings_of(pbx: LocalAsterisk) -> AriSettings:
    return AriSettings(
        url=pbx.ari_url,
        username=pbx.settings.ari_user,
        password=pbx.settings.ari_password,
        app="kai",
    )


@asynccontextmanager
async def transport_to(pbx: LocalAsterisk, name: str) -> AsyncIterator[MediaTransport]:
    if name == "audiosocket":
        async with AudioSocket(pbx.near_address, 0) as server:
            yield server
    else:
        async with ChanWebSocket(pbx.ari_url) as sockets:
            yield sockets


@asynccontextmanager
async def agent(
    pbx: LocalAsterisk,
    on_call: OnCall,
    transport: str = "chan_websocket",
    *,
    ari_url: str | None = None,
    on_settled: OnSettled | None = None,
    max_calls: int = MAX_CALLS,
) -> AsyncIterator[Asterisk]:
    """An agent that takes calls from here on; stopped at the end, its errors raised."""
    settings = settings_of(pbx)
    if ari_url is not None:
        settings = replace(settings, url=ari_url)
    async with transport_to(pbx, transport) as media:
        asterisk = Asterisk(
            settings,
            media,
            clock=SystemClock(),
            normalise=lambda raw: raw or None,
            max_calls=max_calls,
        )
        running = asyncio.create_task(asterisk.run(on_call, on_settled), name="agent")
        try:
            await first(asterisk.ready.wait(), running)
            yield asterisk
        finally:
            asterisk.stop()
            await running


async def first(wanted: Awaitable[object], running: "asyncio.Task[None]") -> None:
    """Wait for `wanted`; an agent that ends before is an error."""
    waiter = asyncio.ensure_future(wanted)
    await asyncio.wait({waiter, running}, return_when=asyncio.FIRST_COMPLETED)
    if not waiter.done():
        waiter.cancel()
        running.result()
        raise AssertionError("the agent stopped without an error")


@asynccontextmanager
async def phone_at(pbx: LocalAsterisk) -> AsyncIterator[SipPhone]:
    async with SipPhone(
        server=pbx.sip_address, user=PHONE.user, password=PHONE.password, register=False
    ) as phone:
        yield phone


class Wire:
    """The network between Kai and Asterisk's HTTP server, which a test can cut."""

    def __init__(self, pbx: LocalAsterisk) -> None:
        self._far_end = (pbx.settings.http_address, pbx.settings.http_port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._closed = asyncio.Event()
        self.open = True  # whether new connections get through

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.ari_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ari"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """Break every connection; new ones may come."""
        writers = list(self._writers)
        for writer in writers:
            writer.transport.abort()
        while self._writers.intersection(writers):
            await self._closed.wait()
            self._closed.clear()

    async def _connect(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if not self.open:
            back.transport.abort()
            return
        far, forth = await asyncio.open_connection(*self._far_end)
        self._writers |= {back, forth}
        await asyncio.gather(self._copy(near, forth), self._copy(far, back))
        self._writers -= {back, forth}
        self._closed.set()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


class Caught:
    """Calls handed to the test: each stays until the test lets it go or the caller leaves."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[LiveCall] = asyncio.Queue()
        self._let_go: dict[str, asyncio.Event] = {}

    async def __call__(self, call: LiveCall) -> None:
        done = self._let_go[call.arrival.call] = asyncio.Event()
        self._arrived.put_nowait(call)
        await done.wait()

    async def next(self) -> LiveCall:
        return await self._arrived.get()

    @property
    def waiting(self) -> int:
        return self._arrived.qsize()

    def let_go(self, call: LiveCall) -> None:
        self._let_go[call.arrival.call].set()


class Shelves:
    """Takes the shelf of recordings that the agent hands out after each connection."""

    def __init__(self) -> None:
        self._shelves: asyncio.Queue[RecordingShelf] = asyncio.Queue()

    async def __call__(self, shelf: RecordingShelf) -> None:
        self._shelves.put_nowait(shelf)

    async def next(self) -> RecordingShelf:
        async with asyncio.timeout(40):
            return await self._shelves.get()


async def ending(call: LiveCall) -> CallerGone:
    async for signal in call.signals():
        if isinstance(signal, CallerGone):
            return signal
    raise AssertionError("the signals ended without CallerGone")


async def nothing_left(pbx: LocalAsterisk) -> None:
    """Wait until Asterisk holds no channel, bridge or recording."""
    async with asyncio.timeout(40):
        while await pbx.objects():  # noqa: ASYNC110 - Asterisk is asked, it does not tell
            await asyncio.sleep(0.02)


async def converse(call: LiveCall) -> MediaSession:
    await call.answer()
    return await call.open_audio()


def tone(hertz: int, ms: int, rate: int = 16_000) -> bytes:
    samples = np.arange(ms * rate // 1000)
    return (8_000 * np.sin(2 * np.pi * hertz * samples / rate)).astype("<i2").tobytes()


def has_tone(pcm: bytes, hertz: int, rate: int = 16_000) -> bool:
    """Whether most of the energy is at `hertz`, and there is any."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    if len(samples) < 160 or samples.std() < 500:
        return False
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    place = round(hertz * len(samples) / rate)
    return bool(spectrum[max(0, place - 4) : place + 5].sum() > 0.8 * spectrum.sum())


async def cut_off(wire: Wire) -> None:
    wire.open = False
    await wire.cut()
