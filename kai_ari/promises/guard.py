"""Nothing is said that the record does not back.

Every line declares its claims; a claim is speakable only when an event in the call's own
history backs it. A line with an unbacked claim is not spoken: its honest alternative is.
"""

from collections.abc import Iterable
from enum import StrEnum

from kai_ari.calls.events import Event, ObligationWritten
from kai_ari.promises.obligation import Owed


class Claim(StrEnum):
    MESSAGE_SAVED = "message_saved"  # "your message is saved for the business"


def _backs(claim: Claim, event: Event) -> bool:
    match claim:
        case Claim.MESSAGE_SAVED:
            return isinstance(event, ObligationWritten) and event.owed == Owed.DELIVER_MESSAGE


def unbacked(claims: Iterable[Claim], history: Iterable[Event]) -> frozenset[Claim]:
    """The claims that no event in `history` backs."""
    events = tuple(history)
    return frozenset(c for c in claims if not any(_backs(c, event) for event in events))
