"""Queues over AMI: who could take a call, and who took the one that waits there for a caller.

    connect ─> log in ─> ready: questions, AgentConnect events, a ping now and then ──┐
       ^                                                                              │ lost
       └─────────────────── wait, longer each time <──────────────────────────────────┘

Panoramisk speaks AMI; connecting again is done here, so that closing ends it.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from kai_ari import log
from kai_ari.asterisk.errors import AmiUnauthorised, AmiUnreachable
from kai_ari.asterisk.events import Backoff
from kai_ari.errors import AsteriskError
from kai_ari.people.availability import QueueMember

#: Asterisk answers in milliseconds when well.
ANSWER_LIMIT_S = 2.0
#: A peer that is gone without a word is noticed after this and the limit above.
PING_EVERY_S = 10.0
_NEVER_S = 10**6  # panoramisk's own pings notice nothing

#: Device states: https://docs.asterisk.org/Asterisk_22_Documentation/API_Documentation/AMI_Events/QueueMember/
_UNREACHABLE = ("4", "5")  # invalid, unavailable
_BUSY = ("2", "3", "7", "8")  # in use, busy, ringing while in use, on hold

_log = log.get("ami")


@dataclass(frozen=True, kw_only=True)
class AmiSettings:
    host: str = "127.0.0.1"
    port: int = 5038
    username: str
    password: str = field(repr=False)


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
        self._manager: Any = None
        self._expected: dict[str, asyncio.Future[AgentConnected]] = {}
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until cancelled. An AMI that is away, or refuses, is tried again."""
        backoff, told = Backoff(), ""
        while True:
            try:
                async with self._connected() as lost:
                    backoff.reset()
                    told = ""
                    _log.info("connected to AMI", extra=log.fields())
                    await self._watch(lost)
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
        connected: asyncio.Future[AgentConnected] = asyncio.get_running_loop().create_future()
        self._expected[channel] = connected
        if not self.ready.is_set():
            connected.set_exception(self._away("it is not connected"))
        try:
            yield connected
        finally:
            del self._expected[channel]
            if not connected.done():
                connected.cancel()
            elif not connected.cancelled():
                connected.exception()  # looked at, whether or not anybody waited

    # -- the connection ------------------------------------------------------------

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncio.Event]:
        """Logged in; the event is set when the connection is lost."""
        loop, lost = asyncio.get_running_loop(), asyncio.Event()
        manager = Manager(loop=loop, log=_log, ping_delay=_NEVER_S, ping_interval=_NEVER_S)
        manager.connection_lost = lambda _error: lost.set()
        manager.register_event("AgentConnect", self._on_agent_connect)
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                made = loop.create_future()
                made.set_result(
                    await loop.create_connection(
                        AMIProtocol, self._settings.host, self._settings.port
                    )
                )
                manager.connection_made(made)
                self._manager = manager
                await self._log_in()
            self.ready.set()
            yield lost
        except (OSError, TimeoutError) as error:
            raise self._away(str(error) or "no answer in time") from error
        finally:
            self.ready.clear()
            self._manager = None
            manager.close()
            for connected in self._expected.values():
                if not connected.done():
                    connected.set_exception(self._away("the connection was lost"))

    async def _log_in(self) -> None:
        (answer,) = await self._ask(
            {
                "Action": "Login",
                "Username": self._settings.username,
                "Secret": self._settings.password,
                "Events": "agent",
            }
        )
        if not answer.success:
            raise AmiUnauthorised(
                f"AMI at {self._settings.host}:{self._settings.port} refused user"
                f" {self._settings.username!r}: compare manager.conf with Kai's secret"
            )

    async def _watch(self, lost: asyncio.Event) -> None:
        """Until the connection is lost: raises AmiUnreachable."""
        while True:
            try:
                async with asyncio.timeout(PING_EVERY_S):
                    await lost.wait()
                raise self._away("Asterisk closed the connection")
            except TimeoutError:
                await self._ask({"Action": "Ping"})

    async def _ask(self, action: dict[str, str]) -> list[Any]:
        """What Asterisk answers. Raises AmiUnreachable."""
        if self._manager is None:
            raise self._away("it is not connected")
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                answer = await self._manager.send_action(action)
        except TimeoutError as error:
            raise self._away("no answer in time") from error
        return list(answer) if isinstance(answer, list) else [answer]

    def _away(self, why: str) -> AmiUnreachable:
        return AmiUnreachable(
            f"no AMI at {self._settings.host}:{self._settings.port} ({why}); is Asterisk running,"
            " and AMI enabled (manager.conf)?"
        )

    def _on_agent_connect(self, _manager: object, event: Any) -> None:
        connected = self._expected.get(event.uniqueid)
        if connected is None or connected.done():
            return
        connected.set_result(
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
