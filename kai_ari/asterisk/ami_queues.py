"""Queues over AMI: who could take a call, and who took the one that waits there for a caller.

    connect ─> log in ─> ready: questions, AgentConnect events, a ping now and then ──┐
       ^                                                                              │ lost
       └─────────────────── wait, longer each time <──────────────────────────────────┘

The connection itself is in `ami`.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class AgentConnected:
    """A member of a queue took the call that waited as `channel`, after `waited_s`."""

    channel: str
    queue: str
    member: str
    waited_s: int


class QueueMonitor:
    """`run` keeps the connection; `ready` is set while there is one."""

    def __init__(self, settings: AmiSettings) -> None:
        self._settings = settings
        self._ami: Ami | None = None
        self._expected: dict[str, asyncio.Future[AgentConnected]] = {}
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
        if not self.ready.is_set():
            return None
        try:
            answers = await self._ask({"Action": "QueueStatus"})
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

    @contextmanager
    def expecting(self, channel: str) -> Iterator[asyncio.Future[AgentConnected]]:
        """Enter before the leg `channel` joins its queue; the future is who took it.

        It fails with AmiUnreachable when the connection is lost, or was never there: news of
        a member would be missed.
        """
        taken: asyncio.Future[AgentConnected] = asyncio.get_running_loop().create_future()
        self._expected[channel] = taken
        if not self.ready.is_set():
            taken.set_exception(away(self._settings, "it is not connected"))
        try:
            yield taken
        finally:
            del self._expected[channel]
            if not taken.done():
                taken.cancel()
            elif not taken.cancelled():
                taken.exception()  # looked at, whether or not anybody waited

    # -- the connection ------------------------------------------------------------

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Ami]:
        handlers = {"AgentConnect": self._on_agent_connect}
        try:
            async with connected(self._settings, events="agent", on_event=handlers) as ami:
                self._ami = ami
                self.ready.set()
                yield ami
        finally:
            self.ready.clear()
            self._ami = None
            for expected in self._expected.values():
                if not expected.done():
                    expected.set_exception(away(self._settings, "the connection was lost"))

    async def _watch(self, ami: Ami) -> None:
        """Until the connection is lost: raises AmiUnreachable."""
        while True:
            try:
                async with asyncio.timeout(PING_EVERY_S):
                    await ami.lost.wait()
                raise away(self._settings, "Asterisk closed the connection")
            except TimeoutError:
                await ami.ask({"Action": "Ping"})

    async def _ask(self, action: dict[str, str]) -> list[Any]:
        """What Asterisk answers. Raises AmiUnreachable."""
        if self._ami is None:
            raise away(self._settings, "it is not connected")
        return await self._ami.ask(action)

    def _on_agent_connect(self, _manager: object, event: Any) -> None:
        taken = self._expected.get(event.uniqueid)
        if taken is None or taken.done():
            return
        taken.set_result(
            AgentConnected(
                channel=event.uniqueid,
                queue=event.queue,
                member=_extension(event.interface),
                waited_s=int(event.holdtime or 0),
            )
        )


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
