"""What is wrong with a ladder by itself: no ending, rungs that cannot be reached."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from kai_ari.calls.events import Situation
from kai_ari.fallback.rungs import ENDINGS, Ladder, Mode, Rule, Transfer, When
from kai_ari.fallback.state import MAX_RUNGS, MAX_TRANSFERS
from kai_ari.fallback.weigh import mark
from kai_ari.fallback.words import listed, name_of
from kai_ari.people.rota import WeeklyRota
from kai_ari.people.staff import Staff

#: How long a caller listens to ringing before most have hung up: a ceiling for one transfer.
PATIENCE_S: Final = 120

_Weather = frozenset[When]
_ALL: Final = tuple(
    frozenset(pair) for pair in product((When.OPEN, When.CLOSED), (When.URGENT, When.NOT_URGENT))
)
#: What a situation says of itself: its ladder never runs otherwise.
_IMPLIED: Final = {
    Situation.URGENT: frozenset({When.URGENT}),
    Situation.AFTER_HOURS: frozenset({When.CLOSED}),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`rule` is the place (from 0) of the rule it is about; `what` is wrong, and the remedy."""

    rule: int
    what: str


def lint(ladder: Ladder, situation: Situation | None) -> Iterator[Finding]:
    """`situation` is the one it was written for, None for a default."""
    implied = _IMPLIED.get(situation, frozenset()) if situation else frozenset[When]()
    possible = [weather for weather in _ALL if implied <= weather]
    endless: list[_Weather] = []
    seen: dict[int, int] = {}  # rule: in how many weathers it is looked at
    for weather in possible:
        for index, rule in enumerate(ladder.rules):
            if rule.when <= weather:
                seen[index] = seen.get(index, 0) + 1
                if isinstance(rule.rung, ENDINGS):
                    break
        else:
            endless.append(weather)
    for index, rule in enumerate(ladder.rules):
        if index not in seen:
            yield Finding(rule=index, what=_unreached(ladder, index, implied))
        elif earlier := _same_before(ladder, index):
            yield Finding(
                rule=index,
                what=f"is {name_of(rule.rung)} again, as {earlier.id}, and nothing is tried twice"
                " on one call; remove one of them",
            )
    if endless:
        yield Finding(rule=len(ladder.rules) - 1, what=_no_ending(endless, possible))
    yield from _too_many(ladder)


def total_ring_s(transfer: Transfer, staff: Staff) -> int:
    """How long it rings when nobody answers: at its longest, when a rota decides."""
    if transfer.mode is Mode.ALL:
        return transfer.ring_s
    key = transfer.to.key
    if key in staff.teams:
        count = sum(len(staff.people[person].endpoints) for person in staff.teams[key])
    elif key in staff.people:
        count = len(staff.people[key].endpoints)
    elif isinstance(rota := staff.rotas.get(key), WeeklyRota):
        names = (*rota.weeks, *(override.who for override in rota.overrides))
        count = max(len(staff.people[person].endpoints) for person in names)
    else:
        count = max((len(p.endpoints) for p in staff.people.values()), default=1)
        count = count if rota else 1
    return transfer.ring_s * count


def _unreached(ladder: Ladder, index: int, implied: frozenset[When]) -> str:
    rule = ladder.rules[index]
    for pair in ({When.OPEN, When.CLOSED}, {When.URGENT, When.NOT_URGENT}):
        if pair <= rule.when:
            return f"can never be reached: it is never {_joined(pair)} at once; remove one of them"
        if pair <= rule.when | implied:
            return (
                f"can never be reached: this ladder is only for what is {_joined(implied)};"
                " remove the condition or the rung"
            )
    above = [r.rung for r in ladder.rules[:index] if isinstance(r.rung, ENDINGS)]
    names = listed(tuple(dict.fromkeys(map(name_of, above))))
    return f"can never be reached because of {names} above; move it up, or remove it"


def _same_before(ladder: Ladder, index: int) -> Rule | None:
    """A rule above, for the same thing, that applies whenever this one does."""
    rule = ladder.rules[index]
    return next(
        (
            earlier
            for earlier in ladder.rules[:index]
            if earlier.when <= rule.when
            and _what(earlier) is not None
            and _what(earlier) == _what(rule)
        ),
        None,
    )


def _what(rule: Rule) -> str | None:
    if isinstance(rule.rung, Transfer):
        return f"transfer:{rule.rung.to.key}"
    return mark(rule.rung)


def _no_ending(endless: list[_Weather], possible: list[_Weather]) -> str:
    remedy = "add - voicemail or - goodbye as the last rung"
    if len(endless) == len(possible):
        return f"is the last rung and does not end the call; {remedy}"
    return f"leaves the ladder without an ending when it is {_joined(endless[0])}; {remedy}"


def _too_many(ladder: Ladder) -> Iterator[Finding]:
    tried = [i for i, rule in enumerate(ladder.rules) if not isinstance(rule.rung, ENDINGS)]
    transfers = [i for i in tried if isinstance(ladder.rules[i].rung, Transfer)]
    for places, most, what in (
        (tried, MAX_RUNGS, "rungs"),
        (transfers, MAX_TRANSFERS, "transfers"),
    ):
        if len(places) > most:
            yield Finding(
                rule=places[most],
                what=f"is one too many: a call tries at most {most} {what}; remove some",
            )


def _joined(conditions: set[When] | frozenset[When]) -> str:
    return " and ".join(when.value.replace("_", " ") for when in When if when in conditions)
