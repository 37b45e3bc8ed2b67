"""Asterisk cannot be reached while a caller and a person talk, on virtual time: the talk is theirs,
and nothing is said of it that Kai did not see."""

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import Transfer, Voicemail
from kai_ari.reception.legs import AudioFlow
from kai_ari.reception.ports import CallerGone
from kai_ari.testing.caller import Press
from kai_ari.testing.scripted import AsteriskAway, ScriptedCall
from kai_ari.testing.scripted_legs import ACCEPTS
from kai_ari.testing.scripted_record import ListLedger
from kai_ari.testing.scripted_speech import Utterances
from tests.reception.house_rules import DANA, rules, rung_results
from tests.reception.serving import serve

TO_DANA = rules(Transfer(to=DANA), Voicemail())
ZERO = Press(keys="0")


@pytest.mark.parametrize(("after_s", "connected"), [(3, False), (20, True)])
def test_a_talk_that_kai_loses_sight_of_is_left_alone(after_s: int, connected: bool) -> None:
    away = CallerGone(by=EndedBy.NETWORK, cause=None, reason="asterisk_away", talks_on=True)

    class LosesSight(ScriptedCall):
        async def join(self, leg: str) -> None:
            await super().join(leg)
            self._signals_later(after_s * 1000, away)

        async def hang_up_leg(self, leg: str, *, answered_elsewhere: bool = False) -> None:
            raise AssertionError(f"Kai ended {leg}")

    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        return LosesSight(ZERO, utterances=utterances, people={"101": ACCEPTS})

    result = serve(caller=caller, rules=TO_DANA)
    assert not result.of(leg.LegParted)
    assert not result.of(ev.Faulted)
    assert result.outcome.ended_by is EndedBy.NETWORK
    expected = Headline.HUMAN_CONNECTED if connected else Headline.UNRESOLVED
    assert result.outcome.headline is expected


@pytest.mark.parametrize("seen_before", [0, 1])
def test_counters_that_cannot_be_read_are_no_news_of_silence(seen_before: int) -> None:
    class Away(ScriptedCall):
        reads = 0

        async def audio_flow(self, leg: str) -> AudioFlow:
            self.reads += 1
            if seen_before < self.reads < 25:  # for twelve seconds
                raise AsteriskAway("no answer, says the script")
            return await super().audio_flow(leg)

    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        return Away(ZERO, utterances=utterances, people={"101": ACCEPTS})

    result = serve(caller=caller, rules=TO_DANA)
    assert rung_results(result) == ["accepted"]
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    assert result.outcome.ended_by is EndedBy.HUMAN
