"""Legs to people on a real Asterisk: rung, whispered to, joined with the caller, ended."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_ari.calls.events import EndedBy
from kai_ari.reception.legs import (
    LegAnswered,
    LegEnded,
    LegKey,
    LegResult,
    LegRinging,
    ToPhone,
)
from kai_ari.reception.ports import Key
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from tests.asterisk.agent import Caught, agent, nothing_left, phone_at, tone
from tests.asterisk.staff import conversation, hears, premises, reaches, speak, staff_phone


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(premises=premises()) as pbx:
        yield pbx


@pytest.fixture
async def phone(pbx: LocalAsterisk) -> AsyncIterator[SipPhone]:
    async with phone_at(pbx) as phone:
        yield phone


async def test_a_leg_is_whispered_to_joined_and_left(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught), staff_phone(pbx) as staff:
        talk = await conversation(phone, caught)
        call = talk.call
        await talk.ring(shown_number="+15550199", shown_name='Bob, "the" <Builder>')
        leg = await staff.incoming()
        shown = f"<sip:+15550199@{pbx.settings.sip_address}>"
        assert leg.caller == f'"Bob the Builder" {shown}'
        await leg.ring()
        assert await talk.next() == LegRinging(leg="a")
        await leg.answer()
        assert await talk.next() == LegAnswered(leg="a")
        assert leg.codec == "G722"
        await leg.press("5")
        assert await talk.next() == LegKey(leg="a", key="5")
        whisper = await call.open_leg_audio("a")
        await asyncio.gather(
            speak(whisper, 700), hears(leg, 700), speak(talk.media, 440), hears(talk.line, 440)
        )
        await leg.press("1")
        assert await talk.next() == LegKey(leg="a", key="1")
        await call.join("a")
        before = await call.audio_flow("a")
        await asyncio.gather(
            talk.line.say(tone(600, 2_000)),
            leg.say(tone(900, 2_000)),
            hears(leg, 600),
            hears(talk.line, 900),
        )
        after = await call.audio_flow("a")
        assert after.from_caller > before.from_caller + 20
        assert after.from_leg > before.from_leg + 20
        await leg.press("9")
        assert await talk.next() == LegKey(leg="a", key="9")
        await talk.line.press("*")
        assert await talk.next() == Key(key="*")
        await leg.hang_up()
        assert await talk.next() == LegEnded(
            leg="a",
            result=LegResult.DROPPED,
            cause=16,
            sip=None,
            reason="hung_up",
            by=EndedBy.HUMAN,
        )
        await call.part()
        await reaches(talk.media, talk.line, 500)
        await talk.line.hang_up()
        caught.let_go(call)
        await nothing_left(pbx)


async def test_a_caller_who_leaves_stops_the_ringing(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught), staff_phone(pbx) as staff, staff_phone(pbx, "102") as other:
        talk = await conversation(phone, caught)
        await talk.ring("a")
        await talk.ring("b", ToPhone(extension="102"))
        legs = [await staff.incoming(), await other.incoming()]
        await legs[0].ring()
        await legs[1].ring()
        assert {await talk.next(), await talk.next()} == {LegRinging(leg="a"), LegRinging(leg="b")}
        await talk.call.hang_up_leg("a")
        await talk.call.hang_up_leg("a")
        assert await talk.next() == LegEnded(
            leg="a",
            result=LegResult.CANCELLED,
            cause=None,
            sip=None,
            reason="by_kai",
            by=EndedBy.KAI,
        )
        await talk.line.hang_up()
        caught.let_go(talk.call)
        assert [(await leg.ended()).status for leg in legs] == [487, 487]
        await nothing_left(pbx)


async def test_the_first_of_several_to_answer_wins(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught), staff_phone(pbx) as staff, staff_phone(pbx, "102") as other:
        talk = await conversation(phone, caught)
        await talk.ring("a")
        await talk.ring("b", ToPhone(extension="102"))
        first, second = await staff.incoming(), await other.incoming()
        await asyncio.gather(first.answer(), second.answer())
        assert {await talk.next(), await talk.next()} == {
            LegAnswered(leg="a"),
            LegAnswered(leg="b"),
        }
        rooms = await asyncio.gather(talk.call.open_leg_audio("a"), talk.call.open_leg_audio("b"))
        await asyncio.gather(
            speak(rooms[0], 700), hears(first, 700), speak(rooms[1], 900), hears(second, 900)
        )
        await talk.call.join("b")
        await talk.call.hang_up_leg("a", answered_elsewhere=True)
        assert await talk.ended("a") == [(LegResult.CANCELLED, "by_kai")]
        await asyncio.gather(talk.line.say(tone(600, 2_000)), hears(second, 600))
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)
