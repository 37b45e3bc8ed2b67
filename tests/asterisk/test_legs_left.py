"""Legs when the agent dies, or loses Asterisk for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest

from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.dialling import APP_VARIABLE
from kai_ari.calls.call import CallId, own_id
from kai_ari.reception.legs import LegResult, ToPhone
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import CallOver
from tests.asterisk.agent import Caught, Wire, agent, cut_off, nothing_left, phone_at, settings_of
from tests.asterisk.staff import conversation, hears, premises, speak, staff_phone

DEAD_CALL = CallId("0000000000aa")


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(premises=premises()) as pbx:
        yield pbx


async def ring(ari: AriClient, leg: str, extension: str) -> None:
    await ari.originate(
        own_id(DEAD_CALL, leg),
        f"PJSIP/{extension}",
        ring_s=60,
        variables={APP_VARIABLE: ari.app},
    )


async def test_what_a_dead_agent_was_ringing_stops_and_whom_it_had_reached_is_let_go(
    pbx: LocalAsterisk,
) -> None:
    other = replace(settings_of(pbx), app="other")
    async with (
        AriClient(settings_of(pbx)) as ari,
        AriClient(other) as other_ari,
        staff_phone(pbx) as ringing,
        staff_phone(pbx, "102") as answered,
        staff_phone(pbx, "103") as others,
    ):
        events = await ari.open_events("kai", 10)
        await ring(ari, "a-1", "101")
        await ring(ari, "b-1", "102")
        await ring(other_ari, "c-1", "103")
        not_ours = await others.incoming()
        await not_ours.ring()
        left = [await ringing.incoming(), await answered.incoming()]
        await left[0].ring()
        await left[1].answer()
        await events.close()
        async with agent(pbx, Caught()):
            assert (await left[0].ended()).status == 487
            assert not (await left[1].ended()).by_us
            assert (await pbx.objects()).channels == (own_id(DEAD_CALL, "c-1"),)
            await not_ours.decline()
            # One that is answered when its call is over already is let go as well.
            await ring(ari, "d-1", "101")
            late = await ringing.incoming()
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
        with suppress(CallOver):  # Asterisk has no agent to bring it to, and hangs up
            await rung[2].answer()
        await rung[2].ended()
        wire.open = True
        assert await talk.ended("a", "b", "c") == [
            (LegResult.DROPPED, "gone_while_disconnected"),
            (LegResult.FAILED, "gone_while_disconnected"),
            (LegResult.FAILED, "gone_while_disconnected"),
        ]
        await talk.call.part()
        await asyncio.gather(speak(talk.media, 500), hears(talk.line, 500))
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)
