"""Calls to write down, and what is owed for them."""

from dataclasses import replace
from datetime import UTC, datetime

from kai_ari.calls.call import CallId
from kai_ari.calls.events import Arrived, Ended, EndedBy, KeyPressed, ObligationWritten
from kai_ari.calls.follow_events import SendingStarted
from kai_ari.followup.outbox import ItemState, OutboxItem, Recipient
from kai_ari.promises.obligation import Obligation, Owed

A, B = CallId("aaaaaaaaaaaa"), CallId("bbbbbbbbbbbb")

ARRIVED = Arrived(
    channel="c1",
    did="100",
    caller_raw="(202) 555-0123",
    caller_name="Ann \ud800\0",
    caller_number="+12025550123",
    resumed_from=None,
)
KEY = KeyPressed(key="1")
LEFT = Ended(by=EndedBy.CALLER, cause=16, reason="hung_up")


def owed(call: CallId, name: str = "o1") -> tuple[ObligationWritten, Obligation]:
    obligation = Obligation(
        id=name,
        call=call,
        owed=Owed.CALL_BACK,
        since=datetime(2026, 11, 22, 9, tzinfo=UTC),
        about={"number": "+12025550123"},
    )
    return ObligationWritten(obligation=name, owed="call_back"), obligation


NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)

#: A notice about the obligation of call A, and its first sending.
ITEM = OutboxItem(
    key="o1/sms/dana",
    obligation="o1",
    call=A,
    channel="sms",
    to=Recipient(person="dana", name="Dana", address="+12125550142"),
    body={"short": "Call Ann", "urgent": True, "html": None},
    created_at=NINE,
    next_at=NINE,
)


def started(item: OutboxItem) -> tuple[OutboxItem, SendingStarted]:
    """The item with its next sending begun, and the event that says so."""
    now = replace(item, state=ItemState.SENDING, attempts=item.attempts + 1)
    return now, SendingStarted(
        obligation=item.obligation,
        item=item.key,
        channel=item.channel,
        to=item.to.address,
        attempt=now.attempts,
    )


SENDING = started(ITEM)
