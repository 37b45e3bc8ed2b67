"""Lines cut into sentences: the unit of synthesis, so that the first is heard early."""

import re

# White space after an end mark, unless that is the full stop of a title or an initial, or
# the sentence goes on in lower case.
_END = re.compile(r"(?<=[.!?…])(?<!\b[A-Z]\.)(?<!\b(?:Mr|Ms|Dr|St)\.)(?<!\bMrs\.)\s+(?![a-z])")


def sentences(line: str) -> tuple[str, ...]:
    """The sentences of a line with their punctuation; none for a line without words."""
    parts = _END.split(" ".join(line.split()))
    return tuple(part for part in parts if any(letter.isalnum() for letter in part))
