"""What a caller calls about: taken down in their own words, and what follows from it."""

from dataclasses import replace
from typing import Final

from kai_ari.calls.events import Situation
from kai_ari.dialogue.asking import Result, next_question
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.names import name_mentioned
from kai_ari.dialogue.numbers import number_in
from kai_ari.dialogue.turns import Heard, Input, Pressed, Silence, State, Step, Take
from kai_ari.dialogue.understand import Intent, intent_of, is_urgent
from kai_ari.dialogue.ways_out import hand_off, record, wants_human

#: Said instead of a reason to who wants a person: they mean what they mean at any question.
_NO_ANSWER: Final = frozenset(
    {
        Intent.REPEAT,
        Intent.WAIT,
        Intent.GOODBYE,
        Intent.WITHDRAW,
        Intent.WRONG_NUMBER,
        Intent.STOP,
    }
)
#: Questions that are a reason: "do you do boiler repairs?"
_QUESTIONS: Final = frozenset({Intent.QUESTION, Intent.COMING})


def taken_down(state: State, text: str, before: tuple[Line, ...] = ()) -> Result:
    """The reason in the caller's own words; some are for a person, if there is a ladder to one."""
    state, takes = _mentioned(state, text)
    situation = _situation_of(state, text)
    if situation is not None:
        once = replace(state, ladders=state.ladders - {situation})
        return hand_off(once, situation, *takes)
    state, actions = next_question(state, *before)
    return state, (*takes, *actions)


def human(state: State, text: str) -> Result:
    """They ask for a person. Who says with it that it is urgent is not asked what it is about."""
    if state.step is not Step.REASON or not is_urgent(text):
        return wants_human(state)
    if Situation.ASKED_FOR_HUMAN not in state.ladders:
        return taken_down(state, text) if Situation.URGENT in state.ladders else wants_human(state)
    told, takes = _mentioned(state, text)
    asked, actions = wants_human(told)
    return asked, (*takes, *actions)


def why_human(state: State, given: Input) -> Result | None:
    """Whatever they answer, the way to a person comes next; None for what is no answer."""
    match given:
        case Heard(text=text):
            intent = intent_of(text)
            if intent in _NO_ANSWER:
                return None
            if intent in (Intent.VOICEMAIL, Intent.LEAVE_MESSAGE):
                return record(state)
            tells = text.strip() and (intent is None or intent in _QUESTIONS or is_urgent(text))
            told, takes = _mentioned(state, text) if tells else (state, ())
            return hand_off(told, Situation.ASKED_FOR_HUMAN, *takes)
        case Silence():
            return hand_off(state, Situation.ASKED_FOR_HUMAN)
        case Pressed(key=key) if key != "*":
            return hand_off(state, Situation.ASKED_FOR_HUMAN)
    return None


def take_new(state: State, **slots: str | None) -> tuple[State, tuple[Take, ...]]:
    """Take what was said, as far as it was said and is not known yet."""
    new = {slot: said for slot, said in slots.items() if said and slot not in state.slots}
    takes = tuple(Take(slot=slot, value=value, how="voice") for slot, value in new.items())
    return replace(state, slots={**state.slots, **new}), takes


def _mentioned(state: State, text: str) -> tuple[State, tuple[Take, ...]]:
    """The reason, and a name or number given with it."""
    name, number = name_mentioned(text), number_in(text)
    return take_new(state, reason=text.strip("\"' "), name=name, number=number)


def _situation_of(state: State, text: str) -> Situation | None:
    if Situation.URGENT in state.ladders and is_urgent(text):
        return Situation.URGENT
    if Situation.OUT_OF_SCOPE in state.ladders and intent_of(text) is Intent.QUESTION:
        return Situation.OUT_OF_SCOPE
    return Situation.AFTER_HOURS if Situation.AFTER_HOURS in state.ladders else None
