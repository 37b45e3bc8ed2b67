"""Callers who leave early, say nothing, or cannot be heard at all: in whole calls.

Those that can call at the same time do, each a number of their own.
"""

import sqlite3
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kai_ari.calls import events as ev
from kai_ari.calls.events import EndedBy, Situation
from kai_ari.calls.outcome import Headline
from kai_ari.ledger.database import ledger_file
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import HangUp, Say, StaySilent, Voice
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import CallOver, PhoneCall
from tests.conftest import app_number
from tests.reception_real.house import (
    APP,
    Calls,
    House,
    follow,
    nothing_left_behind,
    on_record,
    open_house,
    phone_of,
    until,
)
from tests.reception_real.placed import Placed, matches


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    scratch, directory = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("house")
    async with (
        nothing_left_behind(scratch),
        open_house(pbx, speech, directory, patience_s=1.5) as house,
    ):
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calls(house: House) -> Calls:
    stay_silent = [StaySilent()] * 5
    return await house.at_once(
        {
            "at once": house.call("2001", hang_up_at_once),
            "in the greeting": house.call("2002", follow(HangUp(after_ms=500))),
            "after the need": house.call(
                "2003", follow(Say(text="My kitchen tap is leaking."), HangUp())
            ),
            "silent": house.call("2004", follow(*stay_silent)),
        }
    )


async def hang_up_at_once(call: PhoneCall, voice: Voice) -> None:
    await call.hang_up()


def left(placed: Placed) -> None:
    assert placed.outcome.headline is Headline.CALLER_LEFT
    assert placed.outcome.ended_by is EndedBy.CALLER
    assert placed.proof[-1] == "ended"
    assert placed.ending
    assert placed.ending.by_us


def test_hanging_up_at_once(calls: Calls) -> None:
    placed = calls["at once"]
    left(placed)
    assert not placed.owed
    assert not placed.of(ev.CallerSpoke)


def test_hanging_up_in_the_greeting(calls: Calls) -> None:
    placed = calls["in the greeting"]
    left(placed)
    assert not placed.owed
    greeting = placed.one(ev.LineEnded)
    assert greeting.cut_by == "hangup"
    assert 0 < greeting.heard_ms < greeting.total_ms
    assert matches("hello", placed.heard)
    assert not matches("how can I help", placed.heard)


def test_hanging_up_after_the_need_leaves_a_call_back_owed(calls: Calls) -> None:
    placed = calls["after the need"]
    left(placed)
    [owed] = placed.owed
    assert owed.owed is Owed.CALL_BACK
    assert owed.about["caller_id"] == "+12025550142"
    assert matches("my kitchen tap is leaking", owed.about["reason"])
    assert matches("what is your name please", placed.heard)


def test_silence_throughout_ends_honestly(calls: Calls) -> None:
    placed = calls["silent"]
    assert placed.outcome.headline is Headline.UNRESOLVED
    assert placed.outcome.ended_by is EndedBy.KAI
    assert placed.outcome.reason == Situation.CALLER_SILENT
    assert not placed.owed
    assert len(placed.of(ev.CallerSilent)) == 3
    assert matches("are you still there", placed.heard)
    assert matches("I am sorry I cannot hear you", placed.heard)
    assert matches("I have no message from you so nobody will know why you called", placed.heard)


@pytest.mark.asyncio(loop_scope="session")
async def test_hanging_up_before_the_answer(house: House) -> None:
    """The record cannot be written for a moment, so the answer has to wait: the caller does not."""
    number = "2011"
    async with phone_of(house.pbx, "103") as phone:
        writer = sqlite3.connect(ledger_file(house.data), isolation_level=None)
        try:
            writer.execute("BEGIN IMMEDIATE")
            line = await phone.dial(app_number(APP, number))

            async def arrived() -> bool:
                return bool((await house.pbx.objects()).channels)

            await until(arrived, 5)
            await line.hang_up()
            writer.execute("ROLLBACK")
        finally:
            writer.close()
        placed = await house.placed(number, line)
    left(placed)
    assert placed.outcome.reason == "cancelled"
    assert not placed.of(ev.Answered)
    assert not placed.heard
    assert not placed.said
    assert not placed.owed


@pytest.mark.asyncio(loop_scope="session")
async def test_one_call_too_many_is_on_record_and_the_pbx_has_the_caller(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.agent.asterisk, "_max_calls", 0)
    async with phone_of(house.pbx, "103") as phone:
        line = await phone.dial(app_number(APP, "2013"), caller_id="+12025550142")
        placed = await on_record(house.agent.ledger, "2013")
        await line.hang_up()
    assert placed.outcome.headline is Headline.UNRESOLVED
    assert placed.outcome.ended_by is EndedBy.KAI
    assert placed.outcome.reason == "too_many_calls"
    assert not placed.of(ev.Answered)
    assert not placed.of(ev.Faulted)
    # What the PBX does for them, or they leave in its mailbox, is not Kai's to claim.
    assert not placed.owed


@pytest.mark.asyncio(loop_scope="session")
async def test_a_codec_that_nobody_shares_is_refused_by_the_pbx(house: House) -> None:
    before = {row.id for row in await house.agent.ledger.calls(limit=50)}
    async with phone_of(house.pbx, "103", codecs=("gsm",)) as phone:
        line = await phone.dial(app_number(APP, "2012"))
        with pytest.raises(CallOver) as over:
            await line.answered()
    assert over.value.status == 488
    assert {row.id for row in await house.agent.ledger.calls(limit=50)} == before
    assert not await house.pbx.objects()
