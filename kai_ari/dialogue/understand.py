"""What a caller's words mean, by rules. Rules first: they are cheap, exact and explainable."""

import re
from enum import StrEnum
from functools import cache

from kai_ari.dialogue.numbers import mentions_number


class Intent(StrEnum):
    """What an utterance asks of the conversation, apart from what it tells."""

    YES = "yes"
    NO = "no"
    REPEAT = "repeat"
    HUMAN = "human"
    VOICEMAIL = "voicemail"
    LEAVE_MESSAGE = "leave_message"
    GOODBYE = "goodbye"
    WITHDRAW = "withdraw"
    HELLO = "hello"
    WAIT = "wait"


# Each pattern must match the whole utterance once fillers are gone, unless it is "anywhere".
_WHOLE = {
    Intent.REPEAT: (
        r"what|what was that|what did you say|pardon( me)?|i beg your pardon|sorry|excuse me|"
        r"huh|come again|(can|could|would) you (say|repeat) (that|it|the question)( again)?|"
        r"(say|repeat) (that|it)( again)?|repeat|again|"
        r"i (did not|didn't|couldn't) hear (that|you|it)"
    ),
    Intent.GOODBYE: (
        r"(ok(ay)? )?(good ?bye|bye( bye)?|see you|that is all|that's all)( then)?( now)?"
    ),
    Intent.WITHDRAW: (
        r"(oh )?(never ?mind|forget (it|about it)|it does(n't| not) matter|cancel( that| it)?|"
        r"i('ll| will) call (back|again)( later)?|wrong number|(sorry )?i have the wrong number)"
        r"( sorry)?( bye| good ?bye)?"
    ),
    Intent.HELLO: r"(hello|hi|hey|good (morning|afternoon|evening)|hello there|hi there)"
    r"( hello| there)*( (are you there|is anybody there|can you hear me))?",
    Intent.WAIT: r"(just )?(a|one) (moment|second|minute|sec)|(hold|hang) on( a (moment|second))?|"
    r"wait( a (moment|second|minute))?|let me (think|see|check)",
    Intent.LEAVE_MESSAGE: (
        r"(i('d| would) like to|i want to|can i|could i|may i|let me|i just want to|please)? ?"
        r"(leave|take|give) (you )?(a|my) message( please)?( for (him|her|them|someone|somebody))?"
    ),
}
_ANYWHERE = {
    Intent.HUMAN: (
        r"\b(real|actual|live) (person|human|someone)\b|"
        r"\b(speak|talk|put me through|connect me|transfer me|get me)\b.{0,24}"
        r"\b(human|person|someone|somebody|agent|operator|representative|receptionist|"
        r"the owner|the boss|the manager|the plumber)\b|"
        r"^(a )?(human|person|operator|agent|representative)( please)?$"
    ),
    Intent.VOICEMAIL: (
        r"\bvoice ?mail\b|\brecord (a|my) message\b|\bafter the (beep|tone)\b|"
        r"\banswering machine\b"
    ),
}
_FILLERS = re.compile(r"\b(um+|uh+|er+|erm|hmm+|well|please|so)\b")
_YES = re.compile(
    r"\b(yes|yeah|yep|yup|ya|correct|right|sure|ok|okay|fine|exactly|perfect|absolutely|"
    r"certainly|of course|go ahead|please do|mm|uh ?huh|that works|sounds good|indeed|"
    r"definitely|do that|use (it|that)|good)\b"
)
_NO = re.compile(
    r"\b(no|nope|nah|not|wrong|incorrect|don't|do not|isn't|never|change|another|different|"
    r"other)\b"
)


def normal(text: str) -> str:
    """Lower case, apostrophes kept, other punctuation and fillers gone."""
    plain = re.sub(r"[^a-z0-9' ]+", " ", text.lower().replace("\u2019", "'").replace("-", " "))
    return " ".join(_FILLERS.sub(" ", plain).split())


@cache
def _compiled(intent: Intent) -> re.Pattern[str]:
    if intent in _WHOLE:
        return re.compile(rf"({_WHOLE[intent]})\Z")
    return re.compile(_ANYWHERE[intent])


_LEADS = re.compile(r"^((sorry|excuse me|ok|okay|yes|yeah|oh|hi|hello|no) )+")


def intent_of(text: str) -> Intent | None:
    """What `text` asks of the conversation; yes and no are `yes_or_no`'s to find."""
    words = normal(text)
    for form in dict.fromkeys((words, _LEADS.sub("", words))):
        for intent in (*_ANYWHERE, *_WHOLE):
            pattern = _compiled(intent)
            if pattern.search(form) if intent in _ANYWHERE else pattern.match(form):
                return intent
    return None


def yes_or_no(text: str) -> bool | None:
    """True, False, or None when neither was said. A "no" anywhere wins: doubt counts as no."""
    words = normal(text)
    if _NO.search(words):
        return False
    return True if _YES.search(words) else None


_NAME_LEAD = re.compile(
    r"^(?:(?:yes|yeah|no|hi|hello|sure|ok|okay|um+|uh+|well|oh|so)\b[ ,.]*)*"
    r"(?:(?:my |the )?name(?:'s| is|s)|i am|i'm|it is|it's|its|this is|that's|that is|call me|"
    r"you can call me|you're speaking (?:to|with)|speaking)?\b[ ,:.]*",
    re.IGNORECASE,
)
_NAME_TAIL = re.compile(
    r"[ ,]*\b(?:here|speaking|calling|please|thanks|thank you)\b.*$", re.IGNORECASE
)
_NAME_INSIDE = re.compile(
    r"\bmy name(?:'s| is) ((?:[A-Z][\w'-]+ ?){1,3})|"
    r"^(?:hi|hello)?[ ,.]*this is ((?:[A-Z][\w'-]+ ?){1,3})\b",
)


def name_in(text: str) -> str | None:
    """The name in an answer to "what is your name?", or None when there seems to be none."""
    bare = _NAME_TAIL.sub("", _NAME_LEAD.sub("", text.strip(), count=1)).strip(" .,!?-")
    words = bare.split()
    if not 1 <= len(words) <= 5 or mentions_number(bare):
        return None
    return " ".join(word[:1].upper() + word[1:] for word in words)


def name_mentioned(text: str) -> str | None:
    """A name the caller gave unasked: "my name is Maria Lopez and ..."."""
    match = _NAME_INSIDE.search(text)
    return (match[1] or match[2]).strip() if match else None


_SLOT_WORDS = {
    "name": r"\bname\b",
    "number": r"\b(number|phone|digits?)\b",
    "reason": r"\b(reason|message|problem|rest|about|last)\b",
}


def slot_in(text: str) -> str | None:
    """Which of name, number and reason the caller wants to change, if they say just one."""
    words = normal(text)
    named = [slot for slot, pattern in _SLOT_WORDS.items() if re.search(pattern, words)]
    return named[0] if len(named) == 1 else None
