"""Who ended a leg that had been answered, from events as Asterisk sends them; none is needed."""

from typing import Any

import pytest

from kai_ari.asterisk.leg import Leg
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy
from kai_ari.reception.legs import LegEnded, LegRequest, LegResult, LegSignal, ToNumber

REQUEST = LegRequest(leg="a", to=ToNumber(number="+12025550177", trunk="line"), ring_s=20)


class Answered:
    """A leg with one channel, which has been answered."""

    def __init__(self) -> None:
        self.told: list[LegSignal] = []
        self.leg = Leg(REQUEST, CallId("0000000000aa"), self.told.append)
        self.channel = self.leg.new_branch()
        self.leg.all_asked()
        self.tell("StasisStart", state="Up")

    def tell(self, kind: str, *, state: str = "Up", **more: Any) -> None:
        self.leg.on_event(self.channel, {"type": kind, "channel": {"state": state}, **more})

    @property
    def ended(self) -> LegEnded:
        end = self.told[-1]
        assert isinstance(end, LegEnded)
        return end


@pytest.mark.parametrize(
    ("asked", "destroyed", "by", "reason"),
    [
        ({"cause": 16}, {"cause": 16}, EndedBy.HUMAN, "hung_up"),
        ({}, {"cause": 16}, EndedBy.HUMAN, "hung_up"),
        ({"cause": 38, "tech_cause": 500}, {"cause": 38}, EndedBy.NETWORK, "cause_38"),
        ({"cause": 16, "tech_cause": 408}, {"cause": 16}, EndedBy.NETWORK, "line_lost"),
        ({"cause": 1, "soft": True}, {"cause": 16}, EndedBy.NETWORK, "device_lost"),
        ({"cause": 32, "soft": True}, {"cause": 16}, EndedBy.NETWORK, "hung_up_by_operator"),
        (None, {"cause": 41}, EndedBy.NETWORK, "cause_41"),
        (None, {"cause": 16}, EndedBy.HUMAN, "hung_up"),
    ],
)
def test_an_answered_leg_tells_who_ended_it(
    asked: dict[str, Any] | None, destroyed: dict[str, Any], by: EndedBy, reason: str
) -> None:
    answered = Answered()
    if asked is not None:
        answered.tell("ChannelHangupRequest", **asked)
    answered.tell("ChannelDestroyed", **destroyed)
    assert answered.ended == LegEnded(
        leg="a",
        result=LegResult.DROPPED,
        cause=destroyed["cause"],
        sip=None,
        reason=reason,
        by=by,
    )


def test_a_leg_that_is_gone_when_asterisk_is_back_was_ended_by_nobody_known() -> None:
    answered = Answered()
    answered.leg.lose(answered.channel, "gone_while_disconnected")
    assert (answered.ended.result, answered.ended.by) == (LegResult.DROPPED, EndedBy.NETWORK)


def test_a_leg_that_is_led_elsewhere_in_asterisk_was_not_hung_up_by_the_person() -> None:
    answered = Answered()
    answered.tell("StasisEnd")
    assert (answered.ended.result, answered.ended.by) == (LegResult.TAKEN_AWAY, EndedBy.NETWORK)


def test_a_person_who_puts_somebody_else_in_their_place_has_ended_it() -> None:
    answered = Answered()
    answered.leg.joined = True
    answered.leg.replaced("another")
    answered.tell("StasisEnd")
    assert (answered.ended.result, answered.ended.by) == (LegResult.TAKEN_AWAY, EndedBy.HUMAN)
