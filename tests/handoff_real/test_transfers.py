"""Transfers on a real Asterisk with real phones: what each person does, what the caller hears,
what stands on record, and that nothing is left behind. All callers call at the same time."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import Voice
from kai_ari.testing.phone_call import PhoneCall
from tests.handoff_real.callers import leaves_message, talks, would_rather_talk
from tests.handoff_real.shop import ABSENT, Scene, one_day, staffed_pbx, then_voicemail, to
from tests.handoff_real.staff import (
    accepts,
    answers,
    gives_back,
    hears_speech,
    is_a_mailbox,
    presses,
    refuses,
    rings_out,
)
from tests.reception_real.house import Calls, nothing_left_behind
from tests.reception_real.placed import Placed, matches


async def hangs_up_while_it_rings(call: PhoneCall, voice: Voice) -> None:
    await hears_speech(call)
    await call.press("0")
    await hears_speech(call, frames=75, start=call.frame_count)
    await call.hang_up()


SCENES = {
    "accepts": Scene(rungs=to("201"), staff={"201": accepts(talk_s=14)}, caller=talks),
    "declines": Scene(rungs=to("202"), staff={"202": presses("2")}, caller=leaves_message),
    "wants a message": Scene(rungs=to("203"), staff={"203": presses("3")}, caller=leaves_message),
    "no answer": Scene(rungs=to("204"), staff={"204": rings_out}, caller=leaves_message),
    "busy": Scene(rungs=to("205"), staff={"205": refuses(486)}, caller=leaves_message),
    "not registered": Scene(rungs=to(ABSENT), caller=leaves_message),
    "mailbox": Scene(rungs=to("207"), staff={"207": is_a_mailbox}, caller=leaves_message),
    "drops": Scene(rungs=to("208"), staff={"208": accepts(talk_s=3)}, caller=leaves_message),
    "gives back": Scene(rungs=to("209"), staff={"209": gives_back}, caller=leaves_message),
    "rather talks": Scene(
        rungs=to("212"), staff={"212": accepts(talk_s=14)}, caller=would_rather_talk
    ),
    "sent on": Scene(
        rungs=then_voicemail("transfer: p211, ring: 20, blind: true"),
        staff={"211": answers(talk_s=6)},
        caller=talks,
    ),
    "hangs up": Scene(
        rungs=to("210", ring=20), staff={"210": rings_out}, caller=hangs_up_while_it_rings
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calls(
    speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Calls]:
    scratch, directory = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("shop")
    async with (
        staffed_pbx() as pbx,
        nothing_left_behind(scratch),
        one_day(pbx, speech, directory, SCENES) as day,
    ):
        yield day.calls


def results(placed: Placed) -> list[str]:
    return [event.result for event in placed.of(leg.RungEnded)]


async def test_one_who_accepts_is_connected_and_both_are_heard(calls: Calls) -> None:
    placed = calls["accepts"]
    assert placed.outcome.headline is Headline.HUMAN_CONNECTED
    assert placed.outcome.ended_by is EndedBy.HUMAN
    assert placed.proof == ["leg_accepted", "leg_joined", "conversed"]
    assert matches("this is Dana speaking", placed.heard)
    assert matches("I am trying Dana", placed.heard)
    assert placed.owed == []


@pytest.mark.parametrize(
    ("scene", "came_to", "told"),
    [
        ("declines", "declined", "Dana cannot take the call"),
        ("wants a message", "take_message", "who asks me to take a message"),
        ("no answer", "no_answer", "no answer from Dana"),
        ("busy", "busy", "the line to Dana is busy"),
        ("mailbox", "no_answer", "no answer from Dana"),
    ],
)
async def test_what_came_of_it_is_told_and_a_message_taken(
    calls: Calls, scene: str, came_to: str, told: str
) -> None:
    placed = calls[scene]
    assert results(placed) == [came_to]
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
    assert Headline.HUMAN_CONNECTED not in placed.outcome.facts
    assert not placed.of(leg.LegJoined)
    assert matches(told, placed.heard)
    assert matches("please leave your message after the beep", placed.heard)
    assert matches("about the boiler in the cellar", placed.understood)
    assert [owed.owed for owed in placed.owed] == [Owed.DELIVER_MESSAGE]


async def test_a_phone_that_is_not_there_is_not_tried(calls: Calls) -> None:
    placed = calls["not registered"]
    assert not placed.of(leg.LegStarted)
    assert "not connected" in placed.one(leg.RungSkipped).why
    assert matches("nobody can take your call right now", placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT


async def test_a_talk_that_breaks_off_is_suspect_and_the_caller_goes_on_with_kai(
    calls: Calls,
) -> None:
    placed = calls["drops"]
    assert results(placed) == ["accepted", "handoff_suspect"]
    assert Headline.HANDOFF_SUSPECT in placed.outcome.facts
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
    assert matches("you were cut off", placed.heard)


async def test_a_person_can_give_the_caller_back(calls: Calls) -> None:
    placed = calls["gives back"]
    assert results(placed) == ["accepted", "given_back"]
    assert placed.one(leg.LegParted).given_back
    assert matches("giving you back to the assistant", placed.heard)
    assert matches("you are back with me", placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT


async def test_a_caller_who_hangs_up_stops_the_ringing(calls: Calls) -> None:
    placed = calls["hangs up"]
    assert placed.outcome.headline is Headline.CALLER_LEFT
    assert placed.one(leg.LegEnded).result == "cancelled"
    assert placed.outcome.ended_by is EndedBy.CALLER
    assert [owed.owed for owed in placed.owed] == [Owed.CALL_BACK]


async def test_zero_in_a_recording_leads_to_a_person_and_the_recording_is_kept(
    calls: Calls,
) -> None:
    placed = calls["rather talks"]
    assert placed.outcome.headline is Headline.HUMAN_CONNECTED
    assert placed.proof == ["leg_accepted", "leg_joined", "conversed"]
    assert matches("about the boiler in the cellar", placed.understood)
    assert [owed.owed for owed in placed.owed] == [Owed.DELIVER_MESSAGE]


async def test_a_caller_sent_on_reaches_the_person_and_kai_claims_nothing(calls: Calls) -> None:
    placed = calls["sent on"]
    assert results(placed) == ["sent_on"]
    assert placed.one(leg.BlindTransferred).to == "211"
    assert not placed.of(leg.LegStarted)
    assert matches("this is Dana speaking", placed.heard)
    assert placed.outcome.headline is Headline.UNRESOLVED
    assert placed.outcome.ended_by is EndedBy.KAI
    assert placed.one(ev.Ended).reason == "sent_on"
