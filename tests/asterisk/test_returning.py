"""Who is called back and forwards to the business brings Kai to Kai: it does not answer itself."""

import asyncio
from typing import Any, cast

import pytest

from kai_ari.asterisk.outbound import Outbound, Placing
from kai_ari.asterisk.returning import turned_back
from kai_ari.calls.call import Arrival, CallId
from kai_ari.calls.numbers import normalise_number
from kai_ari.reception.legs import ToNumber

CALLEE, KAI = "+12125550142", "+12125550100"


class Ari:
    def __init__(self, forwarder: str) -> None:
        self.forwarder = forwarder
        self.hung_up: list[str] = []

    async def read_variable(self, *_: str) -> str:
        return self.forwarder

    async def hang_up(self, channel: str, *_: str) -> None:
        self.hung_up.append(channel)


@pytest.mark.parametrize(
    ("shown", "forwarder", "back"),
    [(KAI, "", True), ("+12125550177", CALLEE, True), ("+12125550177", "", False)],
    ids=["by its own number", "by who forwards", "somebody else"],
)
def test_a_call_back_that_comes_back_is_given_up(shown: str, forwarder: str, back: bool) -> None:
    async def scene() -> None:
        ari = cast(Any, Ari(forwarder))
        to = ToNumber(number=CALLEE, trunk="line")
        outbound = Outbound(Placing(call=CallId("a" * 12), to=to, ring_s=20, shown_number=KAI), ari)
        arrival = Arrival(
            call=CallId("b" * 12),
            channel="in",
            did=KAI,
            caller_raw=shown,
            caller_name="",
            caller_number=shown,
        )
        found = await turned_back(ari, arrival, [outbound], lambda n: normalise_number(n, "US"))
        assert found is back
        assert ari.hung_up == (["in"] if back else [])
        assert bool(outbound.ringing_outside()) is not back

    asyncio.run(scene())
