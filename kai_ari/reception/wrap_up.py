"""The ending of a call: what is owed and that it ended, in one transaction."""

from collections.abc import Sequence

from kai_ari.calls import events as ev
from kai_ari.calls.outcome import Headline, need_and_number, outcome
from kai_ari.dialogue.lines import WITHDRAWN
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about
from kai_ari.reception.record import CallRecord


async def conclude(record: CallRecord, ended: ev.Ended) -> None:
    if owes_call_back(record.history):
        await record.owe(Owed.CALL_BACK, about(record.history), then=[ended])
    else:
        await record.note(ended)


def owes_call_back(history: Sequence[ev.Event]) -> bool:
    """A stated need and a usable number, nothing concluded, and the need not taken back."""
    withdrawn = any(
        isinstance(event, ev.LineStarted) and event.line == WITHDRAWN.id for event in history
    )
    done = outcome(history).facts & {Headline.DETAILS_TAKEN, Headline.MESSAGE_LEFT}
    return not withdrawn and not done and need_and_number(history) is not None
