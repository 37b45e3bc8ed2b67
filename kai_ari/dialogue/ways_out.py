"""What Kai does when it cannot finish alone, and how a call ends."""

from dataclasses import replace

from kai_ari.calls.events import EndedBy, Situation
from kai_ari.dialogue import handoff_lines, lines
from kai_ari.dialogue.asking import Result, again, ask, offer_call_back
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.turns import (
    Action,
    End,
    HandOff,
    LadderEnd,
    LadderEnded,
    Name,
    OptOut,
    Record,
    Saved,
    Say,
    State,
    Step,
)
from kai_ari.dialogue.understand import is_urgent

MAX_RECORDINGS = 2
MAX_HAND_OFFS = 6  # each goes some way down a ladder, which ends by itself


def wants_human(state: State, *, by_key: bool = False) -> Result:
    """On the ladder if the business has rungs for it; else the truth, and a message instead.

    Who has not said why they call is asked once: whoever takes the call wants to know. A key
    goes ahead at once.
    """
    named = Name(situation=Situation.ASKED_FOR_HUMAN)
    asked_before = state.asked_for_human > 0
    state = replace(state, asked_for_human=state.asked_for_human + 1)
    if Situation.ASKED_FOR_HUMAN in state.ladders:
        if state.step is Step.REASON and not by_key and "reason" not in state.slots:
            asked, says = ask(state, Step.WHY_HUMAN, lines.WHO_IS_THERE)
            return asked, (named, *says)
        return hand_off(state, Situation.ASKED_FOR_HUMAN)
    if asked_before:
        return record(state, lines.NO_PERSON_VOICEMAIL, Situation.ASKED_FOR_HUMAN)
    if state.step is Step.REASON:
        asked, says = ask(state, Step.REASON, lines.ASK_REASON_OF_CALL, before=(lines.NO_PERSON,))
    else:
        asked, says = again(state, lines.NO_PERSON)
    return asked, (named, *says)


def hand_off(state: State, situation: Situation, *before: Action) -> Result:
    """On the ladder, or on with it: a call back that was being offered is left for this."""
    handing = replace(state, step=Step.HANDING_OFF, hand_offs=state.hand_offs + 1, call_back=False)
    if handing.hand_offs > MAX_HAND_OFFS:
        left, actions = record(replace(state, ladders=frozenset(), call_back=False))
        return left, (*before, *actions)
    return handing, (*before, *_named(state, situation), HandOff(situation=situation))


def _named(state: State, situation: Situation) -> tuple[Name, ...]:
    """Why they are handed off. Whatever else it is, an urgent matter stays one: who is rung, and
    what they are told, goes by it."""
    urgent = situation is not Situation.URGENT and is_urgent(state.slots.get("reason", ""))
    urgently = (Name(situation=Situation.URGENT),) if urgent else ()
    return (*urgently, Name(situation=situation))


def ladder_ended(state: State, given: LadderEnded) -> Result:
    match given.end:
        case LadderEnd.VOICEMAIL:
            return record(state)
        case LadderEnd.CALL_BACK:
            return offer_call_back(state)
        case LadderEnd.FOLLOW_UP:
            owed = handoff_lines.CALL_BACK_BOOKED if state.called_out else handoff_lines.FOLLOW_UP
            line = owed.fill(business=state.business)
            return end(state, line, "nobody_reached", handoff_lines.NO_FOLLOW_UP)
        case LadderEnd.NOTHING:
            return end(state, handoff_lines.NO_FOLLOW_UP, "nobody_reached")
        case LadderEnd.HUMAN_ENDED:
            ended = replace(state, step=Step.ENDED)
            return ended, (End(reason="talked", by=EndedBy.HUMAN),)
        case LadderEnd.SENT_ON:
            return replace(state, step=Step.ENDED), (End(reason="sent_on"),)
        case LadderEnd.HANDED_OFF:
            line = handoff_lines.HANDED_OFF.fill(who=given.who)
            return end(state, line, "handed_off", handoff_lines.NO_FOLLOW_UP)
        case LadderEnd.NEVER_AGAIN:
            return opt_out(state, how="call", said=given.said)


def opt_out(state: State, *, how: str, said: str) -> Result:
    """Put the number on the list before a word of it; on it, the call is over."""
    return replace(state, step=Step.OPTING_OUT), (OptOut(how=how, said=said),)


def record(state: State, because: Line | None = None, situation: Situation | None = None) -> Result:
    """The ladder of the situation, if there is one that was not gone yet; else a recording. When
    recordings are used up, on with the ladder that led to them, or the honest goodbye."""
    lead: tuple[Action, ...] = (Say(line=because),) if because else ()
    used_up = state.recordings >= MAX_RECORDINGS
    if used_up and state.recorded:
        return _message_left(state)
    if state.call_back or (used_up and state.hand_offs):  # what the ladder led to was in vain
        state = replace(state, call_back=False, hand_offs=state.hand_offs + 1)
        if state.hand_offs <= MAX_HAND_OFFS:
            go_on = HandOff(situation=Situation.ASKED_FOR_HUMAN, in_vain=True)
            return replace(state, step=Step.HANDING_OFF), (*lead, go_on)
    if situation in state.ladders:
        once = replace(state, ladders=state.ladders - {situation})
        return hand_off(once, situation, *lead)
    named: tuple[Action, ...] = (Name(situation=situation),) if situation else ()
    if used_up:
        # With a need known a call back may be owed: then it is not true that nobody will know.
        needed = "reason" in state.slots or state.asked_for_human
        return end(state, lines.NOT_CONFIRMED if needed else lines.NO_MESSAGE, "no_message")
    recording = replace(state, step=Step.RECORDING, recordings=state.recordings + 1)
    # The second is the last: nobody goes round between a recording and the ladder.
    zero_ends = recording.recordings == 1 and Situation.ASKED_FOR_HUMAN in state.ladders
    says = Say(line=lines.VOICEMAIL)
    return recording, (*named, *lead, says, Record(zero_ends=zero_ends))


def saved(state: State, given: Saved) -> Result:
    if state.step is Step.SAVING and state.call_back:
        line = handoff_lines.CALL_BACK_BOOKED.fill(business=state.business)
        return end(state, line, "callback_booked", lines.NOT_SAVED)
    if state.step is Step.SAVING:
        line = lines.MESSAGE_SAVED.fill(business=state.business)
        return end(state, line, "details_taken", lines.NOT_SAVED)
    if given.wants_human:
        return hand_off(replace(state, recorded=given.ok), Situation.ASKED_FOR_HUMAN)
    if given.ok:
        return _message_left(state)
    if given.not_kept:  # nor would another be
        return end(state, lines.NOT_SAVED, "not_saved")
    return record(state, lines.TECHNICAL_TROUBLE if given.failed else lines.NO_MESSAGE_HEARD)


def _message_left(state: State) -> Result:
    return end(state, lines.RECORDING_SAVED, "message_left", lines.NOT_SAVED)


def cannot_speak(state: State) -> Result:
    """What is left of the conversation without a voice: a recording, and the truth."""
    if state.ended:
        return end(state, lines.RECORDING_SAVED, "cannot_speak", lines.NOT_SAVED)
    return record(state, lines.TECHNICAL_TROUBLE, Situation.AGENT_FAULT)


def end(state: State, line: Line, reason: str, otherwise: Line | None = None) -> Result:
    ended = replace(state, step=Step.ENDED)
    return ended, (Say(line=line, otherwise=otherwise), End(reason=reason))
