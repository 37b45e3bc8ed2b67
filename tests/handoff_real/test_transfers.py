"""Transfers on a real Asterisk with real phones: what each person does, what the caller hears,
what stands on record, and that nothing is left behind. All callers call at the same time."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import Voice
from kai_ari.testing.phone_call import PhoneCall
from tests.handoff_real.shop import ABSENT, CALLER, at_work, open_shop, staffed_pbx
from tests.handoff_real.staff import (
    StaffScript,
    accepts,
    gives_back,
    hears_beep,
    hears_speech,
    is_a_mailbox,
    keep_saying,
    presses,
    refuses,
    rings_out,
)
from tests.reception_real.house import Calls, Script, nothing_left_behind
from tests.reception_real.placed import Placed, matches

MESSAGE = "Please ring me about the boiler in the cellar."
RING_S = 6


def to(*people: str, ring: int = RING_S) -> str:
    """A ladder that tries these people one after the other, and then takes a voicemail."""
    rungs = [f"{{transfer: p{person}, ring: {ring}}}" for person in people]
    return f"[{', '.join([*rungs, 'voicemail'])}]"


async def leaves_message(call: PhoneCall, voice: Voice) -> None:
    """Ask for a person, hear what comes of it until the beep is over, and leave a message."""
    audio = await voice(MESSAGE)
    await hears_speech(call)
    await call.press("0")
    await hears_beep(call)
    await call.say(audio)
    await call.press("#")


async def talks(call: PhoneCall, voice: Voice) -> None:
    """Ask for a person, and talk until the call is over."""
    audio = await voice("Good afternoon, it is about the boiler in the cellar.")
    await hears_speech(call)
    await call.press("0")
    await keep_saying(call, audio)


async def hangs_up_while_it_rings(call: PhoneCall, voice: Voice) -> None:
    await hears_speech(call)
    await call.press("0")
    await hears_speech(call, frames=75, start=call.frame_count)
    await call.hang_up()


#: Number called: the ladder, what the staff do, and what the caller does.
SCENES: dict[str, tuple[str, str, dict[str, StaffScript], Script]] = {
    "accepts": ("3001", to("201"), {"201": accepts(talk_s=14)}, talks),
    "declines": ("3002", to("202"), {"202": presses("2")}, leaves_message),
    "wants a message": ("3003", to("203"), {"203": presses("3")}, leaves_message),
    "no answer": ("3004", to("204"), {"204": rings_out}, leaves_message),
    "busy": ("3005", to("205"), {"205": refuses(486)}, leaves_message),
    "not registered": ("3006", to(ABSENT), {}, leaves_message),
    "mailbox": ("3007", to("207"), {"207": is_a_mailbox}, leaves_message),
    "drops": ("3008", to("208"), {"208": accepts(talk_s=3)}, leaves_message),
    "gives back": ("3009", to("209"), {"209": gives_back}, leaves_message),
    "hangs up": ("3010", to("210", ring=20), {"210": rings_out}, hangs_up_while_it_rings),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calls(
    speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Calls]:
    scratch, directory = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("shop")
    ladders = {number: rungs for number, rungs, _, _ in SCENES.values()}
    staff = {user: what for *_, scripts, _ in SCENES.values() for user, what in scripts.items()}
    async with (
        staffed_pbx() as pbx,
        nothing_left_behind(scratch),
        open_shop(pbx, speech, directory, ladders) as house,
        at_work(house, staff),
    ):
        yield await house.at_once(
            {
                name: house.call(number, script, user=CALLER.user)
                for name, (number, _, _, script) in SCENES.items()
            }
        )


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
