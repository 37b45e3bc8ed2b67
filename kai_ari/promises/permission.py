"""Whether a number may be dialled at an instant. Pure.

Asked when a call back is booked (`may_ever_dial`) and again when it is due (`may_dial`): a
number that somebody spoke or typed is never enough to make Kai dial it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import PhoneNumberType, timezone

from kai_ari.clock import require_zone
from kai_ari.promises.opt_out import Listed, OptOut

#: Caps and ceilings are for any 24 hours, so that no midnight, zone or clock change doubles
#: them.
DAY: Final = timedelta(hours=24)

#: When to ask again where as many calls are up as may be.
_A_MOMENT: Final = timedelta(seconds=15)

#: Numbers that cost whoever dials them more than a call, and pay whoever had them dialled.
_PREMIUM: Final = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
    }
)


class Reason(StrEnum):
    NOT_A_NUMBER = "not_a_number"
    OPTED_OUT = "opted_out"
    NOT_ALLOWED = "not_allowed"  # no prefix of the allow-list
    PREMIUM = "premium"
    INTERNATIONAL = "international"
    ALL_ATTEMPTS_MADE = "all_attempts_made"
    TOO_OFTEN = "too_often"  # this number, in 24 hours
    TOO_COSTLY = "too_costly"  # all calls, in 24 hours
    TOO_MANY_AT_ONCE = "too_many_at_once"
    QUIET_HOURS = "quiet_hours"  # where the callee is
    CLOSED = "closed"  # nobody of the business is there


@dataclass(frozen=True, kw_only=True)
class Dialled:
    """A call back that was begun; `ended` is None while it is up, or if Kai died with it."""

    obligation: str
    number: str
    started: datetime
    ended: datetime | None


class DialRule(Protocol):
    """Numbers that begin with `prefix`, but for those that begin with any of `but_not`."""

    @property
    def prefix(self) -> str: ...
    @property
    def but_not(self) -> tuple[str, ...]: ...


R = TypeVar("R", bound=DialRule)


def longest_rule(number: str, rules: Iterable[R]) -> R | None:
    """Which of `rules` permits `number`: of all their prefixes and exclusions that it begins with
    the longest decides."""
    fits = [rule for rule in rules if number.startswith(rule.prefix)]
    longest = max(fits, key=lambda rule: len(rule.prefix), default=None)
    if longest is None or number.startswith(longest.but_not):
        return None
    excluded = (no for rule in fits for no in rule.but_not if number.startswith(no))
    return longest if all(len(no) <= len(longest.prefix) for no in excluded) else None


@dataclass(frozen=True, kw_only=True)
class Prefix:
    """A `DialRule`."""

    prefix: str
    but_not: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rules:
    """`between` are minutes of the callee's day, first and last + 1. `opens` gives the first
    instant from another on at which the business is open, None for never.

    International is what lies outside `country` (ISO 3166): a prefix that is longer than the
    country's own calling code, or that has another one, opens it, and `countries` do.
    Premium numbers nothing opens. `per_minute` is what a begun minute costs, in
    the business's currency, by what a number begins with: the longest holds, and opens nothing.
    `longest` is where Kai ends a call back.
    """

    country: str
    zone: ZoneInfo
    prefixes: tuple[Prefix, ...]
    countries: frozenset[str] = frozenset()
    extensions: frozenset[str] = frozenset()  # phones of the business's own
    between: tuple[int, int] = (9 * 60, 20 * 60)
    opens: Callable[[datetime], datetime | None] = require_zone
    attempts: int = 3
    per_day: int = 2
    at_once: int = 1
    per_minute: Mapping[str, Decimal] = field(default_factory=dict)
    cost_per_day: Decimal | None = None
    longest: timedelta = timedelta(minutes=60)

    def __post_init__(self) -> None:
        first, last = self.between
        if not 0 <= first < last <= 24 * 60:
            raise ValueError(f"{self.between} are no minutes of one day, in order")


@dataclass(frozen=True, kw_only=True)
class Permitted:
    pass


@dataclass(frozen=True, kw_only=True)
class Refused:
    """`until`: when to ask again; None: not before somebody changes something."""

    reason: Reason
    until: datetime | None = None


def may_ever_dial(number: str, rules: Rules, opted_out: OptOut | None) -> Permitted | Refused:
    """Whether there is any instant at which it may be dialled, for all that can be known."""
    if opted_out is not None and opted_out.state is Listed.OUT:
        return Refused(reason=Reason.OPTED_OUT)
    if number in rules.extensions:
        return Permitted()
    parsed = _parsed(number)
    if parsed is None:
        return Refused(reason=Reason.NOT_A_NUMBER)
    allowed = longest_rule(number, rules.prefixes)
    if allowed is None:
        return Refused(reason=Reason.NOT_ALLOWED)
    if phonenumbers.number_type(parsed) in _PREMIUM:
        return Refused(reason=Reason.PREMIUM)
    if _is_closed_abroad(parsed, allowed, rules):
        return Refused(reason=Reason.INTERNATIONAL)
    return Permitted()


def may_dial(
    number: str,
    at: datetime,
    rules: Rules,
    opted_out: OptOut | None,
    made: Sequence[Dialled],
    *,
    obligation: str,
) -> Permitted | Refused:
    """`made` are the calls back of the last 24 hours, and all that `obligation` ever had.

    Those dated after `at` count: setting the clock back permits nothing.
    """
    at = require_zone(at).astimezone(UTC)
    ever = may_ever_dial(number, rules, opted_out)
    if isinstance(ever, Refused):
        return ever
    if sum(one.obligation == obligation for one in made) >= rules.attempts:
        return Refused(reason=Reason.ALL_ATTEMPTS_MADE)
    recent = [one for one in made if one.started > at - DAY]
    held = [
        (Reason.TOO_MANY_AT_ONCE, _one_ends(at, rules, recent)),
        (Reason.TOO_OFTEN, _less_often(number, at, rules, recent)),
        (Reason.TOO_COSTLY, _affordable(number, at, rules, recent)),
        (Reason.QUIET_HOURS, _awake(number, at, rules)),
        (Reason.CLOSED, rules.opens(at)),
    ]
    reason = next((reason for reason, until in held if until is None or until > at), None)
    if reason is None:
        return Permitted()
    times = [until for _, until in held if until is not None]
    until = _suits(number, max(times), rules) if len(times) == len(held) else None
    return Refused(reason=reason, until=until)


# -- which numbers -------------------------------------------------------------------


@lru_cache(maxsize=256)
def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    """None unless it is E.164 exactly as Kai writes it."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return parsed if e164 == number and phonenumbers.is_possible_number(parsed) else None


def _is_closed_abroad(number: phonenumbers.PhoneNumber, allowed: Prefix, rules: Rules) -> bool:
    region = phonenumbers.region_code_for_number(number)
    if region == rules.country or region in rules.countries:
        return False
    code = f"+{number.country_code}"
    if number.country_code == phonenumbers.country_code_for_region(rules.country):
        return len(allowed.prefix) <= len(code)  # +1 opens the own country, and not Jamaica
    return not allowed.prefix.startswith(code)


# -- when ----------------------------------------------------------------------------
# Each is the first instant from `at` on that the rule permits, or None for never.


def _one_ends(at: datetime, rules: Rules, recent: Sequence[Dialled]) -> datetime:
    """Nobody knows when a call ends. One that Kai died with is over after the longest."""
    up = sum(one.ended is None and one.started > at - rules.longest for one in recent)
    return at if up < rules.at_once else at + _A_MOMENT


def _less_often(
    number: str, at: datetime, rules: Rules, recent: Sequence[Dialled]
) -> datetime | None:
    if rules.per_day < 1:
        return None
    starts = sorted(one.started for one in recent if one.number == number)
    return at if len(starts) < rules.per_day else starts[-rules.per_day] + DAY


def _affordable(
    number: str, at: datetime, rules: Rules, recent: Sequence[Dialled]
) -> datetime | None:
    """A call is reckoned at its longest before it is made, and while it is up."""
    if rules.cost_per_day is None:
        return at
    left = rules.cost_per_day - _cost(number, rules.longest, rules)
    if left < 0:
        return None
    spent = [(one.started, _cost(one.number, _lasted(one, rules), rules)) for one in recent]
    first = at
    for started, _ in sorted(spent):
        if sum(cost for began, cost in spent if began + DAY > first) <= left:
            break
        first = max(first, started + DAY)
    return first


def _cost(number: str, lasts: timedelta, rules: Rules) -> Decimal:
    known = [begins for begins in rules.per_minute if number.startswith(begins)]
    per_minute = rules.per_minute[max(known, key=len)] if known else Decimal(0)
    return per_minute * max(1, -(-lasts // timedelta(minutes=1)))


def _lasted(one: Dialled, rules: Rules) -> timedelta:
    """The longest, where no end was written or the clock was set back meanwhile."""
    if one.ended is None or one.ended < one.started:
        return rules.longest
    return one.ended - one.started


def _awake(number: str, at: datetime, rules: Rules) -> datetime | None:
    """The first instant within `between` wherever the callee may be."""
    for _ in range(30):
        latest = max(_within(at, zone, rules) for zone in zones_of(number, rules))
        if latest == at:
            return at
        at = latest
    return None


def _suits(number: str, at: datetime, rules: Rules) -> datetime | None:
    """The first instant at which the callee is awake and the business is open."""
    for _ in range(100):
        awake = _awake(number, at, rules)
        opens = rules.opens(awake) if awake is not None else None
        if opens is None or opens == at:
            return opens
        at = opens
    return None


def _within(at: datetime, zone: ZoneInfo, rules: Rules) -> datetime:
    first, last = rules.between
    wall = at.astimezone(zone)
    if first <= wall.hour * 60 + wall.minute < last:
        return at
    begins = time(first // 60, first % 60, tzinfo=zone)
    days = (datetime.combine(wall.date() + timedelta(days=n), begins) for n in (0, 1, 2))
    return next(at_ for at_ in (day.astimezone(UTC) for day in days) if at_ > at)


def zones_of(number: str, rules: Rules) -> frozenset[ZoneInfo]:
    """Where its clocks may be, by the number alone; the business's zone where it does not say.

    A toll-free number is nowhere in particular.
    """
    parsed = None if number in rules.extensions else _parsed(number)
    if parsed is None or phonenumbers.number_type(parsed) == PhoneNumberType.TOLL_FREE:
        return frozenset({rules.zone})
    return frozenset(_zones(number)) or frozenset({rules.zone})


@lru_cache(maxsize=256)
def _zones(number: str) -> tuple[ZoneInfo, ...]:
    found: list[ZoneInfo] = []
    for name in timezone.time_zones_for_number(phonenumbers.parse(number)):
        if name != timezone.UNKNOWN_TIMEZONE:
            try:
                found.append(ZoneInfo(name))
            except (ZoneInfoNotFoundError, ValueError):
                return ()  # a zone that this system does not know: as if none were known
    return tuple(found)
