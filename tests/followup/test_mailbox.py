"""Messages into the owner's mailbox and out of it: nothing twice, nothing lost, all on record."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls import follow_events as follow
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.calls.outcome import Headline, outcome
from kai_ari.followup.inbox import of_obligation
from kai_ari.followup.mailbox import LONGEST_WAIT, MailboxKeeper, dialable, shown
from kai_ari.followup.summary import short
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.store import SqlLedger, open_ledger
from kai_ari.promises.obligation import Owed
from kai_ari.promises.standing import State
from kai_ari.reception.takeover import close_abandoned
from kai_ari.reception.voicemails import FETCH_ATTEMPTS, MAX_AGE
from kai_ari.speech.wav import write_wav
from tests.followup.shelf import (
    BOX,
    HandClock,
    Killed,
    ScriptedMailbox,
    damage,
    keeper_of,
    later,
    message_of,
)

CALL = CallId("aaaaaaaaaaaa")
CALLER = "+12025550123"
WORDS = "the radiator in the bedroom stays cold"


@dataclass(kw_only=True)
class Office:
    ledger: SqlLedger
    clock: HandClock
    mailbox: ScriptedMailbox
    recordings: Path

    def keeper(self) -> MailboxKeeper:
        return keeper_of(self.ledger, self.mailbox, self.clock, self.recordings)

    async def owe(self, call: CallId = CALL, name: str = "o1", **about: str) -> None:
        events, obligation = message_of(call, name=name, about=about)
        self.recordings.mkdir(exist_ok=True)
        (self.recordings / obligation.about["recording"]).write_bytes(b"sound")
        await self.ledger.append(call, *events, obligations=[obligation])

    async def of(self, kind: type[Event], call: CallId = CALL) -> list[Event]:
        return [event for event in await self.ledger.history(call) if isinstance(event, kind)]

    async def state(self) -> State:
        [stored] = await self.ledger.obligations()
        return stored.state


@pytest.fixture
async def any_office(tmp_path: Path) -> AsyncIterator[Office]:
    clock = HandClock()
    async with open_ledger(ledger_file(tmp_path / "data"), clock) as ledger:
        yield Office(
            ledger=ledger,
            clock=clock,
            mailbox=ScriptedMailbox(clock=clock),
            recordings=tmp_path / "recordings",
        )


@pytest.fixture
async def office(any_office: Office) -> AsyncIterator[Office]:
    yield any_office
    assert await any_office.ledger.verify() == []


async def test_a_message_is_put_in_once_and_kept_when_it_was_heard(office: Office) -> None:
    await office.owe(number="(202) 555-0199 x")
    keeper = office.keeper()
    for _ in range(3):
        await keeper.once()
    [parcel] = office.mailbox.put_in
    assert (parcel.box, parcel.caller_number, parcel.pcm) == (BOX, "2025550199", b"sound")
    [deposited] = await office.of(follow.MessageDeposited)
    assert await office.state() is State.OPEN

    office.mailbox.hear(office.mailbox.lying[0].id)
    await keeper.once()
    [kept] = await office.of(follow.ObligationKept)
    assert isinstance(kept, follow.ObligationKept)
    assert "heard in mailbox 101@default" in kept.evidence
    assert len(await office.of(follow.MessageHeard)) == 1
    assert await office.state() is State.KEPT
    await keeper.once()
    assert len(await office.of(follow.MessageHeard)) == 1
    assert isinstance(deposited, follow.MessageDeposited)


async def test_what_its_owner_deletes_is_done(office: Office) -> None:
    await office.owe()
    keeper = office.keeper()
    await keeper.once()
    office.mailbox.hear(office.mailbox.lying[0].id, folder="Deleted")
    await keeper.once()
    [kept] = await office.of(follow.ObligationKept)
    assert isinstance(kept, follow.ObligationKept)
    assert kept.evidence.startswith("deleted in mailbox 101@default")


async def test_what_a_restored_machine_has_lost_was_heard_by_nobody(office: Office) -> None:
    """It stays owed and says so once; should it be there again, it is as ever."""
    await office.owe()
    keeper = office.keeper()
    await keeper.once()
    before, office.mailbox.lying = office.mailbox.lying, []
    for _ in range(3):
        await keeper.once()
    for _ in range(3):
        await office.keeper().once()
    [gone] = await office.of(follow.SendingEnded)
    assert isinstance(gone, follow.SendingEnded)
    assert gone.why.startswith("neither heard nor deleted")
    assert await office.state() is State.OPEN
    assert len(office.mailbox.put_in) == 1
    [stored] = await office.ledger.obligations()
    entry = of_obligation(stored.obligation, await office.ledger.history(CALL))
    assert entry.tried == ("not in the mailbox",)

    office.mailbox.lying = before
    await keeper.once()
    assert await office.state() is State.OPEN
    office.mailbox.hear(before[0].id)
    await keeper.once()
    assert await office.state() is State.KEPT


async def test_what_is_being_moved_while_kai_looks_is_not_lost(office: Office) -> None:
    await office.owe()
    keeper = office.keeper()
    await keeper.once()
    before, office.mailbox.lying = office.mailbox.lying, []
    await keeper.once()
    office.mailbox.lying = before
    await keeper.once()
    office.mailbox.lying = []
    await keeper.once()
    assert not await office.of(follow.SendingEnded)
    assert await office.state() is State.OPEN


async def test_a_damaged_record_holds_up_no_other_message(any_office: Office) -> None:
    office, other = any_office, CallId("bbbbbbbbbbbb")
    office.mailbox.sound = write_wav(office.mailbox.utterances.audio(WORDS))
    await office.owe()
    await office.keeper().once()
    damage(office.ledger.path, CALL)
    await office.owe(other, "o2")
    keeper = office.keeper()
    await keeper.once()
    [_, message] = office.mailbox.lying
    assert len(await office.of(follow.MessageDeposited, other)) == 1
    office.mailbox.hear(message.id)
    await keeper.once()
    states = {one.obligation.call: one.state for one in await office.ledger.obligations()}
    assert states == {CALL: State.OPEN, other: State.KEPT}


@pytest.mark.parametrize("damaged", ["events", "obligations"])
async def test_a_damaged_record_holds_up_no_other_voicemail(
    any_office: Office, damaged: str
) -> None:
    office = any_office
    office.mailbox.sound = write_wav(office.mailbox.utterances.audio(WORDS))
    office.mailbox.leave("Ann", CALLER)
    await office.keeper().once()
    [stored] = await office.ledger.obligations()
    if damaged == "events":
        damage(office.ledger.path, stored.obligation.call)
    else:
        with closing(sqlite3.connect(office.ledger.path)) as connection, connection:
            connection.execute("UPDATE obligations SET about = '{'")
    later(office.clock, seconds=1)
    office.mailbox.leave("Lee", CALLER)
    await office.keeper().once()
    assert len(await office.ledger.calls(limit=9)) == 2
    [newest, _] = await office.ledger.calls(limit=9)
    assert len(await office.of(ev.RecordingStored, CallId(newest.id))) == 1


async def test_what_a_killed_agent_put_in_is_found_and_not_put_in_again(office: Office) -> None:
    await office.owe()
    office.mailbox.dies = True
    with pytest.raises(Killed):
        await office.keeper().once()
    assert not await office.of(follow.MessageDeposited)
    office.mailbox.dies = False
    await office.keeper().once()
    await office.keeper().once()
    assert len(office.mailbox.put_in) == 1
    assert len(office.mailbox.lying) == 1
    assert len(await office.of(follow.MessageDeposited)) == 1


async def test_a_mailbox_that_takes_nothing_is_tried_ever_more_rarely(office: Office) -> None:
    await office.owe()
    office.mailbox.full = True
    keeper = office.keeper()
    for _ in range(20):
        await keeper.once()
    assert len(await office.of(follow.SendingEnded)) == 1
    for _ in range(8):
        later(office.clock, seconds=LONGEST_WAIT.total_seconds())
        await keeper.once()
    assert len(await office.of(follow.SendingEnded)) == 1  # the reason is the same
    assert await office.state() is State.OPEN
    office.mailbox.full = False
    later(office.clock, seconds=LONGEST_WAIT.total_seconds())
    await keeper.once()
    assert len(await office.of(follow.MessageDeposited)) == 1


async def test_a_recording_that_is_gone_is_said_and_stays_owed(office: Office) -> None:
    await office.owe()
    (office.recordings / f"{CALL}-message1.wav").unlink()
    await office.keeper().once()
    [failed] = await office.of(follow.SendingEnded)
    assert isinstance(failed, follow.SendingEnded)
    assert "No such file" in failed.why
    assert await office.state() is State.OPEN


async def test_a_message_that_went_out_by_mail_is_put_in_too(office: Office) -> None:
    await office.owe()
    mailed = follow.ObligationKept(obligation="o1", evidence="delivered to Dana by email")
    await office.ledger.append(CALL, mailed)
    await office.keeper().once()
    [message] = office.mailbox.lying
    office.mailbox.hear(message.id)
    for _ in range(2):
        await office.keeper().once()
    assert len(await office.of(follow.MessageDeposited)) == 1
    assert len(await office.of(follow.MessageHeard)) == 1
    assert len(await office.of(follow.ObligationKept)) == 1
    assert len(office.mailbox.put_in) == 1


async def test_one_that_nobody_needs_is_not_put_in(office: Office) -> None:
    await office.owe()
    cancelled = follow.ObligationCancelled(obligation="o1", why="spoke to her", by="dana")
    await office.ledger.append(CALL, cancelled)
    await office.keeper().once()
    assert not office.mailbox.put_in
    assert await office.state() is State.CANCELLED


async def test_a_voicemail_left_while_kai_was_away_is_owed_like_any_other(office: Office) -> None:
    sound = office.mailbox.utterances.audio(WORDS)
    office.mailbox.sound = write_wav(sound)
    left = office.mailbox.leave("Ann", CALLER)
    office.mailbox.leave("Lee", "102")  # a colleague
    office.mailbox.leave("Old", CALLER, office.clock.now() - MAX_AGE - timedelta(hours=1))
    for _ in range(2):
        keeper = office.keeper()
        await keeper.once()
        await keeper.once()
    [stored] = await office.ledger.obligations()
    history = await office.ledger.history(stored.obligation.call)
    assert stored.obligation.owed is Owed.DELIVER_MESSAGE
    assert stored.obligation.about["caller_id"] == CALLER
    assert outcome(history).headline is Headline.MESSAGE_LEFT
    [found] = [event for event in history if isinstance(event, ev.VoicemailFound)]
    [lies] = [event for event in history if isinstance(event, follow.MessageDeposited)]
    assert found.message == lies.message == left.id
    assert [e.text for e in history if isinstance(e, ev.RecordingTranscribed)] == [WORDS]
    assert not office.mailbox.put_in  # it lies there already
    assert len(await office.ledger.calls(limit=9)) == 1

    office.mailbox.hear(left.id)
    await keeper.once()
    assert await office.state() is State.KEPT


@pytest.mark.parametrize("writes", range(1, 8))
async def test_killed_after_any_write_a_voicemail_is_taken_up_once(
    office: Office, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    sound = office.mailbox.utterances.audio(WORDS)
    office.mailbox.sound = write_wav(sound)
    office.mailbox.leave("Ann", CALLER)
    submit, left = office.ledger.submit, iter(range(writes))

    async def submit_and_die(*what: Any, **more: Any) -> None:
        await submit(*what, **more)
        if next(left, None) is None:
            raise Killed

    monkeypatch.setattr(office.ledger, "submit", submit_and_die)
    with suppress(Killed):
        await office.keeper().once()
    monkeypatch.undo()
    await close_abandoned(office.ledger, office.clock)
    for _ in range(2):
        await office.keeper().once()

    [stored] = await office.ledger.obligations()
    assert (stored.obligation.owed, stored.state) == (Owed.DELIVER_MESSAGE, State.OPEN)
    call = stored.obligation.call
    for kind in (ev.Arrived, ev.VoicemailFound, ev.RecordingStored, ev.Ended):
        assert len(await office.of(kind, call)) == 1, kind
    assert len(await office.of(follow.MessageDeposited, call)) == 1
    assert not office.mailbox.put_in


async def test_a_voicemail_that_cannot_be_fetched_is_told_of_all_the_same(office: Office) -> None:
    office.mailbox.leave("", "")
    keeper = office.keeper()
    for _ in range(FETCH_ATTEMPTS + 2):
        await keeper.once()
    [stored] = await office.ledger.obligations()
    assert stored.obligation.owed is Owed.ALERT
    history = await office.ledger.history(stored.obligation.call)
    told = short(history, [stored.obligation], now=office.clock.now(), zone=ZoneInfo("UTC"))
    assert told.startswith(
        "A caller, no number. Voicemail in mailbox 101@default. Owed: this alert."
        " Listen to the voicemail (*97). #"
    )
    assert outcome(history).headline is Headline.UNRESOLVED

    keeper = office.keeper()  # of an agent that starts
    for _ in range(FETCH_ATTEMPTS + 2):
        await keeper.once()
    assert len(await office.ledger.obligations()) == 1
    office.mailbox.sound = write_wav(office.mailbox.utterances.audio(WORDS))
    await office.keeper().once()
    owed = {one.obligation.owed for one in await office.ledger.obligations()}
    assert owed == {Owed.ALERT, Owed.DELIVER_MESSAGE}


async def test_what_kai_put_in_itself_is_no_news(office: Office) -> None:
    await office.owe()
    await office.keeper().once()
    done = follow.ObligationCancelled(obligation="o1", why="done", by="dana")
    await office.ledger.append(CALL, done)
    await office.keeper().once()
    assert len(await office.ledger.calls(limit=9)) == 1


def test_names_and_numbers_as_a_sip_header_takes_them() -> None:
    assert shown('Ann "The Tap" <x>\r\n Miller\\') == "Ann The Tap x Miller"
    assert len(shown("x" * 200)) == 40
    assert dialable("(202) 555-0199; ext") == "2025550199"
