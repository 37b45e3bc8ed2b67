"""Why legs end, beyond the rows that real phones walk in tests/asterisk/test_legs_ending.py."""

import pytest

from kai_ari.asterisk.leg_causes import Ending, ended, left_queue, most_telling
from kai_ari.reception.legs import LegResult


@pytest.mark.parametrize(
    ("cause", "sip", "rang", "outside", "result", "reason"),
    [
        (19, None, True, False, LegResult.NO_ANSWER, "rang_out"),
        (19, None, False, False, LegResult.UNREACHABLE, "never_rang"),
        (23, 302, True, False, LegResult.REFUSED, "forwarded"),
        (38, 500, True, False, LegResult.FAILED, "phone_fault"),
        (38, 500, True, True, LegResult.FAILED, "trunk_fault"),
        (127, 699, False, True, LegResult.FAILED, "trunk_fault"),
        (127, 487, True, False, LegResult.NO_ANSWER, "rang_out"),
        (21, 499, True, False, LegResult.DECLINED, "declined"),
        (3, None, False, True, LegResult.UNREACHABLE, "no_route"),
        (127, None, False, True, LegResult.FAILED, "cause_127"),
        (None, None, False, False, LegResult.FAILED, "cause_0"),
    ],
)
def test_what_is_said_of_a_channel_has_one_meaning(
    cause: int | None,
    sip: int | None,
    rang: bool,
    outside: bool,
    result: LegResult,
    reason: str,
) -> None:
    ending = ended(cause=cause, sip=sip, rang=rang, outside=outside)
    assert ending == Ending(result=result, reason=reason, cause=cause, sip=sip)


@pytest.mark.parametrize(
    ("status", "cause", "result", "reason"),
    [
        ("FULL", 16, LegResult.BUSY, "queue_full"),
        ("LEAVEEMPTY", 16, LegResult.UNREACHABLE, "queue_left_empty"),
        ("TIMEOUT", 16, LegResult.NO_ANSWER, "waited_out"),
        ("", 19, LegResult.NO_ANSWER, "waited_out"),
        ("UNKNOWN", 16, LegResult.FAILED, "no_queue"),
    ],
)
def test_a_queue_says_why_nobody_took_the_call(
    status: str, cause: int, result: LegResult, reason: str
) -> None:
    assert left_queue(status, cause) == Ending(result=result, reason=reason)


def test_the_phone_that_says_most_speaks_for_all() -> None:
    unreachable = Ending(result=LegResult.UNREACHABLE, reason="never_rang")
    busy = Ending(result=LegResult.BUSY, reason="busy")
    declined = Ending(result=LegResult.DECLINED, reason="declined")
    assert most_telling([unreachable, busy]) == busy
    assert most_telling([busy, declined, unreachable]) == declined
