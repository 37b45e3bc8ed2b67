"""A caller and a person who talk when their agent stops or dies: nobody cuts them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_ari.reception.legs import ToQueue
from kai_ari.reception.ports import LiveCall
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import Caught, agent, converse, nothing_left, phone_at, tone
from tests.asterisk.staff import Conversation, conversation, hears, premises, speak, staff_phone


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(premises=premises()) as pbx:
        yield pbx


@pytest.fixture
async def phone(pbx: LocalAsterisk) -> AsyncIterator[SipPhone]:
    async with phone_at(pbx) as phone:
        yield phone


async def joined(talk: Conversation, staff: SipPhone) -> PhoneCall:
    line = await staff.incoming()
    await line.answer()
    await talk.answered("a")
    await talk.call.join("a")
    return line


async def both_hear(one: PhoneCall, other: PhoneCall) -> None:
    await asyncio.gather(
        one.say(tone(600, 2_000)), other.say(tone(900, 800)), hears(other, 600), hears(one, 900)
    )


async def with_kai(line: PhoneCall, call: LiveCall) -> None:
    """The caller is taken up by an agent and hears it."""
    assert call.arrival.reclaimed
    await asyncio.gather(speak(await converse(call), 500), hears(line, 500))


@pytest.mark.parametrize("queue", [False, True])
async def test_an_agent_that_stops_leaves_a_talk_alone_and_the_next_takes_the_caller_up(
    pbx: LocalAsterisk, phone: SipPhone, queue: bool
) -> None:
    first, second, third = Caught(), Caught(), Caught()
    async with staff_phone(pbx) as staff:
        async with agent(pbx, first):
            talk = await conversation(phone, first)
            await talk.ring("a", ToQueue(queue="support") if queue else None)
            person = await joined(talk, staff)
        await both_hear(talk.line, person)
        async with agent(pbx, second):
            await both_hear(talk.line, person)
        async with agent(pbx, third):
            await person.hang_up()
            again = await third.next()
            await with_kai(talk.line, again)
            await talk.line.hang_up()
            third.let_go(again)
            await nothing_left(pbx)


@pytest.mark.parametrize("leaves", ["person", "caller"])
async def test_who_is_left_when_no_agent_is_there_is_found(
    pbx: LocalAsterisk, phone: SipPhone, leaves: str
) -> None:
    first, second = Caught(), Caught()
    async with staff_phone(pbx) as staff:
        async with agent(pbx, first):
            talk = await conversation(phone, first)
            await talk.ring("a")
            person = await joined(talk, staff)
        await (person if leaves == "person" else talk.line).hang_up()
        async with agent(pbx, second):
            if leaves == "person":
                again = await second.next()
                await with_kai(talk.line, again)
                await talk.line.hang_up()
                second.let_go(again)
            else:
                await person.ended()
            await nothing_left(pbx)


async def test_a_caller_who_leaves_a_talk_without_kai_takes_the_person_along(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    first = Caught()
    async with staff_phone(pbx) as staff:
        async with agent(pbx, first):
            talk = await conversation(phone, first)
            await talk.ring("a")
            person = await joined(talk, staff)
        async with agent(pbx, Caught()):
            await talk.line.hang_up()
            assert not (await person.ended()).by_us
            await nothing_left(pbx)


async def test_a_call_that_fails_in_a_talk_leaves_it_alone_and_takes_the_caller_up_after_it(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    failing = asyncio.Event()

    async def fails_first(call: LiveCall) -> None:
        if call.arrival.reclaimed:
            return await caught(call)
        serving = asyncio.create_task(caught(call))
        await failing.wait()
        serving.cancel()
        raise RuntimeError("as when the disk is full")

    async with agent(pbx, fails_first), staff_phone(pbx) as staff:
        talk = await conversation(phone, caught)
        await talk.ring("a")
        person = await joined(talk, staff)
        failing.set()
        await both_hear(talk.line, person)
        await person.hang_up()
        again = await caught.next()
        await with_kai(talk.line, again)
        await talk.line.hang_up()
        caught.let_go(again)
        await nothing_left(pbx)


async def test_a_colleague_put_in_a_persons_place_without_kai_is_let_go(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    first, second = Caught(), Caught()
    async with staff_phone(pbx) as staff, staff_phone(pbx, "102") as colleague:
        async with agent(pbx, first):
            talk = await conversation(phone, first)
            await talk.ring("a")
            person = await joined(talk, staff)
        async with agent(pbx, second):
            enquiry = await staff.dial("102")
            other = await colleague.incoming()
            await other.answer()
            await enquiry.answered()
            await person.refer_to(enquiry)
            await other.ended()
            again = await second.next()
            await with_kai(talk.line, again)
            await talk.line.hang_up()
            second.let_go(again)
            await nothing_left(pbx)
