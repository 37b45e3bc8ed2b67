"""Exactly one person is on call at any instant, until somebody else is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kai_ari.people.local_time import parse_weekly
from kai_ari.people.rota import CalendarRota, Shift, WeeklyRota, on_call
from tests.people.strategies import instants, shifts, weekly_rotas, zones

NEW_YORK = ZoneInfo("America/New_York")


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def rota(*overrides: Shift, weeks: tuple[str, ...] = ("dana", "lee", "kim")) -> WeeklyRota:
    return WeeklyRota(
        name="on_call",
        zone=NEW_YORK,
        weeks=weeks,
        starts=date(2026, 11, 2),
        hand_over=parse_weekly("monday 08:00"),
        overrides=overrides,
    )


@pytest.mark.parametrize(
    ("at", "who", "until"),
    [
        ("2026-11-02 08:00", "dana", "2026-11-09 08:00"),
        ("2026-11-09 07:59", "dana", "2026-11-09 08:00"),
        ("2026-11-09 08:00", "lee", "2026-11-16 08:00"),
        ("2026-11-22 22:10", "kim", "2026-11-23 08:00"),
        ("2026-11-23 08:00", "dana", "2026-11-30 08:00"),
        ("2026-11-02 07:59", "kim", "2026-11-02 08:00"),  # before it starts: as if it had run
        ("2028-11-06 08:00", "dana", "2028-11-13 08:00"),
    ],
)
def test_weeks_in_turn(at: str, who: str, until: str) -> None:
    turn = on_call(rota(), wall(at))
    assert (turn.who, turn.until) == (who, wall(until))


def test_it_says_why() -> None:
    at = wall("2026-11-22 22:10")
    turn = on_call(rota(), at)
    assert (
        turn.why(at, NEW_YORK, "Kim Lang")
        == "Kim Lang is on call until Monday 08:00 (rota on_call, week 3 of 3)"
    )


def test_a_rota_that_starts_between_hand_overs_begins_with_the_next() -> None:
    midweek = WeeklyRota(
        name="r",
        zone=NEW_YORK,
        weeks=("dana", "lee"),
        starts=date(2026, 11, 4),
        hand_over=parse_weekly("monday 08:00"),
    )
    assert on_call(midweek, wall("2026-11-09 08:00")).who == "dana"


def test_overrides_hold_while_they_last() -> None:
    swap = Shift(who="lee", begins=wall("2026-11-21 00:00"), ends=wall("2026-11-23 00:00"))
    within = Shift(who="dana", begins=wall("2026-11-22 12:00"), ends=wall("2026-11-22 18:00"))
    rules = rota(swap, within)
    for at, who, until in (
        ("2026-11-20 12:00", "kim", "2026-11-21 00:00"),
        ("2026-11-21 00:00", "lee", "2026-11-22 12:00"),
        ("2026-11-22 13:00", "dana", "2026-11-22 18:00"),
        ("2026-11-22 18:00", "lee", "2026-11-23 00:00"),
        ("2026-11-23 00:00", "kim", "2026-11-23 08:00"),
    ):
        turn = on_call(rules, wall(at))
        assert (turn.who, turn.until) == (who, wall(until))
    noon = wall("2026-11-22 13:00")
    why = on_call(rules, noon).why(noon, NEW_YORK)
    assert why == "dana is on call until 18:00 (rota on_call, an override)"


def test_who_follows_themselves_goes_on() -> None:
    at = wall("2026-11-03 12:00")
    assert on_call(rota(weeks=("dana", "dana", "lee")), at).until == wall("2026-11-16 08:00")
    alone = on_call(rota(weeks=("dana",)), at)
    assert alone.until is None
    assert alone.why(at, NEW_YORK) == "dana is on call (rota on_call, week 1 of 1)"


@pytest.mark.parametrize(
    ("at", "hours"), [("2026-03-05 12:00", 167), ("2026-10-29 12:00", 169)], ids=["spring", "fall"]
)
def test_a_week_over_the_change_of_clocks_has_its_real_length(at: str, hours: int) -> None:
    turn = on_call(rota(), wall(at))
    assert turn.until is not None
    before = on_call(rota(), turn.until - timedelta(hours=hours))
    assert (before.who, before.until) == (turn.who, turn.until)
    assert on_call(rota(), turn.until - timedelta(hours=hours, seconds=1)).who != turn.who


def test_a_hand_over_at_an_hour_that_does_not_exist_happens_when_the_clocks_jump() -> None:
    nightly = WeeklyRota(
        name="r",
        zone=NEW_YORK,
        weeks=("dana", "lee"),
        starts=date(2026, 3, 1),
        hand_over=parse_weekly("sunday 02:30"),
    )
    jump = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert on_call(nightly, jump - timedelta(seconds=1)).who == "dana"
    assert on_call(nightly, jump).who == "lee"


def test_a_calendar_with_a_gap_says_so() -> None:
    day = Shift(who="lee", begins=wall("2026-11-23 08:00"), ends=wall("2026-11-24 08:00"))
    calendar = CalendarRota(name="nights", zone=NEW_YORK, shifts=(day,))
    at = wall("2026-11-22 22:10")
    turn = on_call(calendar, at)
    assert turn.who is None
    assert (
        turn.why(at, NEW_YORK)
        == "Nobody is on call until Monday 08:00 (the calendar of rota nights has nothing then)"
    )
    assert on_call(calendar, wall("2026-11-25 08:00")).until is None


def test_in_a_calendar_the_shift_that_began_last_holds() -> None:
    week = Shift(who="dana", begins=wall("2026-11-16 08:00"), ends=wall("2026-11-23 08:00"))
    swap = Shift(who="lee", begins=wall("2026-11-18 08:00"), ends=wall("2026-11-19 08:00"))
    calendar = CalendarRota(name="c", zone=NEW_YORK, shifts=(swap, week))
    assert on_call(calendar, wall("2026-11-18 12:00")).who == "lee"
    assert on_call(calendar, wall("2026-11-19 08:00")).who == "dana"


@settings(max_examples=300)
@given(rules=weekly_rotas(), at=instants)
def test_exactly_one_person_is_on_call(rules: WeeklyRota, at: datetime) -> None:
    """Also where overrides begin, end and overlap: no gap, and `until` is a real change."""
    known = {*rules.weeks, *(override.who for override in rules.overrides)}
    turn = on_call(rules, at)
    assert turn.who in known
    if turn.until is not None:
        assert turn.until > at
        assert on_call(rules, turn.until).who != turn.who
        for moment in (at + (turn.until - at) / 2, turn.until - timedelta(microseconds=1)):
            assert on_call(rules, moment).who == turn.who
    for override in rules.overrides:
        for edge in (override.begins, override.ends):
            assert on_call(rules, edge).who in known


@given(held=st.lists(shifts(), max_size=5), zone=zones, at=instants)
def test_a_calendar_names_who_holds_a_shift_then(
    held: list[Shift], zone: ZoneInfo, at: datetime
) -> None:
    turn = on_call(CalendarRota(name="c", zone=zone, shifts=tuple(held)), at)
    holding: set[str | None] = {shift.who for shift in held if shift.begins <= at < shift.ends}
    assert turn.who in (holding or {None})
    assert turn.why(at, zone)
