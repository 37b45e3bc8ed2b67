"""One agent for each app: a second is refused, a dead one succeeded, nothing orphaned."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.connection import Asterisk
from kai_ari.asterisk.errors import AgentReplaced, AgentRunning
from kai_ari.calls.call import CallId, own_id
from kai_ari.calls.events import EndedBy
from kai_ari.clock import SystemClock
from kai_ari.errors import LedgerError
from kai_ari.media.chan_websocket import ChanWebSocket
from kai_ari.reception.ports import (
    Key,
    RecordingShelf,
)
from kai_ari.testing.pbx import LocalAsterisk
from tests.asterisk.agent import (
    PHONE,
    Caught,
    Shelves,
    Wire,
    agent,
    converse,
    cut_off,
    ending,
    first,
    nothing_left,
    phone_at,
    settings_of,
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


# -- one agent for each app --------------------------------------------------------


async def test_a_second_agent_is_refused_and_told_who_is_there(pbx: LocalAsterisk) -> None:
    caught = Caught()
    async with agent(pbx, caught), phone_at(pbx) as phone:
        with pytest.raises(AgentRunning, match=r"process \d+ on .* Stop that one first"):
            async with agent(pbx, Caught()):
                pass
        line = await phone.dial("100")
        call = await caught.next()  # the first one still gets the calls
        await line.hang_up()
        caught.let_go(call)


async def test_another_client_taking_the_app_stops_the_agent_with_a_reason(
    pbx: LocalAsterisk, ari: AriClient
) -> None:
    caught = Caught()
    async with ChanWebSocket(pbx.ari_url) as transport, phone_at(pbx) as phone:
        asterisk = Asterisk(settings_of(pbx), transport, clock=SystemClock(), normalise=str)
        running = asyncio.create_task(asterisk.run(caught))
        await first(asterisk.ready.wait(), running)
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await line.answered()
        thief = await ari.open_events("kai", 10)
        with pytest.raises(AgentReplaced, match="another agent connected as app 'kai'"):
            await running
        # The caller is the other agent's now: still there, and not sent away.
        assert [c.id for c in await ari.channels() if c.app == "kai"] == [call.arrival.channel]
        await thief.close()


async def test_an_agent_that_comes_back_to_another_one_leaves_it_the_callers(
    pbx: LocalAsterisk,
) -> None:
    caught, other = Caught(), Caught()
    async with Wire(pbx) as wire, ChanWebSocket(pbx.ari_url) as transport, phone_at(pbx) as phone:
        settings = replace(settings_of(pbx), url=wire.ari_url)
        asterisk = Asterisk(settings, transport, clock=SystemClock(), normalise=str)
        running = asyncio.create_task(asterisk.run(caught))
        await first(asterisk.ready.wait(), running)
        line = await phone.dial("100")
        await converse(await caught.next())
        await line.answered()
        await cut_off(wire)
        async with agent(pbx, other):
            call = await other.next()
            assert call.arrival.reclaimed
            await converse(call)
            wire.open = True
            with pytest.raises(AgentRunning):
                await running
            await line.press("5")
            assert await anext(call.signals()) == Key(key="5")
            await line.hang_up()
            assert (await ending(call)).by is EndedBy.CALLER
            other.let_go(call)
            await nothing_left(pbx)


KILLED_AGENT = """
import asyncio, sys
from kai_ari.asterisk.client import AriClient, AriSettings
from kai_ari.asterisk.connection import Asterisk
from kai_ari.clock import SystemClock
from kai_ari.media.chan_websocket import ChanWebSocket

async def on_call(call):
    await call.answer()
    await call.open_audio()
    print("talking", flush=True)
    await asyncio.Event().wait()

async def main(url, user, password):
    settings = AriSettings(url=url, username=user, password=password, app="kai")
    async with ChanWebSocket(url) as transport:
        asterisk = Asterisk(settings, transport, clock=SystemClock(), normalise=str)
        running = asyncio.create_task(asterisk.run(on_call))
        await asterisk.ready.wait()
        print("ready", flush=True)
        await running

asyncio.run(main(*sys.argv[1:]))
"""


async def test_the_call_of_a_killed_agent_is_taken_up_by_the_next(pbx: LocalAsterisk) -> None:
    settings = settings_of(pbx)
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED_AGENT, settings.url, settings.username, settings.password),
        stdout=asyncio.subprocess.PIPE,
    )
    assert victim.stdout is not None
    assert await victim.stdout.readline() == b"ready\n"
    async with phone_at(pbx) as phone:
        line = await phone.dial("100")
        assert await victim.stdout.readline() == b"talking\n"
        await line.answered()
        victim.kill()
        await victim.wait()
        caught = Caught()
        async with asyncio.timeout(40), agent(pbx, caught):
            call = await caught.next()
            assert call.arrival.reclaimed
            assert call.arrival.did == "100"
            await call.open_audio()
            objects = await pbx.objects()
            assert objects.bridges == (own_id(call.arrival.call, "bridge"),)
            assert len(objects.channels) == 2
            await call.hang_up()
            assert (await line.ended()).status == 200
            caught.let_go(call)
            await nothing_left(pbx)


async def test_what_a_killed_agent_was_recording_is_ended_and_kept(pbx: LocalAsterisk) -> None:
    settings = settings_of(pbx)
    program = KILLED_AGENT.replace(
        "await call.open_audio()",
        "await call.start_recording('message1', max_s=60, max_silence_s=0)",
    )
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, settings.url, settings.username, settings.password),
        stdout=asyncio.subprocess.PIPE,
    )
    assert victim.stdout is not None
    assert await victim.stdout.readline() == b"ready\n"
    async with phone_at(pbx) as phone:
        line = await phone.dial("100")
        assert await victim.stdout.readline() == b"talking\n"
        await line.answered()
        victim.kill()
        await victim.wait()
        caught, shelves = Caught(), Shelves()
        async with asyncio.timeout(40), agent(pbx, caught, on_settled=shelves):
            shelf = await shelves.next()
            [left] = await shelf.left_recordings()
            assert left[1] == "message1"
            assert (await shelf.fetch_left(*left)).startswith(b"RIFF")
            await shelf.delete_left(*left)
            call = await caught.next()
            assert call.arrival.reclaimed
            await converse(call)
            await line.hang_up()
            caught.let_go(call)
            await nothing_left(pbx)


async def test_an_error_while_collecting_ends_nothing(
    pbx: LocalAsterisk, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(shelf: RecordingShelf) -> None:
        raise LedgerError("the disk is full")

    caught = Caught()
    async with agent(pbx, caught, on_settled=fail), phone_at(pbx) as phone:
        line = await phone.dial("100")
        call = await caught.next()
        assert "left recordings not collected" in caplog.text
        await line.hang_up()
        caught.let_go(call)


# -- orphans -----------------------------------------------------------------------


async def test_bridges_and_media_channels_of_a_dead_agent_are_removed(
    pbx: LocalAsterisk, ari: AriClient
) -> None:
    events = await ari.open_events("kai", 10)
    await ari.create_bridge(own_id(DEAD_CALL, "bridge"))
    async with ChanWebSocket(pbx.ari_url) as transport:
        offer = transport.offer()
        variables = await ari.external_media(own_id(DEAD_CALL, "media"), offer.external_media)
        media = await offer.connect(variables)
        await events.close()
        async with agent(pbx, Caught()):
            await nothing_left(pbx)
        await media.close()


async def test_what_belongs_to_another_app_is_left_alone(pbx: LocalAsterisk) -> None:
    other = replace(settings_of(pbx), app="other")
    async with AriClient(other) as ari:
        await ari.create_bridge(own_id(DEAD_CALL, "bridge"))
        async with agent(pbx, Caught()):
            assert (await pbx.objects()).bridges == (own_id(DEAD_CALL, "bridge"),)
        await ari.destroy_bridge(own_id(DEAD_CALL, "bridge"))


# -- events ------------------------------------------------------------------------


async def test_a_key_delivered_twice_by_asterisk_is_one_key(
    pbx: LocalAsterisk, ari: AriClient
) -> None:
    caught = Caught()
    async with agent(pbx, caught), phone_at(pbx) as phone:
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await line.answered()
        source = f"endpoint:PJSIP/{PHONE.user}"
        await pbx.ari("POST", "applications/kai/subscription", eventSource=source)
        await line.press("12")
        await line.hang_up()
        keys = [signal.key async for signal in call.signals() if hasattr(signal, "key")]
        caught.let_go(call)
    assert keys == ["1", "2"]
