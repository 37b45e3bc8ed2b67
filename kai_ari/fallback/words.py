"""Plain English for rungs and for what came back from them."""

from typing import Final

from kai_ari.calls.events import Situation
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Kind,
    Queue,
    Rung,
    Transfer,
    Voicemail,
    Workflow,
)
from kai_ari.fallback.steps import CameBack, Try

CALLER: Final = {
    Situation.ASKED_FOR_HUMAN: "asks for a person",
    Situation.URGENT: "says that it is urgent",
    Situation.NOT_UNDERSTOOD: "cannot be understood",
    Situation.OUT_OF_SCOPE: "wants something that Kai does not do",
    Situation.AFTER_HOURS: "calls outside business hours",
    Situation.AGENT_FAULT: "meets a fault in Kai",
    Situation.CALLER_SILENT: "stays silent",
}
RECORDED: Final = (
    "Kai records a message, stores it, makes a note to pass it on, and only then tells the caller"
    " that it is saved. The call ends there."
)

_CAME_BACK: Final = {
    CameBack.ACCEPTED: "was accepted",
    CameBack.ANSWERED_UNCONFIRMED: "was answered, but not confirmed",
    CameBack.SENT_ON: "has left Kai's hands",
    CameBack.GIVEN_BACK: "was accepted, and then the caller was given back",
    CameBack.HANDOFF_SUSPECT: "was accepted, but broke off too soon to count",
    CameBack.CUT_OFF: "was accepted, and the two were cut off in the middle of their talk",
    CameBack.DECLINED: "was declined",
    CameBack.TAKE_MESSAGE: "was answered with the wish that Kai takes a message",
    CameBack.BUSY: "found the line busy",
    CameBack.NO_ANSWER: "was not answered",
    CameBack.UNREACHABLE: "reached no telephone",
    CameBack.REFUSED_BY_RULES: "is not permitted by the rules",
    CameBack.FAILED: "failed",
    CameBack.CALLER_STOPPED_WAITING: "was ended by the caller, who would rather not wait",
    CameBack.CALLER_ASKED_ON: "was ended by the caller, who asked for the next person",
    CameBack.CALLER_LEFT: "ended when the caller hung up",
    CameBack.DELIVERED: "was done",
    CameBack.NOT_DELIVERED: "came to nothing",
}


def name_of(rung: Rung) -> str:
    match rung:
        case Transfer(to=to):
            return f"the transfer to {to.name}"
        case Queue(name=name):
            return f"the wait in the queue {name}"
        case Workflow(name=name, takes_calls=True):
            return f"the call to {name}"
        case Workflow(name=name):
            return f"the case for {name}"
        case Alert(to=to):
            return f"the alert to {to.name}"
        case Callback(by=by):
            return f"the call back by {by.name}"
        case Voicemail():
            return "the voicemail"
        case Goodbye():
            return "the goodbye"


def target_of(rung: Rung) -> str:
    """Who a rung is for, as the record names it."""
    match rung:
        case Transfer(to=to) | Alert(to=to) | Callback(by=to):
            return to.name
        case Queue(name=name) | Workflow(name=name):
            return name
        case Voicemail() | Goodbye():
            return ""


def spoken(step: Try) -> str:
    """Who is tried, as the caller hears it."""
    rung = step.rule.rung
    if isinstance(rung, Workflow):
        return rung.name
    if isinstance(rung, Transfer):
        people = {callee.name for callee in step.callees if callee.who}
        if len(people) == 1 and all(callee.who for callee in step.callees):
            return people.pop()
        if rung.to.kind in (Kind.PHONE, Kind.NUMBER):
            return "a colleague"
    return "our team"


def outcome_of(rung: Rung, came_back: CameBack) -> str:
    """Such as "The transfer to Dana was not answered"."""
    return capital(f"{name_of(rung)} {_CAME_BACK[came_back]}")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def listed(names: tuple[str, ...], joint: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {joint} {names[-1]}"


def duration(seconds: int) -> str:
    """ "25 seconds", "2 minutes", "1 minute 30 seconds"."""
    minutes, rest = divmod(seconds, 60)
    parts = ((minutes, "minute"), (rest, "second"))
    told = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return " ".join(told) or "0 seconds"
