"""Plain English for rungs and for what came back from them."""

from typing import Final

from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Queue,
    Rung,
    Transfer,
    Voicemail,
    Workflow,
)
from kai_ari.fallback.steps import CameBack

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
    CameBack.CALLER_OPTED_OUT: "was ended by the caller, who would rather not wait",
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
