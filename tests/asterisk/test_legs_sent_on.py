"""A caller whom Kai lets go of, on a real Asterisk: who rings for them, and what is left."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_ari.asterisk.conf import PhoneAccount, Premises
from kai_ari.reception.legs import Destination, LegResult, ToNumber, ToPhone
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from tests.asterisk.agent import Caught, agent, ending, nothing_left, phone_at, tone
from tests.asterisk.rogue import rogue_phone
from tests.asterisk.staff import (
    PROVIDER,
    conversation,
    free_port,
    hears,
    premises,
    provider,
    staff_phone,
)

TRUNK_PORT = free_port()
PHONE_OF = ToPhone(extension="101")


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(premises=premises(TRUNK_PORT), elsewhere=False) as pbx:
        yield pbx


@pytest.fixture
async def phone(pbx: LocalAsterisk) -> AsyncIterator[SipPhone]:
    async with phone_at(pbx) as phone:
        yield phone


async def test_rounds_ring_one_after_the_other_and_outlive_the_agent(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    number = ToNumber(number="+15550123", trunk="provider")
    async with (
        staff_phone(pbx) as first,
        staff_phone(pbx, "102") as second,
        provider(pbx, TRUNK_PORT) as trunk,
    ):
        async with agent(pbx, caught):
            talk = await conversation(phone, caught)
            rounds: list[list[Destination]] = [
                [PHONE_OF, ToPhone(extension="103")],
                [ToPhone(extension="102"), number],
            ]
            assert await talk.call.send_on(rounds, ring_s=5)
            await talk.call.hang_up()  # they are no longer Kai's
            rung = await first.incoming()
            assert not second.ringing
            assert not trunk.ringing
            await rung.decline(486)
            rung, outside = await second.incoming(), await trunk.incoming()
            await outside.ring()
            assert outside.invite.startswith("INVITE sip:+15550123@")
            assert (await ending(talk.call)).reason == "sent_on"
        await rung.answer()
        await asyncio.gather(
            talk.line.say(tone(600, 2_000)),
            rung.say(tone(900, 2_000)),
            hears(rung, 600),
            hears(talk.line, 900),
        )
        await rung.hang_up()
        await talk.line.ended()
        await nothing_left(pbx)


async def test_a_phone_that_forwards_leads_nobody_anywhere_and_one_that_is_off_is_no_one(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with (
        agent(pbx, caught),
        staff_phone(pbx) as staff,
        provider(pbx, TRUNK_PORT) as trunk,
    ):
        talk = await conversation(phone, caught)
        assert not await talk.call.send_on([[ToPhone(extension="103")]], ring_s=5)
        assert await talk.call.send_on([[PHONE_OF]], ring_s=5)
        rung = await staff.incoming()
        await rung.forward("PJSIP%2F+12125550199%40provider", host=pbx.sip_address)
        # No owner has a mailbox here: a line says that nobody is there.
        await talk.line.ended()
        assert not trunk.ringing
        caught.let_go(talk.call)
        await nothing_left(pbx)


async def test_a_phone_that_registers_as_more_than_a_phone_is_neither_rung_nor_sent_callers(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    number, line = "+12125550199", f"{PROVIDER}:{TRUNK_PORT}"
    async with (
        agent(pbx, caught),
        provider(pbx, TRUNK_PORT) as trunk,
        rogue_phone(pbx, pbx.phone("101"), forwards_to=f"PJSIP%2F{number}%40provider") as rogue,
        asyncio.timeout(40),
    ):
        talk = await conversation(phone, caught)
        for leg, addresses in {
            "a": (f'sip:x@any;x="&PJSIP/101/sip:{number}@{line}&PJSIP/101/"',),
            "b": ("sip:x@any", f"sip:{number}@{line}"),
        }.items():
            await rogue.register(*addresses)
            await talk.ring(leg, PHONE_OF)
            assert await talk.ended(leg) == [(LegResult.FAILED, "undialable")]
            assert not await talk.call.send_on([[PHONE_OF]], ring_s=5)
        # Without the second address, Dial() would have no option i.
        await rogue.register("sip:x@any", f"sip:y@{rogue.address};x=[")
        assert await talk.call.send_on([[PHONE_OF]], ring_s=5)
        await talk.line.ended()
        assert rogue.invites
        assert not trunk.ringing
        caught.let_go(talk.call)
        await nothing_left(pbx)


async def test_when_nobody_answers_the_owners_mailbox_does() -> None:
    owner = PhoneAccount(
        user="109", password="secret-109", name="Olga", caller_id="109", mailbox_pin="471109"
    )
    caught = Caught()
    base = premises(TRUNK_PORT)
    with_owner = Premises(phones=(*base.phones, owner), owner=owner.user)
    async with (
        LocalAsterisk(premises=with_owner) as pbx,
        phone_at(pbx) as phone,
        agent(pbx, caught),
        staff_phone(pbx) as staff,
    ):
        talk = await conversation(phone, caught)
        assert await talk.call.send_on([[PHONE_OF]], ring_s=2)
        rung = await staff.incoming()
        await rung.ring()
        await rung.ended()
        caught.let_go(talk.call)
        async with asyncio.timeout(40):
            while "VoiceMail" not in {  # noqa: ASYNC110 - Asterisk is asked
                channel["dialplan"]["app_name"] for channel in await pbx.ari("GET", "channels")
            }:
                await asyncio.sleep(0.05)
        await talk.line.hang_up()
        await nothing_left(pbx)
