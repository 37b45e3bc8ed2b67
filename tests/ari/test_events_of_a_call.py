"""What a call makes of its events, fed as Asterisk sends them; no Asterisk needed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kai_ari.asterisk.client import AriClient, AriSettings
from kai_ari.asterisk.dispatch import SIGNAL_LIMIT, SignalQueue, Switchboard
from kai_ari.asterisk.errors import LegGone
from kai_ari.asterisk.live_call import AriCall
from kai_ari.calls.call import Arrival, CallId, own_id
from kai_ari.calls.events import EndedBy
from kai_ari.media.chan_websocket import ChanWebSocket
from kai_ari.reception.ports import CallerGone, Key, Signal

CALLS = (CallId("0000000000aa"), CallId("0000000000bb"))


@pytest.fixture
async def calls() -> AsyncIterator[list[AriCall]]:
    settings = AriSettings(url="http://127.0.0.1:9/ari", username="u", password="p", app="kai")
    async with AriClient(settings) as ari, ChanWebSocket(settings.url) as transport:
        spawn = asyncio.get_running_loop().create_task
        yield [AriCall(arrival(call), ari, transport, spawn) for call in CALLS]


@pytest.fixture
def switchboard(calls: list[AriCall]) -> Switchboard:
    board = Switchboard()
    for call in calls:
        board.add(call.arrival.call, call.arrival.channel, call)
    return board


def arrival(call: CallId) -> Arrival:
    return Arrival(
        call=call,
        channel=f"channel-of-{call}",
        did="100",
        caller_raw="",
        caller_name="",
        caller_number=None,
    )


def on_caller(call: CallId, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "channel": {"id": f"channel-of-{call}"}, **more}


def key(call: CallId, digit: str, at_ms: int = 0) -> dict[str, Any]:
    """As Asterisk tells it: `at_ms` is when the press was over; it lasted 100 ms."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    timestamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0000"
    return on_caller(call, "ChannelDtmfReceived", digit=digit, timestamp=timestamp, duration_ms=100)


async def signals(call: AriCall) -> list[Signal]:
    return [signal async for signal in call.signals()]


async def test_events_reach_their_own_call_in_order(
    calls: list[AriCall], switchboard: Switchboard
) -> None:
    for place, digit in enumerate("1234"):
        assert switchboard.deliver(key(CALLS[place % 2], digit))
    for call in CALLS:
        switchboard.deliver(on_caller(call, "ChannelHangupRequest"))
    assert [s.key for s in await signals(calls[0]) if isinstance(s, Key)] == ["1", "3"]
    assert [s.key for s in await signals(calls[1]) if isinstance(s, Key)] == ["2", "4"]


async def test_an_event_that_comes_twice_counts_once(
    calls: list[AriCall], switchboard: Switchboard
) -> None:
    for event in (
        key(CALLS[0], "5", 1_000),
        key(CALLS[0], "5", 2_000),
        on_caller(CALLS[0], "ChannelHangupRequest"),
        on_caller(CALLS[0], "StasisEnd"),
    ):
        switchboard.deliver(event)
        switchboard.deliver(event)
    heard = await signals(calls[0])
    assert [type(signal) for signal in heard] == [Key, Key, CallerGone]
    assert heard[-1] == CallerGone(by=EndedBy.CALLER, cause=None, reason="hung_up")


async def test_a_key_that_asterisk_defers_and_tells_again_counts_once(
    calls: list[AriCall], switchboard: Switchboard
) -> None:
    """Instants as Asterisk told them of a phone that dials 5550199 with gaps of 40 ms."""
    told = {0: "5", 140: "5", 281: "5", 301: "5", 420: "0", 446: "0", 560: "1", 591: "1"}
    told |= {701: "9", 736: "9", 840: "9", 882: "9"}
    for at_ms, digit in told.items():
        switchboard.deliver(key(CALLS[0], digit, at_ms))
    switchboard.deliver(on_caller(CALLS[0], "ChannelHangupRequest"))
    heard = [signal.key for signal in await signals(calls[0]) if isinstance(signal, Key)]
    assert "".join(heard) == "5550199"


async def test_a_channel_taken_away_without_a_hang_up_is_the_networks_doing(
    calls: list[AriCall], switchboard: Switchboard
) -> None:
    switchboard.deliver(on_caller(CALLS[0], "StasisEnd"))
    gone = (await signals(calls[0]))[-1]
    assert gone == CallerGone(by=EndedBy.NETWORK, cause=None, reason="taken_away")


async def test_a_call_that_does_not_listen_loses_itself_and_no_other(
    calls: list[AriCall], switchboard: Switchboard
) -> None:
    for press in range(SIGNAL_LIMIT + 10):
        switchboard.deliver(key(CALLS[0], "1", press * 1_000))
    switchboard.deliver(key(CALLS[1], "2"))
    switchboard.deliver(on_caller(CALLS[1], "ChannelHangupRequest"))
    lost, kept = [await signals(call) for call in calls]
    assert len(lost) == SIGNAL_LIMIT + 1
    assert lost[-1] == CallerGone(by=EndedBy.FAULT, cause=None, reason="event_queue_overflow")
    assert kept[0] == Key(key="2")


async def test_the_end_of_a_call_fits_into_a_full_queue() -> None:
    queue = SignalQueue(limit=2)
    gone = CallerGone(by=EndedBy.CALLER, cause=None, reason="hung_up")
    for signal in (Key(key="1"), Key(key="2"), gone, Key(key="3")):
        queue.put(signal)
    assert [signal async for signal in queue] == [Key(key="1"), Key(key="2"), gone]


async def test_an_event_that_a_call_cannot_take_in_hurts_no_other(
    calls: list[AriCall], switchboard: Switchboard, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {"type": "ChannelDtmfReceived", "channel": {"id": f"channel-of-{CALLS[0]}"}}
    assert switchboard.deliver(broken)
    assert "an event was not taken in" in caplog.messages
    assert switchboard.deliver(key(CALLS[1], "1"))
    assert switchboard.deliver(on_caller(CALLS[1], "ChannelHangupRequest"))
    assert (await signals(calls[1]))[0] == Key(key="1")


def test_events_of_nobody_are_left_to_the_connection(switchboard: Switchboard) -> None:
    stranger = own_id(CallId("0000000000cc"), "media")
    assert not switchboard.deliver({"type": "StasisStart", "channel": {"id": "1700000000.1"}})
    assert not switchboard.deliver({"type": "StasisStart", "channel": {"id": stranger}})
    assert not switchboard.deliver({"type": "BridgeCreated", "bridge": {"id": stranger}})


async def test_a_caller_is_put_into_the_bridge_only_when_they_are_out_of_it(
    calls: list[AriCall], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in: list[tuple[str, ...]] = []

    async def add(_: AriClient, bridge: str, *channels: str) -> None:
        let_in.append((bridge, *channels))

    monkeypatch.setattr(AriClient, "add_to_bridge", add)
    await calls[0].rejoin()
    await calls[0].rejoin()
    await calls[0].part()
    assert let_in == [(own_id(CALLS[0], "bridge"), f"channel-of-{CALLS[0]}")]
    with pytest.raises(LegGone):
        await calls[0].join("leg1")  # which may have taken them out
    await calls[0].part()
    assert len(let_in) == 2
