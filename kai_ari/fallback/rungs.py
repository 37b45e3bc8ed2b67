"""Ladders as data: what a business chose to try, in which order, and under which conditions.

Ladder ── Rule ── Rung ── Target
          (when, where it is written)
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class When(StrEnum):
    """Conditions on a rule; several of them must all hold."""

    OPEN = "open"
    CLOSED = "closed"
    URGENT = "urgent"
    NOT_URGENT = "not_urgent"


class Mode(StrEnum):
    ALL = "all"  # all ring at once, the first to accept has the call
    IN_TURN = "in_turn"


class Kind(StrEnum):
    PERSON = "person"
    TEAM = "team"
    ROTA = "rota"
    PHONE = "phone"  # an extension that is nobody's in particular
    NUMBER = "number"  # outside, E.164


@dataclass(frozen=True, kw_only=True)
class Target:
    """Who a rung is for; `name` is how it is spoken."""

    kind: Kind
    key: str
    name: str


# -- rungs -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Ring somebody for `ring_s` seconds (each, when in turn).

    `blind` lets go of the caller without waiting for anybody to accept. `at_any_hour` rings
    also who is off duty.
    """

    kind: ClassVar[str] = "transfer"
    to: Target
    ring_s: int = 25
    mode: Mode = Mode.ALL
    blind: bool = False
    at_any_hour: bool = False


@dataclass(frozen=True, kw_only=True)
class Queue:
    """`name` is the Asterisk queue's; the caller waits there at most `wait_s` seconds."""

    kind: ClassVar[str] = "queue"
    name: str
    wait_s: int = 120


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """The business's own answering team or dispatcher, called by SIP or told by webhook.

    `takes_calls`: it is called, else it is told; either way it has `wait_s` seconds to answer.
    `confirms`: a person there presses the accept key; without, an answer is all the proof.
    """

    kind: ClassVar[str] = "workflow"
    key: str
    name: str
    takes_calls: bool
    confirms: bool = True
    wait_s: int = 30


@dataclass(frozen=True, kw_only=True)
class Alert:
    kind: ClassVar[str] = "alert"
    to: Target


@dataclass(frozen=True, kw_only=True)
class Callback:
    """`by` is who will ring back."""

    kind: ClassVar[str] = "callback"
    by: Target


@dataclass(frozen=True, kw_only=True)
class Voicemail:
    kind: ClassVar[str] = "voicemail"


@dataclass(frozen=True, kw_only=True)
class Goodbye:
    kind: ClassVar[str] = "goodbye"


Rung = Transfer | Queue | Workflow | Alert | Callback | Voicemail | Goodbye

#: What ends a ladder. A callback is none: a caller may withhold the number, or not want one.
ENDINGS = (Voicemail, Goodbye)


def for_human(rung: Rung) -> bool:
    """Whether the rung may connect the caller with a person."""
    return isinstance(rung, Transfer | Queue) or (isinstance(rung, Workflow) and rung.takes_calls)


# -- ladders ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rung, and where it was decided: `id` is "ladders.default[2]".

    `where` is the place in a file, such as "kai.yaml line 41"; it is no part of what the rule
    says, so that moving a rule by a line makes it no other rule.
    """

    id: str
    rung: Rung
    when: frozenset[When] = frozenset()
    where: str = field(default="", compare=False)

    @property
    def source(self) -> str:
        return f"{self.id}, {self.where}" if self.where else self.id


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """`name` is where it is written: "ladders.default", "numbers.100.ladders.urgent"."""

    name: str
    rules: tuple[Rule, ...]
