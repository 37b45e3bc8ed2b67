"""Time as a dependency: the pure packages take instants, the rest takes a Clock."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The instant, with its zone (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never go back."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def require_zone(instant: datetime) -> datetime:
    """Return `instant`, or raise ValueError when it carries no zone."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant!r} has no time zone")
    return instant
