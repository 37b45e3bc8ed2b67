"""Sections `people`, `teams`, `rotas` and `hours`: who can be reached, and when."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import holidays as known_holidays
import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from kai_ari.config.crosscheck import Mistake, unknown
from kai_ari.config.fields import (
    Channels,
    Extension,
    Name,
    Quiet,
    Section,
    Spoken,
    beside_file,
    each_once,
)
from kai_ari.people.local_time import parse_spans, parse_weekly
from kai_ari.people.presence import is_feature_code
from kai_ari.promises.permission import longest_rule

if TYPE_CHECKING:
    from kai_ari.config.schema import Config

_DATE = r"\d{4}-\d\d-\d\d"
_MOMENT = rf"{_DATE}([ T]\d\d:\d\d(:00)?)?"

#: How people write that there are no hours.
_CLOSED = frozenset({"closed", "close", "none", "no", "off", "never", "shut", "-", "false"})

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _outside_number(text: str) -> str:
    try:
        number = phonenumbers.parse(text) if re.fullmatch(r"\+[0-9 ()-]+", text) else None
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValueError("is not an international number; write e.g. '+12125550142'")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email_address(address: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", address):
        raise ValueError("is not an e-mail address such as dana@example.com")
    return address


def _feed(source: str, info: ValidationInfo) -> str:
    """An address, or the absolute path of a file: relative ones count from kai.yaml."""
    if re.fullmatch(r"(https?|webcal)://[^\s/]+\S*", source):
        return re.sub(r"\Awebcal:", "https:", source)
    if not re.fullmatch(r"[^:\n]+\.ics", source):
        raise ValueError("is not a calendar; write https://... or a file that ends with .ics")
    return str(beside_file(Path(source), info))


@cache
def _subdivisions() -> Mapping[str, list[str]]:
    return known_holidays.list_supported_countries()


def _holiday_country(code: str) -> str:
    if code not in _subdivisions():
        raise ValueError("is not a country whose holidays are known; write e.g. US, or use closed")
    return code


def _readable(parse: Callable[[str], object]) -> Callable[[str], str]:
    """The text as it is, if `parse` can read it: what is loaded is still what was written."""

    def check(text: str) -> str:
        parse(text)
        return text

    return check


def _day_hours(if_closed: str) -> Callable[[str], str]:
    """Hours; who writes `closed` instead is told how that is said."""

    def check(text: str) -> str:
        if text.strip().lower() in _CLOSED:
            raise ValueError(f"are not hours; {if_closed}")
        parse_spans(text)
        return text

    return check


def _written_date(value: object) -> object:
    """YAML reads 2026-12-24 as a date by itself; quoted it is text. A number is neither."""
    if type(value) is date:
        return value
    try:
        if isinstance(value, str) and re.fullmatch(_DATE, value):
            return date.fromisoformat(value)
    except ValueError:
        pass  # the 30th of February: said below, too
    raise ValueError("is not a date; write e.g. 2026-12-24")


def _written_moment(value: object) -> object:
    """A wall time of the business: "2026-12-24 17:00", or a date for its midnight."""
    try:
        if re.fullmatch(_MOMENT, str(value)):
            return datetime.fromisoformat(str(value))
    except ValueError:
        pass  # 25 o'clock: said below, too
    raise ValueError("is not a date and a time; write e.g. 2026-12-24 17:00")


OutsideNumber = Annotated[str, AfterValidator(_outside_number)]
Date = Annotated[date, BeforeValidator(_written_date)]
Moment = Annotated[
    datetime,
    BeforeValidator(_written_moment),
    WithJsonSchema({"type": "string", "pattern": rf"^{_MOMENT}$"}),
]
DayHours = Annotated[
    str, AfterValidator(_day_hours("leave the day out: days that are not here are closed"))
]
SpecialHours = Annotated[
    str, AfterValidator(_day_hours("put the date into hours.closed, and remove it here"))
]


class Person(Section):
    """`name` is spoken. At least one way to reach them; `phone` is a key of phones.

    `by`: the only channels by which they want to be told of what is owed, unless a step of
    alerts leaves nothing else. `quiet`: when they do not, instead of that of alerts.
    """

    name: Annotated[Spoken, Field(min_length=1, max_length=60)]
    phone: Extension | None = None
    mobile: OutsideNumber | None = None
    email: Annotated[str, AfterValidator(email_address)] | None = None
    sms: OutsideNumber | None = None
    by: Channels | None = None
    quiet: Quiet | None = None


class Override(Section):
    """`who` is on call from `begins` until `ends`, whatever week it is."""

    begins: Moment = Field(alias="from")
    ends: Moment = Field(alias="to")
    who: Name


class Rota(Section):
    """Weekly: `weeks` in turn from the first `hand_over` on or after `starts`. Or a `calendar`."""

    weeks: tuple[Name, ...] = ()
    starts: Date | None = None
    hand_over: Annotated[str, AfterValidator(_readable(parse_weekly))] = "monday 08:00"
    overrides: tuple[Override, ...] = ()
    calendar: Annotated[str, AfterValidator(_feed)] | None = None


class HolidaysOf(Section):
    """Public holidays; `country` is that of the business when absent."""

    country: Annotated[str, AfterValidator(_holiday_country)] | None = None
    subdivision: str | None = None


class Hours(Section):
    """Days absent from `open` are no business days; `special` days have hours of their own."""

    open: Annotated[Mapping[Weekday, DayHours], Field(min_length=1)]
    holidays: HolidaysOf | None = None
    closed: tuple[Date, ...] = ()
    special: Mapping[Date, SpecialHours] = Field(default_factory=dict)


Team = Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(each_once)]


def cross_check(config: "Config") -> Iterator[Mistake]:
    """Names that are nowhere declared, people who cannot be reached, times without a zone."""
    for number in config.numbers:
        if is_feature_code(number):
            what = "is a code by which people say that they are away or back; choose another"
            yield Mistake(place=("numbers", number), what=what)
    yield from _people(config)
    yield from _teams(config)
    for name, rota in config.rotas.items():
        yield from _rota(config, ("rotas", name), rota)
    if config.hours is not None:
        yield from _hours(config, config.hours)
    for section in ("hours", "rotas"):
        if getattr(config, section) and config.business.zone is None:
            yield Mistake(
                place=(section,),
                what="needs to know whose clock it means; add e.g. zone: America/New_York"
                " below business:",
            )


def _people(config: "Config") -> Iterator[Mistake]:
    owner = config.business.owner
    if owner is not None and owner not in config.people:
        yield unknown(("business", "owner"), owner, "people", config.people)
    has_phone: dict[str, str] = {}
    for key, person in config.people.items():
        place = ("people", key)
        if not (person.phone or person.mobile or person.email or person.sms):
            yield Mistake(place=place, what="cannot be reached; add phone, mobile, email or sms")
        if person.phone and person.phone not in config.phones:
            yield unknown((*place, "phone"), person.phone, "phones", config.phones)
        elif person.phone in has_phone:
            what = f"{person.phone} is the phone of {has_phone[person.phone]} already; give each"
            yield Mistake(place=(*place, "phone"), what=f"{what} their own, or keep one")
        elif person.phone:
            has_phone[person.phone] = key
        if person.mobile and longest_rule(person.mobile, config.dial_out) is None:
            what = f"no rule in dial_out lets Kai dial {person.mobile}; add one for its beginning"
            yield Mistake(place=(*place, "mobile"), what=what)


def _teams(config: "Config") -> Iterator[Mistake]:
    for section in ("teams", "rotas"):
        for name in getattr(config, section):
            taken = "people" if name in config.people else "teams" if section == "rotas" else ""
            if taken and name in getattr(config, taken):
                what = f"is a name in {taken} too; a ladder could mean either, so change one"
                yield Mistake(place=(section, name), what=what)
    for name, members in config.teams.items():
        for index, member in enumerate(members):
            if member not in config.people:
                yield unknown(("teams", name, str(index)), member, "people", config.people)


def _rota(config: "Config", place: tuple[str, ...], rota: Rota) -> Iterator[Mistake]:
    if rota.calendar and (rota.weeks or rota.starts or rota.overrides):
        what = "has a calendar, so nothing else of it is used; keep the calendar or the weeks"
        yield Mistake(place=place, what=what)
    elif not rota.calendar and not rota.weeks:
        yield Mistake(place=place, what="names nobody; add weeks: [...] or calendar:")
    elif not rota.calendar and rota.starts is None:
        what = "does not say when the first of its weeks begins; add e.g. starts: 2026-11-02"
        yield Mistake(place=place, what=what)
    for index, who in enumerate(rota.weeks):
        if who not in config.people:
            yield unknown((*place, "weeks", str(index)), who, "people", config.people)
    for index, override in enumerate(rota.overrides):
        here = (*place, "overrides", str(index))
        if override.who not in config.people:
            yield unknown((*here, "who"), override.who, "people", config.people)
        if override.begins >= override.ends:
            what = "is not after from; exchange them, or correct the date"
            yield Mistake(place=(*here, "to"), what=what)


def _hours(config: "Config", hours: Hours) -> Iterator[Mistake]:
    closed = ("hours", "closed")
    for index, day in enumerate(hours.closed):
        if day in hours.special:
            what = f"{day} has hours of its own in hours.special too; keep one of them"
            yield Mistake(place=(*closed, str(index)), what=what)
    if hours.holidays is None:
        return
    place = ("hours", "holidays", "subdivision")
    country = hours.holidays.country or config.business.country
    if country not in _subdivisions():
        what = f"the holidays of {country} are not known; write the days into hours.closed"
        yield Mistake(place=("hours", "holidays"), what=what)
    elif (part := hours.holidays.subdivision) and part not in _subdivisions()[country]:
        some = ", ".join(_subdivisions()[country]) or "none, so leave it out"
        yield Mistake(place=place, what=f"{part} is no part of {country}; choose one of: {some}")
