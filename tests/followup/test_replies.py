"""Which of the calls that they were told of, somebody in the house means who answers a text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kai_ari.calls.follow_events import ObligationKept
from kai_ari.followup.outbox import OutboxItem
from kai_ari.followup.ports import Desk
from kai_ari.followup.reaching import Step
from kai_ari.promises.obligation import Owed
from kai_ari.testing.virtual_time import run_virtual
from tests.followup.office import (
    DANA,
    Gateway,
    Office,
    call_that_owes,
    ledger_at,
    office,
    pass_time,
    rules,
    takes,
)

pytestmark = pytest.mark.usefixtures("seldom_polls")

OLDER, NEWER = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


async def answer(house: Office, text: str) -> None:
    assert DANA.sms is not None
    await house.parts.incoming.reply("sms", DANA.sms, text)


class NeverAll:
    """A desk whose whole outbox nobody may ask for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    async def items(self, **which: Any) -> Sequence[OutboxItem]:
        assert which
        return await self._desk.items(**which)


def test_the_newest_is_meant_and_the_whole_outbox_is_not_read(tmp_path: Path) -> None:
    async def day() -> None:
        sms = Gateway("sms", [takes])
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(), [sms], wrap=NeverAll) as house,
        ):
            older = await call_that_owes(ledger, Owed.DELIVER_MESSAGE, call=OLDER)
            await pass_time(minutes=1)
            newer = await call_that_owes(ledger, Owed.DELIVER_MESSAGE, call=NEWER)
            await pass_time(minutes=1)
            await answer(house, "ok")
            assert "alert_acknowledged" not in await house.kinds(older)
            assert "alert_acknowledged" in await house.kinds(newer)

    run_virtual(day())


@pytest.mark.parametrize(
    ("text", "acknowledged"),
    [
        ("#aaaaaa01 done", [OLDER]),  # as shown, once what came first was closed
        ("aaaaaa00: done", [OLDER]),  # as shown before that, and without the sign
        ("#AAAAAA01 done, not #12", [OLDER]),
        ("# bbbbbb00", [NEWER]),
        ("#aaaaaa01 and #bbbbbb00 done", [OLDER, NEWER]),
        ("ok, I am at #12", [NEWER]),
        ("ok", [NEWER]),
        ("#aaaaaa1 done", []),
        ("#cccccc00 done", []),
    ],
)
def test_the_id_that_an_answer_shows_is_the_call_that_it_is_about(
    tmp_path: Path, text: str, acknowledged: list[str]
) -> None:
    async def day() -> None:
        sms, phone = Gateway("sms", [takes]), Gateway("phone", [takes])
        steps = Step(tell="lee", by=("phone",)), Step(tell="dana", by=("sms",))
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(*steps), [sms, phone]) as house,
        ):
            calls = [
                await call_that_owes(ledger, Owed.DELIVER_MESSAGE, Owed.CALL_BACK, call=OLDER),
                await call_that_owes(ledger, Owed.ALERT, call=NEWER, urgent=True),
            ]
            await pass_time(minutes=1)
            first, *_ = await ledger.obligations(calls[0])
            done = ObligationKept(obligation=first.obligation.id, evidence="Lee has read it")
            await ledger.append(calls[0], done)
            await pass_time(minutes=10)
            assert {notice.short[-9:] for notice in sms.got} == {"#aaaaaa01", "#bbbbbb00"}
            await answer(house, text)
            told = [call for call in calls if "alert_acknowledged" in await house.kinds(call)]
            assert told == acknowledged

    run_virtual(day())
