"""Asking Asterisk for the channels of a leg."""

import asyncio

from kai_ari import log
from kai_ari.asterisk import dialling
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.errors import ServerFault
from kai_ari.asterisk.leg import Leg
from kai_ari.asterisk.leg_causes import Ending, not_made
from kai_ari.asterisk.removal import removed
from kai_ari.errors import AsteriskError
from kai_ari.reception.legs import Destination, LegResult, ToNumber, ToPhone, ToQueue

#: A channel is in our app within milliseconds of being made.
ENTERING_LIMIT_S = 5.0

#: One figure in a channel's id, and more than any person answers.
MAX_PHONES = 9

_log = log.get("asterisk")


class Ringing:
    """`caller` is the channel of the caller for whom the legs are."""

    def __init__(self, ari: AriClient, caller: str) -> None:
        self._ari = ari
        self._caller = caller

    async def ask_for(self, leg: Leg) -> None:
        """Ring all of the leg's phones; what cannot be rung is told to the leg."""
        try:
            endpoints = await self.endpoints(leg.request.to)
        except AsteriskError as error:
            _not_rung(leg, leg.new_branch(), error.code, error)
            return
        if not endpoints:
            leg.not_made(leg.new_branch(), not_made(outside=False))
            return
        asked = [(leg.new_branch(), endpoint) for endpoint in endpoints]
        ring = self._queue if isinstance(leg.request.to, ToQueue) else self._ring
        await asyncio.gather(*(ring(leg, *branch) for branch in asked))

    async def endpoints(self, to: Destination) -> list[str]:
        """A dial string for each phone there is; none for one not registered. Raises Undialable."""
        if not isinstance(to, ToPhone):
            return [dialling.dial_string(to)]
        variable = dialling.contacts_variable(to)
        try:
            value = await self._ari.read_variable(self._caller, variable)
        except ServerFault:  # Asterisk has no such endpoint
            return []
        return dialling.contacts(to, value)[:MAX_PHONES]

    async def _ring(self, leg: Leg, channel: str, endpoint: str) -> None:
        """Made in our app and dialled there, a phone that forwards (302) only ends its leg.

        Originated, it makes Asterisk dial what it names: any channel, a trunk's too.
        """
        request = leg.request
        try:
            await self._ari.create(
                channel,
                endpoint,
                formats=dialling.FORMATS,
                variables=dialling.variables(request, self._ari.app),
            )
        except ServerFault:  # of a trunk that does not answer, or an endpoint that is unknown
            leg.not_made(channel, not_made(outside=isinstance(request.to, ToNumber)))
            return
        except AsteriskError as error:
            _not_rung(leg, channel, error.code, error)
            return
        leg.made(channel)
        try:
            async with asyncio.timeout(ENTERING_LIMIT_S):
                wanted = await leg.may_dial(channel)
            if wanted:
                await self._ari.dial(channel, ring_s=max(1, request.ring_s))
        except (AsteriskError, TimeoutError) as error:
            await removed(self._ari.hang_up(channel))
            _not_rung(leg, channel, "not_dialled", error)

    async def _queue(self, leg: Leg, channel: str, endpoint: str) -> None:
        """A Local leg has no 302 of its own, and the queue lets no member's phone forward."""
        try:
            await self._ari.originate(
                channel,
                endpoint,
                ring_s=max(1, leg.request.ring_s),
                caller_id=dialling.caller_id(leg.request),
                other_channel=leg.waiting,
                formats=dialling.FORMATS,
                variables=dialling.variables(leg.request, self._ari.app),
            )
            leg.made(channel)
        except AsteriskError as error:
            _not_rung(leg, channel, error.code, error)


def _not_rung(leg: Leg, channel: str, reason: str, error: Exception) -> None:
    _log.warning("a leg was not rung", extra=log.fields(error=str(error) or type(error).__name__))
    leg.not_made(channel, Ending(result=LegResult.FAILED, reason=reason))
