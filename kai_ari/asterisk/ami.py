"""A connection to AMI: log in, ask; closed when it is left.

Panoramisk speaks AMI; connecting again is its user's, so that closing ends it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from kai_ari import log
from kai_ari.asterisk.errors import AmiUnauthorised, AmiUnreachable

#: Asterisk answers in milliseconds when well.
ANSWER_LIMIT_S = 2.0
_NEVER_S = 10**6  # panoramisk's own pings notice nothing

_log = log.get("ami")


@dataclass(frozen=True, kw_only=True)
class AmiSettings:
    host: str = "127.0.0.1"
    port: int = 5038
    username: str
    password: str = field(repr=False)


def away(settings: AmiSettings, why: str) -> AmiUnreachable:
    return AmiUnreachable(
        f"no AMI at {settings.host}:{settings.port} ({why}); is Asterisk running,"
        " and AMI enabled (manager.conf)?"
    )


class Ami:
    """`lost` is set when the connection is."""

    def __init__(self, settings: AmiSettings, manager: Any) -> None:
        self._settings = settings
        self._manager = manager
        self.lost = asyncio.Event()

    async def ask(self, action: Mapping[str, str]) -> list[Any]:
        """What Asterisk answers: one message, or a list with its parts. Raises AmiUnreachable."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                answer = await self._manager.send_action(dict(action))
        except TimeoutError as error:
            raise away(self._settings, "no answer in time") from error
        return list(answer) if isinstance(answer, list) else [answer]


@asynccontextmanager
async def connected(settings: AmiSettings) -> AsyncIterator[Ami]:
    """Logged in. Raises AmiUnreachable, AmiUnauthorised."""
    loop = asyncio.get_running_loop()
    manager = Manager(loop=loop, log=_log, ping_delay=_NEVER_S, ping_interval=_NEVER_S)
    ami = Ami(settings, manager)
    manager.connection_lost = lambda _error: ami.lost.set()
    try:
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                made = loop.create_future()
                made.set_result(
                    await loop.create_connection(AMIProtocol, settings.host, settings.port)
                )
                manager.connection_made(made)
                await _log_in(ami, settings)
        except (OSError, TimeoutError) as error:
            raise away(settings, str(error) or "no answer in time") from error
        yield ami
    finally:
        manager.close()


async def _log_in(ami: Ami, settings: AmiSettings) -> None:
    (answer,) = await ami.ask(
        {
            "Action": "Login",
            "Username": settings.username,
            "Secret": settings.password,
            "Events": "off",
        }
    )
    if not answer.success:
        raise AmiUnauthorised(
            f"AMI at {settings.host}:{settings.port} refused user"
            f" {settings.username!r}: compare manager.conf with Kai's secret"
        )
