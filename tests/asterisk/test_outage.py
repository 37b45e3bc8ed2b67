"""Kai and Asterisk lose each other for so long that Kai gives its calls up, while caller and
person notice nothing: whoever is still there afterwards is served, or left to talk."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_ari.asterisk import connection
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.errors import AriUnreachable
from kai_ari.calls.events import EndedBy
from kai_ari.reception.ports import CallerGone, LiveCall
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import (
    Caught,
    Shelves,
    Wire,
    agent,
    converse,
    cut_off,
    ending,
    nothing_left,
    phone_at,
    tone,
)
from tests.asterisk.staff import Conversation, conversation, hears, premises, speak, staff_phone

AWAY = CallerGone(by=EndedBy.NETWORK, cause=None, reason="asterisk_away")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are given up as soon as Asterisk has not been reached again."""
    monkeypatch.setattr(connection, "GIVE_UP_S", 0.0)


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(premises=premises()) as pbx:
        yield pbx


@pytest.fixture
async def phone(pbx: LocalAsterisk) -> AsyncIterator[SipPhone]:
    async with phone_at(pbx) as phone:
        yield phone


@pytest.fixture
async def wire(pbx: LocalAsterisk) -> AsyncIterator[Wire]:
    async with Wire(pbx) as wire:
        yield wire


async def both_hear(one: PhoneCall, other: PhoneCall) -> None:
    await asyncio.gather(
        one.say(tone(600, 2_000)), other.say(tone(900, 800)), hears(other, 600), hears(one, 900)
    )


async def taken_up(line: PhoneCall, caught: Caught, pbx: LocalAsterisk) -> None:
    """The caller has a call of theirs again, and hears Kai. Then they hang up."""
    async with asyncio.timeout(40):
        again = await caught.next()
    assert again.arrival.reclaimed
    await asyncio.gather(speak(await converse(again), 500), hears(line, 500))
    await line.hang_up()
    assert (await ending(again)).by is EndedBy.CALLER
    caught.let_go(again)
    await nothing_left(pbx)


async def given_up(talk: Conversation) -> CallerGone:
    while not isinstance(signal := await talk.next(), CallerGone):
        pass
    return signal


@pytest.mark.parametrize("back", ["before the wrap-up is over", "after it"])
async def test_a_caller_who_is_still_there_is_taken_up(
    pbx: LocalAsterisk, phone: SipPhone, wire: Wire, back: str
) -> None:
    caught = Caught()
    async with agent(pbx, caught, ari_url=wire.ari_url) as asterisk, staff_phone(pbx) as staff:
        talk = await conversation(phone, caught)
        await talk.ring("a")
        whispered_to = await staff.incoming()
        await whispered_to.answer()
        await talk.answered("a")
        await cut_off(wire)
        assert await given_up(talk) == AWAY
        if back == "after it":
            caught.let_go(talk.call)
            await talk.call.release()
            wire.open = True
        else:
            wire.open = True
            await asterisk.ready.wait()
            caught.let_go(talk.call)
        await whispered_to.ended()  # though nothing could be hung up meanwhile
        await taken_up(talk.line, caught, pbx)


async def test_a_caller_who_is_not_there_any_more_is_not_taken_up(
    pbx: LocalAsterisk, phone: SipPhone, wire: Wire
) -> None:
    caught = Caught()
    async with agent(pbx, caught, ari_url=wire.ari_url, max_calls=1) as asterisk:
        talk = await conversation(phone, caught)
        await cut_off(wire)
        assert await given_up(talk) == AWAY
        await talk.line.hang_up()
        wire.open = True
        await asterisk.ready.wait()
        caught.let_go(talk.call)
        await nothing_left(pbx)
        line = await phone.dial("100")  # the next call is theirs, and the agent has room for it
        call = await caught.next()
        assert not call.arrival.reclaimed
        await line.hang_up()
        caught.let_go(call)


@pytest.mark.parametrize("leaves", ["person", "person in the wrap-up", "caller in the wrap-up"])
async def test_a_talk_goes_on_and_the_caller_is_taken_up_after_it(
    pbx: LocalAsterisk, phone: SipPhone, wire: Wire, leaves: str
) -> None:
    caught = Caught()
    async with agent(pbx, caught, ari_url=wire.ari_url) as asterisk, staff_phone(pbx) as staff:
        talk = await conversation(phone, caught)
        await talk.ring("a")
        person = await staff.incoming()
        await person.answer()
        await talk.answered("a")
        await talk.call.join("a")
        await cut_off(wire)
        gone = await given_up(talk)
        assert (gone.reason, gone.talks_on) == ("asterisk_away", True)
        wire.open = True
        await asterisk.ready.wait()
        await talk.call.hang_up_leg("a")  # too late: Kai has left them alone
        await both_hear(talk.line, person)
        if leaves == "caller in the wrap-up":
            await talk.line.hang_up()
        if leaves == "person in the wrap-up":
            await person.hang_up()
        caught.let_go(talk.call)
        if leaves == "person":
            await both_hear(talk.line, person)
            await person.hang_up()
        if leaves == "caller in the wrap-up":
            assert not (await person.ended()).by_us
            await nothing_left(pbx)
        else:
            await taken_up(talk.line, caught, pbx)


async def test_a_caller_who_could_not_be_left_to_the_dialplan_is_taken_up(
    pbx: LocalAsterisk, phone: SipPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught = Caught()

    async def fails_first(call: LiveCall) -> None:
        if call.arrival.reclaimed:
            return await caught(call)
        await converse(call)
        raise RuntimeError("as when the disk is full")

    async def no_answer(*_: object) -> None:
        raise AriUnreachable("no answer within 5 s")

    monkeypatch.setattr(AriClient, "continue_in_dialplan", no_answer)
    async with agent(pbx, fails_first):
        line = await phone.dial("100")
        await line.answered()
        await taken_up(line, caught, pbx)


async def test_a_message_that_was_being_left_is_collected(
    pbx: LocalAsterisk, phone: SipPhone, wire: Wire
) -> None:
    caught, shelves = Caught(), Shelves()
    async with agent(pbx, caught, ari_url=wire.ari_url, on_settled=shelves):
        await shelves.next()
        talk = await conversation(phone, caught)
        await talk.call.start_recording("message1", max_s=60, max_silence_s=0)
        await talk.line.say(tone(700, 1_000))
        await cut_off(wire)
        assert await given_up(talk) == AWAY
        caught.let_go(talk.call)
        await talk.call.release()  # which cannot end the recording
        wire.open = True
        await shelves.next()
        after = await shelves.next()
        [left] = await after.left_recordings()
        assert left == (talk.call.arrival.call, "message1")
        await after.delete_left(*left)
        await taken_up(talk.line, caught, pbx)


async def test_an_agent_that_stops_meanwhile_leaves_its_callers_to_the_next(
    pbx: LocalAsterisk, phone: SipPhone, wire: Wire
) -> None:
    caught, following = Caught(), Caught()
    async with agent(pbx, caught, ari_url=wire.ari_url):
        talk = await conversation(phone, caught)
        await cut_off(wire)
        assert await given_up(talk) == AWAY
        caught.let_go(talk.call)
    async with agent(pbx, following):
        await taken_up(talk.line, following, pbx)
