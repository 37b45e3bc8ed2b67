"""What would happen, in plain sentences, told from the plan that the engine runs.

The engine itself is asked, with the worst that can come back from every step.
"""

from dataclasses import dataclass
from typing import Final

from kai_ari.calls.events import Situation
from kai_ari.fallback.acceptance import BY_KEY, UNCONFIRMED, blind, in_queue
from kai_ari.fallback.afterwards import call_back_offered, call_backs_made
from kai_ari.fallback.alone import alone
from kai_ari.fallback.engine import go_on, start
from kai_ari.fallback.plan import BUILT_IN_ENDING, Plan
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Kind,
    Mode,
    Queue,
    Rule,
    Rung,
    Transfer,
    Voicemail,
    Workflow,
)
from kai_ari.fallback.situations import leading, with_ladder
from kai_ari.fallback.steps import CameBack, End, Passed, Try
from kai_ari.fallback.telling import alerts_sent
from kai_ari.fallback.words import CALLER, RECORDED, capital, duration, listed, name_of
from kai_ari.fallback.world import World
from kai_ari.people.local_time import full_day

#: What brings a caller to the end of the ladder. An alert goes on whatever came of it.
_WORST: Final = {
    Transfer: CameBack.NO_ANSWER,
    Queue: CameBack.NO_ANSWER,
    Workflow: CameBack.NO_ANSWER,
    Alert: CameBack.DELIVERED,
    Callback: CameBack.NOT_DELIVERED,
}


LEAVE: Final = (
    'While waiting, the caller hears what is being tried, and can press star or say "leave a'
    ' message" to stop waiting.'
)
_GOODBYE: Final = (
    "Kai says truthfully that it could not reach anybody, and says goodbye. The call stays open"
    " until a person has seen to it."
)


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """`rule` is the one that `text` tells of; None where it tells of the call as a whole."""

    text: str
    rule: Rule | None = None
    passed_over: bool = False


def explain(plan: Plan, situation: Situation, number: str, world: World) -> tuple[Sentence, ...]:
    """The course of a call to the DID `number` in which every step comes to nothing."""
    when, who = _opening(plan, situation, number, world)
    ladders = with_ladder(plan, number, world.at)
    leads = leading(situation, ladders, urgent=world.urgent)
    if leads is None:
        why, *does = alone(plan, situation, number, world.at)
        return tuple(Sentence(text=text) for text in (when, f"{who} {why}", *does))
    follows = _follows(plan, situation, leads, number, urgent=world.urgent)
    told = [Sentence(text=when), Sentence(text=f"{who} {follows}")]
    state, step = start(plan, leads, number, world)
    rungs: list[Rung] = []
    while isinstance(step, Try):
        rungs.append(step.rule.rung)
        told += map(_passed, step.passed)
        told.append(Sentence(text=_try(step, plan, world), rule=step.rule))
        state, step = go_on(state, world, _WORST[type(step.rule.rung)])
    if isinstance(step, End):
        told += map(_passed, step.passed)
        told.append(Sentence(text=_end(step.rule), rule=step.rule))
    told.append(Sentence(text=alerts_sent(plan, "this call", rungs)))
    return tuple(told)


def _opening(plan: Plan, situation: Situation, number: str, world: World) -> tuple[str, str]:
    local = world.at.astimezone(plan.staff.zone)
    day = full_day(local.date(), local.date())
    hours = plan.staff.is_open(world.at)
    urgent = ", and it is urgent" if world.urgent and situation is not Situation.URGENT else ""
    return (
        f"It is {day} {local.year}, {local:%H:%M} ({plan.staff.zone.key}), and"
        f" {plan.business} is {'open' if hours.open else 'closed'}. {hours.why}.",
        f"A caller to {number} {CALLER[situation]}{urgent}.",
    )


def _follows(
    plan: Plan, situation: Situation, leads: Situation, number: str, *, urgent: bool
) -> str:
    because = f", since the caller {CALLER[leads]}" if leads is not situation else ""
    if situation is Situation.ASKED_FOR_HUMAN and leads is not situation:
        because += ", after saying that it can connect nobody and asking why they call"
    asks = leads is Situation.ASKED_FOR_HUMAN
    goes_by = plan.for_who_asks(number, urgent=urgent) if asks else (leads,)
    ladders = ", and before its ending ".join(plan.ladder(one, number).name for one in goes_by)
    return f"Kai follows {ladders}{because}: each step only if none before it has helped."


def _passed(passed: Passed) -> Sentence:
    text = f"Kai passes over {name_of(passed.rule.rung)}. {capital(passed.reason.sentence)}."
    return Sentence(text=text, rule=passed.rule, passed_over=True)


def _try(step: Try, plan: Plan, world: World) -> str:
    match step.rule.rung:
        case Transfer() as transfer:
            return _transfer(transfer, step, plan, world)
        case Queue(name=name):
            return (
                f"Kai waits in the queue {name} for the caller, for up to"
                f" {duration(step.limit_s)}. {LEAVE} {in_queue(name, plan)}"
            )
        case Workflow(takes_calls=True) as workflow:
            answer = "and press 1" if workflow.confirms else UNCONFIRMED
            return f"Kai calls {workflow.name}, and gives them {_seconds(step)} to answer {answer}."
        case Workflow(name=name):
            return (
                f"Kai sends the case to {name}, and counts it as handed over only when they have"
                f" answered with its number, within {_seconds(step)}."
            )
        case Alert(to=to):
            return f"Kai makes a note to alert {to.name}."
        case Callback(by=by):
            return (
                f"Kai offers {call_back_offered(plan, by.name)}. If the caller wants one, it goes"
                f" on the to-do list and the call ends there. {call_backs_made(plan)}"
            )
        case _:
            raise TypeError(f"{step.rule.id} is an ending, and not tried")


def _transfer(transfer: Transfer, step: Try, plan: Plan, world: World) -> str:
    by_name: dict[str, list[str]] = {}
    for callee in step.callees:
        by_name.setdefault(callee.name, []).append(callee.address)
    who = listed(
        tuple(
            name if name.endswith(addresses[0]) else f"{name} ({listed(tuple(addresses))})"
            for name, addresses in by_name.items()
        )
    )
    several = len(step.callees) > 1
    if transfer.mode is Mode.IN_TURN and several:
        how = f"one after the other, {duration(transfer.ring_s)} each"
    else:
        how = f"{'all at once, ' if several else ''}for up to {_seconds(step)}"
    told = [f"Kai rings {who}, {how}."]
    if transfer.to.kind in (Kind.ROTA, Kind.TEAM):
        told.append(f"{plan.staff.members(transfer.to.key, world.at).why}.")
    told += [f"{reason.sentence}." for reason in step.left_out]
    told.append(blind(plan) if transfer.blind else BY_KEY)
    return " ".join(told)


def _end(rule: Rule) -> str:
    if isinstance(rule.rung, Voicemail):
        return RECORDED
    if isinstance(rule.rung, Goodbye) and rule != BUILT_IN_ENDING:
        return _GOODBYE
    return f"Nothing is left to try. {_GOODBYE}"


def _seconds(step: Try) -> str:
    return duration(step.limit_s)
