"""Open or closed, why, and when that changes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from kai_ari.people.hours import Holidays, Hours, is_open, next_opening
from kai_ari.people.local_time import parse_spans
from tests.people.strategies import hours, instants

NEW_YORK = ZoneInfo("America/New_York")


def week(*days: str, zone: ZoneInfo = NEW_YORK) -> Hours:
    """Hours from Monday on; days left out are closed."""
    written = [parse_spans(day) if day else () for day in days]
    return Hours(zone=zone, week=(*written, *[()] * (7 - len(written))))


SHOP = Hours(
    zone=NEW_YORK,
    week=week(*["08:00-12:00, 13:00-17:00"] * 5).week,
    holidays=Holidays(country="US", subdivision="NY"),
    closed_days=frozenset({date(2026, 12, 24)}),
    open_days={date(2026, 11, 28): parse_spans("09:00-12:00"), date(2026, 12, 23): ()},
)


def wall(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("at", "open_", "why", "until"),
    [
        ("2026-11-22 22:10", False, "Sunday is not a business day", "2026-11-23 08:00"),
        ("2026-11-23 07:59", False, "Monday's hours begin at 08:00", "2026-11-23 08:00"),
        ("2026-11-23 08:00", True, "It is within Monday's hours, 08:00-12:00", "2026-11-23 12:00"),
        ("2026-11-23 12:00", False, "Monday has a break from 12:00 to 13:00", "2026-11-23 13:00"),
        ("2026-11-23 17:00", False, "Monday's hours ended at 17:00", "2026-11-24 08:00"),
        (
            "2026-11-26 10:00",
            False,
            "Thursday 26 November is a holiday (Thanksgiving Day)",
            "2026-11-27 08:00",
        ),
        (
            "2026-11-28 10:00",
            True,
            "It is within Saturday 28 November's hours, 09:00-12:00",
            "2026-11-28 12:00",
        ),
        ("2026-12-23 10:00", False, "Wednesday is not a business day", "2026-12-28 08:00"),
        (
            "2026-12-24 10:00",
            False,
            "Thursday 24 December is one of the closed days",
            "2026-12-28 08:00",
        ),
    ],
)
def test_a_shop(at: str, open_: bool, why: str, until: str) -> None:
    state = is_open(SHOP, wall(at))
    assert (state.open, state.why, state.until) == (open_, why, wall(until))


def test_without_hours_it_is_always_open() -> None:
    at = wall("2026-11-22 03:00")
    state = is_open(None, at)
    assert state.open
    assert state.until is None
    assert next_opening(None, at) == at


def test_a_business_that_never_opens() -> None:
    state = is_open(week(), wall("2026-11-22 03:00"))
    assert not state.open
    assert state.until is None


def test_a_business_that_never_closes() -> None:
    state = is_open(week(*["00:00-24:00"] * 7), wall("2026-11-22 03:00"))
    assert state.open
    assert state.until is None


def test_the_night_belongs_to_the_day_it_begins_on() -> None:
    """The night before a holiday runs out; the one that would begin on it does not begin."""
    nights = Hours(
        zone=NEW_YORK,
        week=week(*["22:00-06:00"] * 7).week,
        closed_days=frozenset({date(2026, 12, 25)}),
    )
    state = is_open(nights, wall("2026-12-25 03:00"))
    assert state.open
    assert state.why == "It is within Thursday's hours, 22:00-06:00"
    assert state.until == wall("2026-12-25 06:00")
    assert not is_open(nights, wall("2026-12-25 23:00")).open
    assert not is_open(nights, wall("2026-12-26 03:00")).open
    assert next_opening(nights, wall("2026-12-25 06:00")) == wall("2026-12-26 22:00")


def test_hours_that_join_at_midnight_are_one_opening() -> None:
    state = is_open(week("20:00-24:00", "00:00-02:00"), wall("2026-11-23 21:00"))
    assert state.until == wall("2026-11-24 02:00")


@pytest.mark.parametrize(
    ("night", "length_h"),
    [("2026-03-07", 7), ("2026-10-31", 9), ("2026-11-07", 8)],
    ids=["clocks forward", "clocks back", "usual"],
)
def test_a_night_over_the_change_of_clocks_has_its_real_length(night: str, length_h: int) -> None:
    nights = week(*["22:00-06:00"] * 7)
    begins = wall(f"{night} 22:00")
    state = is_open(nights, begins + timedelta(hours=1))
    assert state.until is not None
    assert state.until - begins.astimezone(UTC) == timedelta(hours=length_h)


def test_hours_within_the_hour_that_does_not_exist_are_left_out() -> None:
    sundays = week(*[""] * 6, "02:10-02:40")
    assert next_opening(sundays, wall("2026-03-08 00:00")) == wall("2026-03-15 02:10")


def test_hours_within_the_hour_that_happens_twice_are_kept_once() -> None:
    sundays = week(*[""] * 6, "01:10-01:40")
    first = wall("2026-11-01 01:20")
    assert is_open(sundays, first).open
    assert not is_open(sundays, first.replace(fold=1)).open


def test_holidays_are_named_in_english_where_they_can_be() -> None:
    assert Holidays(country="IT").name_of(date(2026, 12, 25)) == "Christmas Day"


@settings(max_examples=300)
@given(rules=hours(), at=instants)
def test_hours_and_next_opening_agree(rules: Hours, at: datetime) -> None:
    state, opens = is_open(rules, at), next_opening(rules, at)
    assert state.why
    if state.open:
        assert opens == at
        if state.until is not None:
            assert state.until > at
            assert not is_open(rules, state.until).open
    else:
        assert state.until == opens
        if opens is not None:
            assert opens > at
            assert is_open(rules, opens).open
            assert not is_open(rules, at + (opens - at) / 2).open
            assert not is_open(rules, opens - timedelta(microseconds=1)).open
