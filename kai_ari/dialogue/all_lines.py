"""Every sentence there is, and those that can be synthesised before any call."""

from collections.abc import Iterable
from typing import Final

from kai_ari.dialogue import handoff_lines, lines, outreach_lines

ALL: Final = (*lines.OWN, *handoff_lines.OWN, *outreach_lines.OWN)


def fixed_lines(
    business: str, greetings: tuple[str, ...], targets: Iterable[str] = ()
) -> tuple[str, ...]:
    """The texts that only the business varies: its name, its greetings, and the `targets` that
    callers are put through to; and the openings of the other lines, so that those too begin
    at once."""
    known = {"business": business}
    texts = [line.fill(**known).text for line in ALL if line.fields <= known.keys()]
    texts += [line.fill(who=who).text for who in targets for line in ALL if line.fields == {"who"}]
    others = [line for line in ALL if not line.fields <= known.keys()]
    openings = [line.opening for line in others if line.opening]
    return tuple(dict.fromkeys([*greetings, *texts, *openings]))
