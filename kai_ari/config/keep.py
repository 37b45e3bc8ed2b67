"""Section `keep`: for how many days what callers leave is kept."""

from typing import Annotated

from pydantic import Field, Strict

from kai_ari.config.fields import Section

Days = Annotated[int, Strict(), Field(ge=1, le=36_500)]


class Keep(Section):
    """`recordings`: the sound of messages; one that somebody is still owed stays for longer.
    Without a number it stays for good. What was said in words is part of the record of calls, which
    is a chain that nothing can be taken out of."""

    recordings: Days | None = None
