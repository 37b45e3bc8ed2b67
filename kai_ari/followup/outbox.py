"""A notice on its way: what is to be sent, to whom, and how far it has come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from kai_ari.calls import follow_events as follow
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import ReceiptResult, SendingResult
from kai_ari.clock import require_zone
from kai_ari.errors import LedgerError


class ItemState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"  # handed to a gateway, or about to be: it may have arrived
    SENT = "sent"  # the gateway has it; a receipt follows
    UNCONFIRMED = "unconfirmed"  # sent, and no receipt will ever come
    DELIVERED = "delivered"
    DEAD = "dead"  # a dead letter
    CANCELLED = "cancelled"  # nobody needs it any more


_S = ItemState

#: From each state to which others: a pair that is not here is refused (Overtaken).
NEXT: Final[dict[ItemState, frozenset[ItemState]]] = {
    _S.QUEUED: frozenset({_S.QUEUED, _S.SENDING, _S.DEAD, _S.CANCELLED}),
    _S.SENDING: frozenset(
        {_S.SENT, _S.UNCONFIRMED, _S.DELIVERED, _S.QUEUED, _S.DEAD, _S.CANCELLED}
    ),
    _S.SENT: frozenset({_S.SENT, _S.DELIVERED, _S.UNCONFIRMED, _S.QUEUED, _S.DEAD, _S.CANCELLED}),
    _S.UNCONFIRMED: frozenset({_S.UNCONFIRMED, _S.DELIVERED, _S.QUEUED, _S.DEAD, _S.CANCELLED}),
    _S.DELIVERED: frozenset({_S.DELIVERED}),
    _S.DEAD: frozenset({_S.DEAD, _S.DELIVERED, _S.QUEUED, _S.CANCELLED}),  # a late receipt
    _S.CANCELLED: frozenset({_S.CANCELLED, _S.DELIVERED}),
}


class Overtaken(LedgerError):
    """Somebody else has changed this meanwhile: look again before going on."""

    code = "overtaken"


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """`person` is a key of `people`, or empty; `address` is what the channel sends to."""

    person: str
    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class OutboxItem:
    """`key` is the same for the same notice however often it is planned or sent.

    `body` is the notice as JSON values. `attempts` counts the sendings begun.
    """

    key: str
    obligation: str
    call: CallId
    channel: str
    to: Recipient
    body: Mapping[str, str | bool | None]
    created_at: datetime
    next_at: datetime
    state: ItemState = ItemState.QUEUED
    attempts: int = 0
    receipt: str = ""
    error: str = ""

    def __post_init__(self) -> None:
        require_zone(self.created_at)
        require_zone(self.next_at)


def permitted(history: Iterable[Event], item: str) -> frozenset[ItemState]:
    """The states in which the item may stand, by what its call's record says of it."""
    may = frozenset({_S.QUEUED, _S.CANCELLED})
    for event in history:
        if getattr(event, "item", None) == item:
            may = _after(may, event)
    return may


_ENDED: Final[dict[SendingResult, frozenset[ItemState]]] = {
    SendingResult.ACCEPTED: frozenset({_S.SENT, _S.UNCONFIRMED, _S.DELIVERED, _S.CANCELLED}),
    SendingResult.UNCERTAIN: frozenset({_S.QUEUED, _S.UNCONFIRMED, _S.CANCELLED}),
    SendingResult.FAILED: frozenset({_S.QUEUED, _S.CANCELLED}),
    SendingResult.REFUSED: frozenset({_S.QUEUED, _S.CANCELLED}),
}


def _after(may: frozenset[ItemState], event: Event) -> frozenset[ItemState]:
    delivered = frozenset({_S.DELIVERED})
    if may == delivered:  # what arrived once stays delivered, whatever else is said of it
        return may
    match event:
        case follow.SendingStarted():
            return frozenset({_S.SENDING})
        case follow.SendingEnded(result=result):
            return _ENDED[result]
        case follow.ReceiptCame(result=ReceiptResult.DELIVERED):
            return delivered
        case follow.ReceiptCame():  # perhaps of an earlier sending than the latest
            return may | {_S.QUEUED, _S.CANCELLED}
        case follow.SendingGivenUp():
            return frozenset({_S.DEAD, _S.QUEUED, _S.CANCELLED})
    return may


def attempts(history: Iterable[Event], item: str) -> int:
    """How many sendings of the item were begun."""
    return sum(isinstance(e, follow.SendingStarted) and e.item == item for e in history)
