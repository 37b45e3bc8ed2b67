"""Something owed to a caller: written down before it is spoken, open until evidence closes it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from kai_ari.calls.call import CallId
from kai_ari.calls.events import ObligationWritten
from kai_ari.clock import require_zone


class Owed(StrEnum):
    DELIVER_MESSAGE = "deliver_message"
    CALL_BACK = "call_back"
    ALERT = "alert"  # somebody is to be told of this call


@dataclass(frozen=True, kw_only=True)
class Obligation:
    """`about` is what a person needs to act on it: name, number, reason, recording file.

    `due` is when it has to be done, or None for at once.
    """

    id: str
    call: CallId
    owed: Owed
    since: datetime
    about: dict[str, str]
    due: datetime | None = None

    def __post_init__(self) -> None:
        require_zone(self.since)
        if self.due is not None:
            require_zone(self.due)


def new_obligation(
    call: CallId, owed: Owed, *, since: datetime, about: dict[str, str], due: datetime | None = None
) -> tuple[Obligation, ObligationWritten]:
    """With an id of its own, and the event that goes with it."""
    made = Obligation(id=uuid4().hex[:16], call=call, owed=owed, since=since, about=about, due=due)
    return made, ObligationWritten(obligation=made.id, owed=owed.value)
