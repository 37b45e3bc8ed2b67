"""What a check finds."""

import re
from dataclasses import dataclass

from kai_ari.errors import KaiError


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`slug` is stable and names the kind of trouble; `fix` is a command or an edit."""

    slug: str
    where: str
    what: str
    fix: str


@dataclass(frozen=True, kw_only=True)
class NotChecked:
    """What could not be looked at, and why."""

    what: str
    because: str


Found = Finding | NotChecked


def of_error(error: KaiError, *, slug: str = "", where: str = "", fix: str = "") -> Finding:
    """An error's text is "what; remedy", often with "where: " in front."""
    text = str(error)
    if not where and (place := re.match(r"(\S+( line \d+)?): ", text)):
        where, text = place[1], text[place.end() :]
    what, _, remedy = text.partition("; ")
    return Finding(
        slug=slug or error.code.replace("_", "-"),
        where=where,
        what=what,
        fix=fix or remedy or f"correct {where}",
    )
