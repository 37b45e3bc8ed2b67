"""A message in a mailbox of the telephone system, as its envelope tells."""

from dataclasses import dataclass
from datetime import datetime

from kai_ari.clock import require_zone

#: Folders whose messages nobody has heard yet.
_NEW = frozenset({"INBOX", "Urgent"})


@dataclass(frozen=True, kw_only=True)
class Voicemail:
    """`box` is the mailbox with its context, such as 101@default. The caller's name and number
    are untrusted, and "" when withheld; `left_at` is by the telephone system's clock."""

    box: str
    id: str
    folder: str
    caller_name: str
    caller_number: str
    left_at: datetime
    duration_s: int

    def __post_init__(self) -> None:
        require_zone(self.left_at)

    @property
    def new(self) -> bool:
        return self.folder in _NEW
