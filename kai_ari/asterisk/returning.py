"""A mobile that forwards to Kai's own number brings Kai's leg back as a new caller.

Two things tell it from any other call. The forwarding phone's number, where the network sends it
(Diversion or History-Info, which Asterisk shows as REDIRECTING): it is the number being rung.
Else who is shown as calling: networks keep the first caller's number, and that caller is with
Kai already, while a leg that shows their number rings outside.
"""

from collections.abc import Collection
from typing import Protocol

from kai_ari import log
from kai_ari.asterisk.arrivals import Normalise
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.legs import RingingOutside
from kai_ari.asterisk.removal import removed
from kai_ari.calls.call import Arrival
from kai_ari.reception.legs import LegResult

FORWARDS_TO_KAI = "forwards_to_kai"

_log = log.get("asterisk")


class Rings(Protocol):
    """The legs of another call, or a call that Kai makes."""

    def ringing_outside(self) -> list[RingingOutside]: ...

    async def give_up(self, name: str, result: LegResult, reason: str, /) -> None: ...


async def turned_back(
    ari: AriClient, arrival: Arrival, others: Collection[Rings], normalise: Normalise
) -> bool:
    """Refuse a call that is a leg of another call's coming back, and give that leg up."""
    ringing = [(legs, outside) for legs in others for outside in legs.ringing_outside()]
    if not ringing or arrival.reclaimed:
        return False
    forwarder = await ari.read_variable(arrival.channel, "REDIRECTING(from-num)")
    for legs, outside in ringing:
        by_forwarder = forwarder and _same(normalise, forwarder, outside.number)
        by_caller = outside.shown and _same(normalise, arrival.caller_raw, outside.shown)
        if by_forwarder or by_caller:
            _log.warning("a phone forwards to Kai itself", extra=log.fields(leg=outside.leg))
            await removed(ari.hang_up(arrival.channel, "busy"))
            await legs.give_up(outside.leg, LegResult.UNREACHABLE, FORWARDS_TO_KAI)
            return True
    return False


def _same(normalise: Normalise, one: str, other: str) -> bool:
    number = normalise(one)
    return number is not None and number == normalise(other)
