"""Callers who wait, on virtual time: what Kai hears of them, and what is done when they leave."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import Transfer, Voicemail, Workflow
from kai_ari.promises.obligation import Owed
from kai_ari.reception.ports import EngineFault, Transcript
from kai_ari.testing.caller import HangUp, Press, Say, StaySilent
from kai_ari.testing.scripted import LeaveRecording
from kai_ari.testing.scripted_house import ScriptedDispatcher
from kai_ari.testing.scripted_legs import ACCEPTS, RINGS_OUT
from kai_ari.testing.scripted_speech import ScriptedRecognizer
from tests.reception.house_rules import DANA, rules, rung_results
from tests.reception.serving import serve

ZERO = Press(keys="0")
MESSAGE = LeaveRecording(voiced_ms=4000)
TO_DANA = rules(Transfer(to=DANA), Voicemail())
FAULT = EngineFault(part="recognizer", engine="first", error="hung", instead="scripted")


@pytest.fixture
def guessing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recogniser that took over from one that failed makes words of noise."""
    clear = ScriptedRecognizer.transcribe

    async def guessed(
        self: ScriptedRecognizer, pcm: bytes, expected: Sequence[str] = ()
    ) -> Transcript:
        return replace(await clear(self, pcm, expected), confidence=0.3, faults=(FAULT,))

    monkeypatch.setattr(ScriptedRecognizer, "transcribe", guessed)


@pytest.mark.usefixtures("guessing")
@pytest.mark.parametrize("noise", ["Stop calling me.", "Goodbye."])
def test_noise_ends_no_waiting_and_opts_nobody_out(noise: str) -> None:
    slow = replace(ACCEPTS, after_ms=20_000)
    result = serve(ZERO, StaySilent(), Say(text=noise), people={"101": slow}, rules=TO_DANA)
    assert rung_results(result) == ["accepted"]
    assert result.outcome.facts == {Headline.HUMAN_CONNECTED}
    [spoke] = result.of(ev.CallerSpoke)
    assert isinstance(spoke, ev.CallerSpoke)
    assert (spoke.text, spoke.confidence) == (noise, 0.3)
    [failed] = result.of(ev.EngineFailed)
    assert isinstance(failed, ev.EngineFailed)
    assert (failed.engine, failed.instead) == ("first", "scripted")


def test_a_recogniser_that_is_lost_while_somebody_is_rung_is_on_record_and_keys_are_left() -> None:
    message = Say(text="I'd like to leave a message.")
    result = serve(
        *(ZERO, StaySilent(), message, Press(keys="*"), MESSAGE),
        hears=False,
        people={"101": RINGS_OUT},
        rules=TO_DANA,
    )
    assert rung_results(result) == ["caller_opted_out_of_waiting"]
    assert ev.EngineFailed(
        part="recognizer",
        engine="all",
        error="speech: the recogniser is broken by the script",
        instead=None,
    ) in result.of(ev.EngineFailed)
    assert result.outcome.headline is Headline.MESSAGE_LEFT


@pytest.mark.parametrize(
    ("dispatcher", "came_to", "headline", "owed"),
    [
        (ScriptedDispatcher(answers="7", after_s=5), "delivered", Headline.HANDED_OFF, []),
        (ScriptedDispatcher(after_s=5), "not_delivered", Headline.CALLER_LEFT, [Owed.CALL_BACK]),
        (ScriptedDispatcher(hangs=True), "not_delivered", Headline.CALLER_LEFT, [Owed.CALL_BACK]),
    ],
)
def test_a_case_is_handed_over_to_the_end_when_its_caller_does_not_wait_for_it(
    dispatcher: ScriptedDispatcher, came_to: str, headline: Headline, owed: list[Owed]
) -> None:
    dispatch = Workflow(key="dispatch", name="our dispatch desk", takes_calls=False)
    result = serve(ZERO, HangUp(), dispatcher=dispatcher, rules=rules(dispatch, Voicemail()))
    assert result.said == ["greeting", "moment"]
    assert rung_results(result) == [came_to]
    assert result.outcome.headline is headline
    assert result.outcome.ended_by is EndedBy.CALLER
    assert [one.owed for one in result.obligations] == owed
