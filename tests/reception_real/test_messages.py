"""Messages taken in whole calls: by voice, by keys, by interrupting; several callers at once.

All callers of this module call at the same time, each a number of their own.
"""

import itertools
import time

import numpy as np
import pytest
import pytest_asyncio

from kai_ari.calls import events as ev
from kai_ari.calls.events import EndedBy, Situation
from kai_ari.calls.outcome import Headline
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import Interrupt, Press, Say
from kai_ari.testing.pbx import LocalAsterisk
from tests.reception_real.house import Calls, follow, nothing_left_behind, open_house
from tests.reception_real.placed import Placed, matches

DETAILS_PROOF = ["slot_confirmed", "slot_confirmed", "slot_confirmed", "obligation_written"]
BAKER = Say(text="My name is John Baker.")
YES = Press(keys="1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calls(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> Calls:
    scratch, directory = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("house")
    async with nothing_left_behind(scratch), open_house(pbx, speech, directory) as house:
        return await house.at_once(
            {
                "by voice": house.call(
                    "2001",
                    follow(
                        Say(text="Hello, my kitchen tap is leaking."),
                        BAKER,
                        Say(text="No, please use another number."),
                        Say(text="Two zero two, five five five, zero one four two."),
                        Say(text="Yes, that's right."),
                    ),
                ),
                "another": house.call(
                    "2002",
                    follow(
                        Say(text="The heating in my office is broken."),
                        Say(text="This is Peter Smith."),
                        Say(text="Yes."),
                        Say(text="Yes, that is correct."),
                    ),
                    caller_id="+12025550177",
                ),
                "by keys": house.call(
                    "2003",
                    follow(
                        Press(keys="0"),
                        Say(text="I need a new bathroom."),
                        Press(keys="*"),
                        BAKER,
                        Press(keys="2"),
                        Press(keys="5550199#"),
                        YES,
                    ),
                ),
                "interrupting": house.call(
                    "2004",
                    follow(
                        Interrupt(text="My cellar is full of water.", after_ms=600),
                        BAKER,
                        YES,
                        YES,
                    ),
                ),
                "hidden": house.call(
                    "2005",
                    follow(Say(text="My shower is cold."), BAKER, Press(keys="5550123#"), YES),
                    hidden=True,
                ),
                "malformed": house.call(
                    "2006",
                    follow(Say(text="My shower is cold."), BAKER, Press(keys="5550124#"), YES),
                    caller_id="x'--drop",
                ),
                "unknown number": house.call("999", follow()),
            }
        )


def taken(placed: Placed) -> dict[str, str]:
    """A message was taken, proven and promised; what it says."""
    assert placed.outcome.headline is Headline.DETAILS_TAKEN
    assert placed.outcome.ended_by is EndedBy.KAI
    assert placed.proof == DETAILS_PROOF
    [owed] = placed.owed
    assert owed.owed is Owed.DELIVER_MESSAGE
    assert placed.said[-1] == "message_saved"
    assert matches("your message is saved for Rossi Plumbing to read", placed.heard)
    assert placed.slots.items() <= owed.about.items()
    return placed.slots


def test_a_message_is_taken_by_voice(calls: Calls) -> None:
    placed = calls["by voice"]
    slots = taken(placed)
    assert matches("my kitchen tap is leaking", slots["reason"])
    assert slots["name"] == "John Baker"
    assert slots["number"] == "2025550142"
    assert matches("this is Rossi Plumbing how can I help", placed.heard)
    assert matches("the name is John Baker", placed.heard)
    assert matches("is that right", placed.heard)


def test_callers_at_once_never_meet(calls: Calls) -> None:
    one, other = calls["by voice"], calls["another"]
    slots = taken(other)
    assert matches("the heating in my office is broken", slots["reason"])
    assert slots["name"] == "Peter Smith"
    assert slots["number"] == "+12025550177"
    began, over = ([placed.records[place].at for placed in (one, other)] for place in (0, -1))
    assert max(began) < min(over), "the calls were not at the same time"
    for mine, theirs in itertools.permutations((one, other)):
        about = {"kitchen", "tap", "baker"} if mine is one else {"heating", "office", "smith"}
        everything = " ".join([theirs.understood, theirs.heard, str(theirs.owed)]).lower()
        assert not about & set(everything.split()), everything


def test_keys_do_what_they_say(calls: Calls) -> None:
    placed = calls["by keys"]
    slots = taken(placed)
    assert slots["number"] == "5550199"
    assert [event.how for event in placed.of(ev.SlotTaken) if event.slot == "number"] == ["keypad"]
    assert "".join(event.key for event in placed.of(ev.KeyPressed)) == "0*25550199#1"
    # 0 asks for a person: the truth is told, and the wish is on record.
    assert placed.one(ev.SituationNamed).situation is Situation.ASKED_FOR_HUMAN
    assert matches("I cannot connect you to a person", placed.heard)
    assert {"ask_name", "ask_name_again"} <= set(placed.said)  # * says it again


def test_an_interrupted_line_stops_and_the_caller_is_understood(calls: Calls) -> None:
    placed = calls["interrupting"]
    assert matches("my cellar is full of water", taken(placed)["reason"])
    greeting = placed.of(ev.LineEnded)[0]
    assert greeting.cut_by == "speech"
    assert greeting.heard_ms < greeting.total_ms
    assert not matches("how can I help", placed.heard[:60])
    assert placed.recording
    # Instants of the ledger, of the phone's recording: the machine's two clocks, side by side.
    wall_minus_monotonic = time.time_ns() - time.monotonic_ns()
    cut = next(record for record in placed.records if record.event is greeting)
    cut_ms = cut.at.timestamp() * 1e3 - (placed.recording.started_ns + wall_minus_monotonic) / 1e6
    interrupted_ms = onset_ms(placed.recording.sent)
    silent_ms = interrupted_ms + quiet_after(placed.recording.heard, interrupted_ms)
    assert silent_ms <= cut_ms + 300, (interrupted_ms, cut_ms, silent_ms)
    assert silent_ms - interrupted_ms <= 1_000, (interrupted_ms, cut_ms, silent_ms)


def test_a_hidden_number_is_asked_for(calls: Calls) -> None:
    placed = calls["hidden"]
    assert taken(placed)["number"] == "5550123"
    assert placed.one(ev.Arrived).caller_number is None
    assert "offer_caller_id" not in placed.said
    assert matches("what number can we reach you on", placed.heard)


def test_a_malformed_number_goes_nowhere(calls: Calls) -> None:
    placed = calls["malformed"]
    assert taken(placed)["number"] == "5550124"
    arrived = placed.one(ev.Arrived)
    assert arrived.caller_number is None
    assert "drop" in arrived.caller_raw
    assert "offer_caller_id" not in placed.said
    assert "drop" not in placed.heard
    assert all("drop" not in str(owed.about) for owed in placed.owed)


def test_a_number_that_is_not_in_use_is_told_politely(calls: Calls) -> None:
    placed = calls["unknown number"]
    assert placed.outcome.headline is Headline.UNRESOLVED
    assert placed.outcome.reason == "unknown_number"
    assert matches("this number is not in use please check it and call again", placed.heard)
    assert placed.ending
    assert not placed.ending.by_us
    assert not placed.owed


LOUD = 400  # of 32767, as the scripted caller measures


def onset_ms(pcm: bytes) -> int:
    return int(np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2")) > LOUD)[0]) // 16


def quiet_after(pcm: bytes, start_ms: int) -> int:
    """Milliseconds from `start_ms` to the first 300 ms without a sound."""
    loud = np.abs(np.frombuffer(pcm, "<i2")[start_ms * 16 :]) > LOUD
    places = np.append(np.flatnonzero(loud), loud.size + 300 * 16)
    gaps = np.flatnonzero(np.diff(places) >= 300 * 16)
    return int(places[gaps[0]]) // 16
