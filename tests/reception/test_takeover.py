"""What an earlier agent left open or behind, on virtual time."""

import io
import wave
from collections.abc import Sequence

import numpy as np
import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.calls.outcome import Headline, outcome
from kai_ari.promises.obligation import Owed
from kai_ari.reception.takeover import close_abandoned, collect_recordings
from kai_ari.reception.voicemail import Archive
from kai_ari.testing.scripted import DictRecordings, ListLedger
from kai_ari.testing.scripted_speech import ScriptedSpeech, Utterances
from kai_ari.testing.virtual_time import VirtualClock, run_virtual

CALL = CallId("0000000test1")
ARRIVED = ev.Arrived(
    channel="caller", did="100", caller_raw="", caller_name="", caller_number="+12025550142",
    resumed_from=None,
)  # fmt: skip
REASON = ev.SlotTaken(slot="reason", value="My tap is leaking.", how="voice")
STARTED = ev.RecordingStarted(recording="message1")
FINISHED = ev.RecordingFinished(recording="message1", duration_ms=4000)
ENDED = ev.Ended(by=ev.EndedBy.FAULT, cause=None, reason="agent_died")


class Shelf:
    def __init__(self, voiced_s: int) -> None:
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes(np.ones(voiced_s * 16_000, dtype="<i2").tobytes())
        self.held = {(CALL, "message1"): buffer.getvalue()}

    async def left_recordings(self) -> Sequence[tuple[CallId, str]]:
        return list(self.held)

    async def fetch_left(self, call: CallId, recording: str) -> bytes:
        return self.held[call, recording]

    async def delete_left(self, call: CallId, recording: str) -> None:
        del self.held[call, recording]


def collect(shelf: Shelf, *events: Event) -> ListLedger:
    ledger = ListLedger(events=list(events))
    archive = Archive(recordings=DictRecordings(), speech=ScriptedSpeech(Utterances()))
    run_virtual(collect_recordings(shelf, archive, ledger, VirtualClock()))
    return ledger


@pytest.mark.parametrize("known", [(STARTED,), (STARTED, FINISHED)])
def test_a_message_left_in_asterisk_is_stored_and_owed(known: tuple[Event, ...]) -> None:
    shelf = Shelf(voiced_s=4)
    ledger = collect(shelf, ARRIVED, *known, ENDED)
    assert outcome(ledger.events).headline is Headline.MESSAGE_LEFT
    assert [owed.owed for owed in ledger.obligations] == [Owed.DELIVER_MESSAGE]
    assert not shelf.held


def test_a_recording_without_a_message_is_cleared_away_and_owed_to_nobody() -> None:
    shelf = Shelf(voiced_s=0)
    ledger = collect(shelf, ARRIVED, STARTED, ENDED)
    assert not ledger.obligations
    assert not shelf.held


def test_what_was_stored_already_is_only_cleared_away() -> None:
    stored = ev.RecordingStored(
        recording="message1", file="f", sha256="s", duration_ms=4000, voiced_ms=4000
    )
    shelf = Shelf(voiced_s=4)
    ledger = collect(shelf, ARRIVED, STARTED, FINISHED, stored, ENDED)
    assert ledger.events[-1] is ENDED
    assert not shelf.held


def test_a_recording_of_nobody_s_call_is_left_alone() -> None:
    shelf = Shelf(voiced_s=4)
    collect(shelf)
    assert shelf.held


def test_an_open_call_is_closed_as_what_its_evidence_says() -> None:
    ledger = ListLedger(events=[ARRIVED, REASON], open=[CALL])
    by_channel = run_virtual(close_abandoned(ledger, VirtualClock()))
    assert by_channel == {"caller": CALL}
    assert outcome(ledger.events).headline is Headline.UNRESOLVED
    assert [owed.owed for owed in ledger.obligations] == [Owed.CALL_BACK]
