"""What still needs a person: every open obligation and every unresolved call. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record
from kai_ari.calls.events import Ended, Event
from kai_ari.calls.follow_events import (
    CallBackEnded,
    MessageDeposited,
    ReceiptCame,
    ReceiptResult,
    SendingEnded,
)
from kai_ari.followup.facts import Facts, facts_of
from kai_ari.followup.mailbox import mailbox_item
from kai_ari.followup.summary import shown_id
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.standing import Standing, standing

UNRESOLVED = "to find out what they needed"

_OWED = {
    Owed.DELIVER_MESSAGE: "a message to be read",
    Owed.CALL_BACK: "a call back",
    Owed.ALERT: "somebody to know of it",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`id` is what to name it by; `obligation` and `kind` are None for a call that nothing is owed
    on.

    `tried` says what Kai has done about it so far, each in a few words.
    """

    id: str
    call: CallId
    obligation: str | None
    kind: Owed | None
    owed: str
    since: datetime
    facts: Facts
    tried: tuple[str, ...]
    due: datetime | None = None
    assigned: str | None = None
    acknowledged_by: str | None = None

    def late(self, now: datetime) -> bool:
        return self.due is not None and self.due < now


def of_obligation(one: Obligation, history: Sequence[Event]) -> Entry:
    stands = standing(history, one.id) or Standing()
    facts = facts_of(history)
    return Entry(
        id=shown_id(one),
        call=one.call,
        obligation=one.id,
        kind=one.owed,
        owed=_OWED[one.owed],
        since=one.since,
        facts=facts,
        tried=(*map(str, facts.tried), *_done(one.id, history)),
        due=one.due or stands.due,
        assigned=stands.assigned,
        acknowledged_by=stands.acknowledged_by,
    )


def of_call(call: CallId, records: Sequence[Record]) -> Entry:
    """A call that has ended unresolved, with nothing owed; it has at least one record."""
    facts = facts_of([record.event for record in records])
    ended = next((r.at for r in records if isinstance(r.event, Ended)), records[-1].at)
    return Entry(
        id=call,
        call=call,
        obligation=None,
        kind=None,
        owed=UNRESOLVED,
        since=ended,
        facts=facts,
        tried=tuple(map(str, facts.tried)),
    )


def oldest_first(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.since, entry.id))


def _done(obligation: str, history: Sequence[Event]) -> list[str]:
    """What was done since, the latest of each kind: told, called back."""
    sent: dict[str, str] = {}
    calls: list[str] = []
    for event in history:
        if getattr(event, "obligation", None) != obligation:
            continue
        match event:
            case MessageDeposited():
                sent[mailbox_item(obligation)] = "in the mailbox"
            case SendingEnded(item=item) if item == mailbox_item(obligation):
                sent[item] = "not in the mailbox"
            case SendingEnded(item=item, result=result):
                sent[item] = f"{_channel(item)} {result.value}"
            case ReceiptCame(item=item, result=result):
                arrived = "delivered" if result is ReceiptResult.DELIVERED else "not delivered"
                sent[item] = f"{_channel(item)} {arrived}"
            case CallBackEnded(result=result):
                calls.append(f"called back: {result.value.replace('_', ' ')}")
    return [*sent.values(), *calls[-1:]]


def _channel(item: str) -> str:
    """Keys end with whom and how: "dana.sms" becomes "sms to dana"."""
    *_, who, channel = ("", *item.rsplit(".", 2))
    return f"{channel.replace('_', ' ')} to {who}"
