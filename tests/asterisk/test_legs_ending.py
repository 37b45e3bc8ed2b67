"""How legs to phones and numbers end before they are answered, on a real Asterisk."""

from collections.abc import AsyncIterator

import pytest

from kai_ari.calls.events import EndedBy
from kai_ari.reception.legs import (
    LegAnswered,
    LegEnded,
    LegResult,
    LegRinging,
    ToDesk,
    ToNumber,
    ToPhone,
    ToQueue,
)
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from tests.asterisk.agent import Caught, agent, nothing_left, phone_at
from tests.asterisk.staff import conversation, free_port, premises, provider, staff_phone

TRUNK_PORT = free_port()

#: What a phone says, and what becomes of it when a phone of the house or a trunk says so.
STATUSES = {
    403: ((LegResult.FAILED, "forbidden"), 21),
    404: ((LegResult.UNREACHABLE, "no_such_number"), 1),
    480: ((LegResult.UNREACHABLE, "not_available"), 19),
    486: ((LegResult.BUSY, "busy"), 17),
    488: ((LegResult.FAILED, "no_common_codec"), 58),
    500: ((LegResult.FAILED, "trunk_fault"), 38),
    503: ((LegResult.FAILED, "trunk_fault"), 34),
    600: ((LegResult.BUSY, "busy_everywhere"), 17),
    603: ((LegResult.DECLINED, "declined"), 21),
}


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    # The trunk has an address of its own on this machine.
    async with LocalAsterisk(premises=premises(TRUNK_PORT), elsewhere=False) as pbx:
        yield pbx


@pytest.fixture
async def phone(pbx: LocalAsterisk) -> AsyncIterator[SipPhone]:
    async with phone_at(pbx) as phone:
        yield phone


async def test_every_way_not_to_be_answered_is_told_apart(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with (
        agent(pbx, caught),
        staff_phone(pbx) as staff,
        staff_phone(pbx, "102") as dead,
        provider(pbx, TRUNK_PORT) as trunk,
    ):
        talk = await conversation(phone, caught)
        dead.kill()
        await talk.ring("dead", ToPhone(extension="102"))
        await talk.ring("silent", ToDesk(uri="sip:desk@127.0.0.1:9"))
        await talk.ring("unregistered", ToPhone(extension="103"))
        await talk.ring("unknown", ToPhone(extension="999"))
        await talk.ring("unsafe", ToNumber(number="1@evil&PJSIP/101", trunk="provider"))
        await talk.ring("notrunk", ToNumber(number="+15550123", trunk="nosuch"))
        await talk.ring("patience", ring_s=2)
        await (await staff.incoming()).ring()
        for status in STATUSES:
            await talk.ring(f"s{status}", ToNumber(number=f"+1555{status}", trunk="provider"))
            leg = await trunk.incoming()
            assert leg.invite.startswith(f"INVITE sip:+1555{status}@")
            await leg.ring()
            await leg.decline(status)
            assert await talk.ended(f"s{status}") == [STATUSES[status][0]]
            end = talk.seen[-1]
            assert isinstance(end, LegEnded)
            assert (end.cause, end.sip) == (STATUSES[status][1], status)
        for status, result in ((486, LegResult.BUSY), (603, LegResult.DECLINED)):
            await talk.ring(f"p{status}")
            await (await staff.incoming()).decline(status)
            assert (await talk.ended(f"p{status}"))[0][0] is result
            assert talk.told_of(f"p{status}") == [LegEnded]
        others = await talk.ended(
            *("unregistered", "unknown", "unsafe", "notrunk", "patience", "dead", "silent")
        )
        assert others == [
            (LegResult.UNREACHABLE, "not_registered"),
            (LegResult.UNREACHABLE, "not_registered"),
            (LegResult.FAILED, "undialable"),
            (LegResult.FAILED, "trunk_down"),
            (LegResult.NO_ANSWER, "rang_out"),
            (LegResult.UNREACHABLE, "never_rang"),
            (LegResult.UNREACHABLE, "never_rang"),
        ]
        assert talk.told_of("patience") == [LegRinging, LegEnded]
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)


async def test_who_ended_an_answered_leg_is_told(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with (
        agent(pbx, caught),
        staff_phone(pbx) as member,
        provider(pbx, TRUNK_PORT) as trunk,
    ):
        talk = await conversation(phone, caught)
        out_of_order = ("Reason", 'Q.850;cause=38;text="Network out of order"')
        lost = ("Reason", 'Q.850;cause=41;text="Temporary failure"')
        mobile, queue = ToNumber(number="+15550123", trunk="provider"), ToQueue(queue="support")
        ways: list[tuple[ToNumber | ToQueue, list[tuple[str, str]], str]] = [
            (mobile, [], "hung_up"),
            (mobile, [lost], "cause_41"),
            (mobile, [out_of_order], "cause_38"),
            (queue, [], "hung_up"),
            (queue, [lost], "cause_41"),
        ]
        for leg, (to, headers, reason) in zip("abcde", ways, strict=True):
            await talk.ring(leg, to)
            line = await (member if to is queue else trunk).incoming()
            await line.answer()
            await talk.answered(leg)
            await talk.call.join(leg)
            await line.hang_up(*headers)
            assert await talk.ended(leg) == [(LegResult.DROPPED, reason)]
            end = talk.seen[-1]
            assert isinstance(end, LegEnded)
            assert end.by is (EndedBy.NETWORK if headers else EndedBy.HUMAN)
            await talk.call.part()
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)


async def test_every_phone_of_an_extension_rings_and_the_first_to_answer_has_it(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with (
        agent(pbx, caught),
        staff_phone(pbx) as desk,
        staff_phone(pbx) as mobile,
    ):
        talk = await conversation(phone, caught)
        await talk.ring("a")
        at_desk, at_mobile = await desk.incoming(), await mobile.incoming()
        await at_desk.ring()
        await at_mobile.answer()
        await talk.answered("a")
        stopped = await at_desk.ended()
        assert stopped.status == 487
        assert talk.told_of("a") == [LegRinging, LegAnswered]
        await talk.call.hang_up_leg("a")
        assert await talk.ended("a") == [(LegResult.CANCELLED, "by_kai")]
        # One that is busy does not speak for the other; one that declines does.
        await talk.ring("b")
        at_desk, at_mobile = await desk.incoming(), await mobile.incoming()
        await at_desk.decline(486)
        await at_mobile.ring()
        await at_mobile.decline(603)
        assert await talk.ended("b") == [(LegResult.DECLINED, "declined")]
        await talk.ring("c")
        at_desk, at_mobile = await desk.incoming(), await mobile.incoming()
        await at_mobile.ring()
        await at_desk.decline(603)
        assert (await at_mobile.ended()).status == 487
        assert await talk.ended("c") == [(LegResult.DECLINED, "declined")]
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)
