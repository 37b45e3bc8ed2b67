"""From the sections of `kai.yaml` to the types that `people` decides with."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kai_ari.config.people import Hours as HoursSection
from kai_ari.config.people import Rota as RotaSection
from kai_ari.config.schema import Config
from kai_ari.people.hours import Holidays, Hours
from kai_ari.people.local_time import (
    WEEKDAYS,
    Span,
    instant,
    parse_span,
    parse_spans,
    parse_weekly,
)
from kai_ari.people.rota import CalendarRota, Shift, WeeklyRota
from kai_ari.people.staff import Person, Staff


def people_of(config: Config) -> Mapping[str, Person]:
    return {
        key: Person(
            key=key,
            **{**dict(person), "by": person.by or (), "quiet": span_of(person.quiet)},
        )
        for key, person in config.people.items()
    }


def span_of(quiet: str | None) -> Span | None:
    """Of checked text, such as "21:00-07:00"."""
    return parse_span(quiet) if quiet else None


def staff_of(config: Config, calendars: Mapping[str, CalendarRota]) -> Staff:
    """`calendars` has what was read for each rota that is a calendar (see `calendars`)."""
    zone = zone_of(config)
    return Staff(
        zone=zone,
        hours=_hours(config.hours, config.business.country, zone) if config.hours else None,
        people=people_of(config),
        teams=config.teams,
        rotas={
            name: calendars[name] if rota.calendar else _weekly(name, rota, zone)
            for name, rota in config.rotas.items()
        },
        phones=frozenset(config.phones),
    )


def zone_of(config: Config) -> ZoneInfo:
    """Of the business, else of this machine."""
    return ZoneInfo(config.business.zone or _machine_zone())


def _machine_zone(localtime: Path = Path("/etc/localtime")) -> str:
    """The zone that TZ or /etc/localtime names; UTC where neither does: localtime(5)."""
    given = os.environ.get("TZ", "").removeprefix(":")
    _, found, linked = str(localtime.resolve()).partition("/zoneinfo/")
    for name in (given, linked if found else ""):
        if name and not name.startswith("/"):
            try:
                return ZoneInfo(name).key
            except (OSError, ValueError, KeyError):  # a zone this Python has no data for
                continue
    return "UTC"


def _hours(section: HoursSection, country: str, zone: ZoneInfo) -> Hours:
    named = section.holidays
    week: dict[str, tuple[Span, ...]] = {
        day: parse_spans(text) for day, text in section.open.items()
    }
    return Hours(
        zone=zone,
        week=tuple(week.get(day, ()) for day in WEEKDAYS),
        holidays=Holidays(country=named.country or country, subdivision=named.subdivision)
        if named
        else None,
        closed_days=frozenset(section.closed),
        open_days={day: parse_spans(text) for day, text in section.special.items()},
    )


def _weekly(name: str, rota: RotaSection, zone: ZoneInfo) -> WeeklyRota:
    if rota.starts is None:  # refused when the file was loaded
        raise ValueError(f"rota {name} does not say when it starts")
    return WeeklyRota(
        name=name,
        zone=zone,
        weeks=rota.weeks,
        starts=rota.starts,
        hand_over=parse_weekly(rota.hand_over),
        overrides=tuple(
            Shift(who=o.who, begins=_at(o.begins, zone), ends=_at(o.ends, zone))
            for o in rota.overrides
        ),
    )


def _at(wall: datetime, zone: ZoneInfo) -> datetime:
    return instant(wall.date(), wall.hour * 60 + wall.minute, zone).astimezone(UTC)
