"""Which situations lead up a ladder, instead of Kai going on alone."""

from datetime import datetime
from typing import Final

from kai_ari.calls.events import Situation
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import Voicemail

#: Kai can still take a message in these: only a ladder of their own takes the call from it.
_ONLY_IF_WRITTEN: Final = frozenset(
    {Situation.OUT_OF_SCOPE, Situation.AFTER_HOURS, Situation.CALLER_SILENT}
)


def with_ladder(plan: Plan, number: str, at: datetime) -> frozenset[Situation]:
    """The situations whose ladder, on a call to the DID `number`, has more than a message: that is
    what Kai takes by itself, too."""
    return frozenset(
        situation
        for situation in Situation
        if _is_written(plan, number, situation)
        and (situation is not Situation.AFTER_HOURS or not plan.staff.is_open(at).open)
        and any(
            not isinstance(rule.rung, Voicemail) for rule in plan.ladder(situation, number).rules
        )
    )


def _is_written(plan: Plan, number: str, situation: Situation) -> bool:
    if situation not in _ONLY_IF_WRITTEN:
        return True
    return situation in plan.ladders or situation in plan.of_number.get(number, {})
