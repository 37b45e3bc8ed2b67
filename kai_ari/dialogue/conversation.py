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
from kai_ari.dialogue import lines
from kai_ari.dialogue.asides import answer_to, answer_to_reason
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.names import name_in, name_mentioned
from kai_ari.dialogue.numbers import aloud, is_whole, mentions_number, number_in, spoken_digits
from kai_ari.dialogue.read_back import read_back
from kai_ari.dialogue.turns import (
    Action,
    CannotListen,
    CannotSpeak,
    Confirm,
    End,
    Heard,
    Input,
    Name,
    Noise,
    Pressed,
    Record,
    Save,
    Saved,
    Say,
    Silence,
    Started,
    State,
    Step,
    Take,
)
from kai_ari.dialogue.understand import (
    Intent,
    intent_of,
    normal,
    slot_in,
    yes_or_no,
)

MAX_MISSES = 2  # re-prompts of one question
MAX_SILENCES = 2  # in a row
MAX_CORRECTIONS = 3
MAX_RECORDINGS = 2
MAX_TURNS = 80  # keys included


Result = tuple[State, tuple[Action, ...]]


def step(state: State, given: Input) -> Result:
    """Total: every input has an answer in every state, and after `End` the answer is nothing."""
    if isinstance(given, CannotSpeak):
        return _cannot_speak(state)
    if state.ended:
        return state, ()
    state = replace(state, turns=state.turns + 1)
    if not isinstance(given, Silence):
        state = replace(state, silences=0)
    if state.step in (Step.RECORDING, Step.SAVING):
        # Keys and noise mean nothing while it runs; `Saved` will come.
        return _saved(state, given) if isinstance(given, Saved) else (state, ())
    if state.turns > MAX_TURNS:
        return _record(state, lines.CANNOT_UNDERSTAND, Situation.NOT_UNDERSTOOD)
    match given:
        case Started():
            line = lines.WELCOME_BACK if given.resumed else lines.GREETING
            text = line.text if given.resumed else given.greeting
            return _ask(state, Step.REASON, replace(line, text=text))
        case CannotListen():
            return _record(state, lines.TECHNICAL_TROUBLE, Situation.AGENT_FAULT)
        case Noise():
            return _again(state)
        case Silence():
            return _silent(state)
        case Pressed(key=key):
            return _pressed(state, key)
        case Heard(text=text):
            return _heard(state, text)
        case Saved():
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


# -- asking ----------------------------------------------------------------------


def _ask(state: State, at: Step, *question: Line, before: tuple[Line, ...] = ()) -> Result:
    """Ask something new: `before` is said once, `question` again whenever asked for."""
    again = (lines.ASK_NAME_AGAIN,) if question == (lines.ASK_NAME,) else question
    asked = replace(state, step=at, question=again, misses=0, digits="")
    return asked, tuple(Say(line=line) for line in (*before, *question))


def _again(state: State, *before: Line) -> Result:
    return state, tuple(Say(line=line) for line in (*before, *state.question))


def _back_to_question(state: State, *before: Line) -> Result:
    """As `_again`, but what was read back is not read again unasked: it is long."""
    if state.step is not Step.CONFIRM:
        return _again(state, *before)
    return state, tuple(Say(line=line) for line in (*before, lines.CONFIRM_AGAIN))


def _next_question(state: State, *before: Line) -> Result:
    """The first thing still missing, or the read-back when nothing is."""
    if "reason" not in state.slots:
        return _ask(state, Step.REASON, lines.ASK_REASON, before=before)
    if "name" not in state.slots:
        return _ask(state, Step.NAME, lines.ASK_NAME, before=before)
    if "number" not in state.slots:
        if state.caller_number and not state.caller_id_refused:
            offer = lines.OFFER_CALLER_ID.fill(ending=aloud(state.caller_number[-4:]))
            return _ask(state, Step.OFFER, offer, before=before)
        return _ask(state, Step.NUMBER, lines.ASK_NUMBER, before=before)
    return _ask(state, Step.CONFIRM, read_back(state.slots), before=before)


def _taken(state: State, slot: str, value: str, how: str) -> Result:
    filled = replace(state, slots={**state.slots, slot: value})
    state, actions = _next_question(filled)
    return state, (Take(slot=slot, value=value, how=how), *actions)


def _missed(state: State, hint: Line | None = None) -> Result:
    if state.misses >= MAX_MISSES:
        return _record(state, lines.CANNOT_UNDERSTAND, Situation.NOT_UNDERSTOOD)
    missed = replace(state, misses=state.misses + 1)
    if state.step is Step.CONFIRM:
        return _back_to_question(missed)
    return _again(missed, hint or lines.NOT_CAUGHT)


def _silent(state: State) -> Result:
    if state.digits and is_whole(state.digits):
        return _taken(state, "number", state.digits, "keypad")
    if state.silences >= MAX_SILENCES:
        return _record(state, lines.CANNOT_HEAR, Situation.CALLER_SILENT)
    return _back_to_question(replace(state, silences=state.silences + 1), lines.STILL_THERE)


# -- keys ------------------------------------------------------------------------


def _pressed(state: State, key: str) -> Result:
    if state.step is Step.NUMBER and (key.isdigit() or (key == "#" and state.digits)):
        return _typed(state, key)
    if key == "*":
        return _again(state)
    if key == "0":
        return _wants_human(state)
    if state.step in (Step.OFFER, Step.CONFIRM) and key in "12":
        return _yes_no(state, yes=key == "1")
    if state.step is Step.CHANGE and key in "123":
        return _change(state, {"1": "name", "2": "number", "3": "reason"}[key])
    return _back_to_question(state)  # a key that means nothing here has cut the question off


def _typed(state: State, key: str) -> Result:
    if key != "#":
        digits = (state.digits + key)[:20]
        return replace(state, digits=digits), ()
    if is_whole(state.digits):
        return _taken(state, "number", state.digits, "keypad")
    return _bad_number(state, state.digits)


def _bad_number(state: State, digits: str) -> Result:
    if state.misses >= MAX_MISSES:
        return _record(state, lines.CANNOT_UNDERSTAND, Situation.NOT_UNDERSTOOD)
    line = lines.BAD_NUMBER.fill(digits=aloud(digits))
    return replace(state, digits="", misses=state.misses + 1), (Say(line=line),)


# -- words -----------------------------------------------------------------------


def _heard(state: State, text: str) -> Result:
    intent = intent_of(text)
    match intent:
        case Intent.REPEAT:
            return _again(state)
        case Intent.HUMAN:
            return _wants_human(state)
        case Intent.VOICEMAIL:
            return _record(state)
        case Intent.WRONG_NUMBER if state.step in (Step.OFFER, Step.CONFIRM, Step.CHANGE):
            return _change(_corrected(state), "number")
        case Intent.WITHDRAW | Intent.WRONG_NUMBER:
            return _end(state, lines.WITHDRAWN, "withdrawn")
        case Intent.GOODBYE if state.step is not Step.CONFIRM:
            return _end(state, lines.GOODBYE, "said_goodbye")
        case Intent.WAIT:
            return state, ()
        case Intent.HELLO if state.step is Step.REASON:
            return _once(state, lines.I_HEAR_YOU if state.misses else lines.ASK_REASON)
        case Intent.HELLO:
            return _back_to_question(state)
        case Intent.LEAVE_MESSAGE if state.step is Step.REASON:
            return _once(state, lines.ASK_REASON_OF_MESSAGE)
        case Intent.REFUSE if state.step in (Step.NAME, Step.NUMBER):
            return _record(state, lines.RATHER_RECORD)
        case Intent.WHO | Intent.WHY | Intent.COMING | Intent.QUESTION:
            return _asked(state, intent, text)
    if not text.strip():
        return _missed(state)
    match state.step:
        case Step.REASON:
            return _reason(state, text)
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
        return _back_to_question(state, answer)
    if intent is Intent.WHO:
        return _ask(state, Step.REASON, lines.ASK_REASON, before=(answer,))
    return _reason(state, text, before=(answer_to_reason(intent),))


def _once(state: State, line: Line) -> Result:
    """A gentler form of the open question; after a few it counts as not understood."""
    if state.misses >= MAX_MISSES:
        return _record(state, None, Situation.NOT_UNDERSTOOD)
    return replace(state, misses=state.misses + 1, question=(line,)), (Say(line=line),)


def _reason(state: State, text: str, before: tuple[Line, ...] = ()) -> Result:
    """The reason in the caller's own words, and a name or number they gave with it."""
    name, number = name_mentioned(text), number_in(text)
    return _found(state, before=before, reason=text.strip("\"' "), name=name, number=number)


def _found(state: State, *, before: tuple[Line, ...] = (), **slots: str | None) -> Result:
    """Take what was said, as far as it was said and is not known yet."""
    found = {slot: said for slot, said in slots.items() if said and slot not in state.slots}
    state, actions = _next_question(replace(state, slots={**state.slots, **found}), *before)
    return state, (*(Take(slot=s, value=v, how="voice") for s, v in found.items()), *actions)


def _number(state: State, text: str) -> Result:
    """Digits of one utterance, joined to those of the one before if it stopped half-way."""
    said = spoken_digits(text) if mentions_number(text) else ""
    if not said:
        if state.caller_number and yes_or_no(text) is None and "this" in text.lower().split():
            return _taken(state, "number", state.caller_number, "caller_id")
        return _missed(state)
    digits = spoken_digits(f"{state.digits} {text}")
    if said.startswith(state.digits) or not is_whole(digits):
        digits = said if is_whole(said) else digits  # said again from the start
    if is_whole(digits) and len(digits) >= 7:
        return _taken(state, "number", digits, "voice")
    if len(digits) > 15 or state.misses >= MAX_MISSES:
        return _bad_number(state, digits[:20])
    rest = lines.ASK_REST_OF_NUMBER.fill(digits=aloud(digits))
    return replace(state, digits=digits, misses=state.misses + 1), (Say(line=rest),)


def _correction(state: State, text: str) -> Result | None:
    """ "No, my name is Tom" and "no, it is five five five..." carry their own correction."""
    if number := number_in(text):
        return _taken(_corrected(state), "number", number, "voice")
    name = name_mentioned(text.removeprefix("No,").strip()) or name_mentioned(text)
    if name and state.step is not Step.OFFER:
        return _taken(_corrected(state), "name", name, "voice")
    return None


def _corrected(state: State) -> State:
    return replace(state, corrections=state.corrections + 1)


def _yes_no(state: State, *, yes: bool | None, said: str = "") -> Result:
    if yes is None:
        return _missed(state, lines.YES_OR_NO)
    if state.step is Step.OFFER:
        if yes and state.caller_number:
            return _taken(state, "number", state.caller_number, "caller_id")
        refused = replace(state, caller_id_refused=True)
        return _ask(refused, Step.NUMBER, lines.ASK_NUMBER)
    if yes:
        return _confirmed(state)
    if state.corrections >= MAX_CORRECTIONS:
        return _record(state, lines.CANNOT_UNDERSTAND, Situation.NOT_UNDERSTOOD)
    if slot := slot_in(said):
        return _change(_corrected(state), slot)
    return _ask(_corrected(state), Step.CHANGE, lines.ASK_WHAT_TO_CHANGE)


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
            return _ask(state, Step.NAME, lines.ASK_NAME_AGAIN)
        case "number":
            return _ask(state, Step.NUMBER, lines.ASK_NUMBER)
        case _:
            return _ask(state, Step.REASON, lines.ASK_REASON_AGAIN)


# -- ways out --------------------------------------------------------------------


def _wants_human(state: State) -> Result:
    """There is no person to connect yet: say so, take the message; asked again, record it."""
    named = Name(situation=Situation.ASKED_FOR_HUMAN)
    if state.asked_for_human:
        return _record(state, lines.NO_PERSON_VOICEMAIL, Situation.ASKED_FOR_HUMAN)
    state = replace(state, asked_for_human=1)
    if state.step is Step.REASON:
        asked, says = _ask(state, Step.REASON, lines.ASK_REASON_OF_CALL, before=(lines.NO_PERSON,))
    else:
        asked, says = _again(state, lines.NO_PERSON)
    return asked, (named, *says)


def _record(
    state: State, because: Line | None = None, situation: Situation | None = None
) -> Result:
    """Offer the recording, or the honest goodbye when recordings are used up."""
    before: tuple[Action, ...] = (Name(situation=situation),) if situation else ()
    if state.recordings >= MAX_RECORDINGS:
        # With a reason known a call back may be owed: then it is not true that nobody will know.
        line = lines.NOT_CONFIRMED if "reason" in state.slots else lines.NO_MESSAGE
        return _end(state, line, "no_message")
    lead = (Say(line=because),) if because else ()
    recording = replace(state, step=Step.RECORDING, recordings=state.recordings + 1)
    return recording, (*before, *lead, Say(line=lines.VOICEMAIL), Record())


def _saved(state: State, given: Saved) -> Result:
    if state.step is Step.SAVING:
        line = lines.MESSAGE_SAVED.fill(business=state.business)
        return _end(state, line, "details_taken", lines.NOT_SAVED)
    if given.ok:
        return _end(state, lines.RECORDING_SAVED, "message_left", lines.NOT_SAVED)
    return _record(state, lines.TECHNICAL_TROUBLE if given.failed else lines.NO_MESSAGE_HEARD)


def _cannot_speak(state: State) -> Result:
    """What is left of the conversation without a voice: a recording, and the truth."""
    if state.ended:
        return _end(state, lines.RECORDING_SAVED, "cannot_speak", lines.NOT_SAVED)
    return _record(state, lines.TECHNICAL_TROUBLE, Situation.AGENT_FAULT)


def _end(state: State, line: Line, reason: str, otherwise: Line | None = None) -> Result:
    ended = replace(state, step=Step.ENDED)
    return ended, (Say(line=line, otherwise=otherwise), End(reason=reason))
