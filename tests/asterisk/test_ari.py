"""The connection to a real Asterisk: what is asked of it, and how it comes and goes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.connection import Asterisk
from kai_ari.asterisk.errors import AriUnauthorised
from kai_ari.asterisk.operations import OPERATIONS, Operation
from kai_ari.calls.call import CallId, own_id
from kai_ari.calls.events import EndedBy
from kai_ari.clock import SystemClock
from kai_ari.media.chan_websocket import ChanWebSocket
from kai_ari.reception.ports import (
    CallerGone,
    RecordingBroken,
    RecordingDone,
)
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.ports import PbxError
from tests.asterisk.agent import (
    PHONE,
    Caught,
    Wire,
    agent,
    converse,
    cut_off,
    ending,
    first,
    nothing_left,
    phone_at,
    settings_of,
    tone,
)

DEAD_CALL = CallId("0000000000aa")


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(phones=[PHONE]) as pbx:
        yield pbx


@pytest.fixture
async def ari(pbx: LocalAsterisk) -> AsyncIterator[AriClient]:
    async with AriClient(settings_of(pbx)) as client:
        yield client


# -- requests ----------------------------------------------------------------------


async def described(pbx: LocalAsterisk) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation the running Asterisk describes, by method and path."""
    listing = await pbx.ari("GET", "api-docs/resources.json")
    found = {}
    for entry in listing["apis"]:
        document = await pbx.ari("GET", entry["path"].removeprefix("/").format(format="json"))
        for api in document["apis"]:
            for operation in api["operations"]:
                found[operation["httpMethod"], api["path"]] = operation
    return found


def complaints(operation: Operation, description: dict[str, Any] | None) -> list[str]:
    if description is None:
        return ["is not there"]
    parameters = description.get("parameters", [])
    known = {p["name"] for p in parameters if p["paramType"] == "query"}
    required = {p["name"] for p in parameters if p["paramType"] == "query" and p["required"]}
    in_path = {p["name"] for p in parameters if p["paramType"] == "path"}
    return [
        *(f"has no parameter {name}" for name in operation.query - known),
        *(f"requires {name}" for name in required - operation.query),
        *(f"wants {name} in its path" for name in in_path if f"{{{name}}}" not in operation.path),
    ]


async def test_each_operation_is_as_the_running_asterisk_describes_it(pbx: LocalAsterisk) -> None:
    descriptions = await described(pbx)
    wrong = {
        f"{operation.method} {operation.path}": complaint
        for operation in OPERATIONS
        if (
            complaint := complaints(operation, descriptions.get((operation.method, operation.path)))
        )
    }
    assert len(OPERATIONS) > 15
    assert wrong == {}


async def test_a_wrong_password_is_named_and_not_retried(pbx: LocalAsterisk) -> None:
    settings = replace(settings_of(pbx), password="wrong-one")
    async with ChanWebSocket(pbx.ari_url) as transport:
        asterisk = Asterisk(settings, transport, clock=SystemClock(), normalise=str)
        with pytest.raises(AriUnauthorised, match="wrong ARI user or password") as refused:
            await asterisk.run(Caught())
    assert "wrong-one" not in str(refused.value)


# -- Asterisk comes and goes -------------------------------------------------------


async def test_an_asterisk_that_is_away_is_waited_for(pbx: LocalAsterisk) -> None:
    await pbx.kill()
    caught = Caught()
    async with ChanWebSocket(pbx.ari_url) as transport:
        asterisk = Asterisk(settings_of(pbx), transport, clock=SystemClock(), normalise=str)
        running = asyncio.create_task(asterisk.run(caught))
        await pbx.start()
        await first(asterisk.ready.wait(), running)
        asterisk.stop()
        await running


async def test_a_restart_of_asterisk_ends_its_calls_and_the_next_come_in(
    pbx: LocalAsterisk,
) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        async with phone_at(pbx) as phone:
            await phone.dial("100")
            call = await caught.next()
            media = await converse(call)
            await pbx.kill()
            async for _ in media.frames():
                pass  # they end with the socket
            await pbx.start()
            gone = await ending(call)
            caught.let_go(call)
        assert (gone.by, gone.reason) == (EndedBy.NETWORK, "gone_while_disconnected")
        async with phone_at(pbx) as phone:
            line = await phone.dial("100")
            again = await caught.next()
            await converse(again)
            await line.hang_up()
            assert (await ending(again)).by is EndedBy.CALLER
            caught.let_go(again)
            await nothing_left(pbx)


async def test_a_call_that_outlives_the_event_socket_goes_on(pbx: LocalAsterisk) -> None:
    caught = Caught()
    async with (
        Wire(pbx) as wire,
        agent(pbx, caught, ari_url=wire.ari_url) as asterisk,
        phone_at(pbx) as phone,
    ):
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await line.answered()
        await wire.cut()
        while asterisk.ready.is_set():  # noqa: ASYNC110 - the loss is noticed within a few turns
            await asyncio.sleep(0)
        await asterisk.ready.wait()
        await line.hang_up()
        assert (await ending(call)).by is EndedBy.CALLER
        caught.let_go(call)
        await nothing_left(pbx)


async def test_a_caller_who_left_while_the_socket_was_cut_is_noticed(pbx: LocalAsterisk) -> None:
    caught = Caught()
    async with Wire(pbx) as wire, agent(pbx, caught, ari_url=wire.ari_url), phone_at(pbx) as phone:
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await line.answered()
        await wire.cut()
        await line.hang_up()
        gone = await ending(call)
        assert (gone.by, gone.reason) == (EndedBy.NETWORK, "gone_while_disconnected")
        caught.let_go(call)
        await nothing_left(pbx)


async def test_a_recording_that_ended_while_the_socket_was_cut_is_told(
    pbx: LocalAsterisk,
) -> None:
    caught = Caught()
    async with Wire(pbx) as wire, agent(pbx, caught, ari_url=wire.ari_url), phone_at(pbx) as phone:
        line = await phone.dial("100")
        call = await caught.next()
        await call.answer()
        await line.answered()
        await call.start_recording("message1", max_s=30, max_silence_s=0)
        await line.say(tone(700, 2_000))
        await cut_off(wire)
        await line.press("#")
        await ended(pbx, own_id(call.arrival.call, "message1"))
        wire.open = True
        signals = call.signals()
        done = await anext(signals)
        assert isinstance(done, RecordingDone)
        assert 1_000 <= done.duration_ms <= 3_000

        await call.start_recording("message2", max_s=30, max_silence_s=0)
        await line.say(tone(700, 2_000))
        await cut_off(wire)
        await line.hang_up()
        await ended(pbx, own_id(call.arrival.call, "message2"))
        wire.open = True
        rest = [type(signal) async for signal in signals]
        assert rest == [RecordingDone, CallerGone]
        for recording in ("message1", "message2"):
            assert len(await call.fetch_recording(recording)) > 8_000
            await call.delete_recording(recording)
        caught.let_go(call)
        await nothing_left(pbx)


async def test_a_recording_of_which_nothing_was_kept_is_told_as_broken(
    pbx: LocalAsterisk,
) -> None:
    caught = Caught()
    async with Wire(pbx) as wire, agent(pbx, caught, ari_url=wire.ari_url), phone_at(pbx) as phone:
        line = await phone.dial("100")
        call = await caught.next()
        await call.answer()
        await line.answered()
        await call.start_recording("message1", max_s=30, max_silence_s=0)
        await line.say(tone(700, 2_000))
        await cut_off(wire)
        name = own_id(call.arrival.call, "message1")
        await pbx.ari("DELETE", f"recordings/live/{name}")
        await ended(pbx, name)
        wire.open = True
        assert isinstance(await anext(call.signals()), RecordingBroken)
        await line.hang_up()
        caught.let_go(call)
        await nothing_left(pbx)


async def ended(pbx: LocalAsterisk, recording: str) -> None:
    """Wait until Asterisk records no longer under this name."""
    async with asyncio.timeout(40):
        with contextlib.suppress(PbxError):
            while True:
                await pbx.ari("GET", f"recordings/live/{recording}")
                await asyncio.sleep(0.02)
