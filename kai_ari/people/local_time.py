"""The clock on the wall of the business: instants from it, and words for them.

A wall time that happens twice (clocks go back) is the first of the two; one that does not
exist (clocks go forward) is the moment the clocks jump. So later on the wall is never earlier
in fact, and nothing that is written in wall times leaves a gap or an overlap on such nights.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MINUTES = 24 * 60

_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_DURATION = re.compile(r"([0-9]{1,4}) ?(m|min|minutes?|h|hours?|d|days?)")


@dataclass(frozen=True, kw_only=True)
class WeeklyMoment:
    """A moment of every week: `weekday` from 0 (Monday), `minute` from its midnight."""

    weekday: int
    minute: int

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday].title()} {clock_time(self.minute)}"


@dataclass(frozen=True, kw_only=True, order=True)
class Span:
    """Minutes from the midnight of the day it begins on; past 1440 it ends on the next day."""

    begins: int
    ends: int

    def __post_init__(self) -> None:
        if not 0 <= self.begins < DAY_MINUTES or not 0 < self.ends - self.begins <= DAY_MINUTES:
            raise ValueError(f"{self.begins} to {self.ends} is no span of up to a day")

    def __str__(self) -> str:
        return f"{clock_time(self.begins)}-{clock_time(self.ends)}"


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """When the wall shows `minute` minutes after the midnight of `day`; in UTC."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if before <= after:  # equal, or the first and second time it happens
        return before
    # It does not exist: the jump lies between the two readings (PEP 495), on a whole second.
    low, high, new_offset = after, before, before.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == new_offset:
            high = middle
        else:
            low = middle
    return high


# -- words to times ------------------------------------------------------------------
# Each raises ValueError whose text goes on after the words given: "is not ...; write ...".


def parse_time(text: str) -> int:
    """Minutes from midnight of "8:00", "08:00" or "24:00"."""
    found = _TIME.fullmatch(text.strip())
    if found is None or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > DAY_MINUTES:
        raise ValueError("is not a time of day; write e.g. 08:00")
    return int(found[1]) * 60 + int(found[2])


def parse_weekday(text: str) -> int:
    if text.lower() not in WEEKDAYS:
        raise ValueError(f"is not a day of the week; write one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(text.lower())


def parse_weekly(text: str) -> WeeklyMoment:
    """Of "monday 08:00"."""
    day, _, clock = text.strip().partition(" ")
    try:
        weekday, minute = parse_weekday(day), parse_time(clock)
    except ValueError:
        raise ValueError("is not a day and a time; write e.g. monday 08:00") from None
    if minute == DAY_MINUTES:
        raise ValueError("is past the end of the day; write 00:00 of the next day")
    return WeeklyMoment(weekday=weekday, minute=minute)


def parse_span(text: str) -> Span:
    """Of "09:00-20:00"; "22:00-06:00" ends on the next day."""
    return _span(text, "is not one span of time; write e.g. 09:00-20:00")


def parse_spans(text: str) -> tuple[Span, ...]:
    """Of "08:00-12:00, 13:00-17:00", in order; "22:00-06:00" ends on the next day."""
    spans: list[Span] = []
    for part in text.split(","):
        span = _span(part, "are not hours; write e.g. 08:00-12:00, 13:00-17:00")
        if spans and span.begins < spans[-1].ends:
            raise ValueError("has hours that overlap or are out of order; write them in order")
        spans.append(span)
    if spans[-1].ends > spans[0].begins + DAY_MINUTES:
        raise ValueError("has hours that overlap with those of the next day; correct them")
    return tuple(spans)


def _span(text: str, unreadable: str) -> Span:
    begin, _, end = text.partition("-")
    try:
        begins, ends = parse_time(begin), parse_time(end)
    except ValueError:
        raise ValueError(unreadable) from None
    if begins in (ends, DAY_MINUTES):
        raise ValueError("begins and ends at the same time; for all day write 00:00-24:00")
    return Span(begins=begins, ends=ends if ends > begins else ends + DAY_MINUTES)


def parse_until(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The next "monday 8:00", "monday", "tomorrow 8:00", "8:00", "2026-12-24 [8:00]", or "2 h".

    A day without a time is its midnight. Raises ValueError also for what is past already.
    """
    words = " ".join(text.lower().split())
    if found := _DURATION.fullmatch(words):
        unit = {"m": 1, "h": 60, "d": DAY_MINUTES}[found[2][0]]
        at = now + timedelta(minutes=int(found[1]) * unit)
    else:
        at = _next(words, now, zone)
    if at <= now:
        raise ValueError("is past already, or now; name a later time")
    return at.astimezone(UTC)


def _next(words: str, now: datetime, zone: ZoneInfo) -> datetime:
    today = now.astimezone(zone).date()
    first, _, rest = words.partition(" ")
    try:
        if _TIME.fullmatch(words):
            later = (instant(today + timedelta(days=n), parse_time(words), zone) for n in (0, 1, 2))
            return next(at for at in later if at > now)
        minute = parse_time(rest) if rest else 0
        if first in WEEKDAYS:
            ahead = (WEEKDAYS.index(first) - today.weekday()) % 7
            at = instant(today + timedelta(days=ahead), minute, zone)
            return at if at > now else instant(today + timedelta(days=ahead + 7), minute, zone)
        if first in ("today", "tomorrow"):
            return instant(today + timedelta(days=("today", "tomorrow").index(first)), minute, zone)
        return instant(date.fromisoformat(first), minute, zone)
    except (ValueError, OverflowError):
        raise ValueError(
            "is not a time; write e.g. 'monday 8:00', 'tomorrow 8:00', '17:30',"
            " '2026-12-24 8:00' or '2 hours'"
        ) from None


# -- times to words ------------------------------------------------------------------


def clock_time(minute: int) -> str:
    """ "08:00"; the end of a day is "24:00", and what lies beyond it counts anew."""
    if minute > DAY_MINUTES:
        minute -= DAY_MINUTES
    return f"{minute // 60:02}:{minute % 60:02}"


def day_name(day: date) -> str:
    return WEEKDAYS[day.weekday()].title()


def full_day(day: date, today: date) -> str:
    """ "Thursday 24 December", with the year where it is another."""
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day_name(day)} {day.day} {day:%B}{year}"


def in_words(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """ "17:00" on the day of `now`, "Monday 08:00" within a week, else with the date."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    if days == 0:
        return f"{local:%H:%M}"
    day = day_name(local.date()) if 0 < days < 7 else full_day(local.date(), today)
    return f"{day} {local:%H:%M}"
