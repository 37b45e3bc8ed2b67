"""Who is on call: a weekly rota with overrides, or the shifts of a calendar."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from kai_ari.clock import require_zone
from kai_ari.people.local_time import WeeklyMoment, in_words, instant

#: Beyond this no change is looked for: who has not been relieved by then always is on call.
LOOK_AHEAD = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class Shift:
    """`who` is on call from `begins` until `ends`, instants in UTC: in a zone of the wall they
    would compare as its clock reads, which is wrong in the hour that happens twice."""

    who: str
    begins: datetime
    ends: datetime

    def __post_init__(self) -> None:
        if self.begins.tzinfo is not UTC or self.ends.tzinfo is not UTC:
            raise ValueError(f"a shift of {self.who} is not in UTC")
        if self.begins >= self.ends:
            raise ValueError(f"a shift of {self.who} ends before it begins")


@dataclass(frozen=True, kw_only=True)
class WeeklyRota:
    """`weeks[0]` is on call from the first hand-over on or after `starts`, then the next, and so
    round; also backwards. Where overrides overlap, the one written last holds."""

    name: str
    zone: ZoneInfo
    weeks: tuple[str, ...]
    starts: date
    hand_over: WeeklyMoment
    overrides: tuple[Shift, ...] = ()

    def __post_init__(self) -> None:
        if not self.weeks:
            raise ValueError(f"rota {self.name} names nobody")


@dataclass(frozen=True, kw_only=True)
class CalendarRota:
    """Shifts as a calendar gave them; where they overlap, the one that began last holds.

    `unread` says in sentences what of the calendar could not be used.
    """

    name: str
    zone: ZoneInfo
    shifts: tuple[Shift, ...]
    unread: tuple[str, ...] = ()


Rota = WeeklyRota | CalendarRota


@dataclass(frozen=True, kw_only=True)
class OnCall:
    """`who` is None only where a calendar has a gap; `until` None: for a long time.

    `turn` says by which entry, e.g. "rota on_call, week 2 of 3".
    """

    who: str | None
    until: datetime | None
    turn: str

    def why(self, now: datetime, zone: ZoneInfo, name: str | None = None) -> str:
        """The sentence; `name` is how `who` is called."""
        until = f" until {in_words(self.until, now, zone)}" if self.until else ""
        if self.who is None:
            return f"Nobody is on call{until} ({self.turn})"
        return f"{name or self.who} is on call{until} ({self.turn})"


def on_call(rota: Rota, at: datetime) -> OnCall:
    """Who is on call at `at`, until somebody else is, and by which entry of the rota."""
    at = require_zone(at).astimezone(UTC)
    who, turn, change = _entry(rota, at)
    until = change
    while until is not None and _entry(rota, until)[0] == who:
        _, _, until = _entry(rota, until)
        if until is not None and until - at > LOOK_AHEAD:
            until = None
    return OnCall(who=who, until=until, turn=turn)


def _entry(rota: Rota, at: datetime) -> tuple[str | None, str, datetime | None]:
    """Who by which entry, and when another entry may hold."""
    if isinstance(rota, CalendarRota):
        return _by_calendar(rota, at)
    later = [edge for o in rota.overrides for edge in (o.begins, o.ends) if edge > at]
    holding = [override for override in rota.overrides if override.begins <= at < override.ends]
    if holding:
        return holding[-1].who, f"rota {rota.name}, an override", min(later)
    week = _week(rota, at)
    count = len(rota.weeks)
    turn = f"rota {rota.name}, week {week % count + 1} of {count}"
    return rota.weeks[week % count], turn, min([_hand_over(rota, week + 1), *later])


def _week(rota: WeeklyRota, at: datetime) -> int:
    """How many hand-overs lie between the rota's first and `at`; negative before it."""
    local = at.astimezone(rota.zone).date()
    # Within a week of the right answer, whatever the hour of the hand-over.
    week = (local - _first_day(rota)).days // 7 + 1
    while _hand_over(rota, week) > at:
        week -= 1
    return week


def _first_day(rota: WeeklyRota) -> date:
    return rota.starts + timedelta(days=(rota.hand_over.weekday - rota.starts.weekday()) % 7)


def _hand_over(rota: WeeklyRota, week: int) -> datetime:
    return instant(_first_day(rota) + timedelta(weeks=week), rota.hand_over.minute, rota.zone)


def _by_calendar(rota: CalendarRota, at: datetime) -> tuple[str | None, str, datetime | None]:
    edges = [edge for shift in rota.shifts for edge in (shift.begins, shift.ends) if edge > at]
    change = min(edges, default=None)
    holding = [shift for shift in rota.shifts if shift.begins <= at < shift.ends]
    if not holding:
        return None, f"the calendar of rota {rota.name} has nothing then", change
    shift = max(holding, key=lambda shift: (shift.begins, -shift.ends.timestamp(), shift.who))
    return shift.who, f"rota {rota.name}, by its calendar", change
