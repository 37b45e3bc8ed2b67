"""Mistakes that only show between sections, such as a name that is nowhere declared.

A section's module hands out `cross_check(config)`, and `schema.CROSS_CHECKS` lists it. It runs
when every section is sound by itself.
"""

import difflib
from collections.abc import Collection
from dataclasses import dataclass

#: The keys and list indices that lead to a value: `("queues", "support", "members", "0")`.
Place = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """`what` is wrong with the key at `place`, and the remedy: "is not in phones; add it there"."""

    place: Place
    what: str


def unknown(place: Place, name: str, section: str, known: Collection[str]) -> Mistake:
    """`name` at `place` should be a key of `section`, which has the keys `known`."""
    # Of two extensions, a digit apart, neither is a slip of the other.
    close = [] if name.isdecimal() else difflib.get_close_matches(name, known, n=1)
    if close:
        hint = f"did you mean {close[0]}?"
    elif known:
        hint = f"add it there, or choose {', '.join(sorted(known))}"
    else:
        hint = f"there is no {section} section yet; add {section}: with {name} below it"
    return Mistake(place=place, what=f"{name} is not in {section}; {hint}")
