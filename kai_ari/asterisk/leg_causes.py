"""Why a leg ended before it was answered, read from what Asterisk says of its channel.

A refusal of the far end comes as ChannelHangupRequest with a SIP status (`tech_cause`) and the
Q.850 cause that Asterisk makes of it. When Asterisk's own time limit ends the ringing there is
no such event, and ChannelDestroyed carries cause 19 and a made-up 480: a phone that nobody picks
up and one that is dead look the same but for the ringing.
"""

from dataclasses import dataclass

from kai_ari.calls.events import EndedBy
from kai_ari.reception.legs import LegResult

NO_ANSWER_CAUSE = 19

#: What the far end meant, by SIP status.
_BY_SIP: dict[int, tuple[LegResult, str]] = {
    302: (LegResult.REFUSED, "forwarded"),
    403: (LegResult.FAILED, "forbidden"),
    404: (LegResult.UNREACHABLE, "no_such_number"),
    408: (LegResult.UNREACHABLE, "no_reply"),
    410: (LegResult.UNREACHABLE, "no_such_number"),
    480: (LegResult.UNREACHABLE, "not_available"),
    484: (LegResult.UNREACHABLE, "no_such_number"),
    486: (LegResult.BUSY, "busy"),
    487: (LegResult.NO_ANSWER, "rang_out"),
    488: (LegResult.FAILED, "no_common_codec"),
    600: (LegResult.BUSY, "busy_everywhere"),
    603: (LegResult.DECLINED, "declined"),
    604: (LegResult.UNREACHABLE, "no_such_number"),
    606: (LegResult.FAILED, "no_common_codec"),
}

#: The same by Q.850 cause, for what is not SIP, or came without a status.
_BY_CAUSE: dict[int, tuple[LegResult, str]] = {
    1: (LegResult.UNREACHABLE, "no_such_number"),
    3: (LegResult.UNREACHABLE, "no_route"),
    17: (LegResult.BUSY, "busy"),
    18: (LegResult.UNREACHABLE, "no_reply"),
    20: (LegResult.UNREACHABLE, "not_registered"),
    21: (LegResult.DECLINED, "declined"),
    23: (LegResult.REFUSED, "forwarded"),
    27: (LegResult.UNREACHABLE, "out_of_order"),
    28: (LegResult.UNREACHABLE, "no_such_number"),
    34: (LegResult.FAILED, "no_line_free"),
    38: (LegResult.FAILED, "network_fault"),
    42: (LegResult.FAILED, "no_line_free"),
    58: (LegResult.FAILED, "no_common_codec"),
}

#: What app_queue leaves in QUEUESTATUS when nobody took the call.
_BY_QUEUE_STATUS: dict[str, tuple[LegResult, str]] = {
    "TIMEOUT": (LegResult.NO_ANSWER, "waited_out"),
    "FULL": (LegResult.BUSY, "queue_full"),
    "JOINEMPTY": (LegResult.UNREACHABLE, "queue_empty"),
    "JOINUNAVAIL": (LegResult.UNREACHABLE, "queue_empty"),
    "LEAVEEMPTY": (LegResult.UNREACHABLE, "queue_left_empty"),
    "LEAVEUNAVAIL": (LegResult.UNREACHABLE, "queue_left_empty"),
}

#: Of several phones of one person, the one that says most speaks for all.
_TELLING = (
    LegResult.DECLINED,
    LegResult.BUSY,
    LegResult.NO_ANSWER,
    LegResult.REFUSED,
    LegResult.FAILED,
    LegResult.UNREACHABLE,
)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How one channel ended. `sip` is None unless the far end sent a status; `by` is None when
    it was not answered."""

    result: LegResult
    reason: str
    cause: int | None = None
    sip: int | None = None
    by: EndedBy | None = None

    @property
    def for_all(self) -> bool:
        """A 6xx speaks for every phone of the person (RFC 3261, 21.6): the others may stop."""
        return self.sip is not None and self.sip >= 600


def ended(*, cause: int | None, sip: int | None, rang: bool, outside: bool) -> Ending:
    """`sip` is the far end's own; `outside` says that the way led through a trunk."""
    if sip is not None and sip in _BY_SIP:
        result, reason = _BY_SIP[sip]
    elif sip is not None and sip >= 500:
        result, reason = LegResult.FAILED, "trunk_fault" if outside else "phone_fault"
    elif sip is None and cause == NO_ANSWER_CAUSE:
        result, reason = not_answered(rang=rang)
    else:
        result, reason = _BY_CAUSE.get(cause or 0, (LegResult.FAILED, f"cause_{cause or 0}"))
    return Ending(result=result, reason=reason, cause=cause or None, sip=sip)


def not_answered(*, rang: bool) -> tuple[LegResult, str]:
    if rang:
        return LegResult.NO_ANSWER, "rang_out"
    return LegResult.UNREACHABLE, "never_rang"


def not_made(*, outside: bool) -> Ending:
    """Asterisk had nothing to ring: no phone is registered, or the trunk does not answer."""
    if outside:
        return Ending(result=LegResult.FAILED, reason="trunk_down")
    return Ending(result=LegResult.UNREACHABLE, reason="not_registered")


def left_queue(status: str, cause: int | None) -> Ending:
    """`status` is QUEUESTATUS, which says UNKNOWN when there is no such queue.

    When Asterisk's time limit ends the waiting, the queue has said nothing.
    """
    if not status and cause == NO_ANSWER_CAUSE:
        status = "TIMEOUT"
    result, reason = _BY_QUEUE_STATUS.get(status, (LegResult.FAILED, "no_queue"))
    return Ending(result=result, reason=reason)


def most_telling(endings: list[Ending]) -> Ending:
    """The ending of a leg with these channels, at least one."""
    return endings[0] if len(endings) == 1 else min(endings, key=_rank)


def _rank(ending: Ending) -> int:
    return _TELLING.index(ending.result) if ending.result in _TELLING else len(_TELLING)
