"""Nothing is said that the record does not back.

Every line declares its claims; a claim is speakable only when the call's own history backs
it. A line with an unbacked claim is not spoken: its honest alternative is.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Final

from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy, Event, ObligationWritten
from kai_ari.calls.follow_events import CalledOut, OptedOut
from kai_ari.promises.obligation import Owed


class Claim(StrEnum):
    """What a sentence tells the caller to be true."""

    MESSAGE_SAVED = "message_saved"  # "your message is saved for the business"
    CALL_BACK_OWED = "call_back_owed"  # "that you want to be called back is written down"
    FOLLOW_UP_OWED = "follow_up_owed"  # "that you called is written down"
    TRYING = "trying"  # "I am trying Dana": a leg to somebody is up or ringing
    NOT_REACHED = "not_reached"  # "nobody can take your call": tried or looked up, in vain
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    WANTS_MESSAGE = "wants_message"  # "Dana asks me to take a message"
    CUT_OFF = "cut_off"  # "we were cut off"
    GIVEN_BACK = "given_back"  # "Dana has handed you back to me"
    HANDED_OFF = "handed_off"  # "the dispatcher has your case"
    OPTED_OUT = "opted_out"  # "your number is on the list of those we do not call"


History = Sequence[Event]


def _owed(*kinds: Owed) -> Callable[[History], bool]:
    """Of a call that Kai makes, what it is made for was owed before, and still is."""

    def backs(history: History) -> bool:
        if Owed.CALL_BACK in kinds and any(isinstance(e, CalledOut) for e in history):
            return True
        return any(isinstance(e, ObligationWritten) and e.owed in kinds for e in history)

    return backs


def _came_to(*results: str) -> Callable[[History], bool]:
    """The rung tried last came to one of these."""

    def backs(history: History) -> bool:
        ended = [event for event in history if isinstance(event, leg.RungEnded)]
        return bool(ended) and ended[-1].result in results

    return backs


def _trying(history: History) -> bool:
    ended = {event.leg for event in history if isinstance(event, leg.LegEnded)}
    return any(isinstance(e, leg.LegStarted) and e.leg not in ended for e in history)


def _not_reached(history: History) -> bool:
    """On the ladder something was tried or passed over, and no leg is up."""
    tried = any(isinstance(event, leg.RungEnded | leg.RungSkipped) for event in history)
    return tried and not _trying(history)


def _parted(*, given_back: bool) -> Callable[[History], bool]:
    """The last conversation with a person ended so, and not by the caller."""

    def backs(history: History) -> bool:
        parted = [event for event in history if isinstance(event, leg.LegParted)]
        if not parted or parted[-1].by is EndedBy.CALLER:
            return False
        return parted[-1].given_back is given_back

    return backs


def _acknowledged(history: History) -> bool:
    return any(isinstance(event, leg.Acknowledged) and event.id.strip() for event in history)


def _opted_out(history: History) -> bool:
    return any(isinstance(event, OptedOut) for event in history)


_BACKING: Final[dict[Claim, Callable[[History], bool]]] = {
    Claim.MESSAGE_SAVED: _owed(Owed.DELIVER_MESSAGE),
    Claim.CALL_BACK_OWED: _owed(Owed.CALL_BACK),
    Claim.FOLLOW_UP_OWED: _owed(Owed.CALL_BACK, Owed.ALERT),
    Claim.TRYING: _trying,
    Claim.NOT_REACHED: _not_reached,
    Claim.BUSY: _came_to("busy"),
    Claim.NO_ANSWER: _came_to("no_answer"),
    Claim.DECLINED: _came_to("declined"),
    Claim.UNREACHABLE: _came_to("unreachable", "failed", "refused_by_rules", "not_delivered"),
    Claim.WANTS_MESSAGE: _came_to("take_message"),
    Claim.CUT_OFF: _parted(given_back=False),
    Claim.GIVEN_BACK: _parted(given_back=True),
    Claim.HANDED_OFF: _acknowledged,
    Claim.OPTED_OUT: _opted_out,
}


def unbacked(claims: Iterable[Claim], history: Iterable[Event]) -> frozenset[Claim]:
    """The claims that nothing in `history` backs."""
    events = tuple(history)
    return frozenset(claim for claim in claims if not _BACKING[claim](events))
