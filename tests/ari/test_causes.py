from typing import Any

import pytest

from kai_ari.asterisk.causes import caller_gone
from kai_ari.calls.events import EndedBy

# The first five are events as Asterisk 22.10 sent them; the rest follow its source.
TABLE: list[tuple[str, dict[str, Any], bool, EndedBy, str]] = [
    ("BYE from the caller", {}, False, EndedBy.CALLER, "hung_up"),
    ("CANCEL", {"cause": 127, "tech_cause": 487}, False, EndedBy.CALLER, "cancelled"),
    ("a dead phone", {"cause": 16, "tech_cause": 408}, False, EndedBy.NETWORK, "line_lost"),
    ("Kai hangs up", {"soft": True, "cause": 32}, True, EndedBy.KAI, "hung_up"),
    (
        "an operator hangs up",
        {"soft": True, "cause": 32},
        False,
        EndedBy.NETWORK,
        "hung_up_by_operator",
    ),
    ("BYE with a reason", {"cause": 16}, False, EndedBy.CALLER, "hung_up"),
    ("a phone that started anew", {"tech_cause": 481}, False, EndedBy.NETWORK, "line_lost"),
    ("BYE while Kai hangs up", {}, True, EndedBy.CALLER, "hung_up"),
    ("no RTP", {"soft": True, "cause": 1}, False, EndedBy.NETWORK, "device_lost"),
    ("Asterisk stops", {"soft": True, "cause": 16}, False, EndedBy.NETWORK, "asterisk_stopping"),
    ("sent elsewhere", {"soft": True, "cause": 2}, False, EndedBy.NETWORK, "moved_away"),
    (
        "unknown flag",
        {"soft": True, "cause": 4096},
        False,
        EndedBy.NETWORK,
        "ended_inside_asterisk",
    ),
    ("network out of order", {"cause": 38}, False, EndedBy.NETWORK, "cause_38"),
]


@pytest.mark.parametrize(
    ("event", "kai", "by", "reason"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_who_ended_the_call(event: dict[str, Any], kai: bool, by: EndedBy, reason: str) -> None:
    gone = caller_gone(event, kai_hung_up=kai)
    assert (gone.by, gone.reason) == (by, reason)


def test_a_softhangup_flag_is_not_taken_for_a_q850_cause() -> None:
    assert caller_gone({"soft": True, "cause": 32}, kai_hung_up=True).cause is None
