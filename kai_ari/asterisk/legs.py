"""The legs of one call: rung, whispered to, joined with the caller, ended.

ring ─> a task for each leg: ask Asterisk for its channels, give up what does not ring,
        stop what still rings once one has answered, tidy up when it is over
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from kai_ari import log
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.dispatch import CHANNEL_ROLES
from kai_ari.asterisk.errors import AriRefusal, ChannelGone, LegGone, ServerFault
from kai_ari.asterisk.left_talks import Left, LeftTalk
from kai_ari.asterisk.leg import Leg
from kai_ari.asterisk.media_transport import MediaTransport
from kai_ari.asterisk.removal import removed
from kai_ari.asterisk.ringing import Ringing
from kai_ari.asterisk.room import Room
from kai_ari.asterisk.spawn import Spawn
from kai_ari.calls.call import Arrival
from kai_ari.calls.events import EndedBy
from kai_ari.reception.legs import (
    AudioFlow,
    LegRequest,
    LegResult,
    LegSignal,
    ToNumber,
    ToQueue,
)
from kai_ari.reception.ports import MediaSession

#: A phone of the house that is there rings within milliseconds.
RING_LIMIT_S = 4.0
#: Through the telephone network the first ringing may take long: 11 s abroad, in 95 of 100 calls
#: (post-selection delay, ITU-T E.721).
OUTSIDE_RING_LIMIT_S = 12.0

_LEG_NAME = re.compile(r"[a-z0-9]{1,16}\Z")

_T = TypeVar("_T")

_log = log.get("asterisk")


@dataclass(frozen=True, kw_only=True)
class RingingOutside:
    """`shown` is the number it shows as the caller's, "" for none."""

    leg: str
    number: str
    trunk: str
    shown: str


class Legs:
    """`put` takes the legs' signals."""

    def __init__(
        self,
        arrival: Arrival,
        ari: AriClient,
        transport: MediaTransport,
        *,
        put: Callable[[LegSignal], None],
        spawn: Spawn,
    ) -> None:
        self._arrival = arrival
        self._ari = ari
        self._transport = transport
        self._put = put
        self._spawn = spawn
        self._ringing = Ringing(ari, arrival.channel)
        self._legs: dict[str, Leg] = {}
        self._rooms: dict[str, Room] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._left: Leg | None = None  # to the caller, without Kai

    # -- what reception asks for ---------------------------------------------------------

    def ring(self, request: LegRequest) -> None:
        """Raises ValueError for a name that is used, or cannot be part of an id."""
        name = request.leg
        if not _LEG_NAME.match(name) or name in self._legs:
            raise ValueError(f"{name!r} is no name for a new leg")
        leg = Leg(request, self._arrival.call, self._put)
        self._legs[name] = leg
        self._rooms[name] = Room(self._arrival.call, self._ari, self._transport, f"{name}-")
        task = self._spawn(self._carry_out(leg), name=f"leg-{self._arrival.call}-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def open_audio(self, name: str) -> MediaSession:
        channel, room = self._channel_of(name), self._rooms[name]
        session = await room.open()
        await self._of_leg(room.let_in(channel))
        return session

    async def join(self, name: str) -> None:
        """The caller comes to the leg, out of the bridge where Kai is. Raises ChannelGone, too."""
        channel, room = self._channel_of(name), self._rooms[name]
        await room.quiet()
        await room.make()
        await self._of_leg(room.let_in(channel))
        self._legs[name].joined = True
        try:
            await room.let_in(self._arrival.channel)
        except ServerFault:
            raise
        except AriRefusal as refused:
            raise ChannelGone(f"the caller has left: {refused}") from refused
        await room.close_audio()

    def part(self) -> None:
        """The caller is in a bridge of their own again."""
        for leg in self._legs.values():
            leg.parted.set()

    async def audio_flow(self, name: str) -> AudioFlow:
        self._channel_of(name)
        from_caller, from_leg = await asyncio.gather(
            self._ari.audio_packets(self._arrival.channel),
            self._of_leg(self._ari.audio_packets(self._legs[name].talking)),
        )
        return AudioFlow(from_caller=from_caller, from_leg=from_leg)

    async def hang_up(self, name: str, *, answered_elsewhere: bool) -> None:
        leg = self._legs.get(name)
        if leg is None or leg.over.is_set() or leg is self._left:
            return
        leg.answered_elsewhere = answered_elsewhere  # before the leg's own task hears of it
        leg.give_up(LegResult.CANCELLED, "by_kai")
        await self._hang_up(leg.live, answered_elsewhere=answered_elsewhere)

    @property
    def in_talk(self) -> Leg | None:
        """The leg that is with the caller now."""
        return next((leg for leg in self._legs.values() if leg.joined and leg.answered), None)

    def leave_talk(self) -> bool:
        """From now on Kai does not end the leg that is with the caller. Whether there is one."""
        self._left = self._left or self.in_talk
        return self._left is not None

    def left_talk(self, *, caller_there: bool) -> Left | None:
        if self._left is None or self._left.winner is None:
            return None
        talk = LeftTalk(
            caller=self._arrival.channel,
            leg=self._left.winner,
            bridge=self._rooms[self._left.request.leg].bridge,
        )
        there = self._left.winner in self._left.live
        return Left(talk=talk, caller_there=caller_there, person_there=there)

    async def release(self) -> None:
        """End every leg but one that was left, and wait until all that was made is gone."""
        ending = [leg for leg in self._legs.values() if leg is not self._left]
        for leg in ending:
            leg.give_up(LegResult.CANCELLED, "by_kai")
        live = [channel for leg in ending for channel in leg.live]
        await self._hang_up(live, answered_elsewhere=False)
        for leg in self._legs.values():
            leg.disturbed.set()
            leg.parted.set()
            leg.over.set()  # no event need tell any more
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    # -- what the connection does --------------------------------------------------------

    @property
    def asked(self) -> set[str]:
        """The channels that Asterisk has made for the legs and, as far as is known, has."""
        return {channel for leg in self._legs.values() for channel in leg.asked}

    def reconcile(self, *, lost: Collection[str], up: Collection[str]) -> None:
        """After a time without events: `lost` channels are gone, those `up` were answered."""
        for leg in self._legs.values():
            for channel in leg.live:
                if channel in lost:
                    leg.lose(channel, "gone_while_disconnected")
                elif channel in up:
                    leg.answer(channel)

    def ringing_outside(self) -> list[RingingOutside]:
        """The legs that ring through a trunk now."""
        return [
            RingingOutside(
                leg=leg.request.leg,
                number=leg.request.to.number,
                trunk=leg.request.to.trunk,
                shown=leg.request.shown_number,
            )
            for leg in self._legs.values()
            if isinstance(leg.request.to, ToNumber) and not leg.decided.is_set()
        ]

    async def give_up(self, name: str, result: LegResult, reason: str) -> None:
        leg = self._legs[name]
        leg.give_up(result, reason)
        await self._hang_up(leg.live, answered_elsewhere=False)

    # -- what Asterisk says --------------------------------------------------------------

    def on_event(self, event: Mapping[str, Any]) -> None:
        if "replace_channel" in event:
            for leg in self._legs.values():
                if leg.owns(event["replace_channel"]["id"]):
                    leg.replaced(event["channel"]["id"])
            return
        for role in CHANNEL_ROLES:
            channel = event.get(role, {}).get("id", "")
            for leg in self._legs.values():
                if leg.owns(channel):
                    leg.on_event(channel, event)
                    return
        for room in self._rooms.values():
            room.on_event(event)

    # -- one leg -------------------------------------------------------------------------

    async def _carry_out(self, leg: Leg) -> None:
        name = leg.request.leg
        try:
            await self._ringing.ask_for(leg)
            leg.all_asked()
            await self._until_ringing(leg)
            await leg.decided.wait()
            elsewhere = leg.winner is not None or leg.answered_elsewhere
            await self._hang_up(leg.superfluous, answered_elsewhere=elsewhere)
            await leg.disturbed.wait()
            await self._hang_up(leg.superfluous, answered_elsewhere=False)
            await leg.over.wait()
        except Exception:  # noqa: BLE001 - one leg's failure never touches another
            _log.exception("a leg failed", extra=log.fields(leg=name))
            leg.give_up(LegResult.FAILED, "fault_in_kai", by=EndedBy.FAULT)
            await self._hang_up(leg.live, answered_elsewhere=False)
            for channel in leg.live:
                leg.lose(channel, "fault_in_kai")
        finally:
            if leg.joined:  # a bridge destroyed under the caller may take them from the next one
                await leg.parted.wait()
            if leg is not self._left:
                await self._rooms[name].remove()

    async def _until_ringing(self, leg: Leg) -> None:
        if isinstance(leg.request.to, ToQueue):
            return
        outside = isinstance(leg.request.to, ToNumber)
        try:
            async with asyncio.timeout(OUTSIDE_RING_LIMIT_S if outside else RING_LIMIT_S):
                await leg.due.wait()
        except TimeoutError:
            leg.give_up(LegResult.UNREACHABLE, "never_rang")

    async def _hang_up(self, channels: list[str], *, answered_elsewhere: bool) -> None:
        reason = "answered_elsewhere" if answered_elsewhere else "normal"
        await asyncio.gather(*(removed(self._ari.hang_up(each, reason)) for each in channels))

    def _channel_of(self, name: str) -> str:
        leg = self._legs.get(name)
        if leg is None or leg.winner is None or not leg.answered:
            raise LegGone(f"the leg {name} has ended, or was not answered")
        return leg.winner

    async def _of_leg(self, request: Awaitable[_T]) -> _T:
        """A request refused because of the leg's channel means that the leg has gone."""
        try:
            return await request
        except ServerFault:
            raise
        except AriRefusal as refused:
            raise LegGone(f"the leg has gone: {refused}") from refused
