"""Kai is stopped, and callers are served all the same: the owner's phone, then the mailbox."""

import asyncio
from dataclasses import replace

from kai_ari.asterisk.conf import Premises
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import FRAME_MS, QUIET_MS, is_loud
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import has_tone, tone
from tests.asterisk.shop import CALLER, DANA, LEE, NUMBER, PREMISES, Shop, answered, shop
from tests.reception_real.house import speaker
from tests.reception_real.placed import matches, words_heard

MESSAGE = "Hello, the radiator in the bedroom stays cold. Please come by tomorrow."
NOBODY = "Nobody is available to take your call at the moment"

_LIMIT_S = 90.0


async def test_the_owners_phone_rings_and_the_two_hear_each_other() -> None:
    async with shop() as site, site.phone(DANA) as dana, asyncio.timeout(_LIMIT_S):
        call = await site.outside.dial(NUMBER, caller_id=CALLER)
        rings = await dana.incoming()
        assert CALLER in rings.caller
        await rings.ring()
        await call.ringing()
        await rings.answer()
        await call.answered()
        await asyncio.gather(call.say(tone(700, 1_500)), rings.say(tone(1_100, 1_500)))
        await rings.hang_up()
        await call.ended()
        assert has_tone(call.recording().heard[-32_000:], 1_100)
        assert has_tone(rings.recording().heard[-32_000:], 700)


async def test_a_missed_caller_leaves_a_message_that_the_owners_phone_shows_and_plays(
    speech: LocalSpeech,
) -> None:
    async with shop() as site, site.phone(DANA) as dana, asyncio.timeout(_LIMIT_S):
        await dana.lamp(lit=False)
        call = await site.outside.dial(NUMBER, hidden=True)  # digits read out would take a while
        rings = await dana.incoming()
        await rings.ring()
        await rings.ended()
        await call.answered()
        await hear(call, ms=5_500)
        await call.press("#")  # the rest of the greeting is known
        await hear(call, ms=0)
        await call.say(await speaker(speech)(MESSAGE))
        await call.press("#")
        await call.ended()
        assert await dana.lamp(lit=True) == 1

        plays = await dana.dial("*97")
        await plays.answered()
        await hear(plays, ms=2_500)
        await plays.press("1")
        await hear_words(plays, MESSAGE, speech)  # after who called, and when
        await plays.press("7")
        await hear(plays, ms=500)
        await plays.press("#")
        await plays.ended()
        assert await dana.lamp(lit=False) == 0
        heard = await words_heard(speech, plays.recording().heard)
    greeting = await words_heard(speech, call.recording().heard)
    assert matches("the person at extension is unavailable", greeting)
    assert matches("you have one new message", heard)
    assert matches(MESSAGE, heard)


async def test_every_phone_of_the_owners_account_rings() -> None:
    async with shop() as site, site.phone(DANA) as desk, site.phone(DANA) as mobile:
        async with asyncio.timeout(_LIMIT_S):
            call = await site.outside.dial(NUMBER)
            await desk.incoming()
            rings = await mobile.incoming()
            await rings.answer()
            await call.answered()


async def test_an_owner_who_cannot_be_rung_has_a_mailbox_at_once() -> None:
    async with shop() as site, asyncio.timeout(_LIMIT_S):
        async with site.phone(DANA) as dana:
            call = await site.outside.dial(NUMBER)
            rings = await dana.incoming()
            await rings.decline(486)
            await call.answered()
            await site.running("VoiceMail")
            await call.hang_up()
        unregistered = await site.outside.dial(NUMBER)
        await unregistered.answered()
        await site.running("VoiceMail")
        await unregistered.hang_up()


async def test_without_an_owner_or_a_mailbox_the_caller_is_told_the_truth(
    speech: LocalSpeech,
) -> None:
    async def told(premises: Premises) -> str:
        async with shop(premises) as site:
            call = await site.outside.dial(NUMBER)
            await call.ended()
            return await words_heard(speech, call.recording().heard)

    async with asyncio.timeout(_LIMIT_S):
        nobody, no_mailbox = await asyncio.gather(
            told(replace(PREMISES, owner=None)), told(replace(PREMISES, owner=LEE.user))
        )
    assert matches(NOBODY, nobody)
    assert matches(NOBODY, no_mailbox)


async def test_the_owners_own_call_does_not_ring_in_a_circle() -> None:
    async with shop() as site, site.phone(DANA) as dana, asyncio.timeout(_LIMIT_S):
        for number in (NUMBER, DANA.user):
            async with answered(dana, number):
                await site.running("VoiceMailMain")
        assert not dana.ringing


async def test_phones_of_the_house_reach_each_other_and_only_their_own_mailbox(
    speech: LocalSpeech,
) -> None:
    async with shop() as site, site.phone(DANA) as dana, site.phone(LEE) as lee:
        async with asyncio.timeout(_LIMIT_S):
            call = await lee.dial(DANA.user)
            rings = await dana.incoming()
            assert LEE.user in rings.caller
            await rings.answer()
            await call.answered()
            await call.hang_up()
            none = await lee.dial("*97")
            await none.ended()
        assert matches(
            "the number you have dialed is not in service",
            await words_heard(speech, none.recording().heard),
        )
        assert await mailboxes_open(site) == 0


# -- what the callers do -----------------------------------------------------------


async def hear(call: PhoneCall, *, ms: int) -> None:
    """Wait until the far end has spoken for so long; with 0, until it pauses."""
    heard_ms, quiet_ms = 0, 0
    async for frame in call.frames(call.frame_count):
        loud = is_loud(frame.heard)
        if loud or heard_ms:
            heard_ms += FRAME_MS
            quiet_ms = 0 if loud else quiet_ms + FRAME_MS
        if heard_ms and (heard_ms >= ms if ms else quiet_ms >= QUIET_MS):
            return


async def hear_words(call: PhoneCall, words: str, speech: LocalSpeech) -> None:
    """Wait until the far end has said them."""
    while not matches(words, await words_heard(speech, call.recording().heard)):
        await hear(call, ms=2_000)


async def mailboxes_open(site: Shop) -> int:
    channels = await site.pbx.ari("GET", "channels")
    return sum(channel["dialplan"]["app_name"] == "VoiceMailMain" for channel in channels)
