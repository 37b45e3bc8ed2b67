"""Several who could take a call, several calls for one person, and who is never rung."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from kai_ari.calls import leg_events as leg
from kai_ari.calls.outcome import Headline
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import Voice
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.staff import talks_for
from tests.handoff_real.callers import leaves_message, says_after_beep, talks
from tests.handoff_real.shop import Day, Scene, one_day, staffed_pbx, then_voicemail, to
from tests.handoff_real.staff import (
    Desk,
    accepts,
    hears_speech,
    pick_up,
    press,
    presses,
    rings_out,
)
from tests.reception_real.house import nothing_left_behind
from tests.reception_real.placed import matches

TALK_S = 14.0
#: As long as it takes to say who calls.
WHISPER_FRAMES = 150
TEAMS = """
teams:
  pair: [p201, p202]
  slow: [p203, p204]
  hunt: [p205, p206]
  own: [p208, p209]
"""


class PressTogether:
    """They hear who calls, wait for each other, and press 1 at the same moment."""

    def __init__(self, count: int) -> None:
        self._ready = asyncio.Barrier(count)
        self.pressed_ns: list[int] = []

    async def __call__(self, desk: Desk, call: PhoneCall) -> None:
        await pick_up(call)
        await hears_speech(call, frames=WHISPER_FRAMES)
        await self._ready.wait()
        self.pressed_ns.append(time.monotonic_ns())
        await press(call, "1")
        await talks_for(desk, call, TALK_S)


class OnePerson:
    """Whom two callers want at the same time: rung by the first until the second was told."""

    def __init__(self) -> None:
        self._rings = asyncio.Event()
        self._second_told = asyncio.Event()

    async def picks_up_late(self, desk: Desk, call: PhoneCall) -> None:
        await call.ring()
        self._rings.set()
        await self._second_told.wait()
        await accepts(TALK_S)(desk, call)

    async def second_caller(self, call: PhoneCall, voice: Voice) -> None:
        await hears_speech(call)
        await self._rings.wait()
        await call.press("0")
        await says_after_beep(call, voice)
        self._second_told.set()


def scenes(both: PressTogether, dana: OnePerson) -> Mapping[str, Scene]:
    return {
        "both press": Scene(
            rungs=then_voicemail("transfer: pair, ring: 20"),
            staff={"201": both, "202": both},
            caller=talks,
        ),
        "first takes it": Scene(
            rungs=then_voicemail("transfer: slow, ring: 20"),
            staff={"203": rings_out, "204": accepts(TALK_S)},
            caller=talks,
        ),
        "in turn": Scene(
            rungs=then_voicemail("transfer: hunt, ring: 5, mode: in_turn"),
            staff={"205": rings_out, "206": presses("2")},
            caller=leaves_message,
        ),
        "first for Dana": Scene(
            rungs=to("207", ring=40), staff={"207": dana.picks_up_late}, caller=talks
        ),
        "second for Dana": Scene(rungs=to("207"), caller=dana.second_caller),
        "calls own phone": Scene(
            rungs=then_voicemail("transfer: p208", "transfer: own, ring: 10"),
            staff={"208": rings_out, "209": presses("3")},
            caller=leaves_message,
            user="208",
        ),
    }


@pytest.fixture(scope="module")
def both() -> PressTogether:
    return PressTogether(2)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def day(
    both: PressTogether, speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Day]:
    scratch, directory = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("shop")
    async with (
        staffed_pbx() as pbx,
        nothing_left_behind(scratch),
        one_day(pbx, speech, directory, scenes(both, OnePerson()), more=TEAMS) as day,
    ):
        yield day


async def test_of_two_who_press_at_once_one_has_the_call(day: Day, both: PressTogether) -> None:
    placed = day.calls["both press"]
    first, second = both.pressed_ns
    assert abs(second - first) < 50_000_000
    assert placed.outcome.headline is Headline.HUMAN_CONNECTED
    assert placed.proof == ["leg_accepted", "leg_joined", "conversed"]
    winner = placed.one(leg.LegAccepted).leg
    assert placed.one(leg.LegJoined).leg == winner
    [other] = [ended for ended in placed.of(leg.LegEnded) if ended.leg != winner]
    assert other.result == "cancelled"
    assert other.reason == "answered elsewhere"
    phones = {started.leg: started.to for started in placed.of(leg.LegStarted)}
    loser = phones[other.leg]
    assert matches("about the boiler in the cellar", await day.heard_at(phones[winner]))
    heard_by_loser = await day.heard_at(loser)
    assert matches("a caller who gave no name", heard_by_loser)
    assert not matches("about the boiler in the cellar", heard_by_loser)
    [lost] = day.desks[loser].calls
    assert not (await lost.ended()).by_us
    assert "cause=26" in lost.last_message  # answered elsewhere (RFC 3326, Q.850)
    assert matches("this is Dana speaking", placed.heard)


async def test_who_is_too_late_stops_ringing_answered_elsewhere(day: Day) -> None:
    placed = day.calls["first takes it"]
    assert placed.outcome.headline is Headline.HUMAN_CONNECTED
    assert "trying" in placed.said
    assert placed.one(leg.LegAccepted).leg == "leg2"
    [other] = [ended for ended in placed.of(leg.LegEnded) if ended.leg == "leg1"]
    assert other.reason == "answered elsewhere"
    [rang] = day.desks["203"].calls
    assert (await rang.ended()).status == 487
    assert rang.last_message.startswith("CANCEL ")
    assert "cause=26" in rang.last_message  # answered elsewhere (RFC 3326, Q.850)


async def test_one_after_the_other_is_rung_and_told(day: Day) -> None:
    placed = day.calls["in turn"]
    assert [started.to for started in placed.of(leg.LegStarted)] == ["205", "206"]
    assert [ended.result for ended in placed.of(leg.LegEnded)] == ["no_answer", "declined"]
    assert placed.one(leg.RungEnded).result == "declined"
    [first], [second] = day.desks["205"].calls, day.desks["206"].calls
    assert second.invited_ns - first.invited_ns > 4_000_000_000
    assert matches("cannot take the call", placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT


async def test_a_person_with_a_caller_is_not_rung_for_another(day: Day) -> None:
    first, second = day.calls["first for Dana"], day.calls["second for Dana"]
    assert first.outcome.headline is Headline.HUMAN_CONNECTED
    assert len(day.desks["207"].calls) == 1
    assert not second.of(leg.LegStarted)
    assert "busy with another call" in second.one(leg.RungSkipped).why
    assert matches("nobody can take your call right now", second.heard)
    assert not matches("I am trying", second.heard)
    assert second.outcome.headline is Headline.MESSAGE_LEFT


async def test_the_caller_is_never_rung(day: Day) -> None:
    placed = day.calls["calls own phone"]
    assert "The call comes from Dana" in placed.of(leg.RungSkipped)[0].why
    assert placed.one(leg.LegStarted).to == "209"
    assert not day.desks["208"].calls
    assert matches("asks me to take a message", placed.heard)
