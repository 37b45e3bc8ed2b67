"""A text instead of a call to who left before being helped: on a real ledger, with scripted
gateways and calls, on virtual time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import (
    AlertAcknowledged,
    CallBackEnded,
    CallerReplied,
    ObligationDue,
    SendingEnded,
)
from kai_ari.calls.leg_events import CallbackBooked
from kai_ari.followup.callbacks import CallBacks
from kai_ari.followup.ports import Notice, SendingFailed, Sent
from kai_ari.followup.reaching import Step
from kai_ari.followup.text_back import TextBacks, to_text
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.store import SqlLedger
from kai_ari.promises.obligation import Owed
from kai_ari.promises.opt_out import Listed, OptOut
from kai_ari.promises.permission import Prefix, Rules
from kai_ari.testing.virtual_time import VirtualClock, run_virtual
from tests.followup.office import (
    MORNING,
    Act,
    Gateway,
    Office,
    call_that_owes,
    confirms,
    ledger_at,
    office,
    pass_time,
    rules,
    takes,
)
from tests.followup.test_call_backs import KEPT, PERMITTED, RULES, Calls

pytestmark = pytest.mark.usefixtures("seldom_polls")

CALLER = "+12025550142"
WORDS = (
    "Rossi Plumbing: sorry that we missed your call. Call +12125550100 or answer this text."
    " Reply STOP to get no more."
)


@dataclass(frozen=True, kw_only=True)
class Shop:
    house: Office
    ledger: SqlLedger
    sms: Gateway
    mail: Gateway
    calls: Calls

    @property
    def texts(self) -> list[str]:
        return [notice.short for notice in self.sms.got if notice.to.address == CALLER]

    async def left(self, call: str = "aaaaaaaaaaaa") -> CallId:
        """A caller who said why, and hung up."""
        return await call_that_owes(
            self.ledger, Owed.CALL_BACK, call=call, about={"caller_id": CALLER}
        )

    async def said(self, call: CallId, *kinds: type[Event]) -> Sequence[Event]:
        return [e for e in await self.ledger.history(call) if isinstance(e, kinds)]

    async def answers(self, text: str) -> None:
        await self.house.parts.incoming.reply("sms", CALLER, text)


@asynccontextmanager
async def shop(
    path: Path, *acts: Act, permitted: Rules = PERMITTED, start: datetime = MORNING
) -> AsyncIterator[Shop]:
    clock = VirtualClock(start)
    sms, mail = Gateway("sms", list(acts) or [takes]), Gateway("email", [confirms])
    given = rules(Step(tell="dana", by=("email",)), calls_back=True, texts_back=True)
    async with ledger_at(path / "l", start) as ledger:
        desk = SqlFollowUp(ledger)
        calls = Calls(comes=[KEPT], clock=clock)
        texts = TextBacks(
            desk=desk,
            clock=clock,
            permission=permitted,
            business="Rossi Plumbing",
            own="+12125550100",
        )
        made = CallBacks(
            desk=desk,
            dialler=calls,
            rules=replace(RULES, permission=permitted),
            clock=clock,
            texts=texts,
        )
        async with office(ledger, given, [sms, mail], start=start, texts=texts) as house:
            calling = asyncio.create_task(made.run(), name="call backs")
            try:
                yield Shop(house=house, ledger=ledger, sms=sms, mail=mail, calls=calls)
            finally:
                await pass_time(seconds=1)
                calling.cancel()
                await asyncio.wait({calling})
        assert await ledger.verify() == []


def test_who_left_gets_one_text_and_is_still_owed_a_call(tmp_path: Path) -> None:
    async def day() -> None:
        async with shop(tmp_path) as here:
            call = await here.left()
            await pass_time(minutes=30)
            assert here.texts == [WORDS]
            assert len(WORDS) <= 160
            assert here.calls.made == []
            assert await here.house.states(call) == {"call_back": "open"}
            assert [notice.to.name for notice in here.mail.got] == ["Dana Rossi"]
            assert "Call them." in here.mail.got[0].short
            assert "Kai calls" not in here.mail.got[0].text

    run_virtual(day())


def test_who_booked_a_call_is_called_and_not_texted(tmp_path: Path) -> None:
    async def day() -> None:
        async with shop(tmp_path) as here:
            call = CallId("bbbbbbbbbbbb")
            await here.ledger.append(call, CallbackBooked(number=CALLER, due=MORNING.isoformat()))
            await call_that_owes(here.ledger, Owed.CALL_BACK, call=call, about={"number": CALLER})
            await pass_time(minutes=5)
            assert (here.texts, len(here.calls.made)) == ([], 1)

    run_virtual(day())


@pytest.mark.parametrize(
    ("number", "to"),
    [("+447911123456", "+447911123456"), ("+442079460018", ""), ("102", ""), (None, "")],
)
def test_only_what_may_be_a_mobile_is_texted(number: str | None, to: str) -> None:
    arrived = ev.Arrived(
        channel="1.1",
        did="100",
        caller_raw="",
        caller_name="",
        caller_number=number,
        resumed_from=None,
    )
    history = [
        arrived,
        ev.SlotTaken(slot="reason", value="a leak", how="voice"),
        ev.ObligationWritten(obligation="o1", owed="call_back"),
        ev.Ended(by=ev.EndedBy.CALLER, cause=16, reason="hung_up"),
    ]
    assert to_text(history) == to
    other = ev.SlotTaken(slot="number", value="+12125550199", how="voice")
    assert to_text([*history[:2], other, *history[2:]]) == ""


def test_at_night_where_they_are_it_waits_and_says_why(tmp_path: Path) -> None:
    night = MORNING - timedelta(hours=7)  # three in the morning in Washington
    permitted = replace(PERMITTED, between=(9 * 60, 20 * 60))

    async def day() -> None:
        async with shop(tmp_path, permitted=permitted, start=night) as here:
            call = await here.left()
            await pass_time(hours=5)
            assert here.texts == []
            [refused] = await here.said(call, CallBackEnded)
            assert refused.why == "quiet hours"  # type: ignore[attr-defined]
            await pass_time(hours=1, minutes=2)
            assert here.texts == [WORDS]

    run_virtual(day())


@pytest.mark.parametrize(
    ("permitted", "why"),
    [
        (PERMITTED, "opted out"),
        (replace(PERMITTED, prefixes=(Prefix(prefix="+1212"),)), "not allowed"),
    ],
)
def test_whom_kai_may_not_call_it_may_not_text(tmp_path: Path, permitted: Rules, why: str) -> None:
    async def day() -> None:
        async with shop(tmp_path, permitted=permitted) as here:
            if why == "opted out":
                await here.house.desk.say_opt_out(out())
            call = await here.left()
            await pass_time(hours=1)
            assert here.texts == []
            [refused] = await here.said(call, CallBackEnded)
            assert refused.why == why  # type: ignore[attr-defined]
            assert here.calls.made == []

    run_virtual(day())


def test_a_caller_who_calls_often_is_not_texted_as_often(tmp_path: Path) -> None:
    permitted = replace(PERMITTED, per_day=1)

    async def day() -> None:
        async with shop(tmp_path, permitted=permitted) as here:
            for name in ("aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"):
                await here.left(name)
                await pass_time(minutes=10)
            assert len(here.texts) == 1

    run_virtual(day())


def test_who_opts_out_while_a_text_waits_for_its_gateway_gets_none(tmp_path: Path) -> None:
    def away(_: Notice) -> Sent:
        raise SendingFailed("it is away", retry=True, uncertain=False)

    async def day() -> None:
        async with shop(tmp_path, away, takes) as here:
            call = await here.left()
            await pass_time(seconds=2)
            await here.house.desk.say_opt_out(out())
            await pass_time(hours=1)
            assert here.texts == []
            ends = await here.said(call, SendingEnded)
            assert "opted out" in [end.why for end in ends]  # type: ignore[attr-defined]

    run_virtual(day())


def test_a_text_that_may_have_arrived_is_never_sent_again(tmp_path: Path) -> None:
    def perhaps(_: Notice) -> Sent:
        raise SendingFailed("no answer", retry=True, uncertain=True)

    async def day() -> None:
        async with shop(tmp_path, perhaps, takes) as here:
            call = await here.left()
            await pass_time(hours=4)
            assert len(here.sms.asked) == 1
            assert await here.house.states(call) == {"call_back": "open"}

    run_virtual(day())


def test_what_they_answer_is_shown_to_people_and_acknowledges_nothing(tmp_path: Path) -> None:
    async def day() -> None:
        async with shop(tmp_path) as here:
            call = await here.left()
            await pass_time(minutes=1)
            for _ in range(2):  # gateways may tell it twice
                await here.answers("Yes please, any time after 5")
            await pass_time(minutes=1)
            assert len(await here.said(call, CallerReplied)) == 1
            told = [n for n in here.mail.got if "any time after 5" in n.short]
            assert len(told) == 1
            assert "any time after 5" in told[0].text
            assert await here.said(call, AlertAcknowledged) == []
            assert (await here.house.states(call))["call_back"] == "open"

    run_virtual(day())


@pytest.mark.parametrize(("text", "alerts"), [("STOP", 0), ("please stop by at six", 1)])
def test_stop_opts_out_and_more_than_that_a_person_reads(
    tmp_path: Path, text: str, alerts: int
) -> None:
    async def day() -> None:
        async with shop(tmp_path) as here:
            call = await here.left()
            await pass_time(minutes=1)
            told = len(here.mail.got)
            await here.answers(text)
            await pass_time(minutes=1)
            entry = await here.house.desk.opted_out(CALLER)
            assert entry is not None
            assert (entry.source, entry.evidence) == ("sms", text)
            assert len(here.mail.got) - told == alerts
            assert (await here.house.states(call))["call_back"] == "open"
            await here.answers(text)
            assert len(await here.house.desk.opt_outs(all_entries=True)) == 1
            await here.left("bbbbbbbbbbbb")
            await pass_time(minutes=10)
            assert here.texts == [WORDS]

    run_virtual(day())


def test_a_person_may_have_kai_call_all_the_same(tmp_path: Path) -> None:
    async def day() -> None:
        async with shop(tmp_path) as here:
            call = await here.left()
            await pass_time(minutes=5)
            [one] = await here.house.desk.owed(call=call)
            due = MORNING + timedelta(minutes=5)
            now = ObligationDue(obligation=one.id, due=due.isoformat(), why="dana wants it now")
            await here.house.desk.note(call, now)
            await pass_time(minutes=5)
            assert [made.number for made in here.calls.made] == [CALLER]
            assert await here.house.states(call) == {"call_back": "kept"}

    run_virtual(day())


def out() -> OptOut:
    return OptOut(number=CALLER, state=Listed.OUT, source="sms", at=MORNING, evidence="STOP")
