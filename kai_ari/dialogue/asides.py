"""What Kai says to a caller who asks instead of answering: only what is true of a message taker."""

from typing import Final

from kai_ari.dialogue import lines
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.understand import Intent

ASIDES: Final = {
    Intent.WHO: lines.WHO_I_AM,
    Intent.WHY: lines.WHY_I_ASK,
    Intent.COMING: lines.CANNOT_SEND,
    Intent.QUESTION: lines.CANNOT_ANSWER,
}


def answer_to(asked: Intent, business: str) -> Line:
    """The answer to a question in the middle of the conversation."""
    return ASIDES[asked].fill(business=business)


def answer_to_reason(asked: Intent) -> Line:
    """The answer to a question that is why the caller calls: it is taken down as that."""
    return lines.CANNOT_SEND if asked is Intent.COMING else lines.QUESTION_TAKEN
