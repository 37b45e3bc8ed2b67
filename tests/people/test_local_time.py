"""Wall times on the nights when clocks change, and what people write."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.people.local_time import (
    DAY_MINUTES,
    in_words,
    instant,
    parse_spans,
    parse_until,
    parse_weekly,
)
from tests.people.strategies import days, instants, zones

NEW_YORK = ZoneInfo("America/New_York")
SUNDAY = datetime(2026, 11, 22, 22, 10, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("zone", "wall", "utc"),
    [
        ("America/New_York", "2026-11-22 08:00", "2026-11-22 13:00"),
        # The clocks go from 02:00 to 03:00: 02:30 is the moment they jump.
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00"),
        ("America/New_York", "2026-03-08 03:00", "2026-03-08 07:00"),
        # They go from 02:00 back to 01:00: 01:30 is the first of the two.
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30"),
        ("America/New_York", "2026-11-01 02:00", "2026-11-01 07:00"),
        ("Europe/Rome", "2026-03-29 02:30", "2026-03-29 01:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30"),  # a jump of 30 minutes
        ("America/Havana", "2026-03-08 00:30", "2026-03-08 05:00"),  # at midnight
        ("Pacific/Apia", "2011-12-30 10:00", "2011-12-30 10:00"),  # a day that never was
    ],
)
def test_a_wall_time_is_one_instant(zone: str, wall: str, utc: str) -> None:
    day, _, clock = wall.partition(" ")
    minute = int(clock[:2]) * 60 + int(clock[3:])
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert instant(date.fromisoformat(day), minute, ZoneInfo(zone)) == expected


@given(day=days, zone=zones, early=st.integers(0, 2880), later=st.integers(0, 2880))
def test_later_on_the_wall_is_never_earlier(
    day: date, zone: ZoneInfo, early: int, later: int
) -> None:
    first, second = sorted((early, later))
    assert instant(day, first, zone) <= instant(day, second, zone)


@given(at=instants, zone=zones)
def test_what_the_wall_shows_leads_back(at: datetime, zone: ZoneInfo) -> None:
    local = at.astimezone(zone)
    whole_minute = at.replace(second=0, microsecond=0).astimezone(zone)
    if whole_minute.second:  # zones of old had offsets with seconds
        return
    found = instant(local.date(), local.hour * 60 + local.minute, zone)
    assert found.astimezone(zone).replace(fold=0) == whole_minute.replace(fold=0)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("08:00-12:00, 13:00-17:00", ["08:00-12:00", "13:00-17:00"]),
        ("8:00 - 17:00", ["08:00-17:00"]),
        ("00:00-24:00", ["00:00-24:00"]),
        ("22:00-06:00", ["22:00-06:00"]),
        ("08:00-12:00,20:00-02:00", ["08:00-12:00", "20:00-02:00"]),
    ],
)
def test_hours_are_read(text: str, spans: list[str]) -> None:
    assert [str(span) for span in parse_spans(text)] == spans


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8-17",
        "08:00",
        "08:00-25:00",
        "08:60-09:00",
        "08:00-08:00",
        "24:00-08:00",
        "10:00-12:00,",
        "10:00-12:00, 11:00-13:00",
        "13:00-17:00, 08:00-12:00",
        "06:00-12:00, 22:00-07:00",
    ],
)
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|overlap"):
        parse_spans(text)


def test_a_weekly_moment_is_read() -> None:
    assert str(parse_weekly("Monday 8:00")) == "Monday 08:00"
    for text in ("monday", "8:00", "mon 8:00", "monday 24:00", "monday 8"):
        with pytest.raises(ValueError, match="write"):
            parse_weekly(text)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("monday 8:00", "2026-11-23 08:00"),
        ("Monday", "2026-11-23 00:00"),
        ("sunday 22:10", "2026-11-29 22:10"),
        ("sunday 22:11", "2026-11-22 22:11"),
        ("tomorrow 8:00", "2026-11-23 08:00"),
        ("today 23:00", "2026-11-22 23:00"),
        ("8:00", "2026-11-23 08:00"),
        ("23:00", "2026-11-22 23:00"),
        ("24:00", "2026-11-23 00:00"),
        ("2026-12-24", "2026-12-24 00:00"),
        ("2026-12-24 7:30", "2026-12-24 07:30"),
        ("2h", "2026-11-23 00:10"),
        ("90 min", "2026-11-22 23:40"),
        ("3 days", "2026-11-25 22:10"),
    ],
)
def test_until_is_read(text: str, until: str) -> None:
    expected = datetime.fromisoformat(until).replace(tzinfo=NEW_YORK)
    assert parse_until(text, SUNDAY, NEW_YORK) == expected


@pytest.mark.parametrize("text", ["", "soon", "8", "monday 25:00", "2026-13-01", "mon", "-2h"])
def test_an_until_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time; write"):
        parse_until(text, SUNDAY, NEW_YORK)


@pytest.mark.parametrize("text", ["today 22:10", "2026-11-01", "0 min"])
def test_an_until_in_the_past_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="past"):
        parse_until(text, SUNDAY, NEW_YORK)


@given(text=st.text(max_size=20), at=instants, zone=zones)
def test_no_words_break_the_reading(text: str, at: datetime, zone: ZoneInfo) -> None:
    for parse in (lambda: parse_until(text, at, zone), lambda: parse_spans(text)):
        try:
            parse()
        except ValueError as error:
            assert str(error)  # noqa: PT017 - the refusal that is wanted


@given(at=instants, zone=zones, clock=st.integers(0, DAY_MINUTES - 1))
def test_a_time_of_day_comes_within_a_day_and_a_change_of_clocks(
    at: datetime, zone: ZoneInfo, clock: int
) -> None:
    until = parse_until(f"{clock // 60}:{clock % 60:02}", at, zone)
    assert timedelta(0) < until - at <= timedelta(days=2, hours=1)


def test_instants_in_words() -> None:
    def words(text: str) -> str:
        return in_words(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK), SUNDAY, NEW_YORK)

    assert words("2026-11-22 23:00") == "23:00"
    assert words("2026-11-23 08:00") == "Monday 08:00"
    assert words("2026-11-29 08:00") == "Sunday 29 November 08:00"
    assert words("2027-01-04 08:00") == "Monday 4 January 2027 08:00"
