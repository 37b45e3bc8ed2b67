"""What the ledger refuses is tried again with growing pauses, and keeps nothing else waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.followup.outbox import ItemState, OutboxItem
from kai_ari.followup.ports import Desk
from kai_ari.ledger.faults import LedgerCorrupt, LedgerFull, LedgerRefused
from kai_ari.promises.obligation import Owed
from kai_ari.testing.virtual_time import run_virtual
from tests.followup.office import (
    Gateway,
    call_that_owes,
    ledger_at,
    office,
    pass_time,
    rules,
    takes,
)

pytestmark = pytest.mark.usefixtures("seldom_polls")

BAD, GOOD = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


@dataclass
class Refusing:
    """A desk that has a fault for all sendings of one call, for as long as `fault` is set."""

    desk: Desk
    call: str
    fault: Exception | None
    tries: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.desk, name)

    async def history(self, call: CallId) -> Sequence[Event]:
        if isinstance(self.fault, LedgerCorrupt):
            self._fail(call)
        return await self.desk.history(call)

    async def change(self, item: OutboxItem, *events: Event) -> None:
        self._fail(item.call)
        await self.desk.change(item, *events)

    def _fail(self, call: CallId) -> None:
        if self.fault is not None and call == self.call:
            self.tries += 1
            raise self.fault


@pytest.mark.parametrize(
    "fault",
    [
        LedgerFull("no room left on the disk"),
        LedgerCorrupt("a row is damaged"),
        LedgerRefused("not what its call's events say"),
        ValueError("a defect"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_an_item_that_the_ledger_refuses_rests_and_the_others_go_on(
    tmp_path: Path, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[Refusing] = []

    def wrap(desk: Desk) -> Desk:
        made.append(Refusing(desk, BAD, fault))
        return made[0]

    async def day() -> None:
        sms = Gateway("sms", [takes])
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(), [sms], wrap=wrap) as house,
        ):
            await call_that_owes(ledger, Owed.DELIVER_MESSAGE, call=BAD)
            await pass_time(seconds=60)
            [desk] = made
            assert desk.tries == 5  # at once, and after 2, 4, 8 and 16 seconds more
            assert len(caplog.records) == 5
            await call_that_owes(ledger, Owed.DELIVER_MESSAGE, call=GOOD)
            await pass_time(seconds=1)
            assert [notice.call for notice in sms.got] == [GOOD]
            await pass_time(minutes=30)
            assert desk.tries in range(33, 37)  # each minute
            desk.fault = None
            await pass_time(minutes=1)
            assert [notice.call for notice in sms.got] == [GOOD, BAD]
            assert {item.state for item in await house.desk.items()} == {ItemState.SENT}

    run_virtual(day())
