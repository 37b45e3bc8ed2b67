"""Callers who ask for a person, on virtual time: in an urgent matter, and again and again."""

from dataclasses import replace

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Ladder,
    Mode,
    Queue,
    Rule,
    Rung,
    Transfer,
    Voicemail,
    When,
)
from kai_ari.people.availability import PbxState, PhoneState, QueueMember
from kai_ari.reception.routes import Rules
from kai_ari.testing.caller import Press, Say, StaySilent
from kai_ari.testing.scripted import LeaveRecording, LoseAudio
from kai_ari.testing.scripted_house import ScriptedLookout
from kai_ari.testing.scripted_legs import ACCEPTS, RINGS_OUT
from tests.reception.house_rules import DANA, LEE, TEAM, rules, rung_results
from tests.reception.serving import Result, serve

ZERO = Press(keys="0")
MESSAGE = LeaveRecording(voiced_ms=4000)
FLOOD = Say(text="Water is flooding the kitchen, it is an emergency.")
LEE_ACCEPTS = {"101": RINGS_OUT, "102": ACCEPTS, "+12025550177": RINGS_OUT}


def whispers(result: Result) -> list[str]:
    return [e.text for e in result.events if isinstance(e, leg.WhisperStarted)]


def test_who_asks_for_a_person_and_then_says_it_is_urgent_has_who_is_for_urgent_calls() -> None:
    ladder = Ladder(
        name="ladders.default",
        rules=(
            Rule(id="a", rung=Transfer(to=DANA), when=frozenset({When.URGENT})),
            Rule(id="b", rung=Voicemail()),
        ),
    )
    house = rules(Voicemail()).current
    urgent_only = Rules(current=replace(house, plan=replace(house.plan, default=ladder)))
    result = serve(
        Say(text="Can I speak to someone?"), FLOOD, people={"101": ACCEPTS}, rules=urgent_only
    )
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    [told] = whispers(result)
    assert told.startswith("Urgent call for Rossi Plumbing")
    assert "About: Water is flooding the kitchen" in told


def test_an_urgent_call_stays_urgent_when_its_audio_is_lost() -> None:
    result = serve(
        FLOOD,
        LoseAudio(after_ms=100),
        ZERO,
        people=LEE_ACCEPTS,
        rules=rules(Transfer(to=DANA), Transfer(to=LEE), Voicemail()),
    )
    assert len(result.of(ev.AudioLost)) == 1
    [told] = whispers(result)
    assert told.startswith("Urgent call")


# -- while others are tried --------------------------------------------------------


def test_zero_while_a_phone_rings_goes_on_to_the_next_person() -> None:
    result = serve(
        ZERO,
        ZERO,
        people=LEE_ACCEPTS,
        rules=rules(Transfer(to=DANA), Alert(to=DANA), Transfer(to=LEE), Voicemail()),
    )
    assert result.call.legs.rung == ["101", "102", "+12025550177"]
    assert rung_results(result) == ["caller_asked_for_next_person", "accepted"]
    assert result.said == ["greeting", "trying", "trying_next"]
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    first = next(e for e in result.events if isinstance(e, leg.LegEnded))
    assert (first.leg, first.result) == ("leg1", "cancelled")


def test_zero_in_a_queue_goes_on_to_the_next_person_too() -> None:
    member = QueueMember(name="Max", reachable=True, paused=False, in_call=False)
    result = serve(
        ZERO,
        StaySilent(),
        ZERO,
        people={"queue:support": RINGS_OUT, "101": ACCEPTS},
        lookout=ScriptedLookout(state=PbxState(queues={"support": (member,)})),
        rules=rules(Queue(name="support"), Transfer(to=DANA), Voicemail()),
    )
    assert rung_results(result) == ["caller_asked_for_next_person", "accepted"]
    assert result.outcome.headline is Headline.HUMAN_CONNECTED


def test_zero_with_nobody_else_to_try_keeps_the_only_person_who_may_still_answer() -> None:
    slow = replace(ACCEPTS, after_ms=20_000)
    result = serve(
        ZERO,
        ZERO,
        people={"101": slow},
        lookout=ScriptedLookout(state=PbxState(phones={"102": PhoneState.IN_USE})),
        rules=rules(Transfer(to=DANA), Transfer(to=LEE), Voicemail()),
    )
    assert result.said[:3] == ["greeting", "trying", "no_other"]
    assert [e.why for e in result.events if isinstance(e, leg.RungSkipped)] == [
        "Lee is on the phone"
    ]
    assert rung_results(result) == ["accepted"]
    assert result.outcome.headline is Headline.HUMAN_CONNECTED


def test_zero_in_a_group_in_turn_goes_on_to_the_next_of_the_group() -> None:
    result = serve(
        ZERO,
        ZERO,
        people=LEE_ACCEPTS,
        rules=rules(Transfer(to=TEAM, mode=Mode.IN_TURN, ring_s=20), Voicemail()),
    )
    assert result.call.legs.rung == ["101", "102"]
    assert rung_results(result) == ["accepted"]


def test_zero_pressed_many_times_is_one_wish_and_burns_no_ladder() -> None:
    slow = replace(ACCEPTS, after_ms=8000)
    result = serve(
        Press(keys="0000"),
        people={**LEE_ACCEPTS, "101": slow},
        rules=rules(Transfer(to=DANA), Transfer(to=LEE), Voicemail()),
    )
    assert result.call.legs.rung == ["101"]
    assert rung_results(result) == ["accepted"]


def test_zero_for_somebody_who_is_taken_at_that_moment_goes_on_as_the_ladder_does() -> None:
    class TakenMeanwhile(ScriptedLookout):
        asked = 0

        async def pbx(self) -> PbxState:
            self.asked += 1
            phones = {"102": PhoneState.IN_USE} if self.asked > 2 else {}
            return PbxState(phones=phones)

    result = serve(
        ZERO,
        ZERO,
        MESSAGE,
        people={"101": RINGS_OUT},
        lookout=TakenMeanwhile(),
        rules=rules(Transfer(to=DANA), Transfer(to=LEE), Voicemail()),
    )
    assert result.call.legs.rung == ["101"]
    assert "nobody_else" in result.said
    assert rung_results(result) == ["caller_asked_for_next_person"]
    assert result.outcome.headline is Headline.MESSAGE_LEFT


# -- at the offer of a call back ---------------------------------------------------


def test_zero_at_the_offer_of_a_call_back_loses_no_voicemail() -> None:
    result = serve(
        ZERO,
        ZERO,
        MESSAGE,
        people={"101": RINGS_OUT},
        rules=rules(Callback(by=DANA), Transfer(to=DANA), Voicemail()),
    )
    assert rung_results(result) == ["caller_asked_for_next_person", "no_answer"]
    assert result.outcome.headline is Headline.MESSAGE_LEFT


def test_zero_for_who_was_on_the_phone_before_loses_no_voicemail() -> None:
    class HangsUpMeanwhile(ScriptedLookout):
        async def pbx(self) -> PbxState:
            before, self.state = self.state, PbxState()
            return before

    result = serve(
        ZERO,
        ZERO,
        MESSAGE,
        people={"101": RINGS_OUT},
        lookout=HangsUpMeanwhile(state=PbxState(phones={"101": PhoneState.IN_USE})),
        rules=rules(Transfer(to=DANA), Callback(by=DANA), Voicemail()),
    )
    assert result.call.legs.rung == ["101"]
    assert rung_results(result) == ["caller_asked_for_next_person", "no_answer"]
    assert result.outcome.headline is Headline.MESSAGE_LEFT


@pytest.mark.parametrize(
    ("end", "last", "headline"),
    [
        (Voicemail(), "recording_saved", Headline.MESSAGE_LEFT),
        (Goodbye(), "follow_up", Headline.UNRESOLVED),
    ],
)
def test_zero_at_the_offer_with_nobody_there_goes_on_as_the_ladder_does(
    end: Rung, last: str, headline: Headline
) -> None:
    result = serve(ZERO, ZERO, MESSAGE, rules=rules(Callback(by=DANA), end))
    assert "nobody_else" in result.said
    assert rung_results(result) == ["caller_asked_for_next_person"]
    assert result.said[-1] == last
    assert result.outcome.headline is headline
