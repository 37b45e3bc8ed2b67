"""How things stand at the instant of a decision, as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kai_ari.clock import require_zone
from kai_ari.people.availability import PbxState
from kai_ari.people.presence import Presence


@dataclass(frozen=True, kw_only=True)
class World:
    """`presence` is what people last said of themselves, `pbx` what Asterisk knows now.

    `reserved` are the extensions and E.164 numbers that another call rings or talks to;
    `caller` is the caller's own, None where it is not known.
    """

    at: datetime
    urgent: bool = False
    presence: Mapping[str, Presence] = field(default_factory=dict)
    pbx: PbxState = field(default_factory=PbxState)
    reserved: frozenset[str] = frozenset()
    caller: str | None = None

    def __post_init__(self) -> None:
        require_zone(self.at)
