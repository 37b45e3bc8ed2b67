"""A call that Kai makes, until a person or a machine is there.

    ringing ──answered──> AMD() in the dialplan ──> back in our app: a call like any other
       └──────────────────────┴── over

It is made in our app and dialled there, with a time limit of Asterisk's own: when the agent
dies, nothing rings on, and the dialplan hangs up whom it listens to.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kai_ari import log
from kai_ari.asterisk import dialling
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.dispatch import CHANNEL_ROLES
from kai_ari.asterisk.errors import ServerFault
from kai_ari.asterisk.leg import Leg
from kai_ari.asterisk.legs import OUTSIDE_RING_LIMIT_S, RING_LIMIT_S, RingingOutside
from kai_ari.asterisk.removal import removed
from kai_ari.asterisk.ringing import Ringing
from kai_ari.calls.call import CallId, own_id
from kai_ari.reception.legs import (
    Destination,
    LegEnded,
    LegRequest,
    LegResult,
    LegSignal,
    ToNumber,
    ToPhone,
)

#: Where AMD() listens, what comes back from it, and whether it waits for a machine's tone.
AMD_CONTEXT = "amd"
AMD_ARGUMENT = "amd"
MACHINE_WORDS = "MACHINE_WORDS"
#: AMD takes at most 5 s and the waiting for the end of a machine's greeting 40 s (extensions.conf).
LISTEN_LIMIT_S = 60.0

#: Where Asterisk itself ends the call, whatever has become of Kai: what a call may cost at most is
#: reckoned by it (`permission.Rules.longest`).
LONGEST_S = 3600

_CALLEE = "callee"

_log = log.get("asterisk")


@dataclass(frozen=True, kw_only=True)
class Placing:
    """A call to be made. `call` is its own id. `detect`: tell a person from a machine first, and
    with `machine_words` wait until the machine has done speaking."""

    call: CallId
    to: Destination
    ring_s: int
    shown_number: str = ""
    shown_name: str = ""
    detect: bool = True
    machine_words: bool = False


@dataclass(frozen=True, kw_only=True)
class Placed:
    """`ended` tells why nobody was reached, None when somebody or something was. `uncertain`: it
    may have been. `machine`: by what AMD() says, whose reason is `why`."""

    ended: LegEnded | None
    uncertain: bool = False
    machine: bool = False
    why: str = ""


def first_channel(call: CallId) -> str:
    """The channel that a call is made by, or the first of them."""
    return own_id(call, f"{_CALLEE}-1")


def is_outbound(channel: str) -> bool:
    """Whether Kai has called whoever is at this channel, for no caller's sake."""
    return f"-{_CALLEE}-" in channel


class Outbound:
    """Implements `Receiver` until the call is answered, and known to be a person's or not."""

    def __init__(self, placing: Placing, ari: AriClient) -> None:
        self.placing = placing
        self.channel = ""  # of whoever has answered
        self._ari = ari
        self._leg = Leg(
            LegRequest(
                leg=_CALLEE,
                to=placing.to,
                ring_s=placing.ring_s,
                shown_number=placing.shown_number,
                shown_name=placing.shown_name,
            ),
            placing.call,
            self._note,
        )
        self._ended: LegEnded | None = None
        self._over = asyncio.Event()
        self._lost = False
        self._listening = False
        self._verdict: tuple[str, ...] | None = None

    async def reach(self) -> Placed:
        """Ring, and listen who answers. Raises AsteriskError when that cannot be told."""
        await self._ring()
        if self._ended is None and self.placing.detect:
            await self._listen()
        return self.result

    @property
    def result(self) -> Placed:
        """What is known by now."""
        if self._ended is not None:
            return Placed(ended=self._ended, uncertain=self._lost)
        status, cause = ((*self._verdict, "", "") if self._verdict else ("", ""))[:2]
        # Who says nothing at all may well be a person: they are spoken to.
        machine = status == "MACHINE" and not cause.startswith("INITIALSILENCE")
        return Placed(ended=None, machine=machine, why=cause)

    async def _ring(self) -> None:
        leg, outside = self._leg, isinstance(self.placing.to, ToNumber)
        await self._ask_for(leg)
        leg.all_asked()
        try:
            async with asyncio.timeout(OUTSIDE_RING_LIMIT_S if outside else RING_LIMIT_S):
                await leg.due.wait()
        except TimeoutError:
            leg.give_up(LegResult.UNREACHABLE, "never_rang")
        await leg.decided.wait()
        await self._hang_up(leg.superfluous)
        if leg.winner is None or not leg.answered:
            await self._over.wait()
            return
        self.channel = leg.winner
        await self._ari.set_variable(self.channel, "TIMEOUT(absolute)", str(LONGEST_S))

    async def _ask_for(self, leg: Leg) -> None:
        """Asterisk tells which phones are registered only to a channel: for the asking there is
        one that is never dialled."""
        asking = own_id(self.placing.call, "asking")
        if isinstance(self.placing.to, ToPhone):
            await self._make(asking, dialling.dial_string(self.placing.to))
        await Ringing(self._ari, asking).ask_for(leg)
        if isinstance(self.placing.to, ToPhone):
            await removed(self._ari.hang_up(asking))

    async def _make(self, channel: str, endpoint: str) -> None:
        try:
            await self._ari.create(channel, endpoint, formats=dialling.FORMATS, variables={})
        except ServerFault:
            _log.debug("no phone is registered", extra=log.fields())

    async def _listen(self) -> None:
        words = "yes" if self.placing.machine_words else "no"
        await self._ari.set_variable(self.channel, MACHINE_WORDS, words)
        await self._ari.subscribe(self.channel)  # else nothing is told of it out of our app
        self._listening = True
        await self._ari.continue_in_dialplan(self.channel, AMD_CONTEXT)
        try:
            async with asyncio.timeout(LISTEN_LIMIT_S):
                await self._over.wait()
        except TimeoutError:
            self.lose("not_told_by_amd")

    def lose(self, reason: str) -> None:
        """Nothing is told of the call any more: what became of it is not known."""
        self._lost = self._ended is None
        self._end(LegResult.FAILED, reason)

    def ringing_outside(self) -> list[RingingOutside]:
        """The call itself, while it rings through a trunk."""
        to, shown = self.placing.to, self.placing.shown_number
        if not isinstance(to, ToNumber) or self._leg.decided.is_set():
            return []
        return [RingingOutside(leg=_CALLEE, number=to.number, trunk=to.trunk, shown=shown)]

    async def give_up(self, _leg: str, result: LegResult, reason: str) -> None:
        self._leg.give_up(result, reason)
        await self._hang_up(self._leg.live)

    async def release(self) -> None:
        """Hang up whatever was not handed on. Idempotent; never raises AsteriskError."""
        self._leg.give_up(LegResult.CANCELLED, "by_kai")
        await self._hang_up(self._leg.live)

    async def _hang_up(self, channels: list[str]) -> None:
        await asyncio.gather(*(removed(self._ari.hang_up(each)) for each in channels))

    # -- what Asterisk says ----------------------------------------------------------

    def on_event(self, event: Mapping[str, Any]) -> None:
        if "replace_channel" in event:
            if self._leg.owns(event["replace_channel"]["id"]):
                self._leg.replaced(event["channel"]["id"])
            return
        for role in CHANNEL_ROLES:
            channel = event.get(role, {}).get("id", "")
            if self._listening and channel == self.channel:
                self._on_listening(event)
                return
            if self._leg.owns(channel):
                self._leg.on_event(channel, event)
                return

    def _on_listening(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "StasisStart" if event["args"][:1] == [AMD_ARGUMENT]:
                self._verdict = tuple(event["args"][1:])
                self._over.set()
            case "ChannelDestroyed":
                self._end(LegResult.DROPPED, "hung_up", event.get("cause") or None)

    def _note(self, signal: LegSignal) -> None:
        if isinstance(signal, LegEnded):
            self._ended = self._ended or signal
            self._over.set()

    def _end(self, result: LegResult, reason: str, cause: int | None = None) -> None:
        self._note(LegEnded(leg=_CALLEE, result=result, cause=cause, sip=None, reason=reason))
        self._leg.give_up(result, reason)
