"""What an earlier agent left open or behind, on virtual time."""

import asyncio
import io
import wave
from collections.abc import Sequence

import numpy as np
import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.calls.outcome import Headline, outcome
from kai_ari.errors import AsteriskError, LedgerError
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.reception.takeover import COLLECT_EVERY_S, LeftRecordings, close_abandoned
from kai_ari.reception.voicemail import Archive
from kai_ari.testing.caller import HangUp, Say
from kai_ari.testing.scripted import AsteriskAway
from kai_ari.testing.scripted_record import DictRecordings, ListLedger
from kai_ari.testing.scripted_speech import ScriptedSpeech, Utterances
from kai_ari.testing.virtual_time import VirtualClock, run_virtual
from tests.reception.serving import serve_async

CALL = CallId("0000000test1")
ARRIVED = ev.Arrived(
    channel="caller", did="100", caller_raw="", caller_name="", caller_number="+12025550142",
    resumed_from=None,
)  # fmt: skip
REASON = ev.SlotTaken(slot="reason", value="My tap is leaking.", how="voice")
STARTED = ev.RecordingStarted(recording="message1")
FINISHED = ev.RecordingFinished(recording="message1", duration_ms=4000)
ENDED = ev.Ended(by=ev.EndedBy.FAULT, cause=None, reason="agent_died")


def wav(voiced_s: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.ones(voiced_s * 16_000, dtype="<i2").tobytes())
    return buffer.getvalue()


class Shelf:
    """Holds recordings of the one call. `refusals` are met before any is given out."""

    def __init__(self, *held: bytes, refusals: Sequence[Exception] = ()) -> None:
        self.held = {(CALL, f"message{number}"): data for number, data in enumerate(held, start=1)}
        self._refusals = list(refusals)

    async def left_recordings(self) -> Sequence[tuple[CallId, str]]:
        return list(self.held)

    async def fetch_left(self, call: CallId, recording: str) -> bytes:
        if recording == "message1" and self._refusals:
            raise self._refusals.pop(0)
        return self.held[call, recording]

    async def delete_left(self, call: CallId, recording: str) -> None:
        del self.held[call, recording]


def collect(shelf: Shelf, *events: Event, times: int = 1) -> ListLedger:
    ledger = ListLedger(events=list(events))
    run_virtual(_collect(shelf, ledger, DictRecordings(), times))
    return ledger


async def _collect(
    shelf: Shelf,
    ledger: ListLedger,
    recordings: DictRecordings,
    times: int = 1,
    unwritten: dict[CallId, ev.Ended] | None = None,
) -> None:
    archive = Archive(recordings=recordings, speech=ScriptedSpeech(Utterances()))
    left = LeftRecordings(archive, ledger, VirtualClock(), unwritten or {})
    await left.settled(shelf)
    for _ in range(times):
        await left.once()


@pytest.mark.parametrize("known", [(STARTED,), (STARTED, FINISHED)])
def test_a_message_left_in_asterisk_is_stored_and_owed(known: tuple[Event, ...]) -> None:
    shelf = Shelf(wav(voiced_s=4))
    ledger = collect(shelf, ARRIVED, *known, ENDED)
    assert outcome(ledger.events).headline is Headline.MESSAGE_LEFT
    assert [owed.owed for owed in ledger.obligations] == [Owed.DELIVER_MESSAGE]
    assert not shelf.held


def test_a_recording_without_a_message_is_cleared_away_and_owed_to_nobody() -> None:
    shelf = Shelf(wav(voiced_s=0))
    ledger = collect(shelf, ARRIVED, STARTED, ENDED)
    assert not ledger.obligations
    assert not shelf.held


def test_what_was_stored_already_is_only_cleared_away() -> None:
    stored = ev.RecordingStored(
        recording="message1", file="f", sha256="s", duration_ms=4000, voiced_ms=4000
    )
    shelf = Shelf(wav(voiced_s=4))
    ledger = collect(shelf, ARRIVED, STARTED, FINISHED, stored, ENDED)
    assert ledger.events[-1] is ENDED
    assert not shelf.held


def test_a_recording_of_nobody_s_call_is_left_alone() -> None:
    shelf = Shelf(wav(voiced_s=4))
    collect(shelf)
    assert shelf.held


@pytest.mark.parametrize("unreadable", [b"", b"RIFF", b"no sound at all"])
def test_one_that_cannot_be_read_is_told_to_somebody_and_keeps_no_other_waiting(
    unreadable: bytes,
) -> None:
    shelf, recordings = Shelf(unreadable, wav(voiced_s=4)), DictRecordings()
    ledger = ListLedger(events=[ARRIVED, STARTED, ENDED])
    run_virtual(_collect(shelf, ledger, recordings, times=2))
    assert [owed.owed for owed in ledger.obligations] == [Owed.ALERT, Owed.DELIVER_MESSAGE]
    assert ledger.obligations[0].about["caller_id"] == "+12025550142"
    [failed] = [e for e in ledger.events if isinstance(e, ev.RecordingFailed)]
    assert failed.recording == "message1"
    assert "cannot be read" in failed.why
    assert recordings.files["0000000test1-message1.wav"] == unreadable  # what there is of it
    assert not shelf.held


def test_one_that_asterisk_refuses_is_told_to_somebody_once_and_kept_when_it_comes() -> None:
    refusals = [AsteriskError("500: not now")] * 5
    shelf = Shelf(wav(voiced_s=4), wav(voiced_s=3), refusals=refusals)
    ledger = collect(shelf, ARRIVED, STARTED, ENDED, times=5)
    assert [owed.owed for owed in ledger.obligations] == [Owed.DELIVER_MESSAGE, Owed.ALERT]
    assert list(shelf.held) == [(CALL, "message1")]
    later = collect(shelf, *ledger.events)
    assert [owed.owed for owed in later.obligations] == [Owed.DELIVER_MESSAGE]
    assert not shelf.held


def test_a_call_whose_ending_was_not_written_is_ended_with_its_recording() -> None:
    shelf = Shelf(wav(voiced_s=4))
    ledger = collect(shelf, ARRIVED, REASON, STARTED, times=2)
    [ended] = [e for e in ledger.events if isinstance(e, ev.Ended)]
    assert ended.reason == "ending_not_written"
    assert outcome(ledger.events).headline is Headline.MESSAGE_LEFT
    assert [owed.owed for owed in ledger.obligations] == [Owed.DELIVER_MESSAGE]


class NoRoomToEnd(ListLedger):
    """Refuses the first endings that it is asked to take."""

    def __init__(self, *events: Event, refusals: int) -> None:
        super().__init__(events=list(events))
        self.refusals = refusals

    async def append(
        self, call: CallId, *events: Event, obligations: Sequence[Obligation] = ()
    ) -> None:
        if self.refusals and any(isinstance(event, ev.Ended) for event in events):
            self.refusals -= 1
            raise LedgerError("no room to end, says the script")
        await super().append(call, *events, obligations=obligations)


def test_an_ending_that_the_ledger_refuses_is_written_as_it_was_when_there_is_room() -> None:
    ledger = NoRoomToEnd(refusals=100)
    unwritten: dict[CallId, ev.Ended] = {}

    async def day() -> None:
        await serve_async(
            Say(text="My tap is leaking."), HangUp(), ledger=ledger, unwritten=unwritten
        )
        assert not ledger.obligations
        archive = Archive(recordings=DictRecordings(), speech=ScriptedSpeech(Utterances()))
        left = LeftRecordings(archive, ledger, VirtualClock(), unwritten)
        running = asyncio.create_task(left.run())  # without Asterisk, which may be away
        await asyncio.sleep(2 * COLLECT_EVERY_S + 1)
        assert not any(isinstance(event, ev.Ended) for event in ledger.events)
        ledger.refusals = 0
        await asyncio.sleep(2 * COLLECT_EVERY_S)
        running.cancel()
        await asyncio.wait({running})

    run_virtual(day())
    assert not unwritten
    [ended] = [e for e in ledger.events if isinstance(e, ev.Ended)]
    assert (ended.by, ended.reason) == (ev.EndedBy.CALLER, "hung_up")
    assert [owed.owed for owed in ledger.obligations] == [Owed.CALL_BACK]


def test_the_recording_of_such_a_call_is_no_reason_to_forget_how_it_ended() -> None:
    left = ev.Ended(by=ev.EndedBy.CALLER, cause=16, reason="hung_up")
    ledger = NoRoomToEnd(ARRIVED, REASON, STARTED, refusals=1)
    unwritten = {CALL: left}
    shelf = Shelf(wav(voiced_s=4))
    run_virtual(_collect(shelf, ledger, DictRecordings(), unwritten=unwritten))
    assert ledger.events[-1] is left
    assert [owed.owed for owed in ledger.obligations] == [Owed.DELIVER_MESSAGE]
    assert not unwritten


def test_while_asterisk_is_away_nobody_is_told_of_anything() -> None:
    shelf = Shelf(wav(voiced_s=4), refusals=[AsteriskAway("no answer")] * 9)
    assert not collect(shelf, ARRIVED, STARTED, ENDED, times=9).obligations
    assert shelf.held


def test_what_the_ledger_refuses_stays_and_is_owed_once_when_it_takes_it() -> None:
    shelf, ledger = Shelf(wav(voiced_s=4)), ListLedger(events=[ARRIVED, STARTED, FINISHED, ENDED])

    async def twice() -> None:
        ledger.fails_at = 5
        await _collect(shelf, ledger, DictRecordings())
        assert shelf.held
        ledger.fails_at = None
        await _collect(shelf, ledger, DictRecordings(), times=2)

    run_virtual(twice())
    assert [owed.owed for owed in ledger.obligations] == [Owed.DELIVER_MESSAGE]
    assert not shelf.held


def test_what_is_left_later_is_collected_without_a_new_connection() -> None:
    shelf, ledger = Shelf(), ListLedger(events=[ARRIVED, STARTED, ENDED])
    archive = Archive(recordings=DictRecordings(), speech=ScriptedSpeech(Utterances()))

    async def connected() -> None:
        left = LeftRecordings(archive, ledger, VirtualClock(), {})
        running = asyncio.create_task(left.run())
        await left.settled(shelf)
        await asyncio.sleep(1)
        shelf.held[CALL, "message1"] = wav(voiced_s=4)
        await asyncio.sleep(COLLECT_EVERY_S + 1)
        running.cancel()
        await asyncio.wait({running})

    run_virtual(connected())
    assert [owed.owed for owed in ledger.obligations] == [Owed.DELIVER_MESSAGE]
    assert not shelf.held


def test_an_open_call_is_closed_as_what_its_evidence_says() -> None:
    ledger = ListLedger(events=[ARRIVED, REASON], open=[CALL])
    by_channel = run_virtual(close_abandoned(ledger, VirtualClock()))
    assert by_channel == {"caller": CALL}
    assert outcome(ledger.events).headline is Headline.UNRESOLVED
    assert [owed.owed for owed in ledger.obligations] == [Owed.CALL_BACK]


class Damaged(ListLedger):
    """The record of one call cannot be read."""

    fault: LedgerError = LedgerError("a row is damaged, says the script")

    async def history(self, call: CallId) -> Sequence[Event]:
        if call == CALL:
            raise self.fault
        return self.events


def test_an_open_call_that_cannot_be_read_keeps_no_agent_from_starting() -> None:
    other = CallId("bbbbbbbbbbbb")
    ledger = Damaged(events=[ARRIVED, REASON], open=[CALL, other])
    assert run_virtual(close_abandoned(ledger, VirtualClock())) == {"caller": other}
    assert isinstance(ledger.events[-1], ev.Ended)


def test_a_ledger_that_cannot_be_read_now_does() -> None:
    class Locked(LedgerError):
        retryable = True

    ledger = Damaged(events=[ARRIVED, REASON], open=[CALL])
    ledger.fault = Locked("somebody else holds it, says the script")
    with pytest.raises(Locked):
        run_virtual(close_abandoned(ledger, VirtualClock()))
