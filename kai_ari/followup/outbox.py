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
    """The states in which the item may stand, by what its call's record says of it last."""
    last: Event | None = None
    for event in history:
        if getattr(event, "item", None) == item:
            last = event
    match last:
        case follow.SendingStarted():
            return frozenset({_S.SENDING})
        case follow.SendingEnded(result=SendingResult.ACCEPTED):
            return frozenset({_S.SENT, _S.UNCONFIRMED, _S.DELIVERED, _S.CANCELLED})
        case follow.SendingEnded(result=SendingResult.UNCERTAIN):
            return frozenset({_S.QUEUED, _S.UNCONFIRMED, _S.CANCELLED})
        case follow.SendingEnded():
            return frozenset({_S.QUEUED, _S.CANCELLED})
        case follow.ReceiptCame(result=ReceiptResult.DELIVERED):
            return frozenset({_S.DELIVERED})
        case follow.ReceiptCame():
            return frozenset({_S.QUEUED, _S.UNCONFIRMED, _S.CANCELLED})
        case follow.SendingGivenUp():
            return frozenset({_S.DEAD, _S.QUEUED, _S.CANCELLED})
    return frozenset({_S.QUEUED, _S.CANCELLED})


def attempts(history: Iterable[Event], item: str) -> int:
    """How many sendings of the item were begun."""
    return sum(isinstance(e, follow.SendingStarted) and e.item == item for e in history)
