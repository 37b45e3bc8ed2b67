"""Alerts by telephone, without one: when nobody is rung, and what is said of a talk."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kai_ari.alert_calls import AlertCalls
from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy, Event
from kai_ari.calls.follow_events import ObligationKept
from kai_ari.followup.outbox import Recipient
from kai_ari.followup.ports import Notice, SendingFailed
from kai_ari.reception.routes import Reservations

MOBILE = "+12125550143"
NOTICE = Notice(
    key="k",
    to=Recipient(person="lee", name="Lee Park", address=MOBILE),
    subject="",
    short="",
    text="",
    html=None,
    recording=None,
    urgent=False,
    call=CallId("aaaaaaaaaaaa"),
    obligation="o1",
)


async def _nothing(_: Notice) -> None:
    pass


def alert_calls(**parts: Any) -> AlertCalls:
    given = dict.fromkeys(("asterisk", "reception", "rules", "may_call", "desk", "clock"), None)
    return AlertCalls(**cast(Any, given | parts), acknowledged=_nothing, shown="")


@pytest.mark.parametrize("already", [True, False])
def test_who_is_rung_by_a_caller_is_called_later(already: bool) -> None:
    """Also who begins to be rung while the call that it is about is looked up."""
    reservations = Reservations()

    class Desk:
        async def history(self, _: CallId) -> list[Event]:
            reservations.exchange((), () if already else (MOBILE,))
            return []

    calls = alert_calls(
        reception=SimpleNamespace(reservations=reservations),
        rules=SimpleNamespace(current=SimpleNamespace(destination=lambda _: None)),
        may_call=SimpleNamespace(country="US"),
        desk=Desk(),
    )
    with (
        reservations.hold((MOBILE,) if already else ()),
        pytest.raises(SendingFailed) as failed,
    ):
        asyncio.run(calls.send(NOTICE))
    assert failed.value.retry
    assert not failed.value.uncertain


class _Desk:
    """Has one call on which the caller's number answered and was talked to."""

    def __init__(self) -> None:
        self.noted: list[Event] = []

    async def history(self, _: CallId) -> list[Event]:
        return [
            leg.LegAccepted(leg="back1", how=leg.Acceptance.ANSWER),
            leg.LegJoined(leg="back1"),
            leg.Conversed(leg="back1", lasted_ms=12_000, minimum_ms=10_000),
            ev.Ended(by=EndedBy.HUMAN, cause=16, reason="talked"),
        ]

    async def owed(self, **_: object) -> list[Any]:
        return [SimpleNamespace(id="o1")]

    async def note(self, _: CallId, *events: Event) -> None:
        self.noted += events


def test_that_somebody_answered_is_not_told_as_a_talk_with_the_caller() -> None:
    desk = _Desk()
    assert asyncio.run(alert_calls(desk=desk)._known(NOTICE, CallId("bbbbbbbbbbbb")))
    [kept] = desk.noted
    assert isinstance(kept, ObligationKept)
    assert kept.evidence.startswith("Lee Park called them back and talked to whoever answered")
