"""A case by webhook, against a real receiver: only an id in the answer is taken for a yes."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from kai_ari.errors import WorkflowError
from kai_ari.notify.webhook import MAX_ANSWER, MAX_ID, WebhookDispatcher

CASE = {"name": "Ann Ö. Baker", "reason": 'a "burst" pipe', "number": "+12025550142"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """`came` is what was posted: headers and body."""

    url: str = ""
    came: list[tuple[dict[str, str], object]] = field(default_factory=list)

    async def hand_over(self) -> str:
        async with asyncio.timeout(10):
            return await WebhookDispatcher().hand_over(self.url, CASE, key="call-1-cases")


@asynccontextmanager
async def receiver(answer: Handler) -> AsyncIterator[Receiver]:
    """Its handlers end with their connection, so that none outlives a test."""
    there = Receiver()

    async def take(request: web.Request) -> web.StreamResponse:
        there.came.append((dict(request.headers), await request.json()))
        return await answer(request)

    app = web.Application()
    app.router.add_post("/cases", take)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        there.url = f"http://127.0.0.1:{runner.addresses[0][1]}/cases"
        yield there
    finally:
        await runner.cleanup()


def says(body: str | bytes, status: int = 200, **headers: str) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        data = body.encode() if isinstance(body, str) else body
        return web.Response(status=status, body=data, headers=headers)

    return answer


async def refusal(answer: Handler) -> str:
    """The one plain sentence that it comes to, without the host: of an address no more is told."""
    async with receiver(answer) as there:
        there.url = f"{there.url}?key=s3cret"
        with pytest.raises(WorkflowError) as caught:
            await there.hand_over()
        text = str(caught.value)
    host = there.url.partition("/cases")[0]
    assert "\n" not in text
    assert "s3cret" not in text
    assert text.startswith(f"{host} ")
    return text.removeprefix(f"{host} ")


@pytest.mark.parametrize(
    ("body", "status", "known_as"),
    [
        ('{"id": "case-7"}', 200, "case-7"),
        ('{"id": 4711, "more": [1]}', 201, "4711"),
        ('{"id": " Fall Ö "}', 202, "Fall Ö"),
        (json.dumps({"id": "x" * MAX_ID}), 200, "x" * MAX_ID),
    ],
)
async def test_an_id_in_the_answer_means_that_it_was_taken(
    body: str, status: int, known_as: str
) -> None:
    async with receiver(says(body, status)) as there:
        assert await there.hand_over() == known_as
        [(headers, sent)] = there.came
    assert sent == {"type": "kai.case", "case": CASE}
    assert headers["Idempotency-Key"] == "call-1-cases"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        *("", "{}", "[]", "null", "7", '"case-7"', "<html>Welcome</html>"),
        *('{"case": 7}', "{", "[" * 50_000),
        b"\xff\xfe\x00",
    ],
)
async def test_an_answer_without_an_id_is_no_yes(body: str | bytes) -> None:
    assert await refusal(says(body)) == 'answered no {"id": ...}: the case may not be taken'


@pytest.mark.parametrize(
    "given", [None, True, False, "", "  ", 1.5, {"a": 1}, ["x"], "x" * (MAX_ID + 1)]
)
async def test_an_id_that_is_none(given: object) -> None:
    told = await refusal(says(json.dumps({"id": given})))
    assert told == "answered an id that is none: the case may not be taken"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 503])
async def test_another_status_is_a_no_whatever_the_body_says(status: int) -> None:
    told = await refusal(says('{"id": "case-7"}', status))
    assert told == f"answered {status}: it did not take the case"


async def test_a_redirect_is_not_followed() -> None:
    async with receiver(says('{"id": "case-7"}')) as elsewhere:
        told = await refusal(says("", 307, Location=elsewhere.url))
        assert elsewhere.came == []
    assert told == "answered 307, that it has moved: write its new address into kai.yaml"


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def floods(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        while True:
            await reply.write(b" " * MAX_ANSWER)

    assert await refusal(floods) == "answered too much to be an id: the case may not be taken"


async def test_who_waits_decides_how_long() -> None:
    async def never(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async with receiver(never) as there:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await there.hand_over()
        assert len(there.came) == 1


async def test_a_connection_that_breaks_off() -> None:
    async def drops(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.abort()
        return web.Response()

    assert await refusal(drops) == "hung up without an answer: the case may not be taken"


async def test_half_an_answer_is_none() -> None:
    async def stops(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": "100"})
        await reply.prepare(request)
        await reply.write(b'{"id": "case-7"')
        assert request.transport
        request.transport.close()
        return reply

    told = await refusal(stops)
    assert told == "did not answer as a web server does: the case may not be taken"


async def test_garbage_is_no_answer() -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        there = Receiver(url=f"http://127.0.0.1:{port}/cases")
        with pytest.raises(WorkflowError, match="did not answer as a web server does"):
            await there.hand_over()


async def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        there = Receiver(url=f"http://127.0.0.1:{taken.getsockname()[1]}/cases")
        with pytest.raises(WorkflowError, match=r"\d cannot be reached: nothing listens there$"):
            await there.hand_over()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://kai.invalid/cases", "cannot be reached: its name is not known"),
        ("http://[::bad/", "is no address of a web server"),
    ],
)
async def test_an_address_that_is_none(url: str, told: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        await Receiver(url=url).hand_over()
    assert str(caught.value) == f"{url.removesuffix('/cases').removesuffix('/')} {told}"
