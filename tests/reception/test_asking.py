"""Callers who ask for a person, on virtual time: in an urgent matter, and again and again."""

from dataclasses import replace

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import Callback, Goodbye, Ladder, Rule, Rung, Transfer, Voicemail, When
from kai_ari.people.availability import PbxState, PhoneState
from kai_ari.reception.routes import Rules
from kai_ari.testing.caller import Press, Say
from kai_ari.testing.scripted import LeaveRecording, LoseAudio
from kai_ari.testing.scripted_house import ScriptedLookout
from kai_ari.testing.scripted_legs import ACCEPTS, RINGS_OUT
from tests.reception.house_rules import DANA, LEE, rules, rung_results
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
