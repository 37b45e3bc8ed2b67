"""What is owed and queued: rows and events go together, and nobody acts twice on the same."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kai_ari.calls import follow_events as follow
from kai_ari.calls.leg_events import CallbackBooked
from kai_ari.followup.outbox import ItemState, OutboxItem, Overtaken
from kai_ari.followup.ports import Desk
from kai_ari.ledger.faults import LedgerOutdated, LedgerRefused
from kai_ari.ledger.follow_up import SqlFollowUp, open_desk
from kai_ari.ledger.store import SqlLedger
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.opt_out import Listed, OptOut
from kai_ari.promises.standing import State
from tests.ledger.calls import ARRIVED, ITEM, LEFT, NINE, A, B, owed, started
from tests.ledger.conftest import StepClock

NUMBER = "+12025550123"


@pytest.fixture
async def desk(ledger: SqlLedger) -> AsyncIterator[SqlFollowUp]:
    """With call A, which owes o1, and call B, which owes o2 from ten on; and it all holds."""
    first, one = owed(A)
    second, two = owed(B, "o2")
    due = (NINE + timedelta(hours=1)).isoformat()
    booked = CallbackBooked(number=NUMBER, due=due)
    await ledger.append(A, ARRIVED, first, LEFT, obligations=[one])
    await ledger.append(B, ARRIVED, booked, second, LEFT, obligations=[two])
    yield SqlFollowUp(ledger)
    assert await ledger.verify() == []


def _is_a_desk(desk: SqlFollowUp) -> Desk:
    return desk


async def states(ledger: SqlLedger) -> dict[str, State]:
    return {stored.obligation.id: stored.state for stored in await ledger.obligations()}


def calling(attempt: int, obligation: str = "o1") -> follow.CallBackStarted:
    return follow.CallBackStarted(
        obligation=obligation, attempt=attempt, number=NUMBER, channel="kai-a-1"
    )


def came_to(attempt: int, result: follow.CallBackResult) -> follow.CallBackEnded:
    return follow.CallBackEnded(obligation="o1", attempt=attempt, result=result, why="")


async def test_what_is_owed_is_found_by_call_and_kind_with_its_due_time(desk: SqlFollowUp) -> None:
    assert [one.id for one in await desk.owed()] == ["o1", "o2"]
    assert [one.id for one in await desk.owed(call=A)] == ["o1"]
    assert await desk.owed(kind=Owed.ALERT) == []
    later = NINE + timedelta(hours=2)
    await desk.note(A, follow.ObligationDue(obligation="o1", due=later.isoformat(), why="busy"))
    assert [one.due for one in await desk.owed(call=A)] == [later]


async def test_an_obligation_is_closed_by_what_its_call_says(
    ledger: SqlLedger, desk: SqlFollowUp
) -> None:
    await desk.note(A, follow.ObligationBroken(obligation="o1", why="nobody answers"))
    assert await states(ledger) == {"o1": State.BROKEN, "o2": State.OPEN}
    await desk.note(A, follow.ObligationKept(obligation="o1", evidence="Dana says so"))
    await desk.note(A, follow.ObligationCancelled(obligation="o1", why="late", by="lee"))
    assert await states(ledger) == {"o1": State.KEPT, "o2": State.OPEN}
    assert [one.id for one in await desk.owed()] == ["o2"]


async def test_an_event_about_what_is_not_owed_is_refused(desk: SqlFollowUp) -> None:
    with pytest.raises(LedgerRefused, match="which its call does not owe"):
        await desk.note(A, follow.ObligationKept(obligation="o2", evidence="x"))
    with pytest.raises(LedgerRefused, match="which its call does not owe"):
        await desk.plan(A, [replace(ITEM, key="other", obligation="o2")])
    with pytest.raises(LedgerRefused, match="not its own, or not new"):
        await desk.plan(B, [ITEM])
    assert len(await desk.history(A)) == 3


async def test_a_due_time_that_no_event_says_is_refused(desk: SqlFollowUp) -> None:
    event, obligation = owed(A, "o3")
    wrong = replace(obligation, due=NINE + timedelta(days=1))
    with pytest.raises(LedgerRefused, match="is not what its call's events say"):
        await desk.note(A, event, obligations=[wrong])
    said = follow.ObligationDue(obligation="o3", due=wrong.due.isoformat(), why="")  # type: ignore[union-attr]
    await desk.note(A, event, said, obligations=[wrong])
    assert wrong in await desk.owed()


async def test_an_item_from_plan_to_receipt(desk: SqlFollowUp) -> None:
    later = replace(ITEM, key="later", next_at=NINE + timedelta(minutes=5))
    await desk.plan(A, [later, ITEM])
    await desk.plan(A, [replace(ITEM, body={"short": "planned twice"})])
    assert await desk.items(obligation="o1") == await desk.items(call=A)
    assert await desk.due(NINE, 10) == [ITEM]
    assert await desk.due(NINE + timedelta(hours=1), 1) == [ITEM]
    assert await desk.next_due() == NINE
    assert await desk.due(NINE + timedelta(hours=1), 1, but=[ITEM.key]) == [later]
    assert await desk.next_due(but=[ITEM.key]) == later.next_at

    sending, event = started(ITEM)
    await desk.change(sending, event)
    assert await desk.in_flight() == [sending]
    assert await desk.next_due() == later.next_at

    sent = replace(sending, state=ItemState.SENT, receipt="r\x007")
    await desk.change(sent, ended(ITEM, follow.SendingResult.ACCEPTED))
    assert await desk.in_flight() == []
    found = await desk.by_receipt("sms", "r\x007")
    assert found == replace(sent, receipt="r?7")
    assert await desk.by_receipt("email", "r\x007") is None
    assert await desk.by_receipt("sms", "") is None

    arrived = replace(sent, state=ItemState.DELIVERED)
    receipt = follow.ReceiptCame(
        obligation="o1", item=ITEM.key, result=follow.ReceiptResult.DELIVERED, why=""
    )
    await desk.change(arrived, receipt)
    await desk.change(arrived, receipt)  # a gateway tells it twice
    assert await desk.items() == [later, replace(arrived, receipt="r?7")]


async def test_the_newest_sent_to_somebody_come_first_and_by_an_index(
    desk: SqlFollowUp, path: Path
) -> None:
    for minutes, key in enumerate(("first", "second", "third")):
        at = NINE + timedelta(minutes=minutes)
        await desk.plan(A, [replace(ITEM, key=key, created_at=at)])
    await desk.plan(A, [replace(ITEM, key="lee", to=replace(ITEM.to, person="lee"))])
    found = await desk.sent_to("dana", states={ItemState.QUEUED, ItemState.DEAD}, newest=2)
    assert [item.key for item in found] == ["third", "second"]
    assert await desk.sent_to("dana", states={ItemState.SENT}, newest=2) == []
    with closing(sqlite3.connect(path)) as connection:
        for column in ("person", "address"):
            query = f"SELECT * FROM outbox WHERE {column} = '' AND state IN ('sent', 'dead')"  # noqa: S608
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query} ORDER BY created_at").fetchall()
            assert f"INDEX outbox_{column}" in str(plan)


def ended(item: OutboxItem, result: follow.SendingResult) -> follow.SendingEnded:
    return follow.SendingEnded(
        obligation=item.obligation, item=item.key, result=result, receipt="r7", why="so"
    )


async def test_an_item_is_taken_by_one_only(desk: SqlFollowUp) -> None:
    await desk.plan(A, [ITEM])
    sending, event = started(ITEM)
    results = await asyncio.gather(
        *(desk.change(sending, event) for _ in range(5)), return_exceptions=True
    )
    assert results.count(None) == 1
    assert sum(isinstance(result, Overtaken) for result in results) == 4
    failed = replace(sending, state=ItemState.QUEUED)
    await desk.change(failed, ended(ITEM, follow.SendingResult.FAILED))
    with pytest.raises(Overtaken, match="it is queued after 1 sendings"):
        await desk.change(replace(ITEM, state=ItemState.CANCELLED))
    await desk.change(replace(failed, state=ItemState.CANCELLED))
    with pytest.raises(Overtaken, match="it is cancelled"):
        await desk.change(*started(failed))


async def test_an_item_that_claims_more_than_its_events_is_refused(desk: SqlFollowUp) -> None:
    await desk.plan(A, [ITEM])
    sending, event = started(ITEM)
    for item, events in (
        (sending, ()),
        (replace(sending, attempts=2), (event,)),
        (ITEM, (event,)),
    ):
        with pytest.raises(LedgerRefused, match="its call's events say"):
            await desk.change(item, *events)
    with pytest.raises(LedgerRefused, match="was never planned"):
        await desk.change(replace(ITEM, key="unknown"))
    assert await desk.items() == [ITEM]
    assert len(await desk.history(A)) == 3


async def test_a_call_back_is_begun_once_and_not_when_it_must_not(desk: SqlFollowUp) -> None:
    results = await asyncio.gather(
        *(desk.note(A, calling(1)) for _ in range(4)), return_exceptions=True
    )
    assert results.count(None) == 1
    assert sum(isinstance(result, Overtaken) for result in results) == 3
    with pytest.raises(Overtaken, match="has not ended yet"):
        await desk.note(A, calling(2))
    await desk.note(A, came_to(1, follow.CallBackResult.BUSY))
    with pytest.raises(Overtaken, match="1 were made"):
        await desk.note(A, calling(1))
    await desk.note(A, calling(2))
    await desk.note(A, came_to(2, follow.CallBackResult.NO_ANSWER))
    await desk.say_opt_out(out("sms"))
    with pytest.raises(Overtaken, match="opt-out list") as overtaken:
        await desk.note(A, calling(3))
    assert NUMBER not in str(overtaken.value)  # it is logged
    await desk.say_opt_out(replace(out("command"), state=Listed.IN))
    await desk.note(A, follow.ObligationCancelled(obligation="o1", why="", by="dana"))
    with pytest.raises(Overtaken, match="it is cancelled already"):
        await desk.note(A, calling(3))


def out(source: str, number: str = NUMBER) -> OptOut:
    return OptOut(number=number, state=Listed.OUT, source=source, at=NINE, evidence="STOP \ud800")


async def test_the_opt_out_list_keeps_every_entry_and_the_last_one_holds(desk: SqlFollowUp) -> None:
    assert await desk.opted_out(NUMBER) is None
    await desk.say_opt_out(out("sms"))
    await desk.say_opt_out(replace(out("command"), state=Listed.IN, evidence="he asked"))
    assert await desk.opted_out(NUMBER) is None
    await desk.note(A, follow.OptedOut(number=NUMBER, source="key", said="STOP \ud800"))
    entry = await desk.opted_out(NUMBER)
    assert entry is not None
    assert (entry.source, entry.evidence) == ("key", "STOP ?")
    await desk.say_opt_outs([out("import", "+12025550177"), out("import", "+12025550178")])
    assert [one.number[-2:] for one in await desk.opt_outs()] == ["23", "77", "78"]
    assert len(await desk.opt_outs(all_entries=True)) == 5


async def test_calls_back_are_counted_since_then_and_for_an_obligation_ever(
    desk: SqlFollowUp,
) -> None:
    await desk.note(A, calling(1))
    await desk.note(A, came_to(1, follow.CallBackResult.BUSY))
    await desk.note(B, calling(1, "o2"))
    early, late = NINE, datetime(2027, 1, 1, tzinfo=UTC)
    assert [d.obligation for d in await desk.dialled(early, obligation="o1")] == ["o1", "o2"]
    [one] = await desk.dialled(late, obligation="o1")
    assert (one.number, one.ended is not None) == (NUMBER, True)
    [two] = await desk.dialled(late, obligation="o2")
    assert two.ended is None
    assert await desk.dialled(late, obligation="o9") == []


async def test_another_process_writes_to_the_same_calls(
    ledger: SqlLedger, desk: SqlFollowUp, path: Path
) -> None:
    async with open_desk(path, StepClock()) as other:
        await asyncio.gather(
            *(
                d.note(A, follow.MessageHeard(obligation="o1", how="*97"))
                for d in [desk, other] * 20
            )
        )
        await other.note(A, follow.ObligationKept(obligation="o1", evidence="done"))
    assert len(await desk.history(A)) == 3 + 41
    assert [one.id for one in await desk.owed()] == ["o2"]


async def test_news_come_at_once_for_the_own_and_soon_for_other_processes(
    ledger: SqlLedger, desk: SqlFollowUp, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = await desk.news(0)
    waiting = [asyncio.create_task(desk.news(mark)) for _ in range(3)]
    await asyncio.sleep(0)
    await ledger.append(A, ARRIVED)  # a live call is no news
    await desk.plan(A, [ITEM])
    marks = await asyncio.gather(*waiting)
    assert len({mark, *marks}) == 2

    monkeypatch.setattr("kai_ari.ledger.news.POLL_S", 0.05)
    waiting = [asyncio.create_task(desk.news(marks[0]))]
    async with open_desk(path, StepClock()) as other:
        await other.say_opt_out(out("command"))
        async with asyncio.timeout(30):
            assert await waiting[0] > marks[0]


async def test_a_desk_is_made_where_there_is_none_and_migrates_nothing(tmp_path: Path) -> None:
    fresh = tmp_path / "new" / "ledger.sqlite"
    async with open_desk(fresh, StepClock()) as desk:
        assert await desk.owed() == []
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    with pytest.raises(LedgerOutdated):
        async with open_desk(empty, StepClock()):
            pass


def test_an_obligation_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Obligation(
            id="o", call=A, owed=Owed.ALERT, since=NINE, about={}, due=NINE.replace(tzinfo=None)
        )
