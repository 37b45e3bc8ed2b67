"""Names as people give them: introduced, restarted, spelled, with the firm they call from."""

import re

from kai_ari.dialogue.numbers import mentions_number

_LEAD = re.compile(
    r"^(?:(?:yes|yeah|no|hi|hello|sure|ok|okay|um+|uh+|er+m?|well|oh|so|and)\b[ ,.!]*)*"
    r"(?:(?:(?:my|the|that) )?name(?:'s| is|s)?|i am|i'm|it is|it's|its|this is|that's|that is|"
    r"call me|you can call me|you're speaking (?:to|with)|speaking)?\b[ ,:.?]*"
    r"(?:(?:it's |it is )?spel(?:led|t)\b[ ,:.]*)?",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[ ,.]*\b(?:here|speaking|calling|please|thanks|thank you|with an?|about|regarding|because|"
    r"(?:and|but) (?:i|i'm|we|my|the|it|there|can|could)|i'm|i am|i have|we have)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_INSIDE = re.compile(
    r"\b(?:my|the) name(?:'s| is) ((?:[A-Z][\w'-]+ ?){1,3})|"
    r"^(?:hi|hello)?[ ,.]*this is ((?:[A-Z][\w'-]+ ?){1,3})\b",
)
#: "Smith. That's S-M-Y-T-H": letters one by one, at least three.
_LETTERS = re.compile(
    r"[ ,.]*\b(?:(?:that's|that is|it's|and that's)[ ,]+)?(?:spel(?:led|t)[ ,:]+)?"
    r"\b([a-z](?:[ ,.-]+[a-z]\b){2,})[ ,.]*\Z",
    re.IGNORECASE,
)
#: "John. John Baker": the first try of a name that is then given whole.
_RESTART = re.compile(r"^([\w'-]+)[., ]+(?=\1\b)", re.IGNORECASE)

#: Words of talk about the call, in no name.
_NOT_NAMES = re.compile(
    r"\b(i|i'd|i'll|you|your|we|they|my|me|what|how|why|when|where|who|is|are|was|were|do|does|"
    r"know|told|said|say|not|never|already|anybody|anyone|hello|sorry|right|correct|fine|sure|yes|no|nothing|question|it|that|this|"
    r"fuck\w*|shit\w*|hell|damn|bullshit|idiot|\w+n't)\b",
    re.IGNORECASE,
)
_SMALL = frozenset({"from", "of", "at", "the", "and", "van", "von", "de", "der", "la", "spelled"})


def name_in(text: str) -> str | None:
    """The name in an answer to "what is your name?", or None when there seems to be none."""
    until_digit = re.split(
        r"[ ,.]*(?:\b(?:my|the|and|on|at)\b )*(?:number is )?\+?\d", text, maxsplit=1
    )[0]
    bare = _LEAD.sub("", until_digit.strip(), count=1)
    letters = _LETTERS.search(bare)
    spelled = re.sub(r"[^a-z]", "", letters[1].lower()) if letters else ""
    bare = _TAIL.sub("", bare[: letters.start()] if letters else bare)
    name = _capitals(_RESTART.sub("", bare.strip(" .,!?-")))
    if letters and not name:
        return spelled.capitalize()
    if letters and not name.lower().endswith(spelled):
        name = f"{name}, spelled {' '.join(spelled.upper())}"
    if not name or _NOT_NAMES.search(name) or mentions_number(name):
        return None
    return name if letters or len(name.split()) <= 6 else None


def _capitals(words: str) -> str:
    return " ".join(
        word if word.lower() in _SMALL else word[:1].upper() + word[1:] for word in words.split()
    )


def name_mentioned(text: str) -> str | None:
    """A name the caller gave unasked: "my name is Maria Lopez and ..."."""
    match = _INSIDE.search(text)
    return (match[1] or match[2]).strip() if match else None
