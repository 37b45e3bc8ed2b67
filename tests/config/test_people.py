"""Sections people, teams, rotas and hours: what they become, and every mistake with its remedy."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kai_ari.config.calendars import load_staff
from kai_ari.config.load import load
from kai_ari.config.staff import staff_of, zone_of
from kai_ari.errors import ConfigError
from kai_ari.people.local_time import parse_spans
from kai_ari.people.staff import Person, Staff
from tests.people.test_calendar import DAY, feed

HOUSE = """
business: {name: Rossi, zone: America/New_York, owner: dana}
numbers: {"100": {}}
phones: {"101": {name: Dana, mailbox: true}, "102": {name: Lee}}
trunks: {provider: {host: sip.example.com}}
dial_out: [{prefix: "+1", trunk: provider, but_not: ["+1900"]}]
people:
  dana: {name: Dana Rossi, phone: "101", mobile: "+1 (212) 555-0142", email: dana@example.com}
  lee: {name: Lee Wong, phone: "102"}
teams: {plumbers: [dana, lee]}
rotas:
  on_call:
    weeks: [dana, lee]
    starts: 2026-11-02
    hand_over: "monday 08:00"
    overrides: [{from: 2026-11-20 08:00, to: 2026-11-21, who: lee}]
hours:
  open: {monday: "08:00-12:00, 13:00-17:00", friday: 22:00-06:00}
  holidays: {subdivision: NY}
  closed: [2026-12-24, "2026-12-31"]
  special: {2026-12-26: "09:00-12:00"}
""".lstrip()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kai.yaml"


def staff(file: Path, text: str) -> Staff:
    file.write_text(text)
    return staff_of(load(file), {})


def mistakes(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    return str(caught.value).replace(str(file), "kai.yaml")


def test_a_house(file: Path) -> None:
    house = staff(file, HOUSE)
    new_york = ZoneInfo("America/New_York")
    assert house.people["dana"] == Person(
        key="dana",
        name="Dana Rossi",
        phone="101",
        mobile="+12125550142",
        email="dana@example.com",
    )
    assert house.hours is not None
    assert house.hours.week[0] == parse_spans("08:00-12:00, 13:00-17:00")
    assert house.hours.week[1] == ()
    assert house.hours.closed_days == {date(2026, 12, 24), date(2026, 12, 31)}
    assert house.hours.holidays is not None
    assert house.hours.holidays.country == "US"
    at = datetime(2026, 11, 20, 9, 0, tzinfo=new_york)
    assert (
        house.on_call_why("on_call", at)
        == "Lee Wong is on call until Saturday 00:00 (rota on_call, an override)"
    )
    assert house.next_opening(at) == datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def test_all_of_it_may_be_absent(file: Path) -> None:
    house = staff(file, 'business: {name: Rossi}\nnumbers: {"100": {}}\n')
    assert house.is_open(datetime(2026, 12, 25, 3, 0, tzinfo=UTC)).open
    assert house.people == {}


def test_the_machines_zone_where_the_business_has_none(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('business: {name: Rossi}\nnumbers: {"100": {}}\n')
    for given, zone in (("Asia/Tokyo", "Asia/Tokyo"), (":Europe/Rome", "Europe/Rome")):
        monkeypatch.setenv("TZ", given)
        assert zone_of(load(file)).key == zone


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("owner: dana", "owner: dan", "line 1: business.owner: dan is not in people; did you mean"),
        ('"100": {}', '"*78": {}', "line 2: numbers.*78: is a code by which people say"),
        ('phone: "102"', 'phone: "109"', "line 8: people.lee.phone: 109 is not in phones"),
        ('phone: "102"', 'phone: "101"', "line 8: people.lee.phone: 101 is the phone of dana"),
        (', phone: "102"', "", "line 8: people.lee: cannot be reached; add phone, mobile, email"),
        (
            "+1 (212) 555-0142",
            "+44 20 7946 0000",
            "line 7: people.dana.mobile: no rule in dial_out",
        ),
        ("+1 (212) 555-0142", "+1 900 555 0142", "line 7: people.dana.mobile: no rule in dial_out"),
        (
            '["+1900"]}',
            '["+1900"]}, {prefix: "+1212", trunk: provider, but_not: ["+1212555"]}',
            "line 7: people.dana.mobile: no rule in dial_out",
        ),
        ("+1 (212) 555-0142", "2125550142", "is not an international number; write e.g."),
        ("+1 (212) 555-0142", "+1 23", "is not an international number; write e.g."),
        ("dana@example.com", "dana", "people.dana.email: 'dana' is not an e-mail address"),
        ("[dana, lee]}", "[dana, leo]}", "line 9: teams.plumbers.1: leo is not in people"),
        ("[dana, lee]}", "[]}", "line 9: teams.plumbers: must not be empty"),
        ("plumbers:", "lee:", "line 9: teams.lee: is a name in people too"),
        ("  on_call:", "  plumbers:", "line 11: rotas.plumbers: is a name in teams too"),
        ("weeks: [dana, lee]", "weeks: [dana, max]", "line 12: rotas.on_call.weeks.1: max is not"),
        ("    weeks: [dana, lee]\n", "", "line 11: rotas.on_call: names nobody; add weeks:"),
        ("    starts: 2026-11-02\n", "", "line 11: rotas.on_call: does not say when the first"),
        ("starts: 2026-11-02", "starts: soon", "line 13: rotas.on_call.starts: 'soon' is not a"),
        ("starts: 2026-11-02", "starts: 20261102.5", "rotas.on_call.starts: 20261102.5 is not a"),
        ("monday 08:00", "monday", "line 14: rotas.on_call.hand_over: 'monday' is not a day and a"),
        ("to: 2026-11-21", "to: 2026-11-19", "line 15: rotas.on_call.overrides.0.to: is not after"),
        ("to: 2026-11-21", "to: later", "rotas.on_call.overrides.0.to: 'later' is not a date and"),
        ("who: lee}]", "who: max}]", "line 15: rotas.on_call.overrides.0.who: max is not in"),
        ("who: lee}]", "who: lee}]\n    calendar: a.ics", "line 11: rotas.on_call: has a calendar"),
        ("weeks: [dana, lee]", "calendar: a.txt", "rotas.on_call.calendar: 'a.txt' is not a"),
        (
            "zone: America/New_York, ",
            "",
            "hours: needs to know whose clock it means; add e.g. zone",
        ),
        ("monday: ", "mondy: ", "line 17: hours.open.mondy: "),
        (
            "13:00-17:00",
            "11:00-17:00",
            "line 17: hours.open.monday: '08:00-12:00, 11:00-17:00' has",
        ),
        ("22:00-06:00", "22-6", "line 17: hours.open.friday: '22-6' are not hours; write e.g."),
        (
            "subdivision: NY",
            "subdivision: XX",
            "line 18: hours.holidays.subdivision: XX is no part",
        ),
        ("subdivision: NY", "country: ZZ", "hours.holidays.country: 'ZZ' is not a country whose"),
        ("[2026-12-24, ", "[12-24, ", "line 19: hours.closed.0: '12-24' is not a date; write e.g."),
        ("[2026-12-24, ", "[2026-12-26, ", "line 19: hours.closed.0: 2026-12-26 has hours of its"),
        (
            "{2026-12-26",
            "{christmas",
            "line 20: hours.special.christmas: 'christmas' is not a date",
        ),
    ],
)
def test_a_mistake_is_named_with_line_and_remedy(
    file: Path, old: str, new: str, message: str
) -> None:
    assert HOUSE.count(old) == 1
    assert message in mistakes(file, HOUSE.replace(old, new))


CALENDAR = HOUSE.replace(
    """    weeks: [dana, lee]
    starts: 2026-11-02
    hand_over: "monday 08:00"
    overrides: [{from: 2026-11-20 08:00, to: 2026-11-21, who: lee}]
""",
    "    calendar: SOURCE\n",
)
NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


async def on_call(file: Path, source: str) -> tuple[str | None, tuple[str, ...]]:
    """Who is on call at noon by the calendar `source`, and what was said of it."""
    file.write_text(CALENDAR.replace("SOURCE", source))
    house = await load_staff(load(file), NOON)
    return house.on_call("on_call", NOON).who, getattr(house.rotas["on_call"], "unread", ())


async def test_a_calendar_in_a_file_beside_kai_yaml(file: Path) -> None:
    calendar = file.with_name("rota.ics")
    calendar.write_text(feed(f"SUMMARY:Lee\n{DAY}"))
    assert await on_call(file, "rota.ics") == ("lee", ())
    calendar.unlink()
    who, (said,) = await on_call(file, "rota.ics")
    assert who == "lee"
    assert said.startswith(f"The calendar {calendar} cannot be read (No such file or directory);")
    assert said.endswith("is used")


async def test_a_calendar_that_was_never_there_puts_nobody_on_call(file: Path) -> None:
    who, (said,) = await on_call(file, "rota.ics")
    assert who is None
    assert said.endswith("nobody is on call by it")


async def test_a_calendar_from_the_web_and_its_copy(file: Path) -> None:
    answers = [
        web.Response(text=feed(f"SUMMARY:Dana\n{DAY}")),
        web.Response(status=404),
        web.Response(text="<html>Sign in</html>"),
        web.Response(body=b"x" * 3_000_000),
    ]

    async def answer(_request: web.Request) -> web.Response:
        return answers.pop(0)

    app = web.Application()
    app.router.add_get("/rota.ics", answer)
    async with TestServer(app) as server:
        address = str(server.make_url("/rota.ics"))
        assert await on_call(file, address) == ("dana", ())
        for why in ("could not be fetched (404 Not Found)", "is not a whole iCal", "is over 2 MB"):
            who, (said,) = await on_call(file, address)
            assert who == "dana"
            assert said.startswith(f"The calendar {why}")
    who, (said,) = await on_call(file, address)
    assert who == "dana"
    assert "could not be fetched (Cannot connect" in said
