"""The ways in which a rung can go in a drill, and how rungs are made short for one."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Ladder,
    Queue,
    Rung,
    Transfer,
    Voicemail,
    Workflow,
)
from kai_ari.fallback.steps import CameBack

# How long phones ring and waits last in a drill, at most; a leg counts as unreachable when it has
# not rung within 4 s.
RING_S: Final = 6
WAIT_S: Final = 10


class Does(StrEnum):
    """What is done by whom a rung is for, or by the caller."""

    ACCEPTS = "accepts"
    DECLINES = "declines"
    NO_ANSWER = "does not answer"
    MAILBOX = "mailbox answers"
    BUSY = "is busy"
    DROPS = "accepts, drops"
    CALLER_LEAVES = "caller hangs up"
    TAKES_CASE = "answers with an id"
    REFUSES_CASE = "answers 500"
    SILENT = "never answers"
    WANTED = "caller wants it"
    NOT_WANTED = "caller refuses"
    HAPPENS = "happens"


Came = tuple[CameBack, ...]

_RUNG: Final[Mapping[Does, Came]] = {
    Does.ACCEPTS: (CameBack.ACCEPTED,),
    Does.DECLINES: (CameBack.DECLINED,),
    Does.NO_ANSWER: (CameBack.NO_ANSWER,),
    Does.MAILBOX: (CameBack.NO_ANSWER,),
    Does.BUSY: (CameBack.BUSY,),
    Does.DROPS: (CameBack.ACCEPTED, CameBack.HANDOFF_SUSPECT),
    Does.CALLER_LEAVES: (CameBack.CALLER_LEFT,),
}
#: Of these, those that a queue cannot tell from no answer, or that need a key to be asked for.
_NO_KEY: Final = frozenset({Does.DECLINES, Does.MAILBOX})


def ways(rung: Rung, attended: frozenset[str]) -> Mapping[Does, Came]:
    """Each way a rung can go, and what then comes back. First: how it goes in passing, when the
    call is for a rung further down. `attended` are the queues that ask for no key."""
    match rung:
        case Transfer(blind=True):  # whatever comes of it, Kai does not learn it
            return dict.fromkeys((Does.ACCEPTS, Does.BUSY), (CameBack.SENT_ON,))
        case Transfer():
            return {Does.BUSY: _RUNG[Does.BUSY], **_RUNG}
        case Queue(name=name):
            left_out = {Does.BUSY} | (_NO_KEY if name in attended else set())
            kept = {does: came for does, came in _RUNG.items() if does not in left_out}
            return {Does.NO_ANSWER: _RUNG[Does.NO_ANSWER], **kept}
        case Workflow(takes_calls=True, confirms=True):
            return {Does.BUSY: _RUNG[Does.BUSY], **_RUNG}
        case Workflow(takes_calls=True):
            kept = {does: came for does, came in _RUNG.items() if does not in _NO_KEY}
            taken = CameBack.ANSWERED_UNCONFIRMED
            accepted = {
                Does.ACCEPTS: (taken,),
                Does.DROPS: (taken, CameBack.HANDOFF_SUSPECT),
            }
            return {Does.BUSY: _RUNG[Does.BUSY], **kept, **accepted}
        case Workflow():
            return {
                Does.REFUSES_CASE: (CameBack.NOT_DELIVERED,),
                Does.TAKES_CASE: (CameBack.DELIVERED,),
                Does.SILENT: (CameBack.NOT_DELIVERED,),
            }
        case Callback():
            return {Does.NOT_WANTED: (CameBack.DECLINED,), Does.WANTED: (CameBack.DELIVERED,)}
        case Alert():
            return {Does.HAPPENS: (CameBack.DELIVERED,)}
        case Voicemail() | Goodbye():
            return {Does.HAPPENS: ()}


def brief_ladder(ladder: Ladder) -> Ladder:
    """The same with short rings and waits."""
    return replace(
        ladder, rules=tuple(replace(rule, rung=_brief(rule.rung)) for rule in ladder.rules)
    )


def _brief(rung: Rung) -> Rung:
    match rung:
        case Transfer(ring_s=ring_s):
            return replace(rung, ring_s=min(ring_s, RING_S))
        case Queue(wait_s=wait_s):
            return replace(rung, wait_s=min(wait_s, WAIT_S))
        case Workflow(wait_s=wait_s):
            return replace(rung, wait_s=min(wait_s, RING_S))
        case _:
            return rung
