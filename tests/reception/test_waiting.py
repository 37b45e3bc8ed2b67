"""What Kai hears of callers who wait while somebody is rung, on virtual time."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import Transfer, Voicemail
from kai_ari.reception.ports import EngineFault, Transcript
from kai_ari.testing.caller import Press, Say, StaySilent
from kai_ari.testing.scripted import LeaveRecording
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
