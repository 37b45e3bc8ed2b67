"""When and whom the keeper tells what is owed: hours, absences, rules, the daily digest."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kai_ari.followup.ports import Notice, SendingFailed, Sent
from kai_ari.followup.reaching import Step
from kai_ari.people.local_time import Span
from kai_ari.people.presence import Presence
from kai_ari.promises.obligation import Owed
from kai_ari.testing.virtual_time import run_virtual
from tests.followup.office import (
    MORNING,
    Gateway,
    call_that_owes,
    confirms,
    ledger_at,
    office,
    pass_time,
    rules,
    takes,
)

pytestmark = pytest.mark.usefixtures("seldom_polls")
run = run_virtual


def fails(why: str = "500", *, retry: bool = True, uncertain: bool = False) -> Any:
    def act(_: Notice) -> Sent:
        raise SendingFailed(why, retry=retry, uncertain=uncertain)

    return act


def test_quiet_hours_hold_back_what_makes_a_noise_unless_it_is_urgent(tmp_path: Path) -> None:
    night = MORNING + timedelta(hours=13)  # 23:00

    async def day() -> None:
        sms, mail = Gateway("sms", [takes]), Gateway("email", [confirms])
        given = rules(Step(tell="dana"), quiet=Span(begins=21 * 60, ends=31 * 60))
        async with (
            ledger_at(tmp_path / "l", night) as ledger,
            office(ledger, given, [sms, mail], start=night),
        ):
            await call_that_owes(ledger, Owed.CALL_BACK)
            await call_that_owes(ledger, Owed.CALL_BACK, call="bbbbbbbbbbbb", urgent=True)
            await pass_time(hours=1)
            assert len(mail.got) == 2
            assert [notice.urgent for notice in sms.got] == [True]
            await pass_time(hours=7, minutes=1)  # 07:00 has come
            assert [notice.urgent for notice in sms.got] == [True, False]

    run(day())


def test_what_was_late_makes_no_noise_in_the_night(tmp_path: Path) -> None:
    evening = MORNING + timedelta(hours=10, minutes=50)  # 20:50
    night = MORNING + timedelta(hours=16)  # 02:00
    given = rules(Step(tell="dana", by=("sms",)), quiet=Span(begins=21 * 60, ends=31 * 60))

    async def day() -> None:
        async with ledger_at(tmp_path / "l", evening) as ledger:
            down = Gateway("sms", [fails()])
            async with office(ledger, given, [down], start=evening):
                for call in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"):
                    await call_that_owes(ledger, Owed.CALL_BACK, call=call)
                await pass_time(minutes=1)  # Kai is killed then
        async with ledger_at(tmp_path / "l", night) as ledger:
            sms = Gateway("sms", [takes])
            async with office(ledger, given, [sms], start=night):
                await pass_time(hours=4, minutes=55)
                assert not sms.asked
                await pass_time(minutes=6)  # 07:00 has come
                assert len(sms.got) == 2

    run(day())


def test_who_is_away_is_passed_over(tmp_path: Path) -> None:
    away = {"dana": Presence(person="dana", away=True, at=MORNING, how="command")}

    async def day() -> None:
        sms, phone = Gateway("sms", [takes]), Gateway("phone", [confirms])
        steps = Step(tell="dana", by=("sms",)), Step(tell="lee", by=("phone",))
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(*steps), [sms, phone], presence=away) as house,
        ):
            call = await call_that_owes(ledger, Owed.ALERT)
            await pass_time(minutes=1)
            assert not sms.asked
            assert len(phone.got) == 1
            assert await house.states(call) == {"alert": "kept"}

    run(day())


@pytest.mark.parametrize("owed", [Owed.ALERT, Owed.CALL_BACK])
@pytest.mark.parametrize("calls_back", [False, True])
def test_whom_a_rung_names_is_told_first(tmp_path: Path, owed: Owed, calls_back: bool) -> None:
    """Of a call back that Kai makes itself, nobody else is."""
    given = rules(calls_back=calls_back)

    async def day() -> None:
        sms, phone = Gateway("sms", [takes]), Gateway("phone", [takes])
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, given, [sms, phone]):
            await call_that_owes(ledger, owed, about={"for": "lee"})
            await pass_time(minutes=1)
            assert len(phone.got) == 1
            assert not sms.got
            await pass_time(minutes=10)
            assert len(sms.got) == (0 if calls_back and owed is Owed.CALL_BACK else 1)

    run(day())


def test_without_any_gateway_it_stays_open_for_all_to_see(tmp_path: Path) -> None:
    async def day() -> None:
        given = rules(channels=frozenset())
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, given, []) as house:
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE)
            await pass_time(hours=1)
            assert await house.states(call) == {"deliver_message": "open"}

    run(day())


def test_rules_that_are_reloaded_hold_for_what_is_open(tmp_path: Path) -> None:
    async def day() -> None:
        mail = Gateway("email", [confirms])
        nobody = rules(channels=frozenset())
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, nobody, [mail]) as house:
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE)
            await pass_time(minutes=1)
            house.parts.rules.current = replace(nobody, channels=frozenset({"email"}))
            house.parts.keeper.wake()
            await pass_time(minutes=1)
            assert await house.states(call) == {"deliver_message": "kept"}

    run(day())


def test_the_digest_comes_once_a_day_and_only_if_there_is_anything(tmp_path: Path) -> None:
    async def day() -> None:
        mail = Gateway("email", [confirms])
        given = rules(Step(tell="dana", by=("email",)), digest=18 * 60)
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, given, [mail]):
            await pass_time(hours=24)
            assert not mail.got
            await call_that_owes(ledger, Owed.CALL_BACK)
            await pass_time(hours=48)
            alert, first, second = mail.got
            assert alert.obligation
            assert first.subject == "Rossi Plumbing: 1 open on 03.03.2026"
            assert second.subject == "Rossi Plumbing: 1 open on 04.03.2026"
            assert "+12025550142: a call back" in first.text

    run(day())
