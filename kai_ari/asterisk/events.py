"""The event socket of one application, and how long to wait before trying it again."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.errors import AgentReplaced, AriUnreachable

#: A dead peer is noticed after one and a half of these.
HEARTBEAT_S = 10.0

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0


class Backoff:
    """Doubling waits up to a bound, each drawn from its upper half so that agents spread."""

    def __init__(self) -> None:
        self._next = FIRST_WAIT_S

    def reset(self) -> None:
        self._next = FIRST_WAIT_S

    def wait_s(self) -> float:
        wait = self._next * random.uniform(0.5, 1.0)  # noqa: S311 - spread, not secrecy
        self._next = min(self._next * 2, LONGEST_WAIT_S)
        return wait


@asynccontextmanager
async def connected(ari: AriClient) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The events of the client's app, from the moment this is entered; none is lost after."""
    socket = await ari.open_events(ari.app, HEARTBEAT_S)
    try:
        yield _events(socket, ari.app)
    finally:
        await socket.close()


async def _events(
    socket: aiohttp.ClientWebSocketResponse, app: str
) -> AsyncIterator[dict[str, Any]]:
    """Ends only by raising: AriUnreachable when the socket closes, AgentReplaced when taken."""
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            continue
        event = json.loads(message.data)
        if event["type"] == "ApplicationReplaced":
            raise AgentReplaced(
                f"another agent connected as app {app!r} and gets its calls now; this one stops. "
                "Run one agent for each app, or give the second an app of its own"
            )
        yield event
    raise AriUnreachable(f"Asterisk closed the event socket (code {socket.close_code})")
