"""The ending of a call: what is owed and that it ended, in one transaction."""

from collections.abc import Sequence

from kai_ari.calls import events as ev
from kai_ari.calls.follow_events import CalledOut
from kai_ari.calls.outcome import Headline, need_and_number, outcome, usable_number
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
    """Not owed yet, nothing concluded, and a number to call: for a need stated and not taken
    back, or for a person who was promised and with whom nothing proves that the caller talked.
    """
    withdrawn = any(
        isinstance(event, ev.LineStarted) and event.line == WITHDRAWN.id for event in history
    )
    result = outcome(history)
    owed = any(isinstance(e, ev.ObligationWritten) and e.owed == Owed.CALL_BACK for e in history)
    called_out = any(isinstance(event, CalledOut) for event in history)  # what for, is owed still
    if owed or called_out or result.facts & _CONCLUDED:
        return False
    if Headline.HANDOFF_SUSPECT in result.facts:
        return usable_number(history) is not None
    return not withdrawn and need_and_number(history) is not None
