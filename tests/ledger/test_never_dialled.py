"""The same as `tests/promises/test_never_dialled.py`, on a real ledger that is closed and
opened again, and with the counts that it gives."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings

from kai_ari.calls import follow_events as follow
from kai_ari.calls.call import CallId
from kai_ari.calls.events import ObligationWritten
from kai_ari.calls.leg_events import CallbackBooked
from kai_ari.followup.outbox import Overtaken
from kai_ari.ledger.follow_up import SqlFollowUp, open_desk
from kai_ari.ledger.reader import open_reader
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.opt_out import OptOut
from kai_ari.promises.permission import Dialled
from kai_ari.promises.standing import standing
from tests.promises.never_dialled import STEPS, Business, Step


class SetClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


class InLedger:
    """Implements `Books`; each obligation has a record of its own."""

    def __init__(self, path: Path, stack: AsyncExitStack) -> None:
        self._path, self._stack = path, stack
        self._clock = SetClock()
        self._desk: SqlFollowUp

    async def restart(self) -> None:
        await self._stack.aclose()
        self._desk = await self._stack.enter_async_context(open_desk(self._path, self._clock))

    async def book(self, at: datetime, obligation: str, number: str) -> None:
        self._clock.at = at
        call = CallId(obligation)
        owed = Obligation(id=obligation, call=call, owed=Owed.CALL_BACK, since=at, about={}, due=at)
        await self._desk.note(
            call,
            follow.CallBackAsked(how="command", by="test"),
            CallbackBooked(number=number, due=at.isoformat()),
            ObligationWritten(obligation=obligation, owed="call_back"),
            obligations=[owed],
        )

    async def say(self, entry: OptOut) -> None:
        await self._desk.say_opt_out(entry)

    async def opted_out(self, number: str) -> OptOut | None:
        return await self._desk.opted_out(number)

    async def dialled(self, since: datetime, obligation: str) -> list[Dialled]:
        return list(await self._desk.dialled(since, obligation=obligation))

    async def begin(self, at: datetime, obligation: str, number: str) -> bool:
        self._clock.at = at
        call = CallId(obligation)
        now = standing(await self._desk.history(call), obligation)
        assert now is not None
        started = follow.CallBackStarted(
            obligation=obligation, attempt=now.attempts + 1, number=number, channel="c"
        )
        try:
            await self._desk.note(call, started)
        except Overtaken:
            return False
        return True

    async def end(self, at: datetime, obligation: str) -> None:
        self._clock.at = at
        call = CallId(obligation)
        now = standing(await self._desk.history(call), obligation)
        assert now is not None
        assert now.attempt is not None
        result = follow.CallBackResult.NO_ANSWER
        await self._desk.note(
            call,
            follow.CallBackEnded(obligation=obligation, attempt=now.attempt, result=result, why=""),
        )


@asynccontextmanager
async def a_ledger() -> AsyncIterator[tuple[Path, InLedger]]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ledger.sqlite"
        async with AsyncExitStack() as stack:
            books = InLedger(path, stack)
            await books.restart()
            yield path, books


async def played(steps: list[Step]) -> Business:
    async with a_ledger() as (path, books):
        business = Business(books)
        await business.play(steps)
        async with open_reader(path) as reader:
            assert await reader.verify() == []
    return business


@settings(max_examples=15)
@given(STEPS)
def test_nothing_is_dialled_that_must_not_be(steps: list[Step]) -> None:
    asyncio.run(played(steps))


async def test_what_may_be_dialled_is() -> None:
    restarted = [Step("book", 0), Step("tick"), Step("restart"), Step("jump", minutes=29)]
    business = await played([*restarted, Step("tick"), Step("end"), Step("race", 0)])
    assert len(business.dials) == 2
