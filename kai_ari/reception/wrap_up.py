"""The ending of a call: what is owed and that it ended, in one transaction."""

from collections.abc import Sequence

from kai_ari.calls import events as ev
from kai_ari.calls.follow_events import CalledOut
from kai_ari.calls.outcome import (
    Headline,
    left_unfinished,
    need_and_number,
    outcome,
    usable_number,
)
from kai_ari.dialogue.lines import WITHDRAWN
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about
from kai_ari.reception.record import CallRecord

#: After one of these the caller has what they called for, or it is owed already.
_CONCLUDED = frozenset(Headline) - {
    Headline.HANDOFF_SUSPECT,
    Headline.CALLER_LEFT,
    Headline.UNRESOLVED,
}


async def conclude(record: CallRecord, ended: ev.Ended) -> None:
    if owes_call_back(record.history):
        await record.owe(Owed.CALL_BACK, about(record.history), then=[ended])
    else:
        await record.note(ended)


def owes_call_back(history: Sequence[ev.Event]) -> bool:
    """Not owed yet, not forbidden, and a number to call: for a hand-off that was the last to come
    of the call and is unfinished, or, with nothing concluded, for a need stated. A need that was
    taken back is none; but who was cut off has not got what was promised.
    """
    result = outcome(history)
    owed = any(isinstance(e, ev.ObligationWritten) and e.owed == Owed.CALL_BACK for e in history)
    called_out = any(isinstance(event, CalledOut) for event in history)  # what for, is owed still
    if owed or called_out or Headline.OPTED_OUT in result.facts:
        return False
    if result.headline is Headline.HANDOFF_SUSPECT:
        return usable_number(history) is not None
    if any(isinstance(e, ev.LineStarted) and e.line == WITHDRAWN.id for e in history):
        return False
    if left_unfinished(history):
        return usable_number(history) is not None
    return not result.facts & _CONCLUDED and need_and_number(history) is not None
