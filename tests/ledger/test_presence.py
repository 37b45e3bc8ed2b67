"""Who is away: kept beside the calls, by whichever process says it."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kai_ari.ledger.faults import LedgerCorrupt, LedgerRefused
from kai_ari.ledger.presence import open_presence
from kai_ari.ledger.store import open_ledger
from kai_ari.people.presence import Presence
from tests.ledger.calls import ARRIVED, A
from tests.ledger.conftest import StepClock

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def away(person: str, hours: int | None = None, **more: str) -> Presence:
    until = AT + timedelta(hours=hours) if hours else None
    return Presence(person=person, away=True, at=AT, until=until, how="command", **more)


async def test_the_last_word_of_each_person_holds(path: Path) -> None:
    async with open_presence(path) as presence:
        assert await presence.latest() == {}
        await presence.say(away("dana", 2, note="at the dentist"))
        await presence.say(away("lee"))
        await presence.say(Presence(person="lee", away=False, at=AT, how="phone 102"))
    async with open_presence(path) as presence:
        latest = await presence.latest()
    assert latest["dana"] == away("dana", 2, note="at the dentist")
    assert not latest["lee"].away
    assert latest["lee"].how == "phone 102"


async def test_it_is_said_and_read_while_the_agent_writes_calls(
    path: Path, clock: StepClock
) -> None:
    async with (
        open_ledger(path, clock) as ledger,
        open_presence(path) as ours,
        open_presence(path) as theirs,
    ):
        await asyncio.gather(
            ledger.append(A, ARRIVED),
            *(store.say(away(f"p{n}")) for n in range(10) for store in (ours, theirs)),
        )
        assert len(await theirs.latest()) == 10


async def test_what_was_said_cannot_be_unsaid(path: Path) -> None:
    async with open_presence(path) as presence:
        await presence.say(away("dana"))
    with closing(sqlite3.connect(path)) as connection:
        for statement in ("DELETE FROM presence", "UPDATE presence SET away = 0"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


async def test_a_damaged_row_is_named(path: Path) -> None:
    async with open_presence(path) as presence:
        await presence.say(away("dana"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TRIGGER presence_no_UPDATE")
            connection.execute("UPDATE presence SET at = 'yesterday'")
            connection.commit()
        with pytest.raises(LedgerCorrupt, match="presence 1: the row is damaged"):
            await presence.latest()


async def test_what_the_table_refuses_is_an_error_of_the_ledger(path: Path) -> None:
    async with open_presence(path) as presence:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(
                "CREATE TRIGGER no BEFORE INSERT ON presence BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
            connection.commit()
        with pytest.raises(LedgerRefused):
            await presence.say(away("dana"))
