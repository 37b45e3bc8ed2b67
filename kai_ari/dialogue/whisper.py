"""What Kai tells a person before they take a call: who, why, how urgent, and the keys."""

from collections.abc import Mapping

from kai_ari.dialogue.numbers import aloud

#: A longer reason is told by its beginning: whoever answers has to decide, not to listen.
MAX_WORDS = 25

KEYS = "Press one to take the call, two to decline, or three and I take a message."


def whisper(business: str, about: Mapping[str, str], *, urgent: bool) -> str:
    """`about` has what is known of name, number or caller_id, and reason."""
    who = about.get("name") or "a caller who gave no name"
    number = about.get("number") or about.get("caller_id")
    parts = [
        f"{'Urgent call' if urgent else 'Call'} for {business}, from {who}.",
        f"About: {_short(about['reason'])}" if about.get("reason") else "They did not say why.",
        f"Their number is {aloud(number)}." if number else "Their number is hidden.",
        KEYS,
    ]
    return " ".join(parts)


def _short(reason: str) -> str:
    words = reason.strip("\"' ").split()
    if len(words) > MAX_WORDS:
        return f"{' '.join(words[:MAX_WORDS]).rstrip(',.')}, and so on."
    text = " ".join(words)
    return text if text.endswith((".", "?", "!")) else f"{text}."
