"""What was done about what is owed, on the record of the call that it is owed for.

They follow ObligationWritten, most of them after Ended. `obligation` is its id there. A
notice is `item`, its key: SendingStarted is written before anything leaves, so a process
that is killed then leaves a sending that may have happened, never one that nobody knows of.
So do CallBackStarted and CallBackEnded for each time that Kai rings the caller back.
Instants are ISO 8601 with their offset.
"""

from dataclasses import dataclass
from enum import StrEnum

from kai_ari.calls.events import Event


class SendingResult(StrEnum):
    ACCEPTED = "accepted"  # the gateway has it
    FAILED = "failed"  # it has it not, and may take it later
    UNCERTAIN = "uncertain"  # nobody knows whether it has it
    REFUSED = "refused"  # it will never take it


class ReceiptResult(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"


class CallBackResult(StrEnum):
    HUMAN_CONNECTED = "human_connected"  # with a person of the business
    LATER = "later"  # the caller asked to be called at another time
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"  # there is no such number
    OPTED_OUT = "opted_out"
    UNCERTAIN = "uncertain"  # Kai died or lost Asterisk: it may have rung
    REFUSED = "refused"  # not permitted: nothing was dialled
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class SendingStarted(Event):
    """The notice is about to be handed to the gateway. `attempt` counts from 1."""

    kind = "sending_started"
    obligation: str
    item: str
    channel: str
    to: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class SendingEnded(Event):
    """`receipt` is the gateway's name for it, or empty."""

    kind = "sending_ended"
    obligation: str
    item: str
    result: SendingResult
    receipt: str
    why: str


@dataclass(frozen=True, kw_only=True)
class ReceiptCame(Event):
    kind = "receipt_came"
    obligation: str
    item: str
    result: ReceiptResult
    why: str


@dataclass(frozen=True, kw_only=True)
class SendingGivenUp(Event):
    """A dead letter: Kai will not try this notice again of itself."""

    kind = "sending_given_up"
    obligation: str
    item: str
    why: str


@dataclass(frozen=True, kw_only=True)
class AlertAcknowledged(Event):
    """`by` knows of it. `how`: sms, sip_message, phone, command, mail."""

    kind = "alert_acknowledged"
    obligation: str
    by: str
    how: str


@dataclass(frozen=True, kw_only=True)
class Escalated(Event):
    """Nobody acknowledged in time: `to` is told next. `step` counts from 1."""

    kind = "escalated"
    obligation: str
    step: int
    to: str
    why: str


@dataclass(frozen=True, kw_only=True)
class CallBackAsked(Event):
    """The first event of a record without a call: `by` wants somebody called back."""

    kind = "call_back_asked"
    how: str
    by: str


@dataclass(frozen=True, kw_only=True)
class CallBackStarted(Event):
    """The number is about to be dialled. `attempt` counts from 1."""

    kind = "call_back_started"
    obligation: str
    attempt: int
    number: str
    channel: str


@dataclass(frozen=True, kw_only=True)
class CallBackEnded(Event):
    kind = "call_back_ended"
    obligation: str
    attempt: int
    result: CallBackResult
    why: str


@dataclass(frozen=True, kw_only=True)
class CalledOut(Event):
    """The first event of the record of a call that Kai makes, for what another call owes.
    `answered`: person or machine, as far as their first words tell; `why` they tell so."""

    kind = "called_out"
    channel: str
    number: str
    of_call: str
    for_obligation: str
    answered: str
    why: str


@dataclass(frozen=True, kw_only=True)
class ObligationDue(Event):
    """From now on it is due at `due`."""

    kind = "obligation_due"
    obligation: str
    due: str
    why: str


@dataclass(frozen=True, kw_only=True)
class MessageDeposited(Event):
    """The recording lies in the Asterisk mailbox as `message`."""

    kind = "message_deposited"
    obligation: str
    mailbox: str
    message: str


@dataclass(frozen=True, kw_only=True)
class MessageHeard(Event):
    kind = "message_heard"
    obligation: str
    how: str


@dataclass(frozen=True, kw_only=True)
class ObligationKept(Event):
    """`evidence` says in plain words what proves it."""

    kind = "obligation_kept"
    obligation: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class ObligationBroken(Event):
    """What was owed was not done. A person should still look at it."""

    kind = "obligation_broken"
    obligation: str
    why: str


@dataclass(frozen=True, kw_only=True)
class ObligationCancelled(Event):
    """It is not needed any more, says `by`."""

    kind = "obligation_cancelled"
    obligation: str
    why: str
    by: str


@dataclass(frozen=True, kw_only=True)
class ObligationAssigned(Event):
    kind = "obligation_assigned"
    obligation: str
    to: str
    by: str


@dataclass(frozen=True, kw_only=True)
class OptedOut(Event):
    """`number` is on the list of those that Kai never rings; `said` is the evidence."""

    kind = "opted_out"
    number: str
    source: str
    said: str


@dataclass(frozen=True, kw_only=True)
class CallerReplied(Event):
    """The caller has answered notice `item`, which was sent to them."""

    kind = "caller_replied"
    obligation: str
    item: str
    channel: str
    said: str


@dataclass(frozen=True, kw_only=True)
class RecordingDeleted(Event):
    """Its file was removed; the record of it stays."""

    kind = "recording_deleted"
    recording: str
    why: str
