"""The call that tells somebody of the business what is owed: (state, input) -> (state, actions).

Only keys count: a mailbox that answers says "okay", too.
"""

from dataclasses import replace

from kai_ari.dialogue import lines
from kai_ari.dialogue import outreach_lines as say
from kai_ari.dialogue.asking import Result, ask
from kai_ari.dialogue.turns import (
    Acknowledge,
    Alerted,
    CallThrough,
    CannotSpeak,
    End,
    Input,
    LadderEnd,
    LadderEnded,
    Pressed,
    Saved,
    Say,
    Silence,
    State,
    Step,
)
from kai_ari.dialogue.ways_out import end

STEPS = frozenset({Step.TELLING, Step.CALLING_THROUGH, Step.ACKNOWLEDGING})

#: How often it is all read, at most.
MAX_TURNS = 12


def alerted(state: State, given: Alerted) -> Result:
    what = say.ALERT.fill(business=state.business, what=given.what)
    choice = say.ALERT_CHOICE if given.callable else say.ALERT_CHOICE_WITHOUT_CALL
    return ask(replace(state, may_call=given.callable), Step.TELLING, what, choice)


def step(state: State, given: Input) -> Result:
    """In one of STEPS. Total."""
    if isinstance(given, CannotSpeak):
        return replace(state, step=Step.ENDED), (End(reason="cannot_speak"),)
    match given:
        case Saved() if state.step is Step.ACKNOWLEDGING:
            line = say.ALERT_KNOWN if given.ok else lines.TECHNICAL_TROUBLE
            return end(state, line, "acknowledged" if given.ok else "not_written")
        case LadderEnded(end=LadderEnd.HUMAN_ENDED) if state.step is Step.CALLING_THROUGH:
            return replace(state, step=Step.ENDED), (End(reason="talked"),)
        case LadderEnded() if state.step is Step.CALLING_THROUGH:
            return _again(replace(state, step=Step.TELLING), last=True)
    if state.step is not Step.TELLING:
        return state, ()
    match given:
        case _ if state.turns > MAX_TURNS:
            return end(state, lines.GOODBYE, "not_acknowledged")
        case Pressed(key="1"):
            return replace(state, step=Step.ACKNOWLEDGING), (Acknowledge(),)
        case Pressed(key="2") if state.may_call:
            return replace(state, step=Step.CALLING_THROUGH), (CallThrough(),)
        case Pressed():
            return _again(state)
        case Silence() if state.silences >= 1:
            return end(state, lines.GOODBYE, "not_acknowledged")
        case Silence():
            return _again(replace(state, silences=state.silences + 1))
    return state, ()


def _again(state: State, *, last: bool = False) -> Result:
    return state, tuple(Say(line=line) for line in state.question[1 if last else 0 :])
