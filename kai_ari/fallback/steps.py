"""What comes back from a step, what the engine answers, and why."""

from dataclasses import dataclass
from enum import StrEnum

from kai_ari.fallback.rungs import Rule


class CameBack(StrEnum):
    """What a step came to. Nothing else can come back."""

    ACCEPTED = "accepted"  # by key, or by an attended queue member
    ANSWERED_UNCONFIRMED = "answered_unconfirmed"
    SENT_ON = "sent_on"  # a blind transfer: Kai has let go of the call
    GIVEN_BACK = "given_back"  # by the person, after they had accepted
    HANDOFF_SUSPECT = "handoff_suspect"  # accepted, and lost before it could count
    CUT_OFF = "cut_off"  # accepted and talked to, and then lost: nobody had hung up
    DECLINED = "declined"
    TAKE_MESSAGE = "take_message"  # the person asks Kai to take one
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    REFUSED_BY_RULES = "refused_by_rules"
    FAILED = "failed"
    CALLER_STOPPED_WAITING = "caller_opted_out_of_waiting"  # as ledgers have it: no opt-out
    CALLER_ASKED_ON = "caller_asked_for_next_person"  # and there is one, or this was only offered
    CALLER_LEFT = "caller_left"
    DELIVERED = "delivered"  # alert or callback written, case acknowledged, message stored
    NOT_DELIVERED = "not_delivered"


class Why(StrEnum):
    """Why a rule was chosen, or passed over."""

    # chosen
    FIRST = "first"
    AFTER = "after"  # what was tried before
    ASKED_AGAIN = "asked_again"
    NOTHING_LEFT = "nothing_left"
    # passed over: the rule's own conditions
    NOT_OPEN = "not_open"
    NOT_CLOSED = "not_closed"
    NOT_URGENT = "not_urgent"
    TOO_URGENT = "too_urgent"
    # passed over: this call
    TRIED = "tried"
    MESSAGE_WANTED = "message_wanted"
    # passed over: whom it would ring
    AWAY = "away"
    OFF_DUTY = "off_duty"
    NO_PHONE = "no_phone"
    OFFLINE = "offline"
    IN_USE = "in_use"
    NO_AGENT = "no_agent"
    ALL_PAUSED = "all_paused"
    NOT_KNOWN = "not_known"
    NOBODY_ON_CALL = "nobody_on_call"
    CALLER_THEMSELVES = "caller_themselves"
    KAI_ITSELF = "kai_itself"
    NOT_PERMITTED = "not_permitted"
    # passed over: ceilings that no configuration lifts
    TOO_MANY_RUNGS = "too_many_rungs"
    TOO_MANY_TRANSFERS = "too_many_transfers"
    TOO_LONG = "too_long"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """`sentence` says `why` plainly, without a full stop."""

    why: Why
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A rule that was looked at and passed over."""

    rule: Rule
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Callee:
    """One address to ring. `who` is a key of people, "" for a bare phone or number."""

    who: str
    name: str
    address: str  # an extension or E.164


@dataclass(frozen=True, kw_only=True)
class Try:
    """Do what `rule` says, ringing or waiting `limit_s` seconds at most, and tell what came back.

    `limit_s` is 0 where nobody waits. `callees` are those a transfer rings; `left_out`, why
    somebody else whom it names is not rung.
    """

    rule: Rule
    reason: Reason
    callees: tuple[Callee, ...] = ()
    left_out: tuple[Reason, ...] = ()
    limit_s: int = 0
    passed: tuple[Passed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class End:
    """The rung that ends the ladder: a voicemail, or a goodbye.

    `follow_up`: nobody was reached and nothing was taken, so an obligation must stand open
    before the goodbye is spoken.
    """

    rule: Rule
    reason: Reason
    follow_up: bool
    passed: tuple[Passed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Done:
    """The ladder has nothing to add: `came_back` from `rule` has settled it."""

    rule: Rule
    came_back: CameBack


@dataclass(frozen=True, kw_only=True)
class NoHuman:
    """The caller asked for a person, and there is none left to try: `passed` says why."""

    passed: tuple[Passed, ...]


Step = Try | End | Done
