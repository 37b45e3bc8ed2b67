"""Callers whom a person had and has no more, on virtual time: what is owed, and what they hear."""

import pytest

from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.dialogue import lines
from kai_ari.errors import AsteriskError
from kai_ari.fallback.rungs import Transfer, Voicemail
from kai_ari.promises.obligation import Owed
from kai_ari.testing.caller import HangUp, Press, StaySilent
from kai_ari.testing.scripted import HangUpInTalk, LeaveRecording, ScriptedCall
from kai_ari.testing.scripted_legs import (
    DROPS,
    GIVES_BACK,
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
TO_DANA = rules(Transfer(to=DANA), Voicemail())


def test_a_caller_given_back_who_leaves_is_owed_a_call_back() -> None:
    result = serve(ZERO, HangUp(), people={"101": GIVES_BACK}, rules=TO_DANA)
    assert "given_back" in result.said
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    assert [o.owed for o in result.obligations] == [Owed.CALL_BACK]


def test_after_a_good_talk_a_second_one_without_audio_is_owed_a_call_back() -> None:
    result = serve(
        ZERO,
        StaySilent(),
        HangUpInTalk(after_ms=4000),
        people={"101": GIVES_BACK, "102": SILENT_LINE, "+12025550177": RINGS_OUT},
        rules=rules(Transfer(to=DANA), Transfer(to=LEE), Voicemail()),
    )
    assert rung_results(result) == ["accepted", "given_back", "accepted"]
    assert result.outcome.headline is Headline.HANDOFF_SUSPECT
    assert result.outcome.ended_by is EndedBy.CALLER
    assert [o.owed for o in result.obligations] == [Owed.CALL_BACK]


@pytest.mark.parametrize("behaviour", [GIVES_BACK, DROPS, SILENT_LINE])
def test_when_the_record_fails_at_the_end_of_a_talk_the_caller_hears_of_it(
    behaviour: Behaviour,
) -> None:
    people = {"101": behaviour}
    events = serve(ZERO, MESSAGE, people=people, rules=TO_DANA).events
    parted_at = next(place for place, e in enumerate(events) if isinstance(e, leg.LegParted))
    result = serve(ZERO, MESSAGE, people=people, rules=TO_DANA, ledger_fails_at=parted_at + 1)
    assert result.speech.synthesizer.spoken[-1] == lines.FAULT.text
    assert result.call.in_bridge
    assert not result.call.left_to_dialplan


@pytest.mark.parametrize("failures", [1, 2])
def test_who_cannot_be_taken_back_from_a_failed_joining_is_not_talked_at(failures: int) -> None:
    """Asterisk did not answer: they sit in the bridge of a leg that has gone."""
    result = serve(
        ZERO,
        MESSAGE,
        people={"101": Behaviour(keys="1", join_fails=True)},
        rules=TO_DANA,
        fails={"part": failures},
    )
    assert result.outcome.ended_by is EndedBy.NETWORK
    assert (result.speech.synthesizer.spoken[-1] == lines.FAULT.text) is (failures == 1)
    assert result.call.left_to_dialplan is (failures == 2)


def test_a_caller_who_leaves_while_they_are_joined_has_left() -> None:
    class LeavesInJoining(ScriptedCall):
        async def part(self) -> None:
            self._hang_up()
            raise AsteriskError("the caller has left, says the script")

    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        fails = {"101": Behaviour(keys="1", join_fails=True)}
        return LeavesInJoining(ZERO, utterances=utterances, people=fails)

    result = serve(caller=caller, rules=TO_DANA)
    assert result.outcome.headline is Headline.CALLER_LEFT
    assert [o.owed for o in result.obligations] == [Owed.CALL_BACK]
