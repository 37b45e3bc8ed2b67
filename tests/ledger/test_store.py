"""The ledger on a real file: what is appended is there, chained, listed and verified."""

import asyncio
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kai_ari.calls.call import CallId
from kai_ari.calls.chain import first_break
from kai_ari.calls.events import Event, KeyPressed
from kai_ari.ledger.faults import LedgerClosed, LedgerMissing, LedgerRefused
from kai_ari.ledger.reader import open_reader
from kai_ari.ledger.store import SqlLedger, open_ledger
from tests.calls.strategies import EVENT
from tests.ledger.calls import ARRIVED, KEY, LEFT, A, B, owed
from tests.ledger.conftest import StepClock


async def test_a_call_from_arrival_to_end(ledger: SqlLedger) -> None:
    written, obligation = owed(A)
    await ledger.append(A, ARRIVED)
    await ledger.append(A, KEY, KEY)
    assert await ledger.open_calls() == [A]
    await ledger.append(A, written, LEFT, obligations=[obligation])

    assert await ledger.history(A) == [ARRIVED, KEY, KEY, written, LEFT]
    records = await ledger.records(A)
    assert [record.seq for record in records] == [1, 2, 3, 4, 5]
    assert [record.at.second for record in records] == [1, 2, 2, 3, 3]
    assert first_break(records) is None
    assert await ledger.open_calls() == []
    [stored] = await ledger.obligations(A)
    assert (stored.obligation, stored.state) == (obligation, "open")
    assert await ledger.verify() == []


async def test_the_list_says_what_the_outcome_says_also_after_the_end(ledger: SqlLedger) -> None:
    reason = KeyPressed(key="1")
    await ledger.append(A, ARRIVED, reason)
    [row] = await ledger.calls(limit=10)
    assert (row.headline, row.ended_at, row.caller_number) == (None, None, "+12025550123")

    await ledger.append(A, LEFT)
    [row] = await ledger.calls(limit=10)
    assert (row.headline, row.ended_by, row.reason) == ("caller_left", "caller", "hung_up")
    assert row.ended_at == "2026-11-22T09:00:02+00:00"

    await ledger.append(A, KEY)
    [row] = await ledger.calls(limit=10)
    assert (row.length, row.headline) == (4, "caller_left")
    assert await ledger.verify() == []


async def test_calls_are_listed_newest_first_and_found_by_prefix(ledger: SqlLedger) -> None:
    for name in ("aa1", "aa2", "b_1"):
        await ledger.append(CallId(name), ARRIVED)
    assert [row.id for row in await ledger.calls(limit=2)] == ["b_1", "aa2"]
    assert [row.id for row in await ledger.calls(limit=9, prefix="aa")] == ["aa2", "aa1"]
    assert [row.id for row in await ledger.calls(limit=9, prefix="b_")] == ["b_1"]
    assert await ledger.calls(limit=9, prefix="%") == []


async def test_a_restart_continues_the_chain_of_an_open_call(path: Path, clock: StepClock) -> None:
    async with open_ledger(path, clock) as before:
        await before.append(A, ARRIVED, KEY)
    async with open_ledger(path, clock) as after:
        assert await after.open_calls() == [A]
        await after.append(A, LEFT)
        assert await after.history(A) == [ARRIVED, KEY, LEFT]
        assert await after.verify() == []


async def test_calls_that_append_at_once_do_not_mix(ledger: SqlLedger) -> None:
    async def one(call: CallId) -> None:
        await ledger.append(call, ARRIVED)
        for n in range(50):
            await ledger.append(call, KeyPressed(key=str(n)))

    await asyncio.gather(one(A), one(B))
    for call in (A, B):
        keys = [event.key for event in await ledger.history(call) if isinstance(event, KeyPressed)]
        assert keys == [str(n) for n in range(50)]
    assert await ledger.verify() == []


async def test_appends_asked_for_together_keep_their_order(ledger: SqlLedger) -> None:
    events = [KeyPressed(key=str(n)) for n in range(200)]
    await asyncio.gather(*(ledger.append(A, event) for event in events))
    assert await ledger.history(A) == events


async def test_a_bad_append_fails_alone(ledger: SqlLedger) -> None:
    first, obligation = owed(A)
    again, same_id = owed(B)
    await ledger.append(A, first, obligations=[obligation])
    results = await asyncio.gather(
        ledger.append(A, KEY),
        ledger.append(B, again, obligations=[same_id]),
        ledger.append(B, KEY),
        return_exceptions=True,
    )
    assert isinstance(results[1], LedgerRefused)
    assert (results[0], results[2]) == (None, None)
    assert await ledger.history(A) == [first, KEY]
    assert await ledger.history(B) == [KEY]
    assert await ledger.verify() == []


async def test_an_obligation_and_its_event_go_together(ledger: SqlLedger) -> None:
    written, obligation = owed(A)
    with pytest.raises(LedgerRefused, match="in the same append"):
        await ledger.append(A, written)
    with pytest.raises(LedgerRefused, match="in the same append"):
        await ledger.append(A, KEY, obligations=[obligation])
    with pytest.raises(LedgerRefused, match="names another call"):
        await ledger.append(B, written, obligations=[obligation])
    with pytest.raises(LedgerRefused, match="at least one event"):
        await ledger.append(A)
    assert await ledger.calls(limit=1) == []


async def test_closing_writes_what_waits_and_refuses_the_rest(path: Path, clock: StepClock) -> None:
    async with open_ledger(path, clock) as ledger:
        waiting = [asyncio.create_task(ledger.append(A, KEY)) for _ in range(100)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*waiting)
    with pytest.raises(LedgerClosed):
        await ledger.append(A, KEY)
    async with open_reader(path) as reader:
        assert len(await reader.history(A)) == 100


async def test_whoever_stops_waiting_harms_nobody(ledger: SqlLedger) -> None:
    impatient = asyncio.create_task(ledger.append(A, ARRIVED))
    patient = asyncio.create_task(ledger.append(A, KEY))
    await asyncio.sleep(0)
    impatient.cancel()
    await patient
    assert (await ledger.history(A))[-1] == KEY
    assert await ledger.verify() == []


async def test_another_connection_reads_while_it_is_written(ledger: SqlLedger) -> None:
    async with open_reader(ledger.path) as reader:
        for place in range(1, 20):
            await ledger.append(A, KEY)
            assert len(await reader.history(A)) == place


async def test_a_reader_makes_nothing(path: Path) -> None:
    with pytest.raises(LedgerMissing, match="kai-ari run"):
        async with open_reader(path):
            pass
    assert not path.parent.exists()


async def test_only_the_owner_may_look(ledger: SqlLedger) -> None:
    await ledger.append(A, ARRIVED)
    modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in ledger.path.parent.iterdir()}
    assert modes == {"ledger.sqlite": 0o600, "ledger.sqlite-wal": 0o600, "ledger.sqlite-shm": 0o600}
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(EVENT, min_size=1, max_size=4), min_size=1, max_size=5))
async def test_any_events_are_kept_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, appends: list[list[Event]]
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    plain = [
        [event for event in events if not hasattr(event, "obligation")] or [KEY]
        for events in appends
    ]
    async with open_ledger(path, StepClock()) as ledger:
        for events in plain:
            await ledger.append(A, *events)
        assert await ledger.history(A) == [event for events in plain for event in events]
        assert await ledger.verify() == []
