"""Who may reach what: outside callers Kai's numbers, phones of the house no trunk. All called."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import quote

import aiohttp

from kai_ari.asterisk.conf import QueueMembers
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import has_tone, nothing_left, tone
from tests.asterisk.rogue import rogue_phone
from tests.asterisk.shop import (
    CALLER,
    DANA,
    LEE,
    NUMBER,
    OUTSIDE_NUMBER,
    PREMISES,
    Shop,
    answered,
    shop,
)

_LIMIT_S = 60.0

Events = aiohttp.ClientWebSocketResponse

#: What an outside caller might try: mailboxes and feature codes, phones, the way out again,
#: extensions that dialplans have for themselves, names of contexts, queues and channels.
TRIED = (
    *("*97", "*98", "*72", "#1", DANA.user, LEE.user),
    *(OUTSIDE_NUMBER, OUTSIDE_NUMBER.lstrip("+"), "+19005550100", "912125550199", "0", "911"),
    *("s", "h", "i", "t", "o", "a", "ring", "kai-away", "queue", "sent-on", "line", "anonymous"),
    *("102;x", "100;x=y", quote("100,1"), quote("100&102"), quote("${EXTEN}")),
    *map(quote, ("102@own-phones", f"PJSIP/{DANA.user}", f"PJSIP/{OUTSIDE_NUMBER}@line")),
    *map(quote, ("Local/102@own-phones", "Local/*97@from-phones", "100/102")),
)

#: Where a phone of the house might send a call: by a number, or by the name of a channel.
SENT_ON = (OUTSIDE_NUMBER, f"9{OUTSIDE_NUMBER.lstrip('+')}", "*97", "s")
CHANNELS = tuple(
    quote(channel, safe="")
    for channel in (f"PJSIP/{OUTSIDE_NUMBER}@line", f"Local/{OUTSIDE_NUMBER}@from-phones")
)

#: Where a phone may claim to be, so that Dial() reads more than an address: without its option i,
#: a trunk's channel, several channels; or plainly where the provider is, by a second address, which
#: Asterisk takes as it comes. HERE is where the phone is, LINE where the provider is.
REGISTERED_AS = (
    ("sip:HERE,60,r,0@any",),
    ("sip:HERE,60,r,0)@any",),
    ("sip:x@any;x=):0&PJSIP/line/sip:LINE",),  # a function given it would not see what follows `)`
    ("sip:x&PJSIP/line/sip:x@any",),
    ("sip:x&PJSIP/102/sip:y@any",),
    (f'sip:x@any;x="&PJSIP/line/sip:{OUTSIDE_NUMBER}@LINE&"',),
    (f'sip:x@any;x="&PJSIP/102/sip:{OUTSIDE_NUMBER}@LINE&"',),
    ('sip:x@any;x="1 | 1"',),
    ("sip:x@any", "sip:y@HERE;x=["),
    ("sip:x@any", f"sip:{OUTSIDE_NUMBER}@LINE"),
    ("sip:x@any", f"sip:%2B1{OUTSIDE_NUMBER.lstrip('+1')};x=y@LINE"),
    ("sip:x@any", "sip:LINE"),
)


async def test_an_outside_caller_reaches_kais_numbers_and_nothing_else() -> None:
    async with shop() as site, site.phone(DANA) as dana, asyncio.timeout(_LIMIT_S):
        # A phone takes some 20 calls in quick succession: so several call, from the same address.
        await asyncio.gather(*(all_refused(site, TRIED[first::3]) for first in range(3)))
        assert not dana.ringing
        assert not site.outside.ringing
        assert not await site.pbx.objects()
        for caller_id in (CALLER, DANA.user):  # whoever the caller claims to be
            call = await site.outside.dial(NUMBER, caller_id=caller_id)
            rings = await dana.incoming()
            await call.hang_up()
            await rings.ended()


async def test_who_is_no_phone_and_no_trunk_reaches_nothing() -> None:
    async with shop() as site, site.phone(DANA) as dana, asyncio.timeout(_LIMIT_S):
        for user in (DANA.user, "nobody", "line", "desk"):
            async with SipPhone(
                server=site.pbx.sip_address, user=user, password="guessed", register=False
            ) as stranger:
                call = await stranger.dial(NUMBER)
                assert (await call.ended()).status in {401, 403}
        assert not dana.ringing


async def test_a_phone_of_the_house_dials_no_trunk() -> None:
    async with shop() as site, site.phone(LEE) as lee, asyncio.timeout(_LIMIT_S):
        for number in (OUTSIDE_NUMBER, "912125550199"):  # Kai's to decline, or the owner's
            async with answered(lee, number):
                await site.running("VoiceMail")
        for channel in CHANNELS:
            call = await lee.dial(channel)
            assert (await call.ended()).status == 404
        assert not site.outside.ringing


async def test_a_phone_that_forwards_its_calls_reaches_no_trunk() -> None:
    """A call between phones; and one that Kai makes, by channels/create and dial: a plain
    originate would follow a forwarding that names a channel, the trunk's too."""
    async with shop() as site, site.phone(DANA) as dana, site.phone(LEE) as lee:
        async with asyncio.timeout(_LIMIT_S), stasis_app(site, "handoff") as events:
            for number in (*SENT_ON, *CHANNELS):
                call = await lee.dial(DANA.user)
                await (await dana.incoming()).forward(number)
                await site.running("VoiceMail")
                await call.hang_up()
                await ring(site, events, DANA.user, app="handoff")
                await (await dana.incoming()).forward(number)
                await nothing_left(site.pbx)
        assert not site.outside.ringing
        assert not lee.ringing


async def test_a_phone_that_registers_as_more_than_a_phone_is_not_rung_and_reaches_no_trunk() -> (
    None
):
    async with (
        shop() as site,
        site.phone(LEE) as lee,
        rogue_phone(site.pbx, DANA, forwards_to=CHANNELS[0]) as rogue,
        asyncio.timeout(_LIMIT_S),
    ):
        line = site.pbx.settings.premises.trunks[0].host
        for addresses in REGISTERED_AS:
            await rogue.register(
                *(each.replace("HERE", rogue.address).replace("LINE", line) for each in addresses)
            )
            async with answered(lee, DANA.user):
                await site.running("VoiceMail")
            assert (site.outside.ringing, rogue.invites) == (0, []), addresses
        await rogue.register("sip:x@any;x=y:z", f"sip:102@{rogue.address}")
        async with answered(lee, DANA.user):
            await site.running("VoiceMail")
        assert rogue.invites
        assert not site.outside.ringing


async def test_a_queue_does_not_ring_a_member_who_registers_as_more_than_a_phone() -> None:
    support = QueueMembers(name="support", members=(LEE.user, DANA.user))
    async with (
        shop(replace(PREMISES, queues=(support,))) as site,
        site.phone(LEE) as lee,
        rogue_phone(site.pbx, DANA, forwards_to=CHANNELS[0]) as rogue,
        asyncio.timeout(_LIMIT_S),
    ):
        line = site.pbx.settings.premises.trunks[0].host
        await rogue.register_only(f"sip:{OUTSIDE_NUMBER}@{line}")
        await site.pbx.ari(
            "POST", "channels", endpoint="Local/support@queue/n", context="nowhere", extension="s"
        )
        await (await lee.incoming()).decline(486)
        await (await lee.incoming()).decline(486)  # the first round is over
        assert not site.outside.ringing
        await rogue.register("sip:x@any")
        while not rogue.invites:
            await (await lee.incoming()).decline(486)
        assert not site.outside.ringing


async def test_a_phone_that_transfers_its_caller_reaches_no_trunk() -> None:
    async with shop() as site, site.phone(DANA) as dana, site.phone(LEE) as lee:
        async with asyncio.timeout(_LIMIT_S), talking(site, dana) as (caller, staff):
            for number in (*SENT_ON, *CHANNELS):
                await staff.refer(number)
                assert await staff.transferred() >= 400, number
            await caller.say(tone(700, 500))
            assert not staff.over, "a transfer that is refused leaves the two together"
            await staff.refer(LEE.user)
            rings = await lee.incoming()
            await rings.answer()
            await caller.say(tone(700, 1_500))
            assert has_tone(rings.recording().heard[-32_000:], 700)
        assert not site.outside.ringing


async def test_the_provider_can_neither_transfer_nor_forward() -> None:
    async with shop() as site, site.phone(DANA) as dana, site.phone(LEE) as lee:
        async with asyncio.timeout(_LIMIT_S), talking(site, dana) as (caller, _):
            for number in (LEE.user, OUTSIDE_NUMBER, "*97"):
                await caller.refer(number)
                assert await caller.transferred() >= 400, number
        assert not lee.ringing


# -- calls -------------------------------------------------------------------------


@asynccontextmanager
async def talking(site: Shop, staff: SipPhone) -> AsyncIterator[tuple[PhoneCall, PhoneCall]]:
    call = await site.outside.dial(NUMBER, caller_id=CALLER)
    rings = await staff.incoming()
    await rings.answer()
    await call.answered()
    yield call, rings
    await call.hang_up()


async def all_refused(site: Shop, numbers: Sequence[str]) -> None:
    async with site.outsider() as phone:
        for number in numbers:
            call = await phone.dial(number, caller_id=CALLER)
            assert (await call.ended()).status == 404, number


@asynccontextmanager
async def stasis_app(site: Shop, name: str) -> AsyncIterator[Events]:
    settings = site.pbx.settings
    login = aiohttp.encode_basic_auth(settings.ari_user, settings.ari_password)
    async with (
        aiohttp.ClientSession(headers={"Authorization": login}) as http,
        http.ws_connect(f"{site.pbx.ari_url}/events?app={name}") as events,
    ):
        yield events


async def ring(site: Shop, events: Events, extension: str, *, app: str) -> None:
    """Ring a phone by channels/create and dial, which follows no forwarding."""
    endpoint, leg = f"PJSIP/{extension}", "kai-test-leg"
    await site.pbx.ari("POST", "channels/create", endpoint=endpoint, app=app, channelId=leg)
    while (await events.receive_json())["type"] != "StasisStart":
        pass
    await site.pbx.ari("POST", f"channels/{leg}/dial", timeout="10")
