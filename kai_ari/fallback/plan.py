"""The compiled rules of a business: what the engine runs, and what is explained from."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from kai_ari.calls.events import Situation
from kai_ari.fallback.rungs import ENDINGS, Goodbye, Ladder, Rule, Target, Voicemail
from kai_ari.people.staff import Staff
from kai_ari.promises.permission import longest_rule

#: The ladder of a business that wrote none: a message is taken, as ever.
BUILT_IN_LADDER = Ladder(
    name="built-in ladder", rules=(Rule(id="built-in ladder[0]", rung=Voicemail()),)
)
#: The end of every ladder whose own ending came to nothing.
BUILT_IN_ENDING = Rule(id="built-in ending", rung=Goodbye())


@dataclass(frozen=True, kw_only=True)
class DialOut:
    """Numbers that begin with `prefix`, and with none of `but_not`, go out through `trunk`."""

    prefix: str
    trunk: str
    but_not: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`default` and `ladders` serve all numbers; `of_number` has what a DID does otherwise.

    The phones of `staff` and what `dial_out` permits are all that may ever be rung; `own_numbers`
    are those that Kai itself answers. `settings` is what was decided of staff and queues, as JSON
    values, for the hash: `staff` itself also holds what a calendar said last. `channels` are the
    ways of telling people that there is a gateway for: a restart changes them, not the rules.
    """

    business: str
    staff: Staff
    default: Ladder = BUILT_IN_LADDER
    ladders: Mapping[Situation, Ladder] = field(default_factory=dict)
    of_number: Mapping[str, Mapping[Situation | None, Ladder]] = field(default_factory=dict)
    dial_out: tuple[DialOut, ...] = ()
    own_numbers: frozenset[str] = frozenset()
    owner: Target | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    channels: frozenset[str] = frozenset()

    def ladder(self, situation: Situation, number: str) -> Ladder:
        """The nearest: the number's for this situation, its default, the situation's, the default.

        `number` is the DID that was called.
        """
        own = self.of_number.get(number, {})
        return own.get(situation) or own.get(None) or self.ladders.get(situation) or self.default

    def for_who_asks(self, number: str, *, urgent: bool) -> tuple[Situation, ...]:
        """Whose ladders serve a caller who asks for a person, in their order. In an urgent matter
        that of urgent calls does, too, and first if it was written for them."""
        ask, urgently = Situation.ASKED_FOR_HUMAN, Situation.URGENT
        ladder = self.ladder(urgently, number)
        tries = any(not isinstance(rule.rung, ENDINGS) for rule in ladder.rules)
        if not urgent or not tries or ladder == self.ladder(ask, number):
            return (ask,)
        own = (self.of_number.get(number, {}).get(urgently), self.ladders.get(urgently))
        return (urgently, ask) if ladder in own else (ask, urgently)

    def all_ladders(self) -> tuple[Ladder, ...]:
        """Each ladder that was written, or the built-in one, the default first."""
        of_numbers = (ladder for own in self.of_number.values() for ladder in own.values())
        return (self.default, *self.ladders.values(), *of_numbers)

    def may_ring(self, address: str) -> bool:
        """Whether `address`, an extension or E.164, is a phone of the house or may be dialled."""
        return address in self.staff.phones or self.trunk_for(address) is not None

    def trunk_for(self, number: str) -> str | None:
        """The trunk that `number` goes out through, or None when no rule permits it."""
        rule = longest_rule(number, self.dial_out)
        return rule.trunk if rule else None

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the rules as canonical JSON: the same rules have the same hash anywhere.

        Line numbers, comments and the order of keys do not count.
        """
        rules = {
            "business": self.business,
            "default": _ladder(self.default),
            "ladders": {name.value: _ladder(ladder) for name, ladder in self.ladders.items()},
            "of_number": {
                number: {name or "default": _ladder(ladder) for name, ladder in own.items()}
                for number, own in self.of_number.items()
            },
            "dial_out": [asdict(rule) for rule in self.dial_out],
            "own_numbers": self.own_numbers,
            "owner": self.owner and asdict(self.owner),
            "settings": self.settings,
        }
        canonical = json.dumps(
            rules, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


def _ladder(ladder: Ladder) -> list[dict[str, Any]]:
    return [
        {"id": rule.id, "when": rule.when, "rung": {rule.rung.kind: asdict(rule.rung)}}
        for rule in ladder.rules
    ]


def _plain(value: object) -> Any:
    """What JSON has no form of: sets in their order, mappings, and enums by their value."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Iterable):
        return sorted(value)
    raise TypeError(f"{value!r} is no part of the rules")
