"""What was taken down, as it is read back to the caller."""

from collections.abc import Mapping

from kai_ari.dialogue import lines
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.numbers import aloud

#: A longer reason is read back by its beginning: the caller knows what they told.
MAX_WORDS = 30


def read_back(slots: Mapping[str, str]) -> Line:
    return lines.READ_BACK.fill(
        name=slots["name"], number=aloud(slots["number"]), reason=_sentence(slots["reason"])
    )


def _sentence(reason: str) -> str:
    words = reason.strip("\"' ").split()
    if len(words) > MAX_WORDS:
        return f"{' '.join(words[: MAX_WORDS // 2]).rstrip(',.')}, and so on."
    text = " ".join(words)
    return text if text.endswith((".", "?", "!")) else f"{text}."
