"""Who is called back and forwards to the business brings Kai to Kai: it does not answer itself."""

import asyncio
from typing import Any, cast

import pytest

from kai_ari.asterisk.errors import AriUnreachable
from kai_ari.asterisk.outbound import Outbound, Placing
from kai_ari.asterisk.returning import turn_back
from kai_ari.calls.call import Arrival, CallId
from kai_ari.calls.numbers import normalise_number
from kai_ari.reception.legs import ToNumber

CALLEE, KAI = "+12125550142", "+12125550100"


class Ari:
    def __init__(self, forwarder: str = "", name: str | None = None) -> None:
        """Without a name, no answer comes."""
        self.variables = (
            {} if name is None else {"REDIRECTING(from-num)": forwarder, "CHANNEL(name)": name}
        )

    async def read_variable(self, _: str, variable: str) -> str:
        if not self.variables:
            raise AriUnreachable("no answer")
        return self.variables[variable]

    async def hang_up(self, *_: str) -> None:
        pass


class Incoming:
    def __init__(self, shown: str) -> None:
        self.turned_away: list[str] = []
        self.arrival = Arrival(
            call=CallId("b" * 12),
            channel="in",
            did=KAI,
            caller_raw=shown,
            caller_name="",
            caller_number=shown,
        )

    async def turn_away(self, reason: str) -> None:
        self.turned_away.append(reason)


@pytest.mark.parametrize(
    ("shown", "forwarder", "name", "back"),
    [
        (KAI, "", "PJSIP/line-00000001", True),
        (KAI, "", "PJSIP/line-2-00000001", False),
        (KAI, "", "Local/line@phones-00000001;2", False),
        (KAI, "", "", False),
        ("+12125550177", CALLEE, "PJSIP/other-00000001", True),
        ("+12125550177", "", "PJSIP/line-00000001", False),
    ],
    ids=[
        *("by its own number", "on another trunk", "on no trunk", "gone meanwhile"),
        *("by who forwards", "somebody else"),
    ],
)
def test_a_call_back_that_comes_back_is_given_up(
    shown: str, forwarder: str, name: str, back: bool
) -> None:
    async def scene() -> None:
        ari = cast(Any, Ari(forwarder, name))
        to = ToNumber(number=CALLEE, trunk="line")
        outbound = Outbound(Placing(call=CallId("a" * 12), to=to, ring_s=20, shown_number=KAI), ari)
        call = Incoming(shown)
        await turn_back(ari, call, [outbound], lambda n: normalise_number(n, "US"))
        assert call.turned_away == (["forwarded_back"] if back else [])
        assert bool(outbound.ringing_outside()) is not back

    asyncio.run(scene())


async def test_a_caller_who_cannot_be_told_apart_is_served() -> None:
    ari = cast(Any, Ari())
    to = ToNumber(number=CALLEE, trunk="line")
    outbound = Outbound(Placing(call=CallId("a" * 12), to=to, ring_s=20, shown_number=KAI), ari)
    call = Incoming(KAI)
    await turn_back(ari, call, [outbound], lambda n: normalise_number(n, "US"))
    assert not call.turned_away
    assert outbound.ringing_outside()
