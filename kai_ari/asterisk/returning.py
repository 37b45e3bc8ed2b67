"""A mobile that forwards to Kai's own number brings Kai's leg back as a new caller.

Two things tell it from any other call. The forwarding phone's number, where the network sends it
(Diversion or History-Info, which Asterisk shows as REDIRECTING): it is the number being rung.
Else who is shown as calling, on the very trunk that the leg went out by: networks keep the first
caller's number, and that caller is with Kai already, while a leg that shows their number rings.

The second may still be wrong: everybody who calls from a firm may show one number. So whoever is
turned away is on record as a call of their own.
"""

from collections.abc import Collection
from typing import Protocol

from kai_ari import log
from kai_ari.asterisk.arrivals import Normalise
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.legs import RingingOutside
from kai_ari.calls.call import Arrival
from kai_ari.errors import AsteriskError
from kai_ari.reception.legs import LegResult

#: Why the leg was given up, and why the call that it came back as ended.
FORWARDS_TO_KAI = "forwards_to_kai"
FORWARDED_BACK = "forwarded_back"

_log = log.get("asterisk")


class Incoming(Protocol):
    """The call that has come in."""

    arrival: Arrival

    async def turn_away(self, reason: str) -> None: ...


class Rings(Protocol):
    """The legs of another call, or a call that Kai makes."""

    def ringing_outside(self) -> list[RingingOutside]: ...

    async def give_up(self, name: str, result: LegResult, reason: str, /) -> None: ...


async def turn_back(
    ari: AriClient, call: Incoming, others: Collection[Rings], normalise: Normalise
) -> None:
    """Turn a call away that is a leg of another call's coming back, and give that leg up."""
    ringing = [(legs, outside) for legs in others for outside in legs.ringing_outside()]
    arrival = call.arrival
    if not ringing or arrival.reclaimed:
        return
    try:
        forwarder = await ari.read_variable(arrival.channel, "REDIRECTING(from-num)")
        name = await ari.read_variable(arrival.channel, "CHANNEL(name)")
    except AsteriskError as error:  # whoever cannot be told apart is a caller
        _log.warning("not known whether a call comes back", extra=log.fields(error=str(error)))
        return
    came_by = name.rpartition("-")[0]  # such as PJSIP/trunk-0000002a
    for legs, outside in ringing:
        by_forwarder = forwarder and _same(normalise, forwarder, outside.number)
        same_trunk = came_by == f"PJSIP/{outside.trunk}"
        by_caller = outside.shown and _same(normalise, arrival.caller_raw, outside.shown)
        if by_forwarder or (same_trunk and by_caller):
            _log.warning("a phone forwards to Kai itself", extra=log.fields(leg=outside.leg))
            await call.turn_away(FORWARDED_BACK)
            await legs.give_up(outside.leg, LegResult.UNREACHABLE, FORWARDS_TO_KAI)
            return


def _same(normalise: Normalise, one: str, other: str) -> bool:
    number = normalise(one)
    return number is not None and number == normalise(other)
