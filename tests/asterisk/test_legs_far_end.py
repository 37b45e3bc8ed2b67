"""What the far end of a leg does besides answering, and where that leads nobody."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_ari.asterisk.errors import ChannelGone
from kai_ari.calls.events import EndedBy
from kai_ari.reception.legs import (
    LegResult,
    LegRinging,
    ToDesk,
    ToNumber,
    ToQueue,
)
from kai_ari.reception.ports import CallerGone
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from tests.asterisk.agent import Caught, agent, converse, ending, nothing_left, phone_at, tone
from tests.asterisk.staff import (
    conversation,
    free_port,
    hears,
    premises,
    provider,
    reaches,
    speak,
    staff_phone,
)

TRUNK_PORT = free_port()
TO_TRUNK = "PJSIP%2F+12125550199%40provider"


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    # The trunk has an address of its own on this machine.
    async with LocalAsterisk(premises=premises(TRUNK_PORT), elsewhere=False) as pbx:
        yield pbx


@pytest.fixture
async def phone(pbx: LocalAsterisk) -> AsyncIterator[SipPhone]:
    async with phone_at(pbx) as phone:
        yield phone


async def test_a_phone_that_forwards_or_transfers_leads_nobody_anywhere(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with (
        agent(pbx, caught),
        staff_phone(pbx) as staff,
        staff_phone(pbx, "102") as colleague,
        provider(pbx, TRUNK_PORT) as trunk,
    ):
        talk = await conversation(phone, caught)
        before = await pbx.objects()
        # The last two name channels to Asterisk, which unescapes them: a trunk's, and Kai's way
        # into a queue.
        forwarded = ("102", "+15550100", "100", TO_TRUNK, "Local%2Fsupport%40queue")
        for leg, to in zip("abcde", forwarded, strict=True):
            await talk.ring(leg)
            await (await staff.incoming()).forward(to, host=pbx.sip_address)
            assert await talk.ended(leg) == [(LegResult.REFUSED, "forwarded")]
        assert await pbx.objects() == before
        # Transfers are refused, and the conversation goes on.
        await talk.ring("t")
        line = await staff.incoming()
        await line.answer()
        await talk.answered("t")
        for joined in (False, True):
            if joined:
                await talk.call.join("t")
            for to in ("102", "+15550100", "100"):
                await line.refer(to)
                assert await line.transferred() == 404
        await asyncio.gather(
            talk.line.say(tone(600, 2_000)),
            line.say(tone(900, 2_000)),
            hears(line, 600),
            hears(talk.line, 900),
        )
        assert not colleague.ringing
        assert not trunk.ringing
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)


async def test_a_colleague_connected_in_a_persons_place_is_let_go_and_kai_has_the_caller(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with (
        agent(pbx, caught),
        staff_phone(pbx) as staff,
        staff_phone(pbx, "102") as colleague,
    ):
        talk = await conversation(phone, caught)
        await talk.ring()
        leg = await staff.incoming()
        await leg.answer()
        await talk.answered("a")
        await talk.call.join("a")
        enquiry = await staff.dial("102")
        other = await colleague.incoming()
        await other.answer()
        await enquiry.answered()
        await leg.refer_to(enquiry)
        assert await talk.ended("a") == [(LegResult.TAKEN_AWAY, "transferred")]
        await talk.call.part()
        await other.ended()
        await reaches(talk.media, talk.line, 500)
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)


async def test_audio_is_counted_only_where_it_arrives(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught), staff_phone(pbx) as staff:
        talk = await conversation(phone, caught)
        await talk.ring()
        line = await staff.incoming()
        await line.answer()
        await talk.answered("a")
        await talk.call.join("a")
        await asyncio.gather(talk.line.say(tone(600, 400)), line.say(tone(900, 400)))
        await line.mute()
        await talk.line.say(tone(600, 100))  # what was under way has arrived by then
        before = await talk.call.audio_flow("a")
        await talk.line.say(tone(600, 500))
        after = await talk.call.audio_flow("a")
        assert after.from_caller > before.from_caller + 20
        assert after.from_leg <= before.from_leg + 1
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)


async def test_a_number_and_a_desk_are_called_with_what_they_may_know(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with agent(pbx, caught), provider(pbx, TRUNK_PORT) as trunk:
        talk = await conversation(phone, caught)
        headers = {"X-Kai-Call": "abc", "X-Kai-Reason": "leak\r\nVia: evil, " + "x" * 500}
        await talk.ring(
            "n", ToNumber(number="+15550123", trunk="provider"), shown_number="+15550199"
        )
        line = await trunk.incoming()
        assert line.caller.endswith("<sip:+15550199@127.0.0.1>")
        await line.answer()
        await talk.answered("n")
        address = f"sip:desk@{trunk_address()}"
        await talk.ring("d", ToDesk(uri=address), shown_name="Rossi", headers=headers)
        desk = await trunk.incoming()
        assert f"INVITE {address} SIP" in desk.invite
        sent = [part for part in desk.invite.splitlines() if part.startswith("X-Kai-")]
        assert sent == [
            "X-Kai-Call: abc",
            "X-Kai-Reason: " + ("leak Via: evil, " + "x" * 500)[:200],
        ]
        assert "\nVia: evil" not in desk.invite
        await desk.answer()
        await talk.answered("d")
        await talk.call.join("d")
        await asyncio.gather(
            talk.line.say(tone(600, 2_000)),
            desk.say(tone(900, 2_000)),
            hears(desk, 600),
            hears(talk.line, 900),
        )
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)


def trunk_address() -> str:
    return f"127.0.0.2:{TRUNK_PORT}"


@pytest.mark.parametrize("by", ["forwarder", "caller"])
async def test_a_mobile_that_forwards_to_kai_is_noticed(
    pbx: LocalAsterisk, phone: SipPhone, by: str
) -> None:
    caught = Caught()
    async with agent(pbx, caught), provider(pbx, TRUNK_PORT) as trunk:
        talk = await conversation(phone, caught)
        await talk.ring(
            "m", ToNumber(number="+15550123", trunk="provider"), shown_number="+15550199"
        )
        mobile = await trunk.incoming()
        await mobile.ring()
        assert await talk.next() == LegRinging(leg="m")
        stranger = await trunk.dial("100", caller_id="+15550777")
        other = await caught.next()
        if by == "forwarder":
            back = await trunk.dial("100", caller_id="+15550777", forwarded_by="+15550123")
        else:
            # Somebody with the same number who comes in by another line is a caller.
            colleague = await phone.dial("100", caller_id="+15550199")
            served = await caught.next()
            await converse(served)
            await colleague.answered()
            await colleague.hang_up()
            caught.let_go(served)
            back = await trunk.dial("100", caller_id="+15550199")
        assert await talk.ended("m") == [(LegResult.UNREACHABLE, "forwards_to_kai")]
        assert (await back.ended()).status == 486
        assert (await mobile.ended()).status == 487
        turned_away = await caught.next()
        assert await ending(turned_away) == CallerGone(
            by=EndedBy.KAI, cause=None, reason="forwarded_back"
        )
        with pytest.raises(ChannelGone):
            await turned_away.answer()
        caught.let_go(turned_away)
        assert not stranger.over
        await talk.line.hang_up()
        caught.let_go(talk.call)
        caught.let_go(other)
        await stranger.ended()
        await nothing_left(pbx)


async def test_a_queue_gives_the_member_who_takes_the_call(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        talk = await conversation(phone, caught)
        await talk.ring("empty", ToQueue(queue="support"))
        assert await talk.ended("empty") == [(LegResult.UNREACHABLE, "queue_empty")]
        await talk.ring("none", ToQueue(queue="nosuch"))
        assert await talk.ended("none") == [(LegResult.FAILED, "no_queue")]
        async with staff_phone(pbx) as staff, staff_phone(pbx, "102") as other:
            await talk.ring("q", ToQueue(queue="support"), shown_number="+15550199")
            first, second = await staff.incoming(), await other.incoming()
            assert first.caller.endswith("<sip:+15550199@127.0.0.1>")
            await second.ring()
            await first.answer()
            assert (await talk.answered("q")).member == "PJSIP/101"
            await second.ended()
            whisper = await talk.call.open_leg_audio("q")
            await asyncio.gather(speak(whisper, 700), hears(first, 700))
            await first.press("1")
            assert (await talk.next()).key == "1"  # type: ignore[union-attr]
            await talk.call.join("q")
            before = await talk.call.audio_flow("q")
            await asyncio.gather(
                talk.line.say(tone(600, 2_000)),
                first.say(tone(900, 2_000)),
                hears(first, 600),
                hears(talk.line, 900),
            )
            after = await talk.call.audio_flow("q")
            assert after.from_leg > before.from_leg + 20
            await first.hang_up()
            assert await talk.ended("q") == [(LegResult.DROPPED, "hung_up")]
            await talk.call.part()
            await reaches(talk.media, talk.line, 500)
            await talk.ring("w", ToQueue(queue="support"), ring_s=1)
            assert await talk.ended("w") == [(LegResult.NO_ANSWER, "waited_out")]
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)
