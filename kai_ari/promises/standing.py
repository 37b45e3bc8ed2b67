"""How one obligation stands: a pure function of the events of its call."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from kai_ari.calls import follow_events as follow
from kai_ari.calls.events import Event, ObligationWritten
from kai_ari.calls.leg_events import CallbackBooked
from kai_ari.promises.obligation import Owed


class State(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    CANCELLED = "cancelled"


#: What may still become of it. Late is better than never: what was broken may yet be kept.
NEXT: Final[dict[State, frozenset[State]]] = {
    State.OPEN: frozenset({State.KEPT, State.BROKEN, State.CANCELLED}),
    State.BROKEN: frozenset({State.KEPT, State.CANCELLED}),
    State.KEPT: frozenset(),
    State.CANCELLED: frozenset(),
}

_BECOMES: Final[dict[type[Event], State]] = {
    follow.ObligationKept: State.KEPT,
    follow.ObligationBroken: State.BROKEN,
    follow.ObligationCancelled: State.CANCELLED,
}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`closed_by` is the evidence or the reason that closed it, in plain words.

    `attempt` is the call back that is under way or was cut short by Kai's own death: its
    start was written, its end was not. `attempts` counts those begun.
    """

    state: State = State.OPEN
    due: datetime | None = None
    assigned: str | None = None
    acknowledged_by: str | None = None
    heard: bool = False
    step: int = 0  # of the escalation, the first one being 0
    attempts: int = 0
    attempt: int | None = None
    last_result: follow.CallBackResult | None = None
    closed_by: str | None = None


def standing(history: Iterable[Event], obligation: str) -> Standing | None:
    """None when the history does not owe it. Total: what cannot follow changes nothing."""
    now: Standing | None = None
    booked: datetime | None = None
    for event in history:
        if now is None:
            match event:
                case CallbackBooked(due=due):
                    booked = _instant(due)
                case ObligationWritten(obligation=name, owed=owed) if name == obligation:
                    now = Standing(due=booked if owed == Owed.CALL_BACK else None)
        elif getattr(event, "obligation", None) == obligation:
            now = _after(now, event)
    return now


def _after(now: Standing, event: Event) -> Standing:
    match event:
        case follow.ObligationDue(due=due):
            return replace(now, due=_instant(due))
        case follow.ObligationAssigned(to=to):
            return replace(now, assigned=to)
        case follow.AlertAcknowledged(by=by):
            return replace(now, acknowledged_by=now.acknowledged_by or by)
        case follow.MessageHeard():
            return replace(now, heard=True)
        case follow.Escalated(step=step):
            return replace(now, step=max(now.step, step))
        case follow.CallBackStarted(attempt=attempt):
            return replace(now, attempts=now.attempts + 1, attempt=attempt)
        case follow.CallBackEnded(attempt=attempt, result=result):
            up = None if attempt == now.attempt else now.attempt
            return replace(now, last_result=result, attempt=up)
    return _closed(now, event)


def _closed(now: Standing, event: Event) -> Standing:
    state = _BECOMES.get(type(event))
    if state is None or state not in NEXT[now.state]:
        return now
    why: str = event.evidence if isinstance(event, follow.ObligationKept) else event.why  # type: ignore[attr-defined]
    return replace(now, state=state, closed_by=why)


def _instant(text: str) -> datetime | None:
    """None where the record has no instant: it is due at once, rather than never."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.utcoffset() is not None else None
    except (ValueError, OverflowError):
        return None
