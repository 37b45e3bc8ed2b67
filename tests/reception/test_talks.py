"""Talks with a person on virtual time: how they end, and what comes of the call."""

from dataclasses import replace

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import (
    Transfer,
    Voicemail,
)
from kai_ari.promises.obligation import Owed
from kai_ari.reception.legs import AudioFlow, LegResult
from kai_ari.testing.caller import HangUp, Press
from kai_ari.testing.scripted import HangUpInTalk, LeaveRecording, ScriptedCall
from kai_ari.testing.scripted_legs import (
    ACCEPTS,
    DROPS,
    GIVES_BACK,
    LOSES_LINE,
    RINGS_OUT,
    SILENT_LINE,
    Behaviour,
)
from kai_ari.testing.scripted_record import ListLedger
from kai_ari.testing.scripted_speech import Utterances
from tests.reception.house_rules import DANA, LEE, rules, rung_results
from tests.reception.serving import serve

ZERO = Press(keys="0")
MESSAGE = LeaveRecording(voiced_ms=4000)
#: Puts a colleague in their own place, whom Kai lets go of.
TRANSFERS = replace(ACCEPTS, leaves_as=LegResult.TAKEN_AWAY)

TO_DANA = rules(Transfer(to=DANA), Voicemail())


def test_a_talk_cut_off_too_soon_is_acted_on() -> None:
    result = serve(ZERO, MESSAGE, people={"101": DROPS}, rules=TO_DANA)
    assert rung_results(result) == ["accepted", "handoff_suspect"]
    assert "cut_off" in result.said
    assert result.outcome.facts >= {Headline.HANDOFF_SUSPECT, Headline.MESSAGE_LEFT}
    assert result.outcome.headline is Headline.MESSAGE_LEFT


@pytest.mark.parametrize("gone", [LOSES_LINE, TRANSFERS])
def test_a_caller_cut_off_in_mid_talk_is_told_and_goes_on_with_kai(gone: Behaviour) -> None:
    result = serve(ZERO, MESSAGE, people={"101": gone}, rules=TO_DANA)
    assert rung_results(result) == ["accepted", "cut_off"]
    assert "cut_off" in result.said
    assert [e.by for e in result.events if isinstance(e, leg.LegParted)] == [gone.gone_by]
    assert result.outcome.facts == {Headline.HUMAN_CONNECTED, Headline.MESSAGE_LEFT}
    assert result.outcome.ended_by is EndedBy.KAI
    people = {"101": gone, "102": ACCEPTS, "+12025550177": RINGS_OUT}
    to_lee = rules(Transfer(to=DANA), Transfer(to=LEE), Voicemail())
    result = serve(ZERO, people=people, rules=to_lee)
    assert rung_results(result) == ["accepted", "cut_off", "accepted"]
    assert result.outcome.ended_by is EndedBy.HUMAN


def test_a_caller_cut_off_who_leaves_is_owed_a_call_back() -> None:
    result = serve(ZERO, HangUp(), people={"101": DROPS}, rules=TO_DANA)
    assert result.outcome.headline is Headline.HANDOFF_SUSPECT
    assert [o.owed for o in result.obligations] == [Owed.CALL_BACK]


def test_a_caller_who_ends_a_short_talk_was_connected() -> None:
    result = serve(ZERO, HangUpInTalk(after_ms=4000), people={"101": ACCEPTS}, rules=TO_DANA)
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    assert result.outcome.ended_by is EndedBy.CALLER


def test_a_talk_is_measured_whatever_keys_are_pressed_in_it() -> None:
    presses = replace(ACCEPTS, talk_keys="5" * 60, talk_keys_after_ms=100)
    result = serve(ZERO, people={"101": presses}, rules=TO_DANA)
    [conversed] = result.of(leg.Conversed)
    assert isinstance(conversed, leg.Conversed)
    assert conversed.lasted_ms < 11_000


def test_a_talk_that_ends_between_two_looks_at_it_counts_as_long_as_it_was() -> None:
    leaves = replace(ACCEPTS, leaves_after_ms=10_200)
    result = serve(ZERO, people={"101": leaves}, rules=TO_DANA)
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    assert result.outcome.ended_by is EndedBy.HUMAN


def test_a_person_gives_the_caller_back() -> None:
    result = serve(ZERO, MESSAGE, people={"101": GIVES_BACK}, rules=TO_DANA)
    assert rung_results(result) == ["accepted", "given_back"]
    assert "given_back" in result.said
    assert result.outcome.facts >= {Headline.HUMAN_CONNECTED, Headline.MESSAGE_LEFT}


def test_a_line_without_any_audio_gives_the_caller_back_to_kai() -> None:
    result = serve(ZERO, MESSAGE, people={"101": SILENT_LINE}, rules=TO_DANA)
    assert result.of(leg.AudioOneWay)
    assert Headline.HUMAN_CONNECTED not in result.outcome.facts
    assert result.outcome.headline is Headline.MESSAGE_LEFT


def test_a_fault_of_kais_in_a_talk_cuts_nobody() -> None:
    class BreaksInTalk(ScriptedCall):
        async def audio_flow(self, leg: str) -> AudioFlow:
            raise RuntimeError(f"no counters of {leg}, says the script")

    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        return BreaksInTalk(ZERO, utterances=utterances, people={"101": ACCEPTS})

    result = serve(caller=caller, rules=TO_DANA)
    assert result.call.left_to_dialplan
    assert "fault" not in result.said
    assert result.events[-1] == ev.Ended(by=EndedBy.FAULT, cause=None, reason="fault:RuntimeError")
