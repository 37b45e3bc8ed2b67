"""Where one call stands on its ladder, and the ceilings over it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kai_ari.calls.events import Situation
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import Ladder
from kai_ari.fallback.steps import Step

# Ceilings for one call, which no configuration lifts.
MAX_RUNGS: Final = 12  # tried; an ending is reached all the same
MAX_TRANSFERS: Final = 6  # a team in turn counts once for each of its people
MAX_WAIT_S: Final = 900  # without progress; a person who took the call is progress

#: How long somebody is rung who is rung at all: less is no chance to reach the phone.
MIN_RING_S: Final = 10


@dataclass(frozen=True, kw_only=True)
class State:
    """`position` is the next rule to look at; `since`, when the caller last got anywhere.

    `tried` has the ids of rules, and what they were for: addresses, and marks such as
    "queue:support". `step` is what is being done; None only before the first. `then` are those
    whose ladder is gone on with where this one would end.
    """

    plan: Plan
    situation: Situation
    number: str
    since: datetime
    position: int = 0
    step: Step | None = None
    rungs: int = 0
    transfers: int = 0
    tried: frozenset[str] = frozenset()
    message_wanted: bool = False
    then: tuple[Situation, ...] = ()

    @property
    def ladder(self) -> Ladder:
        return self.plan.ladder(self.situation, self.number)

    def waited_s(self, at: datetime) -> int:
        return max(0, int((at - self.since).total_seconds()))
