"""A ledger, recordings on disk, a scripted mailbox and a clock that is set by hand."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.voicemail import Voicemail
from kai_ari.errors import AsteriskError
from kai_ari.followup.mailbox import MailboxKeeper, Parcel
from kai_ari.ledger.deposits import messages_owed, put_by_kai
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.recordings import FileRecordings
from kai_ari.ledger.store import SqlLedger
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.reception.voicemail import Archive
from kai_ari.reception.voicemails import Voicemails
from kai_ari.testing.scripted_speech import ScriptedSpeech, Utterances

BOX = "101@default"
NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)


@dataclass(kw_only=True)
class HandClock:
    at: datetime = NINE

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class MailboxFull(AsteriskError):
    code = "mailbox_full"


class Killed(BaseException):
    """As by kill -9: nothing that comes after is done."""


@dataclass(kw_only=True)
class ScriptedMailbox:
    """Keeps what is put in by its key, as Asterisk does. `dies` raises after the putting."""

    clock: HandClock
    lying: list[Voicemail] = field(default_factory=list)
    put_in: list[Parcel] = field(default_factory=list)
    full: bool = False
    dies: bool = False
    sound: bytes | None = None
    utterances: Utterances = field(default_factory=Utterances)
    _keys: dict[str, str] = field(default_factory=dict)

    async def messages(self, box: str) -> Sequence[Voicemail]:
        return tuple(self.lying)

    async def put(self, parcel: Parcel) -> Voicemail:
        if self.full:
            raise MailboxFull("the mailbox is full, says the script")
        for message in self.lying:
            if message.id == self._keys.get(parcel.key):
                return message
        self.put_in.append(parcel)
        message = self.leave(parcel.caller_name, parcel.caller_number)
        self._keys[parcel.key] = message.id
        if self.dies:
            raise Killed
        return message

    async def fetch(self, message: Voicemail) -> bytes:
        if self.sound is None:
            raise MailboxFull("it cannot be heard, says the script")
        return self.sound

    def leave(self, name: str, number: str, at: datetime | None = None) -> Voicemail:
        at = at or self.clock.now()
        message = Voicemail(
            box=BOX,
            id=f"{int(at.timestamp())}-{len(self.lying):08x}",
            folder="INBOX",
            caller_name=name,
            caller_number=number,
            left_at=at,
            duration_s=4,
        )
        self.lying.append(message)
        return message

    def hear(self, message: str, *, folder: str = "Old") -> None:
        """As *97 does: it moves to Old, or to Deleted."""
        self.lying = [replace(m, folder=folder) if m.id == message else m for m in self.lying]


def damage(path: Path, call: CallId) -> None:
    """One row of the call's record can no longer be read."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER IF EXISTS events_no_UPDATE")
        connection.execute("UPDATE events SET data = '{' WHERE call = ? AND seq = 2", (call,))


def message_of(
    call: CallId, file: str = "", *, name: str = "o1", about: dict[str, str] | None = None
) -> tuple[tuple[ev.Event, ...], Obligation]:
    """The events of a call that left a message, and what is owed."""
    file = file or f"{call}-message1.wav"
    stored = ev.RecordingStored(
        recording="message1", file=file, sha256="s", duration_ms=4_000, voiced_ms=3_000
    )
    obligation = Obligation(
        id=name,
        call=call,
        owed=Owed.DELIVER_MESSAGE,
        since=NINE,
        about={"recording": file, "caller_id": "+12025550123", **(about or {})},
    )
    events = (
        ev.Arrived(
            channel="c1",
            did="100",
            caller_raw="+12025550123",
            caller_name="Ann",
            caller_number="+12025550123",
            resumed_from=None,
        ),
        ev.RecordingFinished(recording="message1", duration_ms=4_000),
        stored,
        ev.ObligationWritten(obligation=name, owed="deliver_message", recording="message1"),
        ev.Ended(by=ev.EndedBy.CALLER, cause=16, reason="hung_up"),
    )
    return events, obligation


def keeper_of(
    ledger: SqlLedger, mailbox: ScriptedMailbox, clock: HandClock, directory: Path
) -> MailboxKeeper:
    """As an agent that starts has it."""
    voicemails = Voicemails(
        shelf=mailbox,
        archive=Archive(
            recordings=FileRecordings(directory), speech=ScriptedSpeech(mailbox.utterances)
        ),
        ledger=ledger,
        clock=clock,
        put_by_kai=lambda since: put_by_kai(ledger, since),
        normalise=lambda raw: raw or None,
        extensions=frozenset({"101", "102"}),
    )
    return MailboxKeeper(
        desk=SqlFollowUp(ledger),
        mailboxes=mailbox,
        box=BOX,
        recordings=directory,
        decode=lambda data: data,
        collect=voicemails.collect,
        recent=lambda since: messages_owed(ledger, since),
        clock=clock,
    )


def later(clock: HandClock, **by: float) -> None:
    clock.at += timedelta(**by)
