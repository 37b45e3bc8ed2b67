"""Whole calls on virtual time: what callers do, and what is on record afterwards."""

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.events import EndedBy, Situation
from kai_ari.calls.outcome import Headline, outcome
from kai_ari.errors import AsteriskError
from kai_ari.promises.obligation import Owed
from kai_ari.reception.ports import EngineFault
from kai_ari.testing.caller import HangUp, Interrupt, Press, Say, StaySilent
from kai_ari.testing.scripted import Cough, LeaveRecording, LoseAudio
from kai_ari.testing.scripted_speech import ScriptedDetector
from tests.reception.serving import serve

REASON, NAME, YES = Say(text="My tap is leaking."), Say(text="Maria Lopez."), Say(text="Yes.")


def test_a_message_is_taken() -> None:
    result = serve(REASON, NAME, YES, YES)
    assert result.outcome.headline is Headline.DETAILS_TAKEN
    assert result.outcome.ended_by is EndedBy.KAI
    assert result.said[-1] == "message_saved"
    [owed] = result.obligations
    assert owed.owed is Owed.DELIVER_MESSAGE
    assert owed.about == {
        "caller_id": "+12025550142",
        "reason": "My tap is leaking.",
        "name": "Maria Lopez",
        "number": "+12025550142",
    }


def test_the_obligation_is_written_before_the_words_that_promise_it() -> None:
    events = serve(REASON, NAME, YES, YES).events
    written = next(i for i, e in enumerate(events) if isinstance(e, ev.ObligationWritten))
    promised = next(i for i, e in enumerate(events) if isinstance(e, ev.LineStarted) and e.claims)
    assert written < promised


def test_every_turn_says_where_its_time_went() -> None:
    turns = serve(REASON, NAME, YES, YES).of(ev.TurnTimed)
    assert len(turns) == 4
    for turn in turns:
        assert isinstance(turn, ev.TurnTimed)
        parts = (turn.endpointing_ms, turn.recognition_ms, turn.thinking_ms, turn.voice_ms)
        assert abs(sum(parts) - turn.total_ms) <= 2
        assert turn.endpointing_ms > 200


def test_keys_do_everything_a_voice_can() -> None:
    result = serve(REASON, NAME, Press(keys="2"), Press(keys="5550142#"), Press(keys="1"))
    assert result.outcome.headline is Headline.DETAILS_TAKEN
    assert result.obligations[0].about["number"] == "5550142"


def test_a_hidden_number_is_asked_for() -> None:
    result = serve(REASON, NAME, Say(text="five five five oh one four two"), YES, number=None)
    assert "ask_number" in result.said
    assert result.obligations[0].about["number"] == "5550142"


def test_hanging_up_half_way_leaves_a_call_back_owed() -> None:
    result = serve(REASON, HangUp())
    assert result.outcome.headline is Headline.CALLER_LEFT
    assert result.outcome.ended_by is EndedBy.CALLER
    [owed] = result.obligations
    assert owed.owed is Owed.CALL_BACK
    assert owed.about["reason"] == "My tap is leaking."


def test_hanging_up_at_once_owes_nothing() -> None:
    result = serve(HangUp())
    assert result.outcome.headline is Headline.CALLER_LEFT
    assert not result.obligations


def test_a_caller_gone_before_the_answer_is_a_caller_who_left() -> None:
    result = serve(fail_to_answer=AsteriskError("channel not found"))
    assert result.outcome.headline is Headline.CALLER_LEFT
    assert not result.said


def test_silence_ends_in_an_honest_goodbye() -> None:
    result = serve()
    assert result.outcome.headline is Headline.UNRESOLVED
    assert result.outcome.reason == Situation.CALLER_SILENT
    assert result.said[-1] == "no_message"
    assert len(result.of(ev.CallerSilent)) == 3


def test_an_interruption_cuts_the_line_and_is_understood() -> None:
    result = serve(Interrupt(text="My tap is leaking.", after_ms=100), NAME, YES, YES)
    greeting = result.of(ev.LineEnded)[0]
    assert isinstance(greeting, ev.LineEnded)
    assert greeting.cut_by == "speech"
    assert greeting.heard_ms < greeting.total_ms or greeting.heard_ms <= 400
    assert result.outcome.headline is Headline.DETAILS_TAKEN


def test_who_was_cut_off_and_goes_on_has_said_one_thing() -> None:
    result = serve(
        Say(text="The boiler makes a noise."),
        Interrupt(text="It knocks all night long.", after_ms=100),
        NAME,
        YES,
        YES,
    )
    assert result.said[:4] == ["greeting", "ask_name", "ask_name", "offer_caller_id"]
    reason, again, name, *_ = result.of(ev.SlotTaken)
    assert isinstance(reason, ev.SlotTaken)
    assert isinstance(again, ev.SlotTaken)
    assert isinstance(name, ev.SlotTaken)
    assert reason.value == "The boiler makes a noise."
    assert again.value == "The boiler makes a noise. It knocks all night long."
    assert name.slot == "name"
    assert result.outcome.headline is Headline.DETAILS_TAKEN


def test_who_heard_the_question_answers_it() -> None:
    result = serve(
        Say(text="The boiler makes a noise."),
        Interrupt(text="John Baker", after_ms=1500),
        YES,
        YES,
    )
    assert result.said[:3] == ["greeting", "ask_name", "offer_caller_id"]


def test_without_a_recogniser_a_message_is_recorded_and_the_fault_is_on_record() -> None:
    result = serve(REASON, LeaveRecording(voiced_ms=4000), hears=False)
    assert result.outcome.headline is Headline.MESSAGE_LEFT
    assert result.outcome.reason == Situation.AGENT_FAULT
    assert result.of(ev.EngineFailed)


def test_a_fault_of_the_voice_detector_is_on_record_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = EngineFault(part="vad", engine="silero", error="no model", instead="webrtc")
    feed = ScriptedDetector.feed

    def fails(self: ScriptedDetector, frame: bytes) -> float:
        self.faults = (fault,)
        return feed(self, frame)

    monkeypatch.setattr(ScriptedDetector, "feed", fails)
    result = serve(REASON, NAME, YES, YES)
    noted = ev.EngineFailed(part="vad", engine="silero", error="no model", instead="webrtc")
    assert result.of(ev.EngineFailed) == [noted]
    assert result.outcome.headline is Headline.DETAILS_TAKEN


def test_without_a_voice_the_recorded_lines_take_a_message() -> None:
    result = serve(LeaveRecording(voiced_ms=4000), speaks=False)
    assert result.outcome.headline is Headline.MESSAGE_LEFT
    assert result.said == ["greeting", "technical_trouble", "voicemail", "recording_saved"]
    assert result.of(ev.EngineFailed)


def test_who_cannot_be_told_of_a_fault_is_left_to_the_dialplan() -> None:
    result = serve(ledger_fails_at=1)
    assert result.call.left_to_dialplan


def test_lost_audio_is_opened_again_and_admitted() -> None:
    result = serve(LoseAudio(), REASON, NAME, YES, YES)
    assert result.of(ev.AudioLost)
    assert result.said[1] == "welcome_back"
    assert result.outcome.headline is Headline.DETAILS_TAKEN


def test_audio_lost_while_kai_speaks_is_opened_again_once() -> None:
    result = serve(LoseAudio(after_ms=100), REASON, NAME, YES, YES)
    assert len(result.of(ev.AudioLost)) == 1
    assert result.said[:3] == ["greeting", "welcome_back", "ask_name"]
    assert result.outcome.headline is Headline.DETAILS_TAKEN


def test_coughs_do_not_hold_a_call_for_ever() -> None:
    result = serve(Cough(times=100))
    assert len(result.of(ev.CallerSilent)) == 3
    assert result.outcome.reason == Situation.CALLER_SILENT


def test_who_takes_the_need_back_and_hangs_up_is_owed_nothing() -> None:
    result = serve(REASON, Say(text="never mind"), HangUp())
    assert not result.obligations


def test_audio_lost_for_good_is_a_fault() -> None:
    result = serve(LoseAudio(), LoseAudio(), LoseAudio())
    assert result.outcome.reason == "fault:media"


def test_an_asterisk_that_does_not_answer_is_no_fault_of_ours() -> None:
    result = serve(fails={"open_audio": 1})
    assert result.outcome.ended_by is EndedBy.NETWORK
    assert result.outcome.reason == "fault:asterisk"


def test_a_number_that_is_not_configured_is_refused_by_name() -> None:
    result = serve(did="999")
    assert result.said == ["unknown_number"]
    assert result.outcome.reason == "unknown_number"


@pytest.mark.parametrize("fails_at", range(2, 30))
def test_when_the_record_fails_nothing_is_claimed(fails_at: int) -> None:
    result = serve(REASON, NAME, YES, YES, ledger_fails_at=fails_at)
    proof = outcome(result.events)
    if not result.obligations:
        assert proof.headline is Headline.UNRESOLVED
        assert "message_saved" not in result.said


def test_a_caller_who_never_pauses_is_heard_in_pieces_and_costs_no_more_than_others() -> None:
    """A radio in the background is such a caller."""
    result = serve(Say(text=" ".join(["water"] * 120)), HangUp())
    heard = result.of(ev.CallerSpoke)
    assert len(heard) >= 1
    assert result.speech.recognizer.asked <= 6
    assert result.outcome.ended_by is EndedBy.CALLER


def test_an_agent_that_stops_owes_the_caller_a_call() -> None:
    result = serve(REASON, StaySilent(), stop_agent_after_s=6.0)
    assert result.outcome.reason == "agent_stopped"
    assert result.obligations[0].owed is Owed.CALL_BACK
