"""A call that Kai makes and cannot carry out is lost by itself; no Asterisk is needed."""

import asyncio
from typing import Any, cast

import pytest

from kai_ari.asterisk.dispatch import Switchboard
from kai_ari.asterisk.outbound import Placing, first_channel
from kai_ari.asterisk.outbound_calls import OutboundCalls
from kai_ari.calls.call import Arrival, CallId
from kai_ari.reception.legs import LegResult, ToNumber, ToPhone

CALL = CallId("a" * 12)
ARRIVAL = Arrival(
    call=CALL,
    channel=first_channel(CALL),
    did="",
    caller_raw="",
    caller_name="",
    caller_number=None,
)


class Broken:
    """An ARI client with a defect."""

    app = "kai"

    async def create(self, *_: object, **__: object) -> None:
        raise ValueError("nobody foresaw this")

    async def hang_up(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    "to",
    [ToNumber(number="+12125550142", trunk="line"), ToPhone(extension="101")],
    ids=["a number", "a phone"],
)
async def test_a_defect_while_it_rings_loses_this_call_and_no_other(
    to: ToNumber | ToPhone, caplog: pytest.LogCaptureFixture
) -> None:
    over = asyncio.Event()

    async def another_call() -> None:
        await over.wait()

    async def serve(*_: object) -> None:
        raise AssertionError("nobody was reached")

    switchboard = Switchboard()
    async with asyncio.TaskGroup() as calls:  # as in `Asterisk.run`
        other = calls.create_task(another_call())
        transport, ari = cast(Any, None), cast(Any, Broken())
        outbound = OutboundCalls(ari, transport, switchboard, calls.create_task, serve)
        placed = await outbound.place(Placing(call=CALL, to=to, ring_s=5), ARRIVAL, serve)
        assert not other.done()
        over.set()
    assert placed.ended is not None
    assert (placed.ended.result, placed.ended.reason) == (LegResult.FAILED, "fault_in_kai")
    assert placed.uncertain  # it may have rung: an attempt that counts
    assert not switchboard.knows(ARRIVAL.channel)
    assert "nobody foresaw this" in caplog.text
