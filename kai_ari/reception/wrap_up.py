"""The ending of a call: what is owed and that it ended, in one transaction."""

from collections.abc import Sequence

from kai_ari.calls import events as ev
from kai_ari.calls.outcome import Headline, need_and_number, outcome
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about
from kai_ari.reception.record import CallRecord

#: The caller took the need back: nothing is owed.
WITHDRAWN = "withdrawn"


async def conclude(record: CallRecord, ended: ev.Ended) -> None:
    if owes_call_back(record.history, ended):
        await record.owe(Owed.CALL_BACK, about(record.history), ended)
    else:
        await record.note(ended)


def owes_call_back(history: Sequence[ev.Event], ended: ev.Ended) -> bool:
    """A stated need and a usable number, nothing concluded, and the need not taken back."""
    done = outcome(history).facts & {Headline.DETAILS_TAKEN, Headline.MESSAGE_LEFT}
    return ended.reason != WITHDRAWN and not done and need_and_number(history) is not None
