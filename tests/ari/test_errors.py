import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from kai_ari.asterisk import client
from kai_ari.asterisk.client import AriClient, AriSettings
from kai_ari.asterisk.errors import (
    AriUnauthorised,
    AriUnreachable,
    BadRequest,
    ChannelGone,
    Conflict,
    NotFound,
    ServerFault,
)
from kai_ari.asterisk.inspection import AriInspector
from kai_ari.asterisk.pbx_state import AriPhones
from kai_ari.errors import AsteriskError

Request = Callable[[AriClient], Awaitable[object]]


@asynccontextmanager
async def answering(status: int, body: str = '{"message": "because"}') -> AsyncIterator[AriClient]:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    settings = AriSettings(
        url=f"http://{host}:{port}/ari", username="kai", password="hush-hush", app="kai"
    )
    try:
        async with AriClient(settings) as ari:
            yield ari
    finally:
        await runner.cleanup()


def on_channel(ari: AriClient) -> Awaitable[object]:
    return ari.answer("1.1")


def on_bridge(ari: AriClient) -> Awaitable[object]:
    return ari.add_to_bridge("b", "1.1")


@pytest.mark.parametrize(
    ("request_", "status", "expected"),
    [
        (on_channel, 404, ChannelGone),
        (on_channel, 409, Conflict),
        (on_channel, 412, ChannelGone),
        (on_channel, 500, ServerFault),
        (on_bridge, 400, BadRequest),
        (on_bridge, 401, AriUnauthorised),
        (on_bridge, 403, AriUnauthorised),
        (on_bridge, 404, NotFound),
        (on_bridge, 409, Conflict),
        (on_bridge, 422, BadRequest),
        (on_bridge, 503, ServerFault),
    ],
)
async def test_each_refusal_has_its_class(
    request_: Request, status: int, expected: type[AsteriskError]
) -> None:
    async with answering(status) as ari:
        with pytest.raises(AsteriskError) as refused:
            await request_(ari)
    assert type(refused.value) is expected
    assert not refused.value.retryable
    assert "hush-hush" not in str(refused.value)


async def test_a_channel_that_has_left_the_app_is_gone() -> None:
    async with answering(409, '{"message": "Channel not in Stasis application"}') as ari:
        with pytest.raises(ChannelGone):
            await ari.answer("1.1")


async def test_the_wrong_address_is_told_as_such() -> None:
    async with answering(200, "<html>") as ari:
        with pytest.raises(ServerFault, match="is this the address of ARI"):
            await ari.version()


@pytest.mark.parametrize("answer", ["", "<html>", '{"a": 1}', "[{}]", '{"value": '])
@pytest.mark.parametrize(
    "request_",
    [
        lambda ari: ari.read_variable("1.1", "X"),
        lambda ari: ari.read_global("X"),
        lambda ari: ari.audio_packets("1.1"),
        lambda ari: ari.bridges(),
        lambda ari: AriPhones.states(ari),
        lambda ari: AriInspector.modules(ari),
    ],
    ids=["variable", "global", "audio", "bridges", "phones", "modules"],
)
async def test_an_answer_that_nobody_foresaw_is_a_fault_of_asterisks(
    request_: Request, answer: str
) -> None:
    async with answering(200, answer) as ari:
        with pytest.raises(ServerFault, match="answered what Kai cannot read"):
            await request_(ari)


async def test_nobody_listening_is_retryable() -> None:
    settings = AriSettings(url="http://127.0.0.1:9/ari", username="u", password="p", app="kai")
    async with AriClient(settings) as ari:
        with pytest.raises(AriUnreachable, match="is its HTTP server on") as away:
            await ari.version()
        with pytest.raises(AriUnreachable):
            await ari.open_events("kai", 10)
    assert away.value.retryable


async def test_a_request_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    over = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        over.set()

    monkeypatch.setattr(client, "REQUEST_LIMIT_S", 0.05)
    server = await asyncio.start_server(never, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    settings = AriSettings(url=f"http://{host}:{port}/ari", username="u", password="p", app="kai")
    async with server, AriClient(settings) as ari:
        with pytest.raises(AriUnreachable):
            await ari.open_events("kai", 10)
        await over.wait()


def test_the_password_is_in_no_repr() -> None:
    settings = AriSettings(url="http://h/ari", username="u", password="hush-hush", app="kai")
    assert "hush-hush" not in repr(settings)


async def test_a_channel_that_asterisk_lists_twice_is_one_channel() -> None:
    """It happens when the channel changes while the list is made; it must not be served twice."""
    channel = '{"id": "1.1", "name": "x", "state": "%s", "caller": {"name": "", "number": ""}}'
    async with answering(200, f"[{channel % 'Ring'}, {channel % 'Up'}]") as ari:
        [listed] = await ari.channels()
    assert listed.state == "Up"
