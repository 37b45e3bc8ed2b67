"""Business hours: the week, holidays, closed days and days with hours of their own.

Hours belong to the day they begin on: a holiday closes what would begin on it, and the night
that began the evening before runs out as written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from kai_ari.clock import require_zone
from kai_ari.people.local_time import Span, clock_time, day_name, full_day, instant

#: Beyond this no opening is looked for: a business that is closed for longer is closed.
LOOK_AHEAD_DAYS = 400


@dataclass(frozen=True, kw_only=True)
class Holidays:
    """Public holidays of a country (ISO 3166), and of a part of it."""

    country: str
    subdivision: str | None = None

    @property
    def where(self) -> str:
        """ "United States, New York": the code where there is no name."""
        names = {codes[1]: key for key, codes in holidays.registry.COUNTRIES.items()}
        words = names.get(self.country, self.country).split("_")
        country = " ".join(w if w in ("and", "of", "the") else w.title() for w in words)
        if self.subdivision is None:
            return country
        of = holidays.country_holidays(self.country, subdiv=self.subdivision)
        parts = {code: name for name, code in of.subdivisions_aliases.items()}
        return f"{country}, {parts.get(self.subdivision, self.subdivision)}"

    def name_of(self, day: date) -> str | None:
        return _holidays(self.country, self.subdivision, day.year).get(day)


@lru_cache(maxsize=64)
def _holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    spoken = holidays.country_holidays(country, subdiv=subdivision).supported_languages
    language = next((tag for tag in spoken if tag in ("en_US", "en_GB")), None)
    found = holidays.country_holidays(
        country, subdiv=subdivision, years=year, expand=False, language=language
    )
    return dict(found)


@dataclass(frozen=True, kw_only=True)
class Hours:
    """`week` has the spans of each day from Monday on; `open_days` replaces everything else."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    holidays: Holidays | None = None
    closed_days: frozenset[date] = frozenset()
    open_days: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError(f"a week has 7 days, not {len(self.week)}")


@dataclass(frozen=True, kw_only=True)
class OpenState:
    """`until`: when this changes next; None when it does not for a long time."""

    open: bool
    why: str
    until: datetime | None


def is_open(hours: Hours | None, at: datetime) -> OpenState:
    """Whether the business is open at `at`, and why. Without hours it always is."""
    at = require_zone(at).astimezone(UTC)
    if hours is None:
        return OpenState(open=True, why="No hours are written, so it is always open", until=None)
    today = at.astimezone(hours.zone).date()
    for day, span, begins, ends in _openings(hours, today - timedelta(days=1), 3):
        if begins <= at < ends:
            whose = day_name(day) if day not in hours.open_days else full_day(day, today)
            why = f"It is within {whose}'s hours, {span}"
            return OpenState(open=True, why=why, until=_closing(hours, day, ends))
    opens = next_opening(hours, at)
    return OpenState(open=False, why=_why_closed(hours, at), until=opens)


def next_opening(hours: Hours | None, at: datetime) -> datetime | None:
    """The first instant from `at` on at which the business is open; None within a year: never."""
    at = require_zone(at).astimezone(UTC)
    if hours is None:
        return at
    today = at.astimezone(hours.zone).date()
    for _, _, begins, ends in _openings(hours, today - timedelta(days=1), LOOK_AHEAD_DAYS):
        if ends > at:
            return max(begins, at)
    return None


def _spans(hours: Hours, day: date) -> tuple[Span, ...]:
    if day in hours.open_days:
        return hours.open_days[day]
    if day in hours.closed_days or (hours.holidays and hours.holidays.name_of(day)):
        return ()
    return hours.week[day.weekday()]


def _openings(
    hours: Hours, first: date, days: int
) -> Iterator[tuple[date, Span, datetime, datetime]]:
    """In order of their beginning. One that the clocks jump over is left out."""
    for number in range(days):
        day = first + timedelta(days=number)
        for span in _spans(hours, day):
            begins = instant(day, span.begins, hours.zone)
            ends = instant(day, span.ends, hours.zone)
            if begins < ends:
                yield day, span, begins, ends


def _closing(hours: Hours, day: date, ends: datetime) -> datetime | None:
    """When the opening of `day` that ends at `ends`, and what joins on to it, is over."""
    for _, _, begins, later in _openings(hours, day, 15):
        if begins > ends:
            return ends
        ends = max(ends, later)
    return None


def _why_closed(hours: Hours, at: datetime) -> str:
    local = at.astimezone(hours.zone)
    today = local.date()
    spans, now = _spans(hours, today), local.hour * 60 + local.minute
    if today not in hours.open_days:
        if today in hours.closed_days:
            return f"{full_day(today, today)} is one of the closed days"
        if hours.holidays and (name := hours.holidays.name_of(today)):
            return f"{full_day(today, today)} is a holiday ({name})"
    if not spans:
        return f"{day_name(today)} is not a business day"
    ended = [span for span in spans if span.ends <= now]
    coming = [span for span in spans if span.begins > now]
    if ended and coming:
        begin, end = clock_time(ended[-1].ends), clock_time(coming[0].begins)
        return f"{day_name(today)} has a break from {begin} to {end}"
    if coming:
        return f"{day_name(today)}'s hours begin at {clock_time(coming[0].begins)}"
    return f"{day_name(today)}'s hours ended at {clock_time(spans[-1].ends)}"
