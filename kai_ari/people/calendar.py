"""The shifts in an iCalendar feed (RFC 5545), from its text.

Who an event names is told by its attendees' e-mail addresses and by the names in its summary.
What names nobody, or several, is said and left out: nobody is put on call by a guess.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event

from kai_ari.people.local_time import full_day, instant
from kai_ari.people.rota import CalendarRota, Shift
from kai_ari.people.staff import Person

#: Feeds are a few kilobytes; one that is larger, or repeats by the minute, would take for ever.
MAX_BYTES = 2_000_000
MAX_SHIFTS = 5_000
_TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
_MAX_UNREAD = 20
#: With a zone, dates near the first and the last year that Python knows cannot be worked with.
_YEARS = range(1900, 9000)


class NotACalendar(ValueError):
    """The text goes on after the name of the source: "is not ..."."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """The days that are read, `end` not included: a feed may go on for ever."""

    first: date
    end: date


def read_calendar(
    text: str, name: str, people: Mapping[str, Person], zone: ZoneInfo, window: Window
) -> CalendarRota:
    """The rota `name` from the feed `text`. Whole-day events and times without a zone are of
    `zone`. Raises NotACalendar."""
    unread: list[str] = []
    shifts: list[Shift] = []
    told: set[tuple[str, str]] = set()
    for event in _events(text, unread, window):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        begins, ends = _times(event, zone)
        which = f"{_title(event)} on {full_day(begins.astimezone(zone).date(), window.first)}"
        who = _who(event, people.values())
        if isinstance(who, str):
            if (series := (_title(event), who)) not in told:  # once, not for every week of a year
                unread.append(f"{which} {who}")
            told.add(series)
        elif begins >= ends:
            unread.append(f"{which} takes no time")
        else:
            shifts.append(Shift(who=who.key, begins=begins, ends=ends))
    shifts.sort(key=lambda shift: (shift.begins, shift.ends, shift.who))
    unread += _collisions(shifts, window, zone)
    return CalendarRota(
        name=name, zone=zone, shifts=tuple(shifts), unread=tuple(_shortened(unread))
    )


def _events(text: str, unread: list[str], window: Window) -> list[Event]:
    if len(text.encode()) > MAX_BYTES:
        raise NotACalendar(f"is over {MAX_BYTES // 1_000_000} MB; this cannot be a rota")
    if not text.rstrip().upper().endswith("END:VCALENDAR"):
        raise NotACalendar("is not a whole iCalendar feed; it does not end with END:VCALENDAR")
    try:
        calendar = Calendar.from_ical(text)
        if not isinstance(calendar, Calendar):
            raise NotACalendar("is not an iCalendar feed; it begins with no BEGIN:VCALENDAR")
        _leave_out(calendar, unread)
        query = recurring_ical_events.of(calendar, skip_bad_series=True)
        found: list[Event] = []
        for event in query.between(window.first, window.end):
            found.append(event)
            if len(found) > MAX_SHIFTS:
                raise NotACalendar(f"has over {MAX_SHIFTS} events in a year; this is no rota")
    except NotACalendar:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise NotACalendar(f"is not an iCalendar feed that can be read ({error})") from error
    return found


def _leave_out(calendar: Calendar, unread: list[str]) -> None:
    """Take away events that repeat too often to be worked out, or that say nothing of when."""
    kept = []
    for part in calendar.subcomponents:
        if part.name == "VEVENT" and ("DTSTART" not in part or part.errors):
            unread.append(f"{_title(part)} has no beginning, or is written wrongly")
        elif part.name == "VEVENT" and _repeats_too_often(part):
            unread.append(f"{_title(part)} repeats more than once a day")
        elif part.name == "VEVENT" and not _in_our_time(part):
            unread.append(f"{_title(part)} has no end in our time: give it a nearer one")
        else:
            kept.append(part)
    calendar.subcomponents = kept


def _in_our_time(event: Any) -> bool:
    written = (getattr(event.get(name), "dt", None) for name in ("DTSTART", "DTEND"))
    return all(at.year in _YEARS for at in written if isinstance(at, date))


def _repeats_too_often(event: Any) -> bool:
    rules = event.get("RRULE", [])
    rules = rules if isinstance(rules, list) else [rules]
    return any(
        str(how).upper() in _TOO_OFTEN
        or any(part in rule for part in ("BYSECOND", "BYMINUTE", "BYHOUR"))
        for rule in rules
        for how in rule.get("FREQ", [])
    )


def _times(event: Event, zone: ZoneInfo) -> tuple[datetime, datetime]:
    begins, ends = event.start, event.end
    if begins == ends and not isinstance(begins, datetime):
        ends = begins + timedelta(days=1)
    return _instant(begins, zone), _instant(ends, zone)


def _instant(value: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        return instant(value, 0, zone)
    if value.tzinfo is None:
        return instant(value.date(), value.hour * 60 + value.minute, zone)
    return value.astimezone(UTC)


# -- who -----------------------------------------------------------------------------


def _who(event: Event, people: Iterable[Person]) -> Person | str:
    """The one the event names, or what is wrong, to go on after the event's title."""
    people = list(people)
    invited, titled = _invited(event, people), _titled(str(event.get("SUMMARY", "")), people)
    both = [person for person in invited if person in titled]
    found = both or (invited or titled if not (invited and titled) else [*invited, *titled])
    match found:
        case [person]:
            return person
        case []:
            return "names nobody of people: write a name of theirs into its title"
    names = ", ".join(person.name for person in found)
    return f"names several ({names}): write the full name of one into its title"


def _invited(event: Event, people: Iterable[Person]) -> list[Person]:
    attendees = event.get("ATTENDEE", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    coming = {
        str(attendee).lower().removeprefix("mailto:")
        for attendee in attendees
        if str(getattr(attendee, "params", {}).get("PARTSTAT", "")).upper() != "DECLINED"
    }
    return [person for person in people if person.email and person.email.lower() in coming]


def _titled(summary: str, people: list[Person]) -> list[Person]:
    """Whoever's full name is in the summary; else whoever's key or first name is."""
    full = [person for person in people if _says(summary, person.name)]
    if full:
        return full
    return [
        person
        for person in people
        if _says(summary, person.key) or _says(summary, person.name.split()[0])
    ]


def _says(summary: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", summary, re.IGNORECASE) is not None


# -- what was left out ---------------------------------------------------------------


def _title(event: Any) -> str:
    summary = str(event.get("SUMMARY", ""))
    printable = "".join(c for c in summary if c.isprintable())[:60].strip()
    return f"'{printable}'" if printable else "An event without a title"


def _collisions(shifts: list[Shift], window: Window, zone: ZoneInfo) -> Iterator[str]:
    """Shifts of two people at exactly the same time: neither is an exception to the other."""
    for one, other in itertools.pairwise(shifts):
        same_time = (one.begins, one.ends) == (other.begins, other.ends)
        if same_time and one.who != other.who:
            day = full_day(one.begins.astimezone(zone).date(), window.first)
            yield f"{one.who} and {other.who} have the same shift on {day}: {other.who} has it"


def _shortened(unread: list[str]) -> list[str]:
    if len(unread) <= _MAX_UNREAD:
        return unread
    return [*unread[:_MAX_UNREAD], f"and {len(unread) - _MAX_UNREAD} more"]
