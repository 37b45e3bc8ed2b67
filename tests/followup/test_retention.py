"""Recordings go when their days are over, and nothing else does."""

from datetime import timedelta
from pathlib import Path

from kai_ari.calls import follow_events as follow
from kai_ari.calls.call import CallId
from kai_ari.cli.render import describe
from kai_ari.followup.retention import Retention
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.recordings import FileRecordings
from kai_ari.ledger.store import open_ledger
from tests.followup.shelf import HandClock, damage, later, message_of

HEARD, OWED, NEW = (CallId(letter * 12) for letter in "abc")
DONE = follow.ObligationKept(obligation="o1", evidence="heard")


async def test_old_recordings_go_but_what_is_owed_or_unknown_stays(tmp_path: Path) -> None:
    clock, folder = HandClock(), tmp_path / "recordings"
    files = FileRecordings(folder)
    async with open_ledger(ledger_file(tmp_path / "data"), clock) as ledger:
        retention = Retention(desk=SqlFollowUp(ledger), files=files, days=90, clock=clock)
        assert await retention.once() == 0  # nothing was ever stored

        async def take(call: CallId, name: str) -> None:
            events, obligation = message_of(call, name=name)
            await files.store(obligation.about["recording"], b"sound")
            await ledger.append(call, *events, obligations=[obligation])

        await take(HEARD, "o1")
        await ledger.append(HEARD, DONE)
        await take(OWED, "o2")
        await files.store("of-somebody-else.wav", b"sound")
        clock.at += timedelta(days=60)
        await take(NEW, "o3")
        await ledger.append(NEW, follow.ObligationKept(obligation="o3", evidence="heard"))
        assert await retention.once() == 0

        clock.at += timedelta(days=31)
        assert await retention.once() == 1
        assert await files.names() == [
            f"{OWED}-message1.wav",
            f"{NEW}-message1.wav",
            "of-somebody-else.wav",
        ]
        [deleted] = [
            event
            for event in await ledger.history(HEARD)
            if isinstance(event, follow.RecordingDeleted)
        ]
        assert describe(deleted) == (
            "recording message1 was deleted: older than 90 days (keep.recordings)"
        )
        assert await ledger.verify() == []


async def test_a_damaged_record_keeps_only_its_own_recording(tmp_path: Path) -> None:
    clock, folder = HandClock(), tmp_path / "recordings"
    files = FileRecordings(folder)
    async with open_ledger(ledger_file(tmp_path / "data"), clock) as ledger:
        for call in (HEARD, OWED, NEW):
            events, obligation = message_of(call, name=f"o{call}")
            await files.store(obligation.about["recording"], b"sound")
            await ledger.append(call, *events, obligations=[obligation])
            done = follow.ObligationKept(obligation=obligation.id, evidence="heard")
            await ledger.append(call, done)
        damage(ledger.path, OWED)
        later(clock, days=91)
        retention = Retention(desk=SqlFollowUp(ledger), files=files, days=90, clock=clock)
        assert await retention.once() == 2
        assert await files.names() == [f"{OWED}-message1.wav"]


async def test_a_file_left_by_a_process_that_died_over_it_goes_without_a_second_word(
    tmp_path: Path,
) -> None:
    clock, folder = HandClock(), tmp_path / "recordings"
    files = FileRecordings(folder)
    async with open_ledger(ledger_file(tmp_path / "data"), clock) as ledger:
        events, obligation = message_of(HEARD)
        await files.store(obligation.about["recording"], b"sound")
        await ledger.append(HEARD, *events, obligations=[obligation])
        said = follow.RecordingDeleted(recording="message1", why="older than 90 days")
        await ledger.append(HEARD, DONE, said)
        later(clock, days=91)
        retention = Retention(desk=SqlFollowUp(ledger), files=files, days=90, clock=clock)
        assert await retention.once() == 1
        assert await retention.once() == 0
        assert not await files.names()
        history = await ledger.history(HEARD)
        assert sum(isinstance(event, follow.RecordingDeleted) for event in history) == 1
