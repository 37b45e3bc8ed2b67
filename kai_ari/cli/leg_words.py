"""The way to a person, a queue or a desk, in words."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import Ended, EndedBy, Event

_HOW = {
    leg.Acceptance.KEY: "by pressing 1",
    leg.Acceptance.QUEUE: "from the queue",
    leg.Acceptance.ANSWER: "by answering, which proves no person",
}
_KEYS = {"1": "to take the call", "2": "to decline", "3": "to have Kai take a message"}
_PARTED_BY = {
    EndedBy.CALLER: "the caller hung up",
    EndedBy.KAI: "Kai ended it, because nothing was heard",
    EndedBy.NETWORK: "the line broke",
    EndedBy.FAULT: "something in Kai failed",
}

#: What a rung comes to, and how a leg ends.
_RESULTS = {
    "accepted": "took the call",
    "answered_unconfirmed": "answered, which proves no person",
    "sent_on": "the call has left Kai",
    "given_back": "gave the caller back to Kai",
    "handoff_suspect": "cut off too soon to count",
    "cut_off": "cut off in the middle of their talk",
    "declined": "declined",
    "take_message": "asked Kai to take a message",
    "busy": "busy",
    "no_answer": "no answer",
    "unreachable": "cannot be reached",
    "refused_by_rules": "not permitted by the rules",
    "cancelled": "Kai stopped ringing",
    "caller_opted_out_of_waiting": "the caller would rather not wait",
    "caller_asked_for_next_person": "the caller asked for the next person",
    "caller_left": "the caller hung up",
    "dropped": "hung up",
    "taken_away": "was transferred elsewhere",
    "failed": "failed",
    "delivered": "took the case",
    "not_delivered": "did not take the case",
}
#: What the same means where nobody is called.
_RESULTS_OF = {
    "alert": {"delivered": "written down", "failed": "could not be written down"},
    "callback": {"delivered": "written down", "declined": "the caller does not want one"},
}
_WAYS = {
    "queue": "the queue {}",
    "alert": "an alert to {}",
    "callback": "a call back by {}",
    "voicemail": "a recorded message",
    "goodbye": "goodbye",
}


@dataclass(frozen=True, kw_only=True)
class Names:
    """Who the legs of a call are, and what its rungs are for, as far as its record knows."""

    legs: Mapping[str, str] = field(default_factory=dict)
    rungs: Mapping[str, leg.RungStarted] = field(default_factory=dict)

    def of(self, name: str) -> str:
        return self.legs.get(name, name)


def names_of(events: Iterable[Event]) -> Names:
    """A person who is rung at several places is told with the place."""
    history = tuple(events)
    started = {event.leg: event for event in history if isinstance(event, leg.LegStarted)}
    took = {event.leg: event.member for event in history if isinstance(event, leg.LegPickedUp)}
    legs = {}
    for name, event in started.items():
        places = {other.to for other in started.values() if other.who == event.who}
        if event.to.startswith("queue "):
            legs[name] = _phone(took[name]) if took.get(name) else f"the {event.to}"
        elif len(places) > 1 and event.to not in event.who:
            legs[name] = f"{event.who} at {event.to}"
        else:
            legs[name] = event.who or name
    rungs = {event.rung: event for event in history if isinstance(event, leg.RungStarted)}
    return Names(legs=legs, rungs=rungs)


def describe(event: Event, names: Names) -> str:
    return DESCRIBE[type(event)](event, names)


def tried(events: Iterable[Event]) -> Iterator[str]:
    """A line for each rung: who was tried, what came of it, how long they talked, which rule."""
    history = tuple(events)
    names = names_of(history)
    for place, event in enumerate(history):
        match event:
            case leg.RungSkipped():
                yield f"passed over: {event.why} [{event.rung}]"
            case leg.RungStarted(way="voicemail" | "goodbye"):
                yield f"{_what(event)} [{event.rung}]"
            case leg.RungStarted():
                came = list(_came(event, history[place + 1 :], names))
                yield f"{_what(event)}: {', '.join(came)} [{event.rung}]"


def _came(started: leg.RungStarted, later: Iterable[Event], names: Names) -> Iterator[str]:
    """What came of a rung until the next one, the talks with who took the call among it."""
    told, took = False, started.target
    for event in later:
        match event:
            case leg.RungStarted():  # others are passed over also while one is tried
                break
            case leg.LegAccepted():
                took = names.of(event.leg)
            case leg.LegParted():
                told = True
                yield f"talked {_lasted(event.lasted_ms)}"
            case leg.RungEnded(rung=rung, result=result) if rung == started.rung:
                told = True
                who = f"{took} " if result == "accepted" and took != started.target else ""
                yield f"{who}{_result(result, started.way)}"
            case Ended(by=EndedBy.CALLER) if not told:
                told = True
                yield "the caller hung up meanwhile"
    if not told:
        yield "nothing came of it yet"


def _what(started: leg.RungStarted) -> str:
    return _WAYS.get(started.way, "{}").format(started.target)


def _result(result: str, way: str = "") -> str:
    words = _RESULTS | _RESULTS_OF.get(way, {})
    return words.get(result, result.replace("_", " "))


def _lasted(ms: int) -> str:
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


# -- one line for each event -----------------------------------------------------------------


def _rung_started(e: leg.RungStarted, _: Names) -> str:
    match e.way:
        case "alert":
            what = f"{e.target} has to be told"
        case "callback":
            what = f"Kai offers {_what(e)}"
        case "voicemail":
            what = "Kai takes a recorded message"
        case "goodbye":
            what = "Kai says goodbye"
        case _:
            what = f"Kai tries {_what(e)}"
    return f"{what}. {e.why}. [{e.rung}]"


def _rung_ended(e: leg.RungEnded, names: Names) -> str:
    started = names.rungs.get(e.rung)
    if started is None:
        return f"{e.rung} came to: {_result(e.result)}"
    return f"{_what(started)}: {_result(e.result, started.way)}"


def _leg_started(e: leg.LegStarted, _: Names) -> str:
    if e.to.startswith("queue "):
        return f"Kai waits in the {e.to} for the caller"
    return f"Kai rings {e.who}" + (f" at {e.to}" if e.to not in e.who else "")


def _phone(member: str) -> str:
    """A member of a queue is a channel of Asterisk, such as PJSIP/101."""
    return f"phone {member.rpartition('/')[2]}"


def _picked_up(e: leg.LegPickedUp, names: Names) -> str:
    if e.member:
        return f"{_phone(e.member)} answered the queue"
    return f"the call to {names.of(e.leg)} was answered"


def _rang(e: leg.LegRang, names: Names) -> str:
    return f"ringing: {names.of(e.leg)}"


def _pressed(e: leg.LegPressed, names: Names) -> str:
    meaning = _KEYS.get(e.key)
    return f"{names.of(e.leg)} pressed {e.key}" + (f", {meaning}" if meaning else "")


def _parted(e: leg.LegParted, names: Names) -> str:
    who, lasted = names.of(e.leg), _lasted(e.lasted_ms)
    if e.given_back:
        return f"{who} gave the caller back to Kai after {lasted}"
    return f"the talk with {who} ended after {lasted}: {_PARTED_BY.get(e.by, f'{who} hung up')}"


def _leg_ended(e: leg.LegEnded, names: Names) -> str:
    result, reason = _result(e.result), e.reason.replace("_", " ")
    if e.result == "dropped" and e.reason != "hung_up":
        result = "broke off"
    facts = [f"SIP {e.sip}"] * bool(e.sip) + [f"cause {e.cause}"] * bool(e.cause)
    detail = ", ".join(filter(None, ["" if reason == result else reason, *facts]))
    told = f"the call to {names.of(e.leg)} is over: {result}"
    return told + (f" ({detail})" if detail else "")


def _flow(e: leg.AudioBothWays | leg.AudioOneWay, names: Names) -> str:
    return f"{e.from_caller} packets from the caller, {e.from_leg} from {names.of(e.leg)}"


def _conversed(e: leg.Conversed, names: Names) -> str:
    return f"the caller and {names.of(e.leg)} were both heard for {_lasted(e.lasted_ms)}"


def _booked(e: leg.CallbackBooked, _: Names) -> str:
    try:
        due = f"{datetime.fromisoformat(e.due).astimezone():%a %d %b %H:%M}"
    except ValueError:  # an older record, or a broken one: as it is
        due = e.due
    return f"to be called back on {e.number}, from {due} on"


DESCRIBE: dict[type[Event], Callable[[Any, Names], str]] = {
    leg.LadderStarted: lambda e, _: f"Kai goes by {e.ladder}",
    leg.RungSkipped: lambda e, _: f"passed over: {e.why}. [{e.rung}]",
    leg.RungStarted: _rung_started,
    leg.RungEnded: _rung_ended,
    leg.LegStarted: _leg_started,
    leg.LegRang: _rang,
    leg.LegPickedUp: _picked_up,
    leg.WhisperStarted: lambda e, names: f"Kai to {names.of(e.leg)}: {e.text}",
    leg.LegPressed: _pressed,
    leg.LegAccepted: lambda e, names: f"{names.of(e.leg)} took the call {_HOW[e.how]}",
    leg.LegJoined: lambda e, names: f"the caller and {names.of(e.leg)} are connected",
    leg.AudioBothWays: lambda e, names: f"both were heard: {_flow(e, names)}",
    leg.AudioOneWay: lambda e, names: f"not both were heard: {_flow(e, names)}",
    leg.Conversed: _conversed,
    leg.LegParted: _parted,
    leg.LegEnded: _leg_ended,
    leg.Acknowledged: lambda e, _: f"{e.workflow} took the case as {e.id}",
    leg.BlindTransferred: lambda e, _: f"Kai let go of the caller: {e.who} is rung at {e.to}",
    leg.CallbackBooked: _booked,
}
