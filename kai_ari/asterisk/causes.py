"""Who ended a call, read from ChannelHangupRequest.

The event has two shapes (main/channel.c of Asterisk). From the far end: `cause` is Q.850 and
is missing after a plain BYE, `tech_cause` is a SIP status. From inside Asterisk: `soft` is
true, and `cause` is then not Q.850 but one of the AST_SOFTHANGUP flags.
"""

from collections.abc import Mapping
from typing import Any

from kai_ari.calls.events import EndedBy
from kai_ari.reception.ports import CallerGone

_CANCELLED = 487  # SIP: the caller gave up before the answer
#: What Asterisk's own question whether a phone still has the call (RFC 4028) came to: nothing
#: answered, or a phone that has started anew.
_LINE_LOST = frozenset({408, 481})

#: Q.850 causes a phone sends when its user ended the call.
_FAR_END: dict[int, str] = {
    0: "hung_up",
    16: "hung_up",
    17: "busy",
    21: "rejected",
    26: "answered_elsewhere",
    31: "hung_up",
}

#: AST_SOFTHANGUP flags, include/asterisk/channel.h.
_EXPLICIT = 1 << 5  # a hang-up asked for: by Kai over ARI, or by an operator
_INSIDE: dict[int, str] = {
    1 << 0: "device_lost",  # no RTP for rtp_timeout, or the transport went away
    1 << 1: "moved_away",  # somebody else sent the channel elsewhere in the dialplan
    1 << 2: "time_limit",
    1 << 3: "module_unloaded",
    1 << 4: "asterisk_stopping",
    _EXPLICIT: "hung_up_by_operator",
}


def caller_gone(event: Mapping[str, Any], *, kai_hung_up: bool) -> CallerGone:
    """What the event says; an unknown cause is the network's, with the cause as reason."""
    cause = event.get("cause")
    if event.get("soft"):
        if kai_hung_up and cause == _EXPLICIT:
            return CallerGone(by=EndedBy.KAI, cause=None, reason="hung_up")
        reason = _INSIDE.get(cause or 0, "ended_inside_asterisk")
        return CallerGone(by=EndedBy.NETWORK, cause=None, reason=reason)
    if event.get("tech_cause") == _CANCELLED:
        return CallerGone(by=EndedBy.CALLER, cause=cause, reason="cancelled")
    if event.get("tech_cause") in _LINE_LOST:
        return CallerGone(by=EndedBy.NETWORK, cause=cause, reason="line_lost")
    if (cause or 0) in _FAR_END:
        return CallerGone(by=EndedBy.CALLER, cause=cause, reason=_FAR_END[cause or 0])
    return CallerGone(by=EndedBy.NETWORK, cause=cause, reason=f"cause_{cause}")
