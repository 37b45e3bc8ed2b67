"""Numbers that are never rung or written to, and how people say so. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from kai_ari.clock import require_zone


class Listed(StrEnum):
    OUT = "out"
    IN = "in"  # they asked for it to be taken back


@dataclass(frozen=True, kw_only=True)
class OptOut:
    """One entry of the list; the last one of a number holds.

    `number` is E.164 or an internal extension. `source`: call, key, sms, command, import.
    `evidence` is what was said or written, by whom.
    """

    number: str
    state: Listed
    source: str
    at: datetime
    evidence: str

    def __post_init__(self) -> None:
        require_zone(self.at)


class Reply(StrEnum):
    """What somebody makes of being called or written to."""

    YES = "yes"
    NO = "no"  # also whatever is not plainly yes
    OUT = "out"  # and never again
    IN = "in"  # again, after OUT


#: Alone in a message. Those of the CTIA Messaging Principles, section 5.1.3, which operators
#: in North America require, and of 47 CFR 64.1200 (a)(10).
_OUT_ALONE: Final = frozenset(
    """stop|stopall|stop all|unsubscribe|cancel|end|quit|optout|opt out|revoke
    |stop thanks|stop thank you""".replace("\n    ", "").split("|")
)
_IN_ALONE: Final = frozenset({"start", "unstop", "opt in", "optin"})
_YES_ALONE: Final = frozenset(
    """yes|yeah|yep|yup|yes please|yeah please|please|please do|sure|sure thing|of course|ok|okay
    |all right|alright|go ahead|yes go ahead|that is fine|that's fine|that works|yes sure|yes ok
    |yes okay|yes that's fine|yes that is fine|yes that works|y""".replace("\n    ", "").split("|")
)
_CONTACT: Final = (
    r"(?:call|calling|calls|text|texting|ring|ringing|phone|phoning|contact|contacting|message"
    r"|messaging|bother|bothering|write|writing)"
)
_NEVER: Final = re.compile(
    rf"""\b(?:
        stop\ (?:{_CONTACT}|it|this|that|now|please|sending) | please\ stop | stop\ all
      | (?:don't|dont|do\ not|never|not|no\ more|quit)\ (?:\w+\ )?{_CONTACT}
      | (?:take|remove|delete|get)\ (?:me|my\ (?:\w+\ )?number|this\ number|us)\b
      | off\ (?:your|the|this)\ list | do\ not\ call | leave\ (?:me|us)\ alone
      | unsubscribe | opt\ (?:me\ )?out | lose\ (?:my|this)\ number
    )""",
    re.VERBOSE,
)
_WORDS: Final = re.compile(r"[^\w' ]+")


def read_reply(text: str) -> Reply:
    """OUT wins over everything else in the text; what is not plainly yes is no."""
    words = " ".join(_WORDS.sub(" ", text.lower().replace("\u2019", "'")).split())
    if words in _OUT_ALONE or _NEVER.search(words):
        return Reply.OUT
    if words in _IN_ALONE:
        return Reply.IN
    return Reply.YES if words in _YES_ALONE else Reply.NO
