"""Taking a message: a pure state machine.

    step(state, input) -> (state, actions)

The caller is asked for reason, name and number; what they say is read back, corrected and
confirmed. Whenever that does not work (not understood, silent, would rather record) the
way out is a recorded message, and the way out of that is an honest goodbye. Every path
ends: the counters below only grow, and each has a cap.
"""

from dataclasses import replace

from kai_ari.calls.events import Situation
from kai_ari.calls.outcome import REQUIRED_SLOTS
from kai_ari.dialogue import alert_call, lines, outreach, outreach_lines, reasons
from kai_ari.dialogue.asides import answer_to, answer_to_reason
from kai_ari.dialogue.asking import Result, again, ask, back_to_question, next_question, taken
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.names import name_in, name_mentioned
from kai_ari.dialogue.numbers import aloud, is_whole, mentions_number, number_in, spoken_digits
from kai_ari.dialogue.turns import (
    Alerted,
    CannotListen,
    CannotSpeak,
    Confirm,
    Heard,
    Input,
    LadderEnded,
    Noise,
    Pressed,
    Reached,
    Save,
    Saved,
    Say,
    Silence,
    Started,
    State,
    Step,
)
from kai_ari.dialogue.understand import (
    Intent,
    intent_of,
    normal,
    slot_in,
    yes_or_no,
)
from kai_ari.dialogue.ways_out import (
    cannot_speak,
    end,
    ladder_ended,
    opt_out,
    record,
    saved,
    wants_human,
)

MAX_MISSES = 2  # re-prompts of one question
MAX_SILENCES = 2  # in a row
MAX_CORRECTIONS = 3
MAX_TURNS = 80  # keys included


#: Of those whom Kai has called.
_CALLED = {
    **dict.fromkeys(outreach.STEPS, outreach.step),
    **dict.fromkeys(alert_call.STEPS, alert_call.step),
}


def step(state: State, given: Input) -> Result:
    """Total: every input has an answer in every state, and after `End` the answer is nothing."""
    called = _CALLED.get(state.step)
    if isinstance(given, CannotSpeak):
        return called(state, given) if called else cannot_speak(state)
    if state.ended:
        return state, ()
    state = replace(state, turns=state.turns + 1)
    if not isinstance(given, Silence):
        state = replace(state, silences=0)
    if isinstance(given, Reached):
        return outreach.reached(state, given)
    if isinstance(given, Alerted):
        return alert_call.alerted(state, given)
    if called:
        return called(state, given)
    if state.step in (Step.RECORDING, Step.SAVING):
        # Keys and noise mean nothing while it runs; `Saved` will come.
        return saved(state, given) if isinstance(given, Saved) else (state, ())
    if state.step is Step.HANDING_OFF:
        return ladder_ended(state, given) if isinstance(given, LadderEnded) else (state, ())
    if state.step is Step.WHY_HUMAN and (why := reasons.why_human(state, given)):
        return why
    if state.turns > MAX_TURNS:
        return record(state, lines.CANNOT_UNDERSTAND, Situation.NOT_UNDERSTOOD)
    match given:
        case Started():
            line = lines.WELCOME_BACK if given.resumed else lines.GREETING
            text = line.text if given.resumed else given.greeting
            return ask(state, Step.REASON, replace(line, text=text))
        case CannotListen():
            return record(state, lines.TECHNICAL_TROUBLE, Situation.AGENT_FAULT)
        case Noise():
            return again(state)
        case Silence():
            return _silent(state)
        case Pressed(key=key):
            return _pressed(state, key)
        case Heard(text=text):
            return _heard(state, text)
        case Saved() | LadderEnded():
            return state, ()


def go_on(before: State, said: Input, state: State, given: Input) -> tuple[State, Input]:
    """What to step with, when Kai's answer to `said` was cut off at its beginning by `given`.

    Two halves of one turn are put together and given to the question that was asked `before`;
    anything else (a key, silence, "what?") stays the answer to the one in `state`.
    """
    if not (isinstance(said, Heard) and isinstance(given, Heard)):
        return state, given
    if not (said.text and given.text) or intent_of(given.text) is not None:
        return state, given
    return replace(before, turns=state.turns), Heard(text=f"{said.text} {given.text}")


# -- not understood, not heard --------------------------------------------------


def _missed(state: State, hint: Line | None = None) -> Result:
    if state.misses >= MAX_MISSES:
        return record(state, lines.CANNOT_UNDERSTAND, Situation.NOT_UNDERSTOOD)
    missed = replace(state, misses=state.misses + 1)
    if state.step is Step.CONFIRM:
        return back_to_question(missed)
    return again(missed, hint or lines.NOT_CAUGHT)


def _silent(state: State) -> Result:
    if state.digits and is_whole(state.digits):
        return taken(state, "number", state.digits, "keypad")
    if state.silences >= MAX_SILENCES:
        return record(state, lines.CANNOT_HEAR, Situation.CALLER_SILENT)
    return back_to_question(replace(state, silences=state.silences + 1), lines.STILL_THERE)


# -- keys ------------------------------------------------------------------------


def _pressed(state: State, key: str) -> Result:
    if state.step is Step.NUMBER and (key.isdigit() or (key == "#" and state.digits)):
        return _typed(state, key)
    if key == "*":
        return again(state)
    if key == "0":
        return wants_human(state, by_key=True)
    if state.step in (Step.OFFER, Step.CONFIRM) and key in "12":
        return _yes_no(state, yes=key == "1")
    if state.step is Step.CHANGE and key in "123":
        return _change(state, {"1": "name", "2": "number", "3": "reason"}[key])
    return back_to_question(state)  # a key that means nothing here has cut the question off


def _typed(state: State, key: str) -> Result:
    if key != "#":
        digits = (state.digits + key)[:20]
        return replace(state, digits=digits), ()
    if is_whole(state.digits):
        return taken(state, "number", state.digits, "keypad")
    return _bad_number(state, state.digits)


def _bad_number(state: State, digits: str) -> Result:
    if state.misses >= MAX_MISSES:
        return record(state, lines.CANNOT_UNDERSTAND, Situation.NOT_UNDERSTOOD)
    line = lines.BAD_NUMBER.fill(digits=aloud(digits))
    return replace(state, digits="", misses=state.misses + 1), (Say(line=line),)


# -- words -----------------------------------------------------------------------


def _heard(state: State, text: str) -> Result:
    intent = intent_of(text)
    match intent:
        case Intent.REPEAT:
            return again(state)
        case Intent.HUMAN:
            return reasons.human(state, text)
        case Intent.VOICEMAIL:
            return record(state)
        case Intent.WRONG_NUMBER if state.step in (Step.OFFER, Step.CONFIRM, Step.CHANGE):
            return _change(_corrected(state), "number")
        case Intent.STOP if state.caller_number is None:
            return back_to_question(state, outreach_lines.NUMBER_NOT_SHOWN)
        case Intent.STOP:
            return opt_out(state, how="call", said=text)
        case Intent.WITHDRAW | Intent.WRONG_NUMBER:
            return end(state, lines.WITHDRAWN, "withdrawn")
        case Intent.GOODBYE if state.step is not Step.CONFIRM:
            return end(state, lines.GOODBYE, "said_goodbye")
        case Intent.WAIT:
            return state, ()
        case Intent.HELLO if state.step is Step.REASON:
            return _once(state, lines.I_HEAR_YOU if state.misses else lines.ASK_REASON)
        case Intent.HELLO:
            return back_to_question(state)
        case Intent.LEAVE_MESSAGE if state.step is Step.REASON:
            return _once(state, lines.ASK_REASON_OF_MESSAGE)
        case Intent.REFUSE if state.call_back:
            return record(state)
        case Intent.REFUSE if state.step in (Step.NAME, Step.NUMBER):
            return record(state, lines.RATHER_RECORD)
        case Intent.WHO | Intent.WHY | Intent.COMING | Intent.QUESTION:
            return _asked(state, intent, text)
    if not text.strip():
        return _missed(state)
    match state.step:
        case Step.REASON:
            return reasons.taken_down(state, text)
        case Step.NAME:
            name = name_in(text)
            return _found(state, name=name, number=number_in(text)) if name else _missed(state)
        case Step.NUMBER:
            return _number(state, text)
        case Step.OFFER | Step.CONFIRM:
            return _correction(state, text) or _yes_no(state, yes=yes_or_no(text), said=text)
        case Step.CHANGE:
            return _correction(state, text) or _what_to_change(state, text)
        case _:
            return state, ()


def _asked(state: State, intent: Intent, text: str) -> Result:
    """The caller asks something: the truth, then Kai's question. As a reason it is taken down."""
    answer = answer_to(intent, state.business)
    if state.step is not Step.REASON:
        return back_to_question(state, answer)
    if intent is Intent.WHO:
        return ask(state, Step.REASON, lines.ASK_REASON, before=(answer,))
    return reasons.taken_down(state, text, before=(answer_to_reason(intent),))


def _once(state: State, line: Line) -> Result:
    """A gentler form of the open question; after a few it counts as not understood."""
    if state.misses >= MAX_MISSES:
        return record(state, None, Situation.NOT_UNDERSTOOD)
    return replace(state, misses=state.misses + 1, question=(line,)), (Say(line=line),)


def _found(state: State, **slots: str | None) -> Result:
    state, takes = reasons.take_new(state, **slots)
    state, actions = next_question(state)
    return state, (*takes, *actions)


def _number(state: State, text: str) -> Result:
    """Digits of one utterance, joined to those of the one before if it stopped half-way."""
    said = spoken_digits(text) if mentions_number(text) else ""
    if not said:
        if state.call_back and yes_or_no(text) is False:
            return record(state)
        if state.caller_number and yes_or_no(text) is None and "this" in text.lower().split():
            return taken(state, "number", state.caller_number, "caller_id")
        return _missed(state)
    digits = spoken_digits(f"{state.digits} {text}")
    if said.startswith(state.digits) or not is_whole(digits):
        digits = said if is_whole(said) else digits  # said again from the start
    if is_whole(digits) and len(digits) >= 7:
        return taken(state, "number", digits, "voice")
    if len(digits) > 15 or state.misses >= MAX_MISSES:
        return _bad_number(state, digits[:20])
    rest = lines.ASK_REST_OF_NUMBER.fill(digits=aloud(digits))
    return replace(state, digits=digits, misses=state.misses + 1), (Say(line=rest),)


def _correction(state: State, text: str) -> Result | None:
    """ "No, my name is Tom" and "no, it is five five five..." carry their own correction."""
    if number := number_in(text):
        return taken(_corrected(state), "number", number, "voice")
    name = name_mentioned(text.removeprefix("No,").strip()) or name_mentioned(text)
    if name and state.step is not Step.OFFER:
        return taken(_corrected(state), "name", name, "voice")
    return None


def _corrected(state: State) -> State:
    return replace(state, corrections=state.corrections + 1)


def _yes_no(state: State, *, yes: bool | None, said: str = "") -> Result:
    if yes is None:
        return _missed(state, lines.YES_OR_NO)
    if state.step is Step.OFFER:
        known = state.slots.get("number") or state.caller_number
        if yes and known:
            return taken(state, "number", known, "caller_id")
        refused = replace(state, caller_id_refused=True)
        question = lines.ASK_CALL_BACK_NUMBER if state.call_back else lines.ASK_NUMBER
        return ask(refused, Step.NUMBER, question)
    if yes:
        return _confirmed(state)
    if state.corrections >= MAX_CORRECTIONS:
        return record(state, lines.CANNOT_UNDERSTAND, Situation.NOT_UNDERSTOOD)
    if slot := slot_in(said):
        return _change(_corrected(state), slot)
    return ask(_corrected(state), Step.CHANGE, lines.ASK_WHAT_TO_CHANGE)


def _what_to_change(state: State, text: str) -> Result:
    if slot := slot_in(text):
        return _change(state, slot)
    nothing = yes_or_no(text) or normal(text).startswith("nothing")
    return _confirmed(state) if nothing else _missed(state)


def _confirmed(state: State) -> Result:
    confirmed = tuple((slot, state.slots[slot]) for slot in REQUIRED_SLOTS)
    return replace(state, step=Step.SAVING), (Confirm(slots=confirmed), Save())


def _change(state: State, slot: str) -> Result:
    kept = {name: value for name, value in state.slots.items() if name != slot}
    state = replace(state, slots=kept, caller_id_refused=True)
    match slot:
        case "name":
            return ask(state, Step.NAME, lines.ASK_NAME_AGAIN)
        case "number":
            return ask(state, Step.NUMBER, lines.ASK_NUMBER)
        case _:
            return ask(state, Step.REASON, lines.ASK_REASON_AGAIN)
