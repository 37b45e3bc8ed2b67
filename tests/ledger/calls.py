"""Calls to write down."""

from datetime import UTC, datetime

from kai_ari.calls.call import CallId
from kai_ari.calls.events import Arrived, Ended, EndedBy, KeyPressed, ObligationWritten
from kai_ari.promises.obligation import Obligation, Owed

A, B = CallId("aaaaaaaaaaaa"), CallId("bbbbbbbbbbbb")

ARRIVED = Arrived(
    channel="c1",
    did="100",
    caller_raw="(202) 555-0123",
    caller_name="Ann \ud800\0",
    caller_number="+12025550123",
    resumed_from=None,
)
KEY = KeyPressed(key="1")
LEFT = Ended(by=EndedBy.CALLER, cause=16, reason="hung_up")


def owed(call: CallId, name: str = "o1") -> tuple[ObligationWritten, Obligation]:
    obligation = Obligation(
        id=name,
        call=call,
        owed=Owed.CALL_BACK,
        since=datetime(2026, 11, 22, 9, tzinfo=UTC),
        about={"number": "+12025550123"},
    )
    return ObligationWritten(obligation=name, owed="call_back"), obligation
