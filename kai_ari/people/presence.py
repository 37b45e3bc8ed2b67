"""Do-not-disturb and "away until": what people say of themselves, and the keys to say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kai_ari.clock import require_zone
from kai_ari.people.local_time import DAY_MINUTES, in_words, instant

#: Feature codes as Asterisk users know them: https://docs.asterisk.org and FreePBX use *78, *79.
AWAY_CODE = "*78"
BACK_CODE = "*79"


@dataclass(frozen=True, kw_only=True)
class Presence:
    """What `person` last said: away (`until` None: until they say otherwise), or back.

    `how` it was said: "command", or "phone 101".
    """

    person: str
    away: bool
    at: datetime
    until: datetime | None = None
    note: str = ""
    how: str

    def __post_init__(self) -> None:
        require_zone(self.at)
        if self.until is not None and require_zone(self.until) <= self.at:
            raise ValueError(f"{self.person} would be away until before now")

    def away_at(self, at: datetime) -> bool:
        return self.away and (self.until is None or at < self.until)


#: The latest of each person who has ever said anything.
PresenceBook = Mapping[str, Presence]


# -- feature codes -------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SayAway:
    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class SayBack:
    pass


def is_feature_code(dialled: str) -> bool:
    return dialled.startswith((AWAY_CODE, BACK_CODE))


def read_feature_code(dialled: str, at: datetime, zone: ZoneInfo) -> SayAway | SayBack | None:
    """`*78`: away until `*79`; `*780830`: until it is next 08:30. None when it is neither."""
    if dialled == BACK_CODE:
        return SayBack()
    digits = dialled.removeprefix(AWAY_CODE)
    if digits == dialled:
        return None
    if not digits:
        return SayAway(until=None)
    if len(digits) != 4 or not digits.isdecimal() or int(digits[2:]) > 59:
        return None
    minute = int(digits[:2]) * 60 + int(digits[2:])
    if minute >= DAY_MINUTES:
        return None
    today = at.astimezone(zone).date()
    coming = (instant(today + timedelta(days=days), minute, zone) for days in range(3))
    return SayAway(until=next(then for then in coming if then > at))


def confirmation(said: SayAway | SayBack | None, at: datetime, zone: ZoneInfo) -> str:
    """What Kai answers to a feature code: one sentence to be spoken, after it is recorded."""
    match said:
        case SayBack():
            return "You are back. Callers can be put through to you again."
        case SayAway(until=until):
            end = in_words(until, at, zone) if until else f"you dial {_spoken(BACK_CODE)}"
            return f"You are away until {end}."
        case None:
            return (
                f"I did not understand that code. Dial {_spoken(AWAY_CODE)} to be away,"
                f" with four digits for a time, and {_spoken(BACK_CODE)} to be back."
            )


def _spoken(code: str) -> str:
    return "star " + " ".join(code.removeprefix("*"))
