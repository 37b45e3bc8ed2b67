"""The ladder as a pure state machine.

    start ──> Try ──go_on──> Try ── ... ──> End (voicemail or goodbye)
               │  ^                          │ it came to nothing
               │  └─ given back, cut off     └──> End (the built-in goodbye)
               └──> Done (somebody has the caller or the case, or the caller has left)

The caller may ask for a person at any point: `ask_again`. In an urgent matter the ladder of those
who ask and that of urgent calls are gone one after the other. Every course ends: a rung is tried
once on a call, and so is whatever it rings; an ending fails once; ceilings lie over it all.
"""

from dataclasses import replace
from typing import Final

from kai_ari.calls.events import Situation
from kai_ari.fallback.plan import BUILT_IN_ENDING, Plan
from kai_ari.fallback.rungs import (
    Callback,
    Mode,
    Rule,
    Rung,
    Transfer,
    Voicemail,
    for_human,
)
from kai_ari.fallback.state import State
from kai_ari.fallback.steps import CameBack, Done, End, NoHuman, Passed, Reason, Step, Try, Why
from kai_ari.fallback.weigh import mark, weigh
from kai_ari.fallback.words import name_of, outcome_of
from kai_ari.fallback.world import World

_WRITTEN: Final = frozenset(
    {CameBack.DELIVERED, CameBack.NOT_DELIVERED, CameBack.FAILED, CameBack.CALLER_LEFT}
)
_ATTEMPT: Final = frozenset(CameBack) - {
    CameBack.SENT_ON,
    CameBack.DELIVERED,
    CameBack.NOT_DELIVERED,
}
_ON_THE_WAY: Final = _WRITTEN | {
    CameBack.REFUSED_BY_RULES,
    CameBack.CALLER_STOPPED_WAITING,
    CameBack.CALLER_ASKED_ON,
}

#: What can come back from each kind of rung.
LEGAL: Final = {
    "transfer": _ATTEMPT | {CameBack.SENT_ON},
    "queue": _ATTEMPT,
    "workflow": _ATTEMPT | {CameBack.DELIVERED, CameBack.NOT_DELIVERED},
    "alert": _ON_THE_WAY,
    "callback": _ON_THE_WAY | {CameBack.DECLINED},
    "voicemail": _WRITTEN,
    "goodbye": _WRITTEN,
}

_TAKEN: Final = frozenset({CameBack.ACCEPTED, CameBack.ANSWERED_UNCONFIRMED})
#: What can come back after somebody took the call.
_AFTER_TAKEN: Final = frozenset(
    {CameBack.GIVEN_BACK, CameBack.CUT_OFF, CameBack.HANDOFF_SUSPECT, CameBack.CALLER_LEFT}
)


def start(
    plan: Plan, situation: Situation, number: str, world: World, *, before: State | None = None
) -> tuple[State, Step]:
    """The first step on the ladder for `situation`, on a call to the DID `number`.

    `before` is where the call stood when it was on a ladder already: what was tried stays tried.
    """
    state = before or State(plan=plan, situation=situation, number=number, since=world.at)
    state = replace(state, situation=situation, then=(), position=0, message_wanted=False)
    if situation is Situation.ASKED_FOR_HUMAN:
        first, *then = plan.for_who_asks(number, urgent=world.urgent)
        state = replace(state, situation=first, then=tuple(then))
    sentence = f"It is the first of {state.ladder.name} that can be tried"
    return _walk(state, world, Reason(why=Why.FIRST, sentence=sentence))


def go_on(state: State, world: World, came_back: CameBack) -> tuple[State, Step]:
    """What follows when `came_back` is what the present step came to.

    After Done by acceptance, the person may still give the caller back or be lost. Raises
    ValueError when `came_back` cannot come from the present step.
    """
    rule = _rule_of(state, came_back)
    if _settles(rule.rung, came_back):
        done = Done(rule=rule, came_back=came_back)
        return replace(state, step=done), done
    if came_back in (CameBack.GIVEN_BACK, CameBack.CUT_OFF):  # to talk was no waiting
        state = replace(state, since=world.at)
    if came_back in (CameBack.TAKE_MESSAGE, CameBack.CALLER_STOPPED_WAITING):
        state = replace(state, message_wanted=True)
    # An ending is marked only when it has failed: until then it can be come back to.
    state = replace(state, tried=state.tried | {rule.id})
    return _walk(state, world, Reason(why=Why.AFTER, sentence=outcome_of(rule.rung, came_back)))


def ask_again(state: State, world: World) -> tuple[State, Try | NoHuman]:
    """The caller asks for a person (0): the next rung that may connect one, from anywhere.

    Rungs that are jumped over still follow. An urgent call stays on its own ladder while that has
    a person. Without any, the state stays as it was.
    """
    if isinstance(state.step, Done) and state.step.came_back in (
        CameBack.CALLER_LEFT,
        CameBack.SENT_ON,
    ):
        raise ValueError(f"{state.step.came_back.value}: nobody is there to ask for a person")
    urgent = world.urgent or state.situation is Situation.URGENT
    ladders = state.plan.for_who_asks(state.number, urgent=urgent)
    passed: list[Passed] = []
    for situation in ladders:
        then = tuple(other for other in ladders if other is not situation)
        asking = _asking(state, situation, then)
        found = _next_human(asking, world, passed)
        if found is not None:
            return _trying(asking, found), found
    return state, NoHuman(passed=tuple(passed))


def _asking(state: State, situation: Situation, then: tuple[Situation, ...]) -> State:
    """On the ladder of `situation`: where the call stands on it, or at its first rung."""
    asking = replace(state, situation=situation, then=then, message_wanted=False)
    if asking.ladder != state.ladder:
        return replace(asking, position=0)
    if isinstance(state.step, End):
        # The ending was not reached for good: if no person takes the call, it comes again.
        return replace(asking, position=max(0, state.position - 1))
    return asking


def _next_human(asking: State, world: World, passed: list[Passed]) -> Try | None:
    rules = asking.ladder.rules
    because = Reason(why=Why.ASKED_AGAIN, sentence="The caller asks for a person")
    for index in (*range(asking.position, len(rules)), *range(asking.position)):
        rule = rules[index]
        if not for_human(rule.rung):
            continue
        found = weigh(rule, asking, world, because)
        if isinstance(found, Try):
            return replace(found, passed=tuple(passed))
        if isinstance(found, Reason):
            passed.append(Passed(rule=rule, reason=found))
    return None


def _walk(state: State, world: World, because: Reason) -> tuple[State, Try | End]:
    """The next rule that can be followed, from the state's position on, or the built-in end."""
    passed: list[Passed] = []
    for position in range(state.position, len(state.ladder.rules)):
        rule = state.ladder.rules[position]
        here = replace(state, position=position)
        found = weigh(rule, here, world, because)
        if isinstance(found, Reason):
            passed.append(Passed(rule=rule, reason=found))
            continue
        step = replace(found, passed=tuple(passed))
        beyond = replace(state, position=position + 1)
        if isinstance(step, Try):
            return _trying(beyond, step), step
        return _ending(beyond, step, world, because)
    nothing_left = Reason(
        why=Why.NOTHING_LEFT, sentence=f"{because.sentence}, and nothing is left to try"
    )
    end = End(rule=BUILT_IN_ENDING, reason=nothing_left, follow_up=True, passed=tuple(passed))
    return _ending(replace(state, position=len(state.ladder.rules)), end, world, because)


def _ending(state: State, end: End, world: World, because: Reason) -> tuple[State, Try | End]:
    """`end`, unless another ladder is to be gone before it and has something left to try."""
    for situation in () if state.message_wanted else state.then:
        other = replace(state, situation=situation, then=(), position=0)
        beyond, step = _walk(other, world, because)
        step = replace(step, passed=(*end.passed, *step.passed))
        if isinstance(step, Try):
            return replace(beyond, step=step), step
        end = replace(end, passed=step.passed)
    return replace(state, step=end), end


def in_vain(step: Step | None) -> CameBack:
    """What a step came to that the conversation could do nothing with."""
    match step:
        case Try(rule=Rule(rung=Callback())):
            return CameBack.DECLINED
        case End(rule=Rule(rung=Voicemail())):
            return CameBack.NOT_DELIVERED
        case Done():
            return CameBack.HANDOFF_SUSPECT
    return CameBack.FAILED


def _trying(state: State, step: Try) -> State:
    """What is tried counts before anything comes back: a crash must not try it again."""
    rung = step.rule.rung
    tried = {step.rule.id, *(callee.address for callee in step.callees)}
    if own_mark := mark(rung):
        tried.add(own_mark)
    transfers = 0
    if isinstance(rung, Transfer):
        transfers = len(step.callees) if rung.mode is Mode.IN_TURN else 1
    return replace(
        state,
        step=step,
        rungs=state.rungs + 1,
        transfers=state.transfers + transfers,
        tried=state.tried | tried,
    )


def _rule_of(state: State, came_back: CameBack) -> Rule:
    step = state.step
    if step is None:
        raise ValueError("nothing has been started")
    if isinstance(step, Done):
        legal = _AFTER_TAKEN if step.came_back in _TAKEN else frozenset[CameBack]()
    else:
        legal = LEGAL[step.rule.rung.kind]
    if came_back not in legal:
        raise ValueError(f"{came_back.value} cannot come back from {name_of(step.rule.rung)}")
    return step.rule


def _settles(rung: Rung, came_back: CameBack) -> bool:
    if came_back in _TAKEN or came_back in (CameBack.SENT_ON, CameBack.CALLER_LEFT):
        return True
    if rung.kind == "goodbye":
        return True
    return came_back is CameBack.DELIVERED and rung.kind != "alert"
