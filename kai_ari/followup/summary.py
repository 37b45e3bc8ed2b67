"""What somebody reads of a call without opening anything. Pure, and the same every time.

Nothing is said that the record of the call does not hold; what does not fit into a text message
is cut, but never who can be reached where, what is owed, or the id to ask by.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from kai_ari.calls.events import Event
from kai_ari.followup.facts import Facts, facts_of
from kai_ari.followup.gsm7 import gsm7, shortened
from kai_ari.people.local_time import in_words
from kai_ari.promises.obligation import Obligation, Owed

#: Two concatenated messages hold 306 septets.
SHORT_MAX = 300

#: So much of an obligation's id tells it from all others that are open.
ID_SHOWN = 8

_NAME_MAX = 40
_NUMBER_MAX = 20
_NO_NUMBER = "no number"
#: Of what is left for the rest, what was tried may take this part when all is long.
_TRIED_PART = 3

OWED_IN_WORDS = {
    Owed.DELIVER_MESSAGE: "this message",
    Owed.CALL_BACK: "a call back",
    Owed.ALERT: "this alert",
}


def shown_id(obligation: Obligation) -> str:
    return obligation.id[:ID_SHOWN]


def who(facts: Facts) -> str:
    return facts.name or "A caller"


def short(
    history: Sequence[Event],
    owed: Sequence[Obligation],
    *,
    now: datetime,
    zone: ZoneInfo,
    kai_calls: bool = False,
) -> str:
    """At most 300 characters that any phone can show, about what is `owed` (at least one).

    `kai_calls`: a call back is made by Kai itself.
    """
    facts = facts_of(history)
    urgent = "URGENT: " if facts.urgent else ""
    name = shortened(gsm7(who(facts)), _NAME_MAX) or "A caller"
    number = shortened(gsm7(facts.number or ""), _NUMBER_MAX) or _NO_NUMBER
    head = f"{urgent}{name}, {number}"
    then = next_step(facts, owed, kai_calls=kai_calls)
    tail = f"Owed: {_owed(owed, now, zone)}. {then}. #{shown_id(owed[0])}"
    return f"{head}{_middle(facts, SHORT_MAX - len(head) - len(tail))}{tail}"


def _owed(owed: Sequence[Obligation], now: datetime, zone: ZoneInfo) -> str:
    kinds = dict.fromkeys(OWED_IN_WORDS[obligation.owed] for obligation in owed)
    due = min((one.due for one in owed if one.due and one.due > now), default=None)
    return " and ".join(kinds) + (f" by {in_words(due, now, zone)}" if due else "")


def next_step(facts: Facts, owed: Sequence[Obligation], *, kai_calls: bool = False) -> str:
    """What to do, in a few words without a full stop."""
    kinds = {obligation.owed for obligation in owed}
    if facts.opted_out:
        return "Do not call: they asked for that"
    listen = "Listen to the recording" if facts.recording and not facts.words else ""
    if facts.voicemail_in:
        listen = "Listen to the voicemail (*97)"
    if not facts.number:
        return listen or "No number to call: read the call"
    if Owed.CALL_BACK in kinds and kai_calls:
        return f"{listen}; Kai calls them back" if listen else "Kai calls them back"
    if Owed.CALL_BACK in kinds or Owed.DELIVER_MESSAGE in kinds or Owed.ALERT in kinds:
        return f"{listen}, then call them" if listen else "Call them"
    return listen or "Hand it on"


def _middle(facts: Facts, room: int) -> str:
    """Why, in their words, and what was tried: " ... ", in at most `room` characters."""
    room -= len(". ") + len(". ")
    tried = gsm7("; ".join(map(str, facts.tried)))
    tried = f". Tried {tried}" if tried else ""
    words = _words(facts)
    if len(words) + len(tried) > room:
        tried = shortened(tried, max(room // _TRIED_PART, room - len(words)))
        words = shortened(words, room - len(tried))
    said = f"{words}{tried}".removeprefix(". ").removesuffix(".")
    return f". {said}. " if said else ". "


def _words(facts: Facts) -> str:
    """What they texted last, the reason they gave, and what they left on a recording where that is
    more."""
    texted = f'Texted: "{gsm7(facts.replies[-1]).rstrip(" .")}"' if facts.replies else ""
    reason, words = gsm7(facts.reason or "").rstrip(" ."), gsm7(facts.words or "").rstrip(" .")
    if words:
        words = f'Message: "{words}"'
    elif facts.recording:
        words = f"Message of {round(facts.recorded_ms / 1000)} s"
    elif facts.voicemail_in:
        words = f"Voicemail in mailbox {gsm7(facts.voicemail_in)}"
    elif facts.recording_failed:
        words = "Recording their message failed"
    return ". ".join(part for part in (texted, f'"{reason}"' if reason else "", words) if part)
