"""Queues over AMI: who could take a call.

    connect ─> log in ─> ready: questions, a ping now and then ──┐
       ^                                                         │ lost
       └─────────────── wait, longer each time <─────────────────┘

The connection itself is in `ami`.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from kai_ari import log
from kai_ari.asterisk.ami import Ami, AmiSettings, away, connected
from kai_ari.asterisk.events import Backoff
from kai_ari.errors import AsteriskError
from kai_ari.people.availability import QueueMember

#: A peer that is gone without a word is noticed after this and the limit of an answer.
PING_EVERY_S = 10.0

#: Device states: https://docs.asterisk.org/Asterisk_22_Documentation/API_Documentation/AMI_Events/QueueMember/
_UNREACHABLE = ("4", "5")  # invalid, unavailable
_BUSY = ("2", "3", "7", "8")  # in use, busy, ringing while in use, on hold

_log = log.get("ami")


class QueueMonitor:
    """`run` keeps the connection; `ready` is set while there is one."""

    def __init__(self, settings: AmiSettings) -> None:
        self._settings = settings
        self._ami: Ami | None = None
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until cancelled. An AMI that is away, or refuses, is tried again."""
        backoff, told = Backoff(), ""
        while True:
            try:
                async with self._connected() as ami:
                    backoff.reset()
                    told = ""
                    _log.info("connected to AMI", extra=log.fields())
                    await self._watch(ami)
            except AsteriskError as error:
                if str(error) != told:  # once, however often it is tried
                    told = str(error)
                    _log.warning("AMI is away", extra=log.fields(error=told))
            await asyncio.sleep(backoff.wait_s())

    async def queues(self) -> Mapping[str, tuple[QueueMember, ...]] | None:
        """The members of every queue as they are now; None when Asterisk cannot be asked."""
        if self._ami is None:
            return None
        try:
            answers = await self._ami.ask({"Action": "QueueStatus"})
        except AsteriskError as error:
            _log.warning("queues could not be asked", extra=log.fields(error=str(error)))
            return None
        found: dict[str, list[QueueMember]] = defaultdict(list)
        for answer in answers:
            if answer.event == "QueueParams":
                found[answer.queue] += ()
            elif answer.event == "QueueMember":
                found[answer.queue].append(_member(answer))
        return {queue: tuple(members) for queue, members in found.items()}

    # -- the connection ------------------------------------------------------------

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Ami]:
        try:
            async with connected(self._settings) as ami:
                self._ami = ami
                self.ready.set()
                yield ami
        finally:
            self.ready.clear()
            self._ami = None

    async def _watch(self, ami: Ami) -> None:
        """Until the connection is lost: raises AmiUnreachable."""
        while True:
            try:
                async with asyncio.timeout(PING_EVERY_S):
                    await ami.lost.wait()
                raise away(self._settings, "Asterisk closed the connection")
            except TimeoutError:
                await ami.ask({"Action": "Ping"})


def _member(event: Any) -> QueueMember:
    return QueueMember(
        name=_extension(event.location),
        reachable=event.status not in _UNREACHABLE,
        paused=event.paused == "1",
        in_call=event.incall == "1" or event.status in _BUSY,
    )


def _extension(interface: str) -> str:
    """101 of PJSIP/101: what the business calls that phone."""
    return interface.partition("/")[2]
