"""Recorded messages on virtual time: kept, refused, long to fetch, and what the caller hears."""

import asyncio
from itertools import pairwise

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.dialogue import lines
from kai_ari.promises.obligation import Owed
from kai_ari.reception.voicemail import FETCH_S
from kai_ari.testing.caller import HangUp, Say
from kai_ari.testing.scripted import Act, LeaveRecording, LoseAudio, ScriptedCall
from kai_ari.testing.scripted_record import ListLedger
from kai_ari.testing.scripted_speech import Utterances
from tests.reception.serving import Result, serve

REASON = Say(text="My tap is leaking.")


def test_a_voicemail_is_recorded_checked_stored_and_transcribed() -> None:
    result = serve(Say(text="voicemail please"), LeaveRecording(voiced_ms=4000))
    assert result.outcome.headline is Headline.MESSAGE_LEFT
    assert result.said == ["greeting", "voicemail", "recording_saved"]
    [owed] = result.obligations
    assert owed.about["recording"] == "recordings/0000000test1-message1.wav"
    assert result.of(ev.RecordingTranscribed)
    assert list(result.recordings) == ["0000000test1-message1.wav"]


def test_a_caller_who_hangs_up_while_recording_has_left_a_message() -> None:
    result = serve(Say(text="voicemail"), LeaveRecording(voiced_ms=4000, hang_up=True))
    assert result.outcome.headline is Headline.MESSAGE_LEFT
    assert result.outcome.ended_by is EndedBy.CALLER


@pytest.mark.parametrize(
    "empty", [LeaveRecording(voiced_ms=0), LeaveRecording(voiced_ms=3000, broken=True)]
)
def test_a_recording_without_a_message_is_never_a_message(empty: LeaveRecording) -> None:
    result = serve(Say(text="voicemail"), empty, empty)
    assert result.outcome.headline is Headline.UNRESOLVED
    assert not result.obligations
    assert result.said[-1] == "no_message"


def test_a_recording_that_cannot_start_is_admitted_with_the_caller_back_in_the_bridge() -> None:
    result = serve(
        Say(text="voicemail"), LeaveRecording(voiced_ms=4000), fails={"start_recording": 1}
    )
    assert result.said == [
        "greeting", "voicemail", "technical_trouble", "voicemail", "recording_saved",
    ]  # fmt: skip
    assert result.call.in_bridge
    assert result.outcome.headline is Headline.MESSAGE_LEFT


@pytest.mark.parametrize("fails", [{"delete_recording": 9}, {"fetch_recording": 2}, {"rejoin": 1}])
def test_a_message_survives_what_goes_wrong_around_it(fails: dict[str, int]) -> None:
    result = serve(Say(text="voicemail"), LeaveRecording(voiced_ms=4000), fails=fails)
    assert result.outcome.headline is Headline.MESSAGE_LEFT
    assert result.said[-1] == "recording_saved"
    assert len(result.obligations) == 1


class SlowToFetch(ScriptedCall):
    """A caller whose recording takes `fetch_s` to fetch, and who does `meanwhile` a second after
    Kai has spoken in that time."""

    fetch_s = 8.0
    meanwhile: Act | None = None
    fetching = False

    async def fetch_recording(self, recording: str) -> bytes:
        self.fetching = True
        await asyncio.sleep(self.fetch_s)
        self.fetching = False
        return await super().fetch_recording(recording)

    def kai_speaks(self) -> None:
        super().kai_speaks()
        act, self.meanwhile = (self.meanwhile, None) if self.fetching else (None, self.meanwhile)
        match act:
            case HangUp():
                self._later(1000, self._hang_up)
            case Say(text=text):
                self._later(1000, lambda: self._say(text))
            case LoseAudio():
                self._lose_audio(1000)


def slow_to_fetch(meanwhile: Act | None = None, fetch_s: float = 8.0) -> Result:
    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        message = LeaveRecording(voiced_ms=4000)
        call = SlowToFetch(Say(text="voicemail"), message, utterances=utterances)
        call.fetch_s, call.meanwhile = fetch_s, meanwhile
        return call

    return serve(caller=caller)


def silences(result: Result) -> list[float]:
    return [began - ended for (_, ended), (began, _) in pairwise(result.call.played)]


@pytest.mark.parametrize("fetch_s", [8.0, 55.0])
def test_a_caller_whose_recording_is_long_to_fetch_hears_that_kai_is_there(fetch_s: float) -> None:
    result = slow_to_fetch(fetch_s=fetch_s)
    assert result.said[:3] == ["greeting", "voicemail", "moment"]
    kept = fetch_s < FETCH_S
    assert ("recording_saved" in result.said) is kept
    assert ("technical_trouble" in result.said) is not kept
    assert result.call.recording_left is not kept
    assert max(silences(result)) < 7  # the recording itself


def test_a_caller_who_leaves_while_their_recording_is_fetched_has_left_a_message() -> None:
    result = slow_to_fetch(HangUp())
    assert result.outcome.headline is Headline.MESSAGE_LEFT
    assert result.outcome.ended_by is EndedBy.CALLER
    assert "recording_saved" not in result.said


def test_audio_lost_while_a_recording_is_fetched_loses_no_message() -> None:
    result = slow_to_fetch(LoseAudio())
    assert result.said[:4] == ["greeting", "voicemail", "moment", "welcome_back"]
    assert result.outcome.headline is Headline.MESSAGE_LEFT


def test_what_a_caller_says_while_their_recording_is_fetched_cuts_nothing_off() -> None:
    result = slow_to_fetch(Say(text="Hello, are you there?"))
    assert result.said == ["greeting", "voicemail", "moment", "recording_saved"]
    last = result.of(ev.LineEnded)[-1]
    assert isinstance(last, ev.LineEnded)
    assert last.cut_by is None


def test_an_agent_that_stops_while_it_fetches_a_recording_waits_for_nothing() -> None:
    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        message = LeaveRecording(voiced_ms=4000)
        return SlowToFetch(Say(text="voicemail"), message, utterances=utterances)

    result = serve(caller=caller, stop_agent_after_s=15.0)
    assert result.outcome.reason == "agent_stopped"
    assert result.call.recording_left  # for the next agent


class Unreadable(ScriptedCall):
    """Asterisk's disk was full: there is nothing in the file."""

    async def fetch_recording(self, recording: str) -> bytes:
        await super().fetch_recording(recording)
        return b""


def unreadable(utterances: Utterances, _: ListLedger) -> ScriptedCall:
    message = LeaveRecording(voiced_ms=4000)
    return Unreadable(Say(text="voicemail"), message, utterances=utterances)


@pytest.mark.parametrize("how", [{"disk_full": True}, {"caller": unreadable}])
def test_a_message_that_cannot_be_kept_is_told_to_the_caller_and_stays_in_asterisk(
    how: dict[str, object],
) -> None:
    result = serve(Say(text="voicemail"), LeaveRecording(voiced_ms=4000), **how)
    assert result.said == ["greeting", "voicemail", "not_saved"]
    assert result.call.recording_left
    assert not result.obligations
    [failed] = result.of(ev.RecordingFailed)
    assert isinstance(failed, ev.RecordingFailed)
    assert failed.why.startswith("not kept yet")
    assert result.events[-1] == ev.Ended(by=EndedBy.KAI, cause=None, reason="not_saved")


def test_who_leaves_over_a_message_that_cannot_be_kept_has_left() -> None:
    message = LeaveRecording(voiced_ms=4000, hang_up=True)
    result = serve(REASON, Say(text="voicemail"), message, disk_full=True)
    assert result.outcome.ended_by is EndedBy.CALLER
    assert [owed.owed for owed in result.obligations] == [Owed.CALL_BACK]


@pytest.mark.parametrize("left", range(1, 14))
def test_when_the_record_fails_over_a_message_the_caller_is_told_so(left: int) -> None:
    """`left` events before its end, and none after it."""
    acts = (Say(text="voicemail"), LeaveRecording(voiced_ms=4000))
    events = serve(*acts).events
    result = serve(*acts, ledger_fails_at=len(events) - left + 1)
    kinds = [type(event) for event in result.events]
    *_, last = result.speech.synthesizer.spoken
    if ev.RecordingStarted not in kinds:
        assert last == lines.FAULT.text
    elif ev.RecordingStored not in kinds:
        assert last == lines.NOT_SAVED.text
        assert result.call.recording_left
        assert not result.obligations
    assert result.call.in_bridge


def test_who_cannot_be_brought_back_from_a_recording_is_left_to_the_dialplan() -> None:
    acts = (Say(text="voicemail"), LeaveRecording(voiced_ms=4000))
    result = serve(*acts, fails={"rejoin": 2, "part": 1})
    assert result.call.left_to_dialplan
    assert [owed.owed for owed in result.obligations] == [Owed.DELIVER_MESSAGE]


def test_a_recording_is_stored_and_owed_in_one_write() -> None:
    events = serve(Say(text="voicemail"), LeaveRecording(voiced_ms=4000)).events
    stored = next(i for i, e in enumerate(events) if isinstance(e, ev.RecordingStored))
    assert isinstance(events[stored + 1], ev.ObligationWritten)
