"""Another time, as people name one: "in an hour", "tomorrow morning", "Tuesday afternoon"."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from kai_ari.clock import require_zone
from kai_ari.dialogue.understand import normal
from kai_ari.people.local_time import WEEKDAYS, instant

#: When a part of the day is meant, this is the time. Minutes from midnight.
_PARTS: Final = {"morning": 9 * 60 + 30, "afternoon": 14 * 60, "evening": 18 * 60}
_COUNTS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_NUMBER: Final = ("", "one", "two", "three", "four", "five", "six")

_HOURS = re.compile(r"\bin (?:about )?(an?|one|two|three|four|five|six|[1-6]) hours?\b")
_HALF = re.compile(r"\b(?:in )?(?:half an hour|thirty minutes|30 minutes)\b")
_DAY = re.compile(rf"\b(today|this|tonight|tomorrow|{'|'.join(WEEKDAYS)})\b")
_PART = re.compile(r"\b(morning|afternoon|evening|tonight)\b")


@dataclass(frozen=True, kw_only=True)
class When:
    """`day` is today, tomorrow or a weekday, with `minute` from its midnight; or it is in so many
    `minutes`. `spoken` is what Kai calls it."""

    spoken: str
    minutes: int = 0
    day: str = ""
    minute: int = 0

    def at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The instant, always after `now`."""
        now = require_zone(now)
        if self.minutes:
            return now + timedelta(minutes=self.minutes)
        today = now.astimezone(zone).date()
        ahead = {"today": 0, "tomorrow": 1}.get(self.day)
        if ahead is None:
            ahead = (WEEKDAYS.index(self.day) - today.weekday()) % 7
        at = instant(today + timedelta(days=ahead), self.minute, zone)
        if at > now:
            return at
        if self.day == "today":  # "this evening", when it is evening
            return now + timedelta(minutes=IN_AN_HOUR.minutes)
        return instant(today + timedelta(days=ahead + 7), self.minute, zone)


IN_AN_HOUR: Final = When(spoken="in an hour", minutes=60)
TOMORROW_MORNING: Final = When(spoken="tomorrow morning", day="tomorrow", minute=_PARTS["morning"])
TOMORROW_AFTERNOON: Final = When(
    spoken="tomorrow afternoon", day="tomorrow", minute=_PARTS["afternoon"]
)
BY_KEY: Final = {"1": IN_AN_HOUR, "2": TOMORROW_MORNING, "3": TOMORROW_AFTERNOON}


def when_in(text: str) -> When | None:
    """None when no time is named."""
    words = normal(text)
    if _HALF.search(words):
        return When(spoken="in half an hour", minutes=30)
    if found := _HOURS.search(words):
        count = int(found[1]) if found[1].isdigit() else _COUNTS[found[1]]
        return (
            IN_AN_HOUR
            if count == 1
            else When(spoken=f"in {_NUMBER[count]} hours", minutes=60 * count)
        )
    day, part = _DAY.search(words), _PART.search(words)
    if day is None and part is None:
        return None
    named = day[1] if day else "tomorrow" if part and part[1] == "morning" else "today"
    half = "evening" if part and part[1] == "tonight" else part[1] if part else ""
    if named in ("this", "today", "tonight"):
        if not half:
            return None  # "later today" says too little
        return When(spoken=f"this {half}", day="today", minute=_PARTS[half])
    shown = named if named == "tomorrow" else f"on {named.title()}"
    half = half or "morning"
    return When(spoken=f"{shown} {half}", day=named, minute=_PARTS[half])
