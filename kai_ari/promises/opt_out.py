"""Numbers that are never rung or written to, and how people say so. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kai_ari.clock import require_zone


class Listed(StrEnum):
    OUT = "out"
    IN = "in"  # they asked for it to be taken back


@dataclass(frozen=True, kw_only=True)
class OptOut:
    """One entry of the list; the last one of a number holds.

    `number` is E.164 or an internal extension. `source`: call, key, sms, command, import.
    `evidence` is what was said or written, by whom.
    """

    number: str
    state: Listed
    source: str
    at: datetime
    evidence: str

    def __post_init__(self) -> None:
        require_zone(self.at)
