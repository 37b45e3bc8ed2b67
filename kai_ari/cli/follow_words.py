"""What was done about what is owed, in words."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from kai_ari.calls import follow_events as follow
from kai_ari.calls.events import Event, VoicemailFound
from kai_ari.calls.follow_events import CallBackResult, ReceiptResult, SendingResult

_CHANNELS = {
    "sms": "SMS",
    "email": "e-mail",
    "sip_message": "a message to their phone",
    "phone": "a phone call",
    "webhook": "a webhook",
}
_SENT = {
    SendingResult.ACCEPTED: "accepted for sending",
    SendingResult.FAILED: "not sent",
    SendingResult.UNCERTAIN: "nobody knows whether it was sent",
    SendingResult.REFUSED: "refused for good",
}
_HOW = {
    "sms": "by SMS",
    "sip_message": "by a message from their phone",
    "phone": "by a key on the phone",
    "command": "at the command line",
    "mail": "from the e-mail",
}
_CALLED_BACK = {
    CallBackResult.HUMAN_CONNECTED: "connected with a person",
    CallBackResult.LATER: "asked to be called later",
    CallBackResult.MACHINE: "an answering machine",
    CallBackResult.BUSY: "busy",
    CallBackResult.NO_ANSWER: "no answer",
    CallBackResult.REJECTED: "rejected",
    CallBackResult.UNREACHABLE: "cannot be reached",
    CallBackResult.INVALID: "there is no such number",
    CallBackResult.OPTED_OUT: "does not want to be called",
    CallBackResult.UNCERTAIN: "Kai was interrupted: it may have rung",
    CallBackResult.REFUSED: "not permitted, and not dialled",
    CallBackResult.FAILED: "failed",
}


def channel(name: str) -> str:
    return _CHANNELS.get(name, name)


def _why(why: str) -> str:
    return f": {why}" if why else ""


def _again(attempt: int) -> str:
    return f" (attempt {attempt})" if attempt > 1 else ""


def _when(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text).astimezone():%a %d %b %H:%M}"
    except ValueError:  # a broken record: as it is
        return text


def _sent(e: follow.SendingEnded) -> str:
    receipt = f" as {e.receipt}" if e.receipt else ""
    return f"notice {e.item} {_SENT[e.result]}{receipt}{_why(e.why)}"


def _receipt(e: follow.ReceiptCame) -> str:
    came = "was delivered" if e.result is ReceiptResult.DELIVERED else "did not arrive"
    return f"notice {e.item} {came}{_why(e.why)}"


DESCRIBE: dict[type[Event], Callable[[Any], str]] = {
    VoicemailFound: lambda e: (
        f"a voicemail of {e.duration_ms / 1000:.0f} s, left {_when(e.left_at)} without Kai, was"
        f" found in mailbox {e.mailbox} ({e.message})"
    ),
    follow.SendingStarted: lambda e: (
        f"Kai sends {channel(e.channel)} to {e.to}{_again(e.attempt)} [{e.item}]"
    ),
    follow.SendingEnded: _sent,
    follow.ReceiptCame: _receipt,
    follow.SendingGivenUp: lambda e: f"Kai gave up on notice {e.item}{_why(e.why)}",
    follow.AlertAcknowledged: lambda e: f"{e.by} knows of it, {_HOW.get(e.how, f'by {e.how}')}",
    follow.Escalated: lambda e: f"{e.to} is told next{_why(e.why)}",
    follow.CallBackAsked: lambda e: f"{e.by} asked for a call back ({e.how})",
    follow.CallBackStarted: lambda e: f"Kai calls back {e.number}{_again(e.attempt)}",
    follow.CallBackEnded: lambda e: f"the call back came to: {_CALLED_BACK[e.result]}{_why(e.why)}",
    follow.CalledOut: lambda e: (
        f"Kai called {e.number} for call {e.of_call}: a {e.answered} answered{_why(e.why)}"
    ),
    follow.ObligationDue: lambda e: f"now due {_when(e.due)}{_why(e.why)} ({e.obligation})",
    follow.MessageDeposited: lambda e: f"the message lies in mailbox {e.mailbox} as {e.message}",
    follow.MessageHeard: lambda e: f"the message was heard ({e.how})",
    follow.ObligationKept: lambda e: f"done: {e.evidence} ({e.obligation})",
    follow.ObligationBroken: lambda e: f"not done{_why(e.why)} ({e.obligation})",
    follow.ObligationCancelled: lambda e: f"not needed, says {e.by}{_why(e.why)} ({e.obligation})",
    follow.ObligationAssigned: lambda e: f"{e.by} gave it to {e.to} ({e.obligation})",
    follow.OptedOut: lambda e: f"{e.number} is not to be called any more ({e.source}: {e.said})",
    follow.CallerReplied: lambda e: f"the caller answered, {_HOW.get(e.channel, '')}: {e.said}",
    follow.RecordingDeleted: lambda e: f"recording {e.recording} was deleted{_why(e.why)}",
}
