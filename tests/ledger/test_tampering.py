"""Whoever changes the file behind Kai's back is noticed, and the place is named."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kai_ari.calls.follow_events import OptedOut
from kai_ari.ledger.faults import LedgerCorrupt
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.reader import open_reader
from kai_ari.ledger.store import open_ledger
from kai_ari.ledger.verify import Break
from tests.ledger.calls import ARRIVED, ITEM, KEY, LEFT, SENDING, A, B, owed
from tests.ledger.conftest import StepClock


@pytest.fixture
async def written(path: Path, clock: StepClock) -> Path:
    event, obligation = owed(A)
    async with open_ledger(path, clock) as ledger:
        await ledger.append(A, ARRIVED, KEY, event, LEFT, KEY, obligations=[obligation])
        await ledger.append(B, ARRIVED, KEY)
        desk = SqlFollowUp(ledger)
        await desk.plan(A, [ITEM])
        await desk.change(*SENDING)
        await ledger.append(A, OptedOut(number="+12025550123", source="key", said="pressed 9"))
        assert await ledger.verify() == []
    return path


@contextmanager
def tampering(path: Path, *, without_triggers: bool = True) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        if without_triggers:
            connection.execute("DROP TRIGGER events_no_UPDATE")
            connection.execute("DROP TRIGGER events_no_DELETE")
        yield connection


async def breaks(path: Path) -> list[Break]:
    async with open_reader(path) as reader:
        return list(await reader.verify())


@pytest.mark.parametrize("statement", ["UPDATE events SET kind = 'answered'", "DELETE FROM events"])
async def test_the_database_itself_refuses(written: Path, statement: str) -> None:
    with (
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
        tampering(written, without_triggers=False) as connection,
    ):
        connection.execute(statement)
    assert await breaks(written) == []


@pytest.mark.parametrize(
    ("statement", "seq", "what"),
    [
        ("UPDATE events SET data = replace(data, '1', '2') WHERE seq = 2", 2, "not what was"),
        ("UPDATE events SET at = '2026-11-22T09:00:09+00:00' WHERE seq = 2", 2, "not what was"),
        ("UPDATE events SET hash = 'x' WHERE seq = 2", 2, "not what was"),
        ("UPDATE events SET kind = 'gossip' WHERE seq = 2", 2, "unknown event kind"),
        ("UPDATE events SET data = '{' WHERE seq = 2", 2, "the row is damaged"),
        ("UPDATE events SET data = 'null' WHERE seq = 2", 2, "the row is damaged"),
        ("UPDATE events SET at = 'today' WHERE seq = 2", 2, "the row is damaged"),
        ("UPDATE events SET at = x'00' WHERE seq = 2", 2, "the row is damaged"),
        ("DELETE FROM events WHERE seq = 1", 1, "not what was"),
        ("DELETE FROM events WHERE seq = 7", None, "listed with length 7"),
        ("DELETE FROM events", None, "without any event"),
        ("UPDATE calls SET headline = 'details_taken'", None, "headline 'details_taken', but its"),
        ("UPDATE calls SET ended_at = NULL", None, "listed with ended_at None"),
        ("UPDATE calls SET caller_number = '+1'", None, "listed with caller_number '+1'"),
        ("DELETE FROM obligations", 3, "obligation o1 (call_back) was written, and now"),
        ("UPDATE obligations SET owed = 'deliver_message'", 3, "now there is deliver_message"),
        ("UPDATE obligations SET owed = 'cake'", None, "obligation o1: the row is damaged"),
        ("UPDATE obligations SET id = 'o9'", None, "obligation o9 stands without its event"),
        ("UPDATE obligations SET state = 'kept'", None, "has state 'kept', but its events say"),
        ("UPDATE obligations SET due = '2027-01-01T09:00:00+00:00'", None, "has due '2027-"),
        ("UPDATE outbox SET state = 'delivered'", None, "is delivered after 1 sendings, but its"),
        ("UPDATE outbox SET attempts = 7", None, "is sending after 7 sendings, but its events"),
        ("UPDATE outbox SET obligation = 'o9'", None, "for obligation o9, which is not the call's"),
        ("UPDATE outbox SET body = '{'", None, "outbox o1/sms/dana: the row is damaged"),
        ("DELETE FROM outbox", 6, "was sent, and is not in the outbox"),
    ],
)
async def test_every_change_is_found_where_it_is(
    written: Path, statement: str, seq: int | None, what: str
) -> None:
    where = " AND " if "WHERE" in statement else " WHERE "
    column = "id" if " calls " in statement else "call"
    with tampering(written) as connection:
        connection.execute(f"{statement}{where}{column} = '{A}'")
    found = await breaks(written)
    assert {b.call for b in found} == {A}, "and the other call still holds"
    assert any(b.seq == seq and what in b.what for b in found), found


async def test_a_damaged_event_is_told_to_whoever_reads_it(written: Path) -> None:
    with tampering(written) as connection:
        connection.execute("UPDATE events SET data = '{' WHERE seq = 2")
    async with open_reader(written) as reader:
        with pytest.raises(LedgerCorrupt, match=f"call {A}, event 2.*kai-ari calls verify"):
            await reader.history(A)


async def test_an_entry_of_the_opt_out_list_cannot_be_changed_and_is_missed(written: Path) -> None:
    for statement in ("DELETE FROM opt_outs", "UPDATE opt_outs SET state = 'in'"):
        with (
            pytest.raises(sqlite3.IntegrityError, match="append-only"),
            tampering(written, without_triggers=False) as connection,
        ):
            connection.execute(statement)
    with closing(sqlite3.connect(written)) as connection, connection:
        connection.execute("DROP TRIGGER opt_outs_no_DELETE")
        connection.execute("DELETE FROM opt_outs")
    [found] = await breaks(written)
    assert (found.seq, found.what) == (7, "+12025550123 opted out, and is not on the list")


@pytest.mark.parametrize(
    "damage", ["outbox SET body = '{'", "outbox SET next_at = 'today'", "outbox SET next_at = ''"]
)
async def test_a_damaged_notice_holds_up_those_of_no_other_call(
    written: Path, clock: StepClock, damage: str
) -> None:
    event, obligation = owed(B, "o2")
    other = replace(ITEM, key="o2/sms/dana", obligation="o2", call=B)
    async with open_ledger(written, clock) as ledger:
        desk = SqlFollowUp(ledger)
        await ledger.append(B, event, obligations=[obligation])
        await desk.plan(B, [other])
        with tampering(written) as connection:
            connection.execute(f"UPDATE {damage}, state = 'queued' WHERE obligation = 'o1'")
        assert await desk.next_due() == other.next_at
        assert await desk.due(ITEM.next_at, 1) == [other]
        assert await desk.items(address=ITEM.to.address) == [other]
        with pytest.raises(LedgerCorrupt):
            await desk.items(call=A)


async def test_a_damaged_obligation_holds_up_none_of_another_call(
    written: Path, clock: StepClock
) -> None:
    event, obligation = owed(B, "o2")
    async with open_ledger(written, clock) as ledger:
        await ledger.append(B, event, obligations=[obligation])
        with tampering(written) as connection:
            connection.execute("UPDATE obligations SET about = '{' WHERE id = 'o1'")
        desk = SqlFollowUp(ledger)
        assert [one.id for one in await desk.owed()] == ["o2"]
        with pytest.raises(LedgerCorrupt):
            await desk.owed(call=A)
