"""The conversation with somebody whom Kai has called, as a function: (state, input) ->
(state, actions).

They hear at once who calls and why, and say what they want: a person now, another time, or not
to be called any more. From the person on it goes as with any caller (`conversation`).
"""

import re
from dataclasses import replace

from kai_ari.calls.events import Situation
from kai_ari.dialogue import lines
from kai_ari.dialogue import outreach_lines as say
from kai_ari.dialogue.asking import Result, ask
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.turns import (
    CannotListen,
    CannotSpeak,
    End,
    Heard,
    Input,
    Noise,
    Postpone,
    Pressed,
    Reached,
    Saved,
    Say,
    Silence,
    State,
    Step,
    Take,
    Why,
)
from kai_ari.dialogue.understand import Intent, intent_of, normal, yes_or_no
from kai_ari.dialogue.ways_out import end, hand_off, opt_out, wants_human
from kai_ari.dialogue.when import BY_KEY, When, when_in
from kai_ari.promises.opt_out import Reply, read_reply

STEPS = frozenset({Step.CALLED, Step.TO_MACHINE, Step.WHEN, Step.POSTPONING, Step.OPTING_OUT})

MAX_TURNS = 12

_PERSON = frozenset({"one", "person", "now", "connect me", "yes please", "a person now"})
_LATER = ("two", "later", "another time", "not now", "call back", "busy", "bad time")
#: What only a machine says. AMD() takes many a greeting for a person's.
_GREETING = re.compile(
    r"\b(?:leave (?:your|(?:me|us) a|a (?:\w+ )?message (?:after|at|and|with))|(?:after|at) the "
    r"(?:tone|beep)|record your|reached (?:\w+ ){0,4}(?:voice ?mail|mailbox)|mailbox is full|"
    r"(?:take|answer) your call|person you (?:are|have) (?:call|dial|try)\w*|"
    r"call has been forwarded)\b"
)
#: Neither a yes ("right now") nor a no to anything: whoever says it is to be called again.
_NOT_THERE = re.compile(
    r"\b(?:can't|cannot|can not|couldn't|unable to) (?:talk|speak|come|take|get|answer)\b|"
    r"(?:\bnot|n't|\bno ?one is|\bnobody is) (?:\w+ )?(?:available|here|able|home)\b|"
    r"\bunavailable\b"
)


def reached(state: State, given: Reached) -> Result:
    """Somebody, or something, has answered."""
    state = replace(state, called_out=True)
    if given.machine:
        state = replace(state, step=Step.TO_MACHINE, question=())
        return state, (Say(line=say.TO_A_MACHINE.fill(business=state.business)),)
    first = _first(state, given)
    called, says = ask(state, Step.CALLED, first, say.CHOICE)
    return called, says


def step(state: State, given: Input) -> Result:
    """In one of STEPS. Total."""
    if isinstance(given, CannotSpeak):
        return replace(state, step=Step.ENDED), (End(reason="cannot_speak"),)
    if state.step is Step.OPTING_OUT:
        return opted_out(state, given) if isinstance(given, Saved) else (state, ())
    if state.step is Step.POSTPONING:
        return _postponed(state, given) if isinstance(given, Saved) else (state, ())
    if state.turns > MAX_TURNS:
        return end(state, lines.CANNOT_UNDERSTAND, "not_understood")
    if state.step is Step.TO_MACHINE:
        return _machine(state, given)
    match given:
        case Pressed(key=key):
            return _pressed(state, key)
        case Heard(text=text):
            return _heard(state, text)
        case Silence() if state.silences >= 1:
            return end(state, lines.CANNOT_HEAR, "silent")
        case Silence():
            return _again(replace(state, silences=state.silences + 1))
        case Noise() | CannotListen():  # keys work without ears
            return _again(state)
    return state, ()


def opted_out(state: State, given: Saved) -> Result:
    line = say.OPTED_OUT if given.ok else say.NOT_OPTED_OUT
    return end(state, line, "opted_out", say.NOT_OPTED_OUT)


def _first(state: State, given: Reached) -> Line:
    reason = state.slots.get("reason", "")
    match given.why:
        case Why.ASKED if not reason:
            return say.ASKED_FOR_PERSON.fill(business=state.business)
        case Why.ASKED:
            return say.ASKED_FOR_CALL_BACK.fill(business=state.business, reason=_sentence(reason))
        case Why.CUT_OFF:
            return say.CALLED_US.fill(business=state.business)
        case Why.TOLD_TO:
            return say.WE_CALL_ABOUT.fill(business=state.business, reason=_sentence(reason))


def _sentence(reason: str) -> str:
    return reason if reason.endswith((".", "?", "!")) else f"{reason}."


def _again(state: State) -> Result:
    return state, tuple(Say(line=line) for line in state.question)


def _pressed(state: State, key: str) -> Result:
    if key == "9":
        return opt_out(state, how="key", said="pressed 9")
    if state.step is Step.WHEN:
        return _later(state, BY_KEY[key], "keypad") if key in BY_KEY else _again(state)
    match key:
        case "1" | "0":
            return _person(state)
        case "2":
            return ask(state, Step.WHEN, say.ASK_WHEN)
    return _again(state)


def _heard(state: State, text: str) -> Result:
    intent, words, when = intent_of(text), normal(text), when_in(text)
    if intent is Intent.STOP or read_reply(text) is Reply.OUT:
        return opt_out(state, how="call", said=text)
    if _GREETING.search(words):  # nobody there wants anything, or does not want it
        return end(state, lines.GOODBYE, "machine")
    if intent is Intent.HUMAN or (state.step is Step.CALLED and words in _PERSON):
        return _person(state)
    if when is not None:
        return _later(state, when, "voice")
    not_there = _NOT_THERE.search(words) is not None
    if state.step is Step.WHEN:
        if not_there:
            return _missed(state, say.NO_TIME)
        if intent in (Intent.WITHDRAW, Intent.GOODBYE) or yes_or_no(text) is False:
            return _not_wanted(state)
        return _missed(state, say.NO_TIME)
    if not_there or any(later in words for later in _LATER):
        return ask(state, Step.WHEN, say.ASK_WHEN)
    if intent is Intent.WHO:
        return _again(state)
    if intent in (Intent.WITHDRAW, Intent.GOODBYE, Intent.WRONG_NUMBER):
        return _not_wanted(state)
    match yes_or_no(text):
        case True:
            return _person(state)
        case False:  # to what, is not clear: it counts as no to all of it
            return _not_wanted(state)
    return _again(state) if intent in (Intent.HELLO, Intent.REPEAT, Intent.WAIT) else _missed(state)


def _missed(state: State, hint: Line = lines.NOT_CAUGHT) -> Result:
    if state.misses >= 2:
        return end(state, lines.CANNOT_UNDERSTAND, "not_understood")
    missed = replace(state, misses=state.misses + 1)
    return missed, (Say(line=hint), *(Say(line=line) for line in state.question[-1:]))


def _person(state: State) -> Result:
    """As with any caller who asks for one."""
    if Situation.ASKED_FOR_HUMAN in state.ladders:
        asked = replace(state, asked_for_human=state.asked_for_human + 1)
        return hand_off(asked, Situation.ASKED_FOR_HUMAN)
    return wants_human(replace(state, step=Step.REASON), by_key=True)


def _later(state: State, when: When, how: str) -> Result:
    take = Take(slot="call_again", value=when.spoken, how=how)
    postponing = replace(state, step=Step.POSTPONING, question=(_postponed_line(when),))
    return postponing, (take, Postpone(when=when))


def _postponed(state: State, given: Saved) -> Result:
    line = state.question[0] if given.ok else lines.TECHNICAL_TROUBLE
    return end(state, line, "postponed" if given.ok else "not_postponed", lines.GOODBYE)


def _postponed_line(when: When) -> Line:
    return say.POSTPONED.fill(when=when.spoken)


def _not_wanted(state: State) -> Result:
    take = Take(slot="call_back", value="not wanted", how="voice")
    ended, actions = end(state, lines.WITHDRAWN, "not_wanted")
    return ended, (take, *actions)


def _machine(state: State, given: Input) -> Result:
    """A person who was taken for a machine has keys; a machine has none."""
    match given:
        case Pressed(key="1" | "0"):
            return _person(state)
        case Pressed(key="9"):
            return opt_out(state, how="key", said="pressed 9")
        case Silence():
            return replace(state, step=Step.ENDED), (End(reason="machine"),)
    return state, ()
