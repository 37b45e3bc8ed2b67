"""After `kai-ari reload` what is owed is told as the file says now; until then nothing of it is."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from kai_ari.clock import SystemClock
from kai_ari.config.alert_rules import alert_rules
from kai_ari.config.calendars import load_staff
from kai_ari.config.in_force import InForce
from kai_ari.config.schema import Config
from kai_ari.followup.reaching import AlertRules
from kai_ari.house import RulesKeeper, read_rules
from kai_ari.office import Office
from kai_ari.people.rota import CalendarRota
from kai_ari.people.staff import Staff
from kai_ari.reception.routes import Rules
from kai_ari.testing.virtual_time import run_virtual
from tests.followup.office import ledger_at, office

SHOP = (
    "business: {name: Rossi Plumbing, zone: America/New_York}\n"
    'numbers: {"100": {}}\n'
    'phones: {"101": {name: Dana}, "102": {name: Lee}}\n'
    'people: {dana: {name: Dana, phone: "101"}, lee: {name: Lee, phone: "102"}}\n'
)
ON_CALL = SHOP + "rotas: {on_call: {calendar: on-call.ics}}\n"
SHIFT = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n"
    "DTSTART:{day}T080000Z\nDTEND:{day}T170000Z\nSUMMARY:Dana\nEND:VEVENT\nEND:VCALENDAR\n"
)


async def keeper_of(path: Path) -> RulesKeeper:
    clock = SystemClock()
    config, house = await read_rules(path, clock.now())
    return RulesKeeper(
        path=path,
        config=config,
        started=config,
        rules=Rules(current=house),
        clock=clock,
        in_force=path.with_name("in-force"),
    )


async def test_who_listens_is_told_of_every_new_file_and_of_no_bad_one(tmp_path: Path) -> None:
    path, heard = tmp_path / "kai.yaml", list[AlertRules]()
    path.write_text(SHOP + "alerts: {steps: [{tell: dana}]}\n")
    keeper = await keeper_of(path)
    before = keeper.rules.current.plan.hash
    keeper.listeners.append(
        lambda config, staff: heard.append(alert_rules(config, staff, {"phone"}))
    )
    path.write_text(SHOP + 'alerts: {steps: [{tell: lee, wait: 5}], quiet: "21:00-07:00"}\n')
    await keeper.reload()
    [now] = heard
    assert [step.tell for step in now.steps] == ["lee"]
    assert now.channels == {"phone"}
    assert str(now.quiet) == "21:00-07:00"
    assert keeper.rules.current.plan.hash != before
    path.write_text(SHOP + "alerts: {steps: [{tell: nobody}]}\n")
    await keeper.reload()
    assert heard == [now]


async def test_calendars_are_read_anew_under_the_rules_in_force_and_not_the_edited_file(
    tmp_path: Path,
) -> None:
    path, calendar = tmp_path / "kai.yaml", tmp_path / "on-call.ics"
    path.write_text(ON_CALL.replace("on-call.ics", str(calendar)))
    keeper = await keeper_of(path)
    plan, heard = keeper.rules.current.plan, list[object]()
    keeper.listeners.append(lambda config, staff: heard.append((config, staff)))
    assert shifts(keeper) == 0
    path.write_text(path.read_text() + "ladders: {default: [goodbye]}\n")
    calendar.write_text(SHIFT.format(day=f"{keeper.clock.now():%Y%m%d}"))
    await keeper.read_calendars()
    assert shifts(keeper) == 1
    assert keeper.rules.current.plan.hash == plan.hash
    assert keeper.rules.current.plan.default == plan.default
    assert heard == [(keeper.config, keeper.rules.current.plan.staff)]
    assert not keeper.in_force.exists()  # it tells of reloads
    await keeper.reload()
    assert keeper.rules.current.plan.default != plan.default
    assert shifts(keeper) == 1


def shifts(keeper: RulesKeeper) -> int:
    rota = keeper.rules.current.plan.staff.rotas["on_call"]
    assert isinstance(rota, CalendarRota)
    return len(rota.shifts)


async def test_people_are_not_told_of_calls_that_nobody_makes_before_a_restart(
    tmp_path: Path,
) -> None:
    path = tmp_path / "kai.yaml"
    path.write_text(SHOP)
    keeper = await keeper_of(path)
    staff = keeper.rules.current.plan.staff
    async with (
        ledger_at(tmp_path / "ledger.sqlite") as ledger,
        office(ledger, alert_rules(keeper.config, staff, ()), ()) as made,
    ):
        running = Office(parts=made.parts, channels=frozenset(), answers=None)
        keeper.listeners.append(running.rules_changed)
        path.write_text(SHOP + "callbacks: {}\nalerts: {steps: [{tell: lee}]}\n")
        await keeper.reload()
        assert not made.parts.rules.current.calls_back
        assert [step.tell for step in made.parts.rules.current.steps] == ["lee"]


async def test_a_reload_tells_what_of_the_file_it_did_not_put_in_force(tmp_path: Path) -> None:
    path = tmp_path / "kai.yaml"
    path.write_text(SHOP)
    keeper = await keeper_of(path)
    for text, kai, asterisk in (
        (SHOP + "ladders: {default: [goodbye]}\n", (), ()),
        (SHOP.replace('"102": {', '"103": {name: Sam}, "102": {'), ("phones",), ("phones",)),
        (SHOP + "callbacks: {}\n", ("callbacks",), ()),
        (SHOP, (), ()),
    ):
        path.write_text(text)
        await keeper.reload()
        assert InForce.read(keeper.in_force) == InForce(
            rules=keeper.rules.current.plan.hash, kai=kai, asterisk=asterisk
        )


def test_the_newest_file_is_in_force_last_also_when_an_older_ones_calendar_was_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reading, in_force = tmp_path / "kai.yaml", asyncio.Event(), list[str]()

    async def slow_for_the_first(config: Config, now: datetime) -> Staff:
        if config.business.name == "First edit":
            reading.set()
            await asyncio.sleep(20)
        return await load_staff(config, now)

    async def scene() -> None:
        path.write_text(SHOP)
        keeper, wanted = await keeper_of(path), asyncio.Event()
        keeper.listeners.append(lambda config, _: in_force.append(config.business.name))
        reloads = asyncio.create_task(keeper.reload_when(wanted))
        path.write_text(SHOP.replace("Rossi Plumbing", "First edit"))
        wanted.set()
        await reading.wait()
        path.write_text(SHOP.replace("Rossi Plumbing", "Second edit"))
        wanted.set()
        await asyncio.sleep(60)
        reloads.cancel()
        await asyncio.wait({reloads})

    monkeypatch.setattr("kai_ari.house.load_staff", slow_for_the_first)
    run_virtual(scene())
    assert in_force == ["First edit", "Second edit"]


async def test_a_full_disk_keeps_no_rules_from_being_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "kai.yaml"
    path.write_text(SHOP)
    keeper = await keeper_of(path)
    path.write_text(SHOP + "ladders: {default: [goodbye]}\n")

    def no_room(_: InForce, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(InForce, "write", no_room)
    before = keeper.rules.current.plan.hash
    await keeper.reload()
    assert keeper.rules.current.plan.hash != before
    assert "not written which rules are in force" in caplog.messages
