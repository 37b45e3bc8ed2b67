"""Asking the caller: each question, what says it again, and what comes after an answer."""

from dataclasses import replace

from kai_ari.dialogue import lines
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.numbers import aloud
from kai_ari.dialogue.read_back import read_back
from kai_ari.dialogue.turns import Action, BookCallback, Say, State, Step, Take

Result = tuple[State, tuple[Action, ...]]


def ask(state: State, at: Step, *question: Line, before: tuple[Line, ...] = ()) -> Result:
    """Ask something new: `before` is said once, `question` again whenever asked for."""
    again = (lines.ASK_NAME_AGAIN,) if question == (lines.ASK_NAME,) else question
    asked = replace(state, step=at, question=again, misses=0, digits="")
    return asked, tuple(Say(line=line) for line in (*before, *question))


def again(state: State, *before: Line) -> Result:
    return state, tuple(Say(line=line) for line in (*before, *state.question))


def back_to_question(state: State, *before: Line) -> Result:
    """As `again`, but what was read back is not read again unasked: it is long."""
    if state.step is not Step.CONFIRM:
        return again(state, *before)
    return state, tuple(Say(line=line) for line in (*before, lines.CONFIRM_AGAIN))


def next_question(state: State, *before: Line) -> Result:
    """The first thing still missing, or the read-back when nothing is."""
    if "reason" not in state.slots:
        return ask(state, Step.REASON, lines.ASK_REASON, before=before)
    if "name" not in state.slots:
        return ask(state, Step.NAME, lines.ASK_NAME, before=before)
    if "number" not in state.slots:
        if state.caller_number and not state.caller_id_refused:
            offer = lines.OFFER_CALLER_ID.fill(ending=aloud(state.caller_number[-4:]))
            return ask(state, Step.OFFER, offer, before=before)
        return ask(state, Step.NUMBER, lines.ASK_NUMBER, before=before)
    return ask(state, Step.CONFIRM, read_back(state.slots), before=before)


def taken(state: State, slot: str, value: str, how: str) -> Result:
    take = Take(slot=slot, value=value, how=how)
    filled = replace(state, slots={**state.slots, slot: value})
    if state.call_back and slot == "number":
        return replace(filled, step=Step.SAVING), (take, BookCallback(number=value))
    state, actions = next_question(filled)
    return state, (take, *actions)


def offer_call_back(state: State) -> Result:
    """On the number that is known, or on one that the caller has to give."""
    known = state.slots.get("number") or state.caller_number
    state = replace(state, call_back=True)
    if known is None:
        return ask(state, Step.NUMBER, lines.ASK_CALL_BACK_NUMBER)
    return ask(state, Step.OFFER, lines.OFFER_CALL_BACK.fill(ending=aloud(known[-4:])))
