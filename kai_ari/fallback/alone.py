"""What Kai does where a situation leads up no ladder, in plain sentences, and why it does not."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from kai_ari.calls.events import Situation
from kai_ari.fallback.plan import BUILT_IN_LADDER, Plan
from kai_ari.fallback.situations import is_written, with_ladder
from kai_ari.fallback.telling import alerts_sent
from kai_ari.fallback.words import CALLER, RECORDED, listed

_TAKEN_DOWN: Final = (
    "Kai asks for the reason, the name and the number, as far as it does not know them yet, reads"
    " them back, makes a note to pass the message on, and only then tells the caller that it is"
    " saved. The call ends there."
)
_DOES: Final = {
    Situation.ASKED_FOR_HUMAN: "Kai says that it can connect nobody, and takes a message instead."
    f" {_TAKEN_DOWN} A caller who asks again can record one.",
    Situation.URGENT: f"Kai takes a message, as of any other matter. {_TAKEN_DOWN}",
    Situation.NOT_UNDERSTOOD: f"Kai says so. {RECORDED}",
    Situation.OUT_OF_SCOPE: "Kai says that it cannot answer that itself, and takes a"
    f" message. {_TAKEN_DOWN}",
    Situation.AFTER_HOURS: f"Kai takes a message, as it does by day. {_TAKEN_DOWN}",
    Situation.AGENT_FAULT: f"Kai says that it has technical trouble. {RECORDED}",
    Situation.CALLER_SILENT: "Kai asks whether they are still there, and then says that it cannot"
    f" hear them. {RECORDED} If nothing is heard on it, Kai says truthfully that it has no message,"
    " and goodbye.",
}


def alone(plan: Plan, situation: Situation, number: str, at: datetime) -> Iterator[str]:
    """Of a call to the DID `number` that `situation` leads up no ladder."""
    if situation is Situation.AFTER_HOURS and plan.staff.is_open(at).open:
        yield (
            f"{plan.business} is open then, so this does not arise: Kai goes by what the caller"
            " says, and not by the hour."
        )
    else:
        yield f"{_why(plan, situation, number)} Nobody is rung to take the call."
        yield _DOES[situation]
        yield "The message stays on the to-do list (kai-ari inbox) until it is done."
        yield alerts_sent(plan, "the message")
    others = with_ladder(plan, number, at)
    by_ladder: dict[str, list[str]] = {}
    for other in Situation:
        if other in others:
            by_ladder.setdefault(plan.ladder(other, number).name, []).append(CALLER[other])
    for name, callers in by_ladder.items():
        yield f"Kai follows {name} when the caller {listed(tuple(callers), 'or')}."


def _why(plan: Plan, situation: Situation, number: str) -> str:
    ladder = plan.ladder(situation, number)
    if ladder == BUILT_IN_LADDER:
        return "You have written no steps."
    if is_written(plan, number, situation):
        return f"{ladder.name} has nothing but a message, and that Kai takes by itself."
    return (
        f"You have written no steps for that, and {ladder.name} is not followed for it, because Kai"
        " can still take a message by itself."
    )
