"""One call back, as the outside world makes it; and what the record of it says came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy, Event
from kai_ari.calls.follow_events import (
    CallBackResult,
    CallBackStarted,
    CalledOut,
    ObligationDue,
    OptedOut,
)
from kai_ari.calls.outcome import Headline, left_unfinished, outcome
from kai_ari.dialogue.turns import Why

#: The call back has led to something else that stands on record, and is itself done.
_CONCLUDED = {
    Headline.HANDED_OFF: "the case was handed on",
    Headline.DETAILS_TAKEN: "they left a message",
    Headline.MESSAGE_LEFT: "they left a message",
    Headline.CALLBACK_BOOKED: "another call back was booked",
}


@dataclass(frozen=True, kw_only=True)
class CallBack:
    """Call `number`, by a call of its own, `call`; `did` is the number of the business that they
    had called. `slots` has what is known of the matter."""

    call: CallId
    number: str
    did: str
    of_call: CallId
    obligation: str
    why: Why
    slots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of it. `kept` is the evidence that what was owed is done, `not_needed` who says
    that it need not be."""

    result: CallBackResult
    why: str = ""
    kept: str = ""
    not_needed: str = ""


class Dialler(Protocol):
    def channel_of(self, call: CallId) -> str:
        """What Asterisk will know the call by."""
        ...

    async def dial(self, call_back: CallBack) -> Came | None:
        """Make the call, to its end; None when somebody answered: its record tells the rest.

        Raises AsteriskError when nothing was dialled.
        """
        ...

    async def is_up(self, channel: str) -> bool:
        """Whether Asterisk still has the call. Raises AsteriskError when it cannot be asked."""
        ...


def came_of(call: CallId, history: Sequence[Event], of_call: Sequence[Event]) -> Came | None:
    """What the record of an answered call back says, with that of the call `of_call` that it was
    owed on. None: there is no such record."""
    called = next((event for event in history if isinstance(event, CalledOut)), None)
    if called is None:
        return None
    if opted_out := next((event for event in history if isinstance(event, OptedOut)), None):
        why = f"they opted out ({opted_out.source}: {opted_out.said})"
        return Came(result=CallBackResult.OPTED_OUT, why=why, not_needed="the caller")
    # Who was given back to Kai, and got no further, has not had what they were called for.
    facts = frozenset() if left_unfinished(history) else outcome(history).facts
    if Headline.HUMAN_CONNECTED in facts:
        kept = f"they talked with a person of the business (call {call})"
        return Came(result=CallBackResult.HUMAN_CONNECTED, kept=kept)
    for headline, what in _CONCLUDED.items():
        if headline in facts:
            kept = f"they were called back, and {what} (call {call})"
            return Came(result=CallBackResult.LATER, why=what, kept=kept)
    taken = {e.slot: e.value for e in history if isinstance(e, ev.SlotTaken)}
    ended = next((event for event in history if isinstance(event, ev.Ended)), None)
    if taken.get("call_back") == "not wanted":
        why = "they do not want it any more"
        return Came(result=CallBackResult.REJECTED, why=why, not_needed="the caller")
    if "call_again" in taken and _due_anew(called.for_obligation, of_call):
        return Came(result=CallBackResult.LATER, why=f"they asked for {taken['call_again']}")
    if called.answered == "machine" or (ended is not None and ended.reason == "machine"):
        return Came(result=CallBackResult.MACHINE, why=called.why)
    return _nothing(ended)


def _due_anew(obligation: str, of_call: Sequence[Event]) -> bool:
    """Whether a time was written since the latest attempt began: that is done before it is
    promised, and holds even if they hang up, or Kai dies, in the middle of the promise."""
    due = False
    for event in of_call:
        if isinstance(event, CallBackStarted | ObligationDue) and event.obligation == obligation:
            due = isinstance(event, ObligationDue)
    return due


def _nothing(ended: ev.Ended | None) -> Came:
    if ended is None or ended.reason in ("agent_died", "agent_stopped"):
        return Came(result=CallBackResult.UNCERTAIN, why="Kai ended in the middle of it")
    if ended.by is EndedBy.CALLER:
        return Came(result=CallBackResult.FAILED, why="answered, and hung up")
    why = f"answered, and nothing came of it ({ended.reason.replace('_', ' ')})"
    return Came(result=CallBackResult.FAILED, why=why)
