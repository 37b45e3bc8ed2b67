"""When to try again, and when to leave a gateway alone for a while. Pure."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class BackOff:
    """Waits that grow from `first_s` by `factor` up to `most_s`, for `attempts` in all.

    Each is shortened by up to the part `jitter` (0 to 1) of itself, so that what failed
    together does not come back together; by how much follows from the key alone, so that a
    restart does not change it.
    """

    first_s: float
    factor: float = 2.0
    most_s: float = 3600.0
    jitter: float = 0.3
    attempts: int = 10

    def __post_init__(self) -> None:
        if not (self.first_s > 0 and self.factor >= 1 and 0 <= self.jitter <= 1):
            raise ValueError(f"{self} would not wait, or not longer each time")

    def wait_s(self, key: str, attempt: int) -> float | None:
        """How long after attempt number `attempt` (from 1) failed; None: it was the last."""
        if attempt >= self.attempts:
            return None
        grown = self.first_s
        for _ in range(attempt - 1):
            grown = min(grown * self.factor, self.most_s)
        return min(grown, self.most_s) * (1 - self.jitter * _fraction(f"{key}#{attempt}"))

    def next(self, key: str, attempt: int, at: datetime) -> datetime | None:
        """The instant to try again when attempt number `attempt` failed at `at`."""
        wait = self.wait_s(key, attempt)
        return None if wait is None else at + timedelta(seconds=wait)


def _fraction(key: str) -> float:
    """From 0 to 1, the same for the same key, evenly spread over keys."""
    digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


class BreakerState(StrEnum):
    CLOSED = "closed"  # everything passes
    OPEN = "open"  # nothing does
    HALF_OPEN = "half_open"  # one may try


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """Keeps a gateway that fails from being asked by everything that waits for it.

    After `trips_after` failures in a row nothing passes for `pause`; then one may try, and
    what comes of it decides for the others.
    """

    trips_after: int = 5
    pause: timedelta = timedelta(minutes=1)
    failures: int = 0
    opened: datetime | None = None
    trying: bool = False

    def state(self, at: datetime) -> BreakerState:
        if self.opened is None:
            return BreakerState.CLOSED
        # A clock that was set back must not keep it open for as long as it was set back.
        still = self.opened <= at < self.opened + self.pause
        return BreakerState.OPEN if still else BreakerState.HALF_OPEN

    def lets_pass(self, at: datetime) -> bool:
        state = self.state(at)
        return state is BreakerState.CLOSED or (state is BreakerState.HALF_OPEN and not self.trying)

    def until(self, at: datetime) -> datetime | None:
        """When it lets somebody try, if nothing passes now for the time's sake."""
        waits = self.state(at) is BreakerState.OPEN and self.opened is not None
        return self.opened + self.pause if waits and self.opened else None

    def begun(self, at: datetime) -> "Breaker":
        """Somebody tries: half open, nobody else does meanwhile."""
        half = self.state(at) is BreakerState.HALF_OPEN
        return replace(self, trying=True) if half else self

    def succeeded(self) -> "Breaker":
        return replace(self, failures=0, opened=None, trying=False)

    def failed(self, at: datetime) -> "Breaker":
        failures = self.failures + 1
        # What was under way when it opened fails, too, and does not lengthen the pause.
        opens = failures >= self.trips_after and self.state(at) is not BreakerState.OPEN
        return replace(self, failures=failures, opened=at if opens else self.opened, trying=False)
