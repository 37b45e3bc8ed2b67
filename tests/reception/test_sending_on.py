"""Blind transfers on virtual time: Kai lets go of the caller, and claims nothing."""

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import Mode, Transfer, Voicemail
from kai_ari.promises.obligation import Owed
from kai_ari.testing.caller import Press, Say
from kai_ari.testing.scripted import LeaveRecording
from kai_ari.testing.scripted_legs import ACCEPTS, OFFLINE, Behaviour
from tests.reception.house_rules import DANA, TEAM, rules, rung_results
from tests.reception.serving import serve

ZERO = Press(keys="0")
MESSAGE = LeaveRecording(voiced_ms=4000)


def test_a_blind_transfer_lets_go_of_the_caller_and_claims_nothing() -> None:
    blind = rules(Transfer(to=TEAM, mode=Mode.IN_TURN, ring_s=10, blind=True), Voicemail())
    result = serve(
        Say(text="Can I speak to a person?"),
        Say(text="My boiler is leaking."),
        people={"101": ACCEPTS, "102": ACCEPTS, "+12025550177": ACCEPTS},
        rules=blind,
    )
    assert result.call.sent_on == [["101"], ["102"], ["+12025550177"]]
    assert result.call.legs.rung == []
    assert rung_results(result) == ["sent_on"]
    assert [(e.who, e.to) for e in result.events if isinstance(e, leg.BlindTransferred)][:2] == [
        ("Dana", "101"),
        ("Lee", "102"),
    ]
    assert result.outcome.headline is Headline.UNRESOLVED
    assert (result.outcome.ended_by, result.events[-1]) == (
        EndedBy.KAI,
        ev.Ended(by=EndedBy.KAI, cause=None, reason="sent_on"),
    )
    assert result.said[-1] == "moment"
    assert [o.owed for o in result.obligations] == [Owed.CALL_BACK]  # nothing proves a talk


@pytest.mark.parametrize(
    ("fails", "dana", "came_to"),
    [({"send_on": 1}, ACCEPTS, "failed"), ({}, OFFLINE, "unreachable")],
)
def test_after_a_blind_transfer_that_cannot_be_made_the_ladder_goes_on(
    fails: dict[str, int], dana: Behaviour, came_to: str
) -> None:
    blind = rules(Transfer(to=DANA, blind=True), Voicemail())
    result = serve(ZERO, MESSAGE, people={"101": dana}, rules=blind, fails=fails)
    assert rung_results(result) == [came_to]
    assert not result.of(leg.BlindTransferred)
    assert "unreachable" in result.said
    assert result.outcome.headline is Headline.MESSAGE_LEFT
