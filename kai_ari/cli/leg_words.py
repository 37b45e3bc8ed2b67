"""What became of a way to a person, in words."""

from collections.abc import Callable
from typing import Any

from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy, Event

_HOW = {
    leg.Acceptance.KEY: "by pressing one",
    leg.Acceptance.QUEUE: "from the queue",
    leg.Acceptance.ANSWER: "by answering, which proves no person",
}

_RESULTS = {
    "accepted": "a person took the call",
    "answered_unconfirmed": "it was answered, but nobody took the call",
    "declined": "declined",
    "take_message": "asked Kai to take a message",
    "busy": "busy",
    "no_answer": "no answer",
    "unreachable": "cannot be reached",
    "refused_by_rules": "refused by the rules",
    "cancelled": "Kai stopped ringing",
    "caller_left": "the caller hung up",
    "dropped": "hung up",
    "taken_away": "was transferred elsewhere",
    "failed": "failed",
}


def result_in_words(result: str) -> str:
    return _RESULTS.get(result, result.replace("_", " "))


def _parted(e: leg.LegParted) -> str:
    seconds = f"{e.lasted_ms / 1000:.0f} s"
    if e.given_back:
        return f"{e.leg} gave the caller back to Kai after {seconds}"
    who = {EndedBy.CALLER: "the caller hung up", EndedBy.HUMAN: f"{e.leg} hung up"}
    return f"talk with {e.leg} over after {seconds}: {who.get(e.by, f'ended by {e.by.value}')}"


def _leg_ended(e: leg.LegEnded) -> str:
    facts = [f"SIP {e.sip}"] * bool(e.sip) + [f"cause {e.cause}"] * bool(e.cause)
    detail = ", ".join(filter(None, [e.reason.replace("_", " "), *facts]))
    return f"{e.leg} ended: {result_in_words(e.result)}" + (f" ({detail})" if detail else "")


def _flow(e: leg.AudioBothWays | leg.AudioOneWay) -> str:
    return f"{e.from_caller} packets from the caller, {e.from_leg} from {e.leg}"


DESCRIBE: dict[type[Event], Callable[[Any], str]] = {
    leg.LadderStarted: lambda e: f"{e.ladder} applies",
    leg.RungSkipped: lambda e: f"{e.rung} skipped: {e.why}",
    leg.RungStarted: lambda e: f"{e.rung}: {e.way} {e.target}".rstrip() + f" ({e.why})",
    leg.RungEnded: lambda e: f"{e.rung} came to: {result_in_words(e.result)}",
    leg.LegStarted: lambda e: f"Kai rings {e.who} at {e.to} ({e.leg})",
    leg.LegRang: lambda e: f"{e.leg} is ringing",
    leg.LegPickedUp: lambda e: f"{e.leg} was picked up" + (f" by {e.member}" if e.member else ""),
    leg.WhisperStarted: lambda e: f"Kai to {e.leg}: {e.text}",
    leg.LegPressed: lambda e: f"{e.leg} pressed {e.key}",
    leg.LegAccepted: lambda e: f"{e.leg} took the call {_HOW[e.how]}",
    leg.LegJoined: lambda e: f"caller and {e.leg} are connected",
    leg.AudioBothWays: lambda e: f"both were heard: {_flow(e)}",
    leg.AudioOneWay: lambda e: f"not both were heard: {_flow(e)}",
    leg.Conversed: lambda e: f"both were heard for {e.lasted_ms / 1000:.0f} s",
    leg.LegParted: _parted,
    leg.LegEnded: _leg_ended,
    leg.Acknowledged: lambda e: f"{e.workflow} took the case under {e.id}",
    leg.CallbackBooked: lambda e: f"call back to {e.number} booked for {e.due}",
}
