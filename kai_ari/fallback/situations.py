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
#: What the caller's reason for calling decides, the first that is true before the others.
_BY_REASON: Final = (Situation.URGENT, Situation.OUT_OF_SCOPE, Situation.AFTER_HOURS)


def with_ladder(plan: Plan, number: str, at: datetime) -> frozenset[Situation]:
    """The situations whose ladder, on a call to the DID `number`, has more than a message: that is
    what Kai takes by itself, too."""
    return frozenset(
        situation
        for situation in Situation
        if is_written(plan, number, situation)
        and (situation is not Situation.AFTER_HOURS or not plan.staff.is_open(at).open)
        and any(
            not isinstance(rule.rung, Voicemail) for rule in plan.ladder(situation, number).rules
        )
    )


def is_written(plan: Plan, number: str, situation: Situation) -> bool:
    """Whether there is a ladder for `situation`: a default one does not serve for every one."""
    if situation not in _ONLY_IF_WRITTEN:
        return True
    return situation in plan.ladders or situation in plan.of_number.get(number, {})


def leading(
    situation: Situation, ladders: frozenset[Situation], *, urgent: bool
) -> Situation | None:
    """The situation whose ladder a call in `situation` goes up; None where Kai goes on alone.

    `ladders` are those that have one. Who cannot be connected is asked why they call, as any
    caller is, and what they say may still lead up one; so may the hour then.
    """
    if situation not in _BY_REASON and situation in ladders:
        return situation
    if situation is not Situation.ASKED_FOR_HUMAN and situation not in _BY_REASON:
        return None
    true = {situation, Situation.AFTER_HOURS} | ({Situation.URGENT} if urgent else set())
    return next((one for one in _BY_REASON if one in true & ladders), None)
