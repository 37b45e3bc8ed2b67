"""Legs when the agent dies, or loses Asterisk for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from kai_ari.asterisk.client import AriClient, AriSettings
from kai_ari.asterisk.dialling import APP_VARIABLE, FORMATS
from kai_ari.calls.call import CallId, own_id
from kai_ari.reception.legs import LegResult, ToPhone
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import CallOver
from tests.asterisk.agent import (
    Caught,
    Wire,
    agent,
    cut_off,
    nothing_left,
    phone_at,
    settings_of,
    tone,
)
from tests.asterisk.staff import conversation, hears, premises, reaches, staff_phone

DEAD_CALL = CallId("0000000000aa")


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(premises=premises()) as pbx:
        yield pbx


@dataclass(frozen=True, kw_only=True)
class DeadAgent:
    """What an agent does until it dies: only its requests."""

    ari: AriClient
    events: aiohttp.ClientWebSocketResponse

    async def ring(self, leg: str, extension: str) -> None:
        channel = own_id(DEAD_CALL, leg)
        variables = {APP_VARIABLE: self.ari.app}
        await self.ari.create(channel, f"PJSIP/{extension}", formats=FORMATS, variables=variables)
        event: dict[str, Any] = {}
        while (event.get("type"), event.get("channel", {}).get("id")) != ("StasisStart", channel):
            event = await self.events.receive_json()
        await self.ari.dial(channel, ring_s=60)

    async def die(self) -> None:
        await self.events.close()


async def queue(ari: AriClient, leg: str) -> None:
    await ari.originate(
        own_id(DEAD_CALL, leg),
        "Local/support@queue/n",
        ring_s=60,
        caller_id="",
        other_channel=own_id(DEAD_CALL, f"{leg}-queue"),
        formats=FORMATS,
        variables={APP_VARIABLE: ari.app},
    )


@asynccontextmanager
async def doomed(settings: AriSettings) -> AsyncIterator[DeadAgent]:
    async with AriClient(settings) as ari:
        yield DeadAgent(ari=ari, events=await ari.open_events(settings.app, 10))


async def test_what_a_dead_agent_was_ringing_stops_and_whom_it_had_reached_is_let_go(
    pbx: LocalAsterisk,
) -> None:
    async with (
        doomed(settings_of(pbx)) as kai,
        doomed(replace(settings_of(pbx), app="other")) as other,
        staff_phone(pbx) as ringing,
        staff_phone(pbx, "102") as answered,
        staff_phone(pbx, "103") as others,
    ):
        await kai.ring("a-1", "101")
        await kai.ring("b-1", "102")
        await other.ring("c-1", "103")
        not_ours = await others.incoming()
        await not_ours.ring()
        left = [await ringing.incoming(), await answered.incoming()]
        await left[0].ring()
        await left[1].answer()
        await kai.die()
        async with agent(pbx, Caught()):
            assert (await left[0].ended()).status == 487
            assert not (await left[1].ended()).by_us
            assert (await pbx.objects()).channels == (own_id(DEAD_CALL, "c-1"),)
            await not_ours.decline()
            # A queue's member who answers when the call is over already is let go as well.
            await queue(kai.ari, "d-1")
            late = await ringing.incoming()
            with suppress(CallOver):  # it may be let go before the phone knows that it answered
                await late.answer()
            await late.ended()
            await nothing_left(pbx)


async def test_what_befell_legs_while_asterisk_was_away_is_told(pbx: LocalAsterisk) -> None:
    caught = Caught()
    async with (
        Wire(pbx) as wire,
        agent(pbx, caught, ari_url=wire.ari_url),
        phone_at(pbx) as phone,
        staff_phone(pbx) as first,
        staff_phone(pbx, "102") as second,
        staff_phone(pbx, "103") as third,
    ):
        talk = await conversation(phone, caught)
        for leg, extension in (("a", "101"), ("b", "102"), ("c", "103")):
            await talk.ring(leg, ToPhone(extension=extension))
        rung = [await each.incoming() for each in (first, second, third)]
        await rung[0].answer()
        await talk.answered("a")
        await talk.call.join("a")
        await cut_off(wire)
        await rung[0].hang_up()
        await rung[1].decline()
        await rung[2].answer()
        wire.open = True
        await talk.answered("c")
        assert await talk.ended("a", "b") == [
            (LegResult.DROPPED, "gone_while_disconnected"),
            (LegResult.FAILED, "gone_while_disconnected"),
        ]
        await talk.call.join("c")
        await asyncio.gather(talk.line.say(tone(600, 2_000)), hears(rung[2], 600))
        await talk.call.hang_up_leg("c")
        await talk.call.part()
        await reaches(talk.media, talk.line, 500)
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)
