"""The vocabulary of the conversation: its state, what comes in, what comes out."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from kai_ari.calls.events import EndedBy, Situation
from kai_ari.dialogue.endpointing import Expect
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.when import When


class Step(StrEnum):
    REASON = "reason"
    NAME = "name"
    OFFER = "offer"  # the caller id as the number
    NUMBER = "number"
    CONFIRM = "confirm"
    CHANGE = "change"
    RECORDING = "recording"
    SAVING = "saving"
    WHY_HUMAN = "why_human"
    HANDING_OFF = "handing_off"
    # with somebody whom Kai has called, or who wants never to be called
    CALLED = "called"
    TO_MACHINE = "to_machine"
    WHEN = "when"
    POSTPONING = "postponing"
    OPTING_OUT = "opting_out"
    # with somebody of the business who is told what is owed
    TELLING = "telling"
    ACKNOWLEDGING = "acknowledging"
    CALLING_THROUGH = "calling_through"
    ENDED = "ended"


EXPECTS: Final = {
    Step.REASON: Expect.OPEN,
    Step.WHY_HUMAN: Expect.OPEN,
    Step.NAME: Expect.NAME,
    Step.OFFER: Expect.YES_NO,
    Step.NUMBER: Expect.NUMBER,
    Step.CONFIRM: Expect.YES_NO,
    Step.CHANGE: Expect.CHOICE,
    Step.CALLED: Expect.CHOICE,
    Step.WHEN: Expect.CHOICE,
}

# -- what comes in ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Started:
    greeting: str
    resumed: bool = False


class Why(StrEnum):
    """Why Kai calls somebody."""

    ASKED = "asked"  # they wanted to be called back
    CUT_OFF = "cut_off"  # they called, and nothing came of it
    TOLD_TO = "told_to"  # the business wants them called


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Whom Kai has called has answered, or their machine has."""

    why: Why
    machine: bool = False


@dataclass(frozen=True, kw_only=True)
class Alerted:
    """Somebody of the business has answered, to be told `what` is owed. `callable`: the caller
    whom it is owed to may be called back."""

    what: str
    callable: bool


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Words of the caller's; "" when there was voice but no words in it."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A cough or a click that cut a line off: the caller may not know the question."""


@dataclass(frozen=True, kw_only=True)
class Pressed:
    key: str


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Nothing came for as long as the question allows."""


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What `Save` or `Record` came to: an obligation stands in the ledger, or none.

    `failed` tells a recording that could not be made from one without a message in it;
    `not_kept`: it was made, and whatever is in it could not be kept. `wants_human`: the caller
    ended it for a person.
    """

    ok: bool
    failed: bool = False
    not_kept: bool = False
    wants_human: bool = False


class LadderEnd(StrEnum):
    """Where a ladder left the caller."""

    VOICEMAIL = "voicemail"
    CALL_BACK = "call_back"  # they are to be called back, if they like and can be
    FOLLOW_UP = "follow_up"  # nobody was reached, and this was written down
    NOTHING = "nothing"  # nobody was reached, and nothing can be done for them
    HUMAN_ENDED = "human_ended"  # they talked with a person, who has hung up
    SENT_ON = "sent_on"  # Kai has let go of them: a blind transfer
    HANDED_OFF = "handed_off"  # somebody else has the case now
    NEVER_AGAIN = "never_again"  # they want no more calls from the business


@dataclass(frozen=True, kw_only=True)
class LadderEnded:
    """What `HandOff` came to. `who` it was handed to; what the caller `said` for NEVER_AGAIN."""

    end: LadderEnd
    who: str = ""
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class CannotListen:
    """No recogniser works: keys and recordings are left."""


@dataclass(frozen=True, kw_only=True)
class CannotSpeak:
    """No voice works: only the lines that ship as recordings can be spoken."""


Input = (
    Started
    | Reached
    | Alerted
    | Heard
    | Noise
    | Pressed
    | Silence
    | Saved
    | LadderEnded
    | CannotListen
    | CannotSpeak
)

# -- what comes out --------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Say:
    """`otherwise` is spoken instead when a claim of `line` is not backed."""

    line: Line
    otherwise: Line | None = None


@dataclass(frozen=True, kw_only=True)
class Take:
    slot: str
    value: str
    how: str


@dataclass(frozen=True, kw_only=True)
class Confirm:
    slots: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Name:
    situation: Situation


@dataclass(frozen=True, kw_only=True)
class Save:
    """Write the obligation to deliver what was confirmed; answered by `Saved`."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """Record a message, check and store it; answered by `Saved`.

    `zero_ends` it, as hash does, for who would rather have a person.
    """

    zero_ends: bool = False


@dataclass(frozen=True, kw_only=True)
class HandOff:
    """Go the ladder of this situation, or on with it; answered by `LadderEnded`.

    `in_vain`: what it led to, a call back or a voicemail, came to nothing.
    """

    situation: Situation
    in_vain: bool = False


@dataclass(frozen=True, kw_only=True)
class BookCallback:
    """Write down that the caller is to be called back; answered by `Saved`."""

    number: str


@dataclass(frozen=True, kw_only=True)
class OptOut:
    """Put the number on the list of those never called; answered by `Saved`. `how`: key, call."""

    how: str
    said: str


@dataclass(frozen=True, kw_only=True)
class Postpone:
    """Call again then; answered by `Saved`."""

    when: When


@dataclass(frozen=True, kw_only=True)
class Acknowledge:
    """Whoever was told knows, and takes care of it; answered by `Saved`."""


@dataclass(frozen=True, kw_only=True)
class CallThrough:
    """Connect them with the caller, who is rung for it; answered by `LadderEnded`."""


@dataclass(frozen=True, kw_only=True)
class End:
    """`by` is who ended the call: Kai hangs up in any case."""

    reason: str
    by: EndedBy = EndedBy.KAI


Action = (
    Say
    | Take
    | Confirm
    | Name
    | Save
    | Record
    | HandOff
    | BookCallback
    | OptOut
    | Postpone
    | Acknowledge
    | CallThrough
    | End
)


@dataclass(frozen=True, kw_only=True)
class State:
    business: str
    caller_number: str | None
    step: Step = Step.REASON
    slots: dict[str, str] = field(default_factory=dict)
    digits: str = ""  # of a number being said or typed in parts
    question: tuple[Line, ...] = ()  # what `*` and "what?" say again
    misses: int = 0
    silences: int = 0
    corrections: int = 0
    recordings: int = 0
    recorded: bool = False  # one of them is a message that stands
    asked_for_human: int = 0
    hand_offs: int = 0
    turns: int = 0
    caller_id_refused: bool = False
    ladders: frozenset[Situation] = frozenset()  # situations that the business has rungs for
    call_back: bool = False  # the number asked for is one to be called back on
    may_call: bool = False  # whom an alert is about
    called_out: bool = False  # Kai has called them

    @property
    def expect(self) -> Expect:
        return EXPECTS.get(self.step, Expect.OPEN)

    @property
    def ended(self) -> bool:
        return self.step is Step.ENDED
