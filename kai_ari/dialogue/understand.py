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
    STOP = "stop"  # "stop calling me", for good
    WRONG_NUMBER = "wrong_number"  # theirs or Kai's: the question tells which
    HELLO = "hello"
    WAIT = "wait"
    WHO = "who"  # "are you a robot?"
    COMING = "coming"  # "is anybody coming?"
    WHY = "why"  # "why do you need my name?"
    REFUSE = "refuse"  # "I'd rather not say"
    QUESTION = "question"  # any other


# Each pattern must match the whole utterance once fillers are gone, unless it is "anywhere".
_WHOLE = {
    Intent.REPEAT: (
        r"what|what was that|what did you say|pardon( me)?|i beg your pardon|sorry|excuse me|"
        r"huh|come again|(can|could|would) you (say|repeat) (that|it|the question)( again)?|"
        r"(say|repeat) (that|it)( again)?|repeat|again|"
        r"i (did not|didn't|couldn't) (hear|catch|get) (that|you|it)|"
        r"what (was|is) (the|your) question|what did you (say|ask|want)( .*)?|"
        r"(which|what) (name|number|reason)( .*)?"
    ),
    Intent.GOODBYE: (
        r"(ok(ay)? )?((thank you|thanks)( very much| a lot)? )?"
        r"(good ?bye|bye( bye)?|see you|that is all|that's all)( then)?( now)?"
    ),
    Intent.WITHDRAW: (
        r"(oh )?(never ?mind|forget (it|about it)|cancel( that| it)?|"
        r"i('ll| will) call (back|again)( later)?)( sorry)?( bye| good ?bye)?"
    ),
    Intent.WRONG_NUMBER: (
        r"((that|it)( i|')s |(sorry )?i have )?(the )?wrong number( sorry)?( bye| good ?bye)?"
    ),
    Intent.HELLO: r"(hello|hi|hey|good (morning|afternoon|evening)|hello there|hi there)"
    r"( hello| there)*( (are you there|is anybody there|can you hear me))?",
    Intent.WAIT: r"(just )?(a|one) (moment|second|minute|sec)|(hold|hang) on( a (moment|second))?|"
    r"wait( a (moment|second|minute))?|let me (think|see|check)",
    Intent.REFUSE: (
        r"i('d| would) (rather|prefer) not( to)?( .*)?|no name|(stay )?anonymous|"
        r"i (don't|do not) (want|like) to (say|give|tell|leave)( .*)?|none of your business|"
        r"(that's|that is|it's|it is) private"
    ),
    Intent.LEAVE_MESSAGE: (
        r"(i('d| would) like to|i want to|can i|could i|may i|let me|i just want to|please)? ?"
        r"(leave|take|give) (you )?(a|my) message( please)?( for (him|her|them|someone|somebody))?|"
        r"i have a( quick)? question|can i ask( you)? (something|a question)|"
        r"(i need|can i get|can you give me) (some )?help|can you help( me)?( please)?"
    ),
}
_ANYWHERE = {
    Intent.STOP: (
        r"\b(stop|quit) (calling|ringing|phoning|bothering) (me|us|here|this number)\b|"
        r"(^|\byou )(stop|quit) (calling|ringing|phoning)\Z|\bunsubscribe\b|\bopt(ing)? out\b|"
        r"\b(take|remove|delete) (me|us|my (name|number|phone)|this number) (off|from)\b|"
        r"\b(do not|don't|never) (ever )?(call|ring|phone|contact) "
        r"(me|us|here|this number)( again| (any ?more)| ever| ever again)\b|"
        r"^(please )?(do not|don't|never) (call|ring|phone|contact) (me|us|here|this number)\Z|"
        r"\bdo not call list\b"
    ),
    Intent.WHO: (
        r"\b(are you|is (this|that)|am i (talking|speaking) (to|with)) (just )?(a |an |the )?"
        r"(real |actual |human |live |answering |chat ?)*"
        r"(person|human( being)?|robot|bot|machine|computer|a ?i|recording|automated)\b|"
        r"^(and )?who (is (this|that)|are you|am i (speaking|talking) (to|with))\b|"
        r"^what are you\Z|"
        r"^(is this|have i (reached|got)|did i reach|am i through to) "
        r"(?!a |an |about |your |my |because )\S+( \S+){0,3}\Z"
    ),
    Intent.COMING: (
        r"^(and |so |but )?(is|are|will|when|can|could|how soon|what time)\b.{0,24}"
        r"\b(anybody|anyone|somebody|someone|plumber|technician|engineer|they|he|she|you)\b.{0,12}"
        r"\b(come|coming|on (the|their|his|her|your) way|be here|get here|arriv(e|ing)|send)\b"
    ),
    Intent.WHY: r"^(but |and )?(why\b.*\b(need|want|ask|my)|what do you (need|want) .*)\b",
    Intent.HUMAN: (
        r"\b(real|actual|live) (person|human|someone)\b|"
        r"\b(speak|talk|put me through|connect me|transfer me|get me)\b.{0,24}"
        r"\b(human|person|someone|somebody|agent|operator|representative|receptionist|"
        r"the owner|the boss|the manager|the plumber)\b|"
        r"^(just |only )?(an? |any )?(human|person|operator|agent|representative)( please)?$"
    ),
    Intent.VOICEMAIL: (
        r"\bvoice ?(mail|male|mel|mall)\b|\brecord (a|my) message\b|\bafter the (beep|tone)\b|"
        r"\banswering machine\b"
    ),
}
#: How a question begins that asks to be told something. "Can you fix it?" is a request.
_ASKING = re.compile(
    r"(and |so |but )?(what|when|where|how|which|who|do you|are (you|there)|is (there|it)|"
    r"does it|will it|(can|could) (you|i|we) (tell|ask|know|get))\b"
)
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
#: Words of denial that agree.
_NO_BUT_YES = re.compile(
    r"\b(no (problem|worries)|why not|not (a problem|bad)|"
    r"nothing('s| is)? (wrong|to change|else)|no(thing)? (changes?|that's (all|fine|right|it)))\b"
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
    asks = text.rstrip().endswith("?") and _ASKING.match(words) and not mentions_number(text)
    return Intent.QUESTION if asks else None


def yes_or_no(text: str) -> bool | None:
    """True, False, or None when neither was said. A "no" anywhere wins: doubt counts as no."""
    words = _NO_BUT_YES.sub("fine", normal(text))
    if _NO.search(words):
        return False
    return True if _YES.search(words) else None


_URGENT = re.compile(
    r"\b(urgent(ly)?|emergency|asap|as soon as possible|right (away|now)|immediately|"
    r"flood(s|ed|ing)?|burst(s|ing)?|gas leak|smell(s|ing)? (of )?gas|(on )?fire|smoke|"
    r"no (heat|heating|water|power|electricity)|sparks?|sparking|sewage)\b"
)
_NOT_URGENT = re.compile(
    r"\b(not|isn't|no|nothing|never)\b( \w+){0,2} (urgent|emergency|hurry|asap)\b"
)


#: How soon somebody wants a person says nothing of their matter.
_AT_ONCE = re.compile(r"\b(right (away|now)|immediately)\b")


def is_urgent(text: str) -> bool:
    words = normal(text)
    if intent_of(text) is Intent.HUMAN:
        words = _AT_ONCE.sub(" ", words)
    return bool(_URGENT.search(words)) and not _NOT_URGENT.search(words)


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
