"""The facts of a call's way to a person, a queue or a desk, in the order they became true.

RungStarted, then for each phone rung: LegStarted (written before it rings), LegRang,
LegPickedUp, WhisperStarted, LegPressed, LegAccepted, LegJoined, AudioBothWays, Conversed,
LegParted, LegEnded; then RungEnded. `leg` is unique on its call.
"""

from dataclasses import dataclass
from enum import StrEnum

from kai_ari.calls.events import EndedBy, Event, Situation


class Acceptance(StrEnum):
    """How a person took the call. `ANSWER` proves that something picked up, and no more."""

    KEY = "key"
    QUEUE = "queue"  # a member declared attended took it from the queue
    ANSWER = "answer"


@dataclass(frozen=True, kw_only=True)
class LadderStarted(Event):
    kind = "ladder_started"
    situation: Situation
    ladder: str


@dataclass(frozen=True, kw_only=True)
class RungSkipped(Event):
    kind = "rung_skipped"
    rung: str
    why: str


@dataclass(frozen=True, kw_only=True)
class RungStarted(Event):
    """`rung` is where it stands in the rules; `why` is a plain sentence."""

    kind = "rung_started"
    rung: str
    way: str  # transfer, queue, workflow, alert, voicemail, callback, goodbye
    target: str
    why: str


@dataclass(frozen=True, kw_only=True)
class RungEnded(Event):
    kind = "rung_ended"
    rung: str
    result: str


@dataclass(frozen=True, kw_only=True)
class LegStarted(Event):
    """Kai is about to ring `who` at `to`."""

    kind = "leg_started"
    leg: str
    who: str
    to: str


@dataclass(frozen=True, kw_only=True)
class LegRang(Event):
    kind = "leg_rang"
    leg: str


@dataclass(frozen=True, kw_only=True)
class LegPickedUp(Event):
    """Somebody or something answered: a person, a mailbox, a queue's `member`."""

    kind = "leg_picked_up"
    leg: str
    member: str


@dataclass(frozen=True, kw_only=True)
class WhisperStarted(Event):
    """What Kai tells who answered, before they take the call."""

    kind = "whisper_started"
    leg: str
    text: str


@dataclass(frozen=True, kw_only=True)
class LegPressed(Event):
    kind = "leg_pressed"
    leg: str
    key: str


@dataclass(frozen=True, kw_only=True)
class LegAccepted(Event):
    kind = "leg_accepted"
    leg: str
    how: Acceptance


@dataclass(frozen=True, kw_only=True)
class LegJoined(Event):
    """The leg and the caller are in one bridge."""

    kind = "leg_joined"
    leg: str


@dataclass(frozen=True, kw_only=True)
class AudioBothWays(Event):
    """Packets of audio received since the joining, from either side more than none."""

    kind = "audio_both_ways"
    leg: str
    from_caller: int
    from_leg: int


@dataclass(frozen=True, kw_only=True)
class AudioOneWay(Event):
    """Until leg and caller were parted, audio came from one side only, or from none."""

    kind = "audio_one_way"
    leg: str
    from_caller: int
    from_leg: int


@dataclass(frozen=True, kw_only=True)
class Conversed(Event):
    """Audio flowed both ways for the minimum that the business asks for."""

    kind = "conversed"
    leg: str
    lasted_ms: int
    minimum_ms: int


@dataclass(frozen=True, kw_only=True)
class LegParted(Event):
    """Leg and caller are no longer in one bridge. `given_back` by a key of the person's."""

    kind = "leg_parted"
    leg: str
    by: EndedBy
    lasted_ms: int
    given_back: bool


@dataclass(frozen=True, kw_only=True)
class LegEnded(Event):
    """`cause` is Q.850, `sip` a SIP status, where Asterisk told them."""

    kind = "leg_ended"
    leg: str
    result: str
    cause: int | None
    sip: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Acknowledged(Event):
    """A connected workflow took the case, under its own `id`."""

    kind = "acknowledged"
    workflow: str
    id: str


@dataclass(frozen=True, kw_only=True)
class BlindTransferred(Event):
    """Kai has let go of the caller, for whom `who` is rung at `to`. It proves nothing more."""

    kind = "blind_transferred"
    who: str
    to: str


@dataclass(frozen=True, kw_only=True)
class CallbackBooked(Event):
    """A call back to `number` is due at `due` (ISO 8601 with offset)."""

    kind = "callback_booked"
    number: str
    due: str
