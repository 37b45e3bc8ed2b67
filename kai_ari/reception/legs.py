"""The legs of a call that Kai makes to people, queues and desks.

    ring ──LegRinging──> ringing ──LegAnswered──> answered ──join──> with the caller
     └──────────┴──────────────── LegEnded ───────────┴──────────────────┘

`LiveCall` makes them; news of a leg comes through its signals, in order with the caller's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from string import ascii_lowercase

from kai_ari.calls.events import EndedBy, Event
from kai_ari.calls.leg_events import LegStarted

# -- where a leg goes ------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ToPhone:
    """A phone of the business: every contact registered for it rings."""

    extension: str


@dataclass(frozen=True, kw_only=True)
class ToNumber:
    """An outside number, in the form the trunk wants it dialled."""

    number: str
    trunk: str


@dataclass(frozen=True, kw_only=True)
class ToQueue:
    """A place in an Asterisk queue; the member who takes it is named when they answer."""

    queue: str


@dataclass(frozen=True, kw_only=True)
class ToDesk:
    """A SIP address outside, such as an answering service's."""

    uri: str


Destination = ToPhone | ToNumber | ToQueue | ToDesk


@dataclass(frozen=True, kw_only=True)
class LegRequest:
    """`leg` is a short name, unique on its call. `headers` are sent as SIP headers where the
    destination is SIP. Who is shown as calling is a wish: a trunk may not permit it."""

    leg: str
    to: Destination
    ring_s: int
    shown_number: str = ""
    shown_name: str = ""
    headers: dict[str, str] = field(default_factory=dict)


# -- what comes back -------------------------------------------------------------


class LegResult(StrEnum):
    """Why a leg ended. `DROPPED` and `TAKEN_AWAY` follow an answer, `CANCELLED` and `REFUSED` may;
    the others come instead."""

    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"  # not registered, offline, or never rang
    REFUSED = "refused_by_rules"  # the destination wanted to go on where Kai may not
    CANCELLED = "cancelled"  # by Kai
    DROPPED = "dropped"
    TAKEN_AWAY = "taken_away"  # transferred on by the far end
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class LegRinging:
    leg: str


@dataclass(frozen=True, kw_only=True)
class LegAnswered:
    """`member` is who of a queue took the call, "" elsewhere."""

    leg: str
    member: str = ""


@dataclass(frozen=True, kw_only=True)
class LegKey:
    leg: str
    key: str


@dataclass(frozen=True, kw_only=True)
class LegEnded:
    """`cause` is Q.850 and `sip` a SIP status, where Asterisk told them. `by` is who ended a leg
    that had been answered; None when it came to no answer."""

    leg: str
    result: LegResult
    cause: int | None
    sip: int | None
    reason: str
    by: EndedBy | None = None


LegSignal = LegRinging | LegAnswered | LegKey | LegEnded


@dataclass(frozen=True, kw_only=True)
class AudioFlow:
    """Packets of audio received so far: from the caller, and from the leg."""

    from_caller: int
    from_leg: int


def last_leg(history: Sequence[Event]) -> int:
    """The highest number in the names of the legs that a call has had: 4 of "leg4"; 0 of none.

    How many there were says less: of a group in turn, not everybody numbered is rung.
    """
    names = (event.leg for event in history if isinstance(event, LegStarted))
    return max((int(name.lstrip(ascii_lowercase)) for name in names), default=0)
