"""Recorded messages are put into the owner's mailbox, and the owner's hearing them is noticed.

    owed, with a recording ──put──> in the mailbox: its lamp is lit ──heard──> kept
            └── not taken: tried again, ever more rarely; it stays owed

The mailbox is asked in turns: what was heard on the phone shows there as no longer new, and what
was deleted in its folder of deleted messages. That one of them is not there at all proves nothing:
the machine is a new one, or was restored.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from kai_ari import log
from kai_ari.calls import follow_events as follow
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event, VoicemailFound
from kai_ari.calls.follow_events import SendingResult
from kai_ari.calls.voicemail import Voicemail
from kai_ari.clock import Clock
from kai_ari.errors import AsteriskError, LedgerError, MediaError, SpeechError
from kai_ari.followup.outbox import Overtaken
from kai_ari.followup.ports import Desk
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.standing import State, standing

#: How often a mailbox is asked whether its messages have been heard.
LOOK_EVERY_S = 10.0
#: Waits between attempts to put one message: doubled each time, up to the last.
FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(minutes=15)
#: A message that was kept otherwise is put in only so soon after it was taken.
RECENT = timedelta(days=1)

#: Where app_voicemail puts what is deleted on the phone (backupdeleted in voicemail.conf).
DELETED = "Deleted"

_GONE = "neither heard nor deleted, and no longer in mailbox"
_NAME_MAX = 40  # what the display of a telephone shows

_log = log.get("mailboxes")


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A message for `box`, such as 101@default. The same `key` is the same message.

    `pcm` is 16-bit mono at 16 kHz. Name and number go into the envelope as the caller's.
    """

    key: str
    box: str
    caller_name: str
    caller_number: str
    pcm: bytes = field(repr=False)


class Mailboxes(Protocol):
    """The telephone system's mailboxes. Raises AsteriskError, and MediaError of audio."""

    async def messages(self, box: str) -> Sequence[Voicemail]:
        """All that lie in it, heard and not."""
        ...

    async def put(self, parcel: Parcel) -> Voicemail:
        """The message, once it lies in the mailbox: the same key again is not put twice, even
        when the first time was cut short by Kai's own death."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Lying:
    obligation: str
    call: CallId
    box: str
    message: str


@dataclass(kw_only=True)
class _Trouble:
    """Of one message that was not taken."""

    why: str
    wait: timedelta
    again: datetime


class MailboxKeeper:
    """`box` is the owner's. `decode` makes `Parcel.pcm` of a recording's file. `recent` tells
    which messages were owed since an instant, done or not: one that went out by mail belongs into
    the mailbox, too. `collect` takes up what lies there and is nobody's yet."""

    def __init__(
        self,
        *,
        desk: Desk,
        mailboxes: Mailboxes,
        box: str,
        recordings: Path,
        decode: Callable[[bytes], bytes],
        collect: Callable[[Sequence[Voicemail]], Awaitable[None]],
        recent: Callable[[datetime], Awaitable[Sequence[Obligation]]],
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._mailboxes = mailboxes
        self._box = box
        self._recordings = recordings
        self._decode = decode
        self._collect = collect
        self._recent = recent
        self._clock = clock
        self._lying: dict[str, _Lying] = {}  # by obligation
        self._trouble: dict[str, _Trouble] = {}
        self._settled: set[str] = set()  # neither to be put, nor to be heard any more
        self._missing: dict[str, int] = {}  # of `_lying`: looks in which it was in no folder
        self._told: dict[str, str] = {}  # of what is in trouble: a box, or an obligation

    async def run(self) -> None:
        """Until cancelled."""
        mark = 0
        while True:
            await self._quietly("", self.once())
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    mark = await self._desk.news(mark)
            except TimeoutError:
                pass  # nothing new is owed: time to look into the mailbox
            except LedgerError as error:
                _log.warning("the ledger tells no news", extra=log.fields(error=str(error)))
                await asyncio.sleep(LOOK_EVERY_S)

    async def _quietly(self, what: str, act: Awaitable[None]) -> None:
        """What fails keeps nothing else waiting: it is told once, and tried again in each turn."""
        try:
            await act
        except Exception as error:  # noqa: BLE001 - the others are to be kept, too
            self._tell(what, error)
        else:
            self._told.pop(what, None)

    def _tell(self, what: str, error: Exception) -> None:
        if self._told.get(what) == str(error):
            return
        self._told[what] = str(error)
        known = isinstance(error, AsteriskError | MediaError | LedgerError)
        _log.warning(
            "mailboxes could not be kept",
            exc_info=None if known else error,
            extra=log.fields(of=what, error=str(error)),
        )

    async def once(self) -> None:
        """Put what is to be put, then see what was heard, then what else lies there."""
        candidates = {o.id: o for o in await self._desk.owed(kind=Owed.DELIVER_MESSAGE)}
        candidates |= {o.id: o for o in await self._recent(self._clock.now() - RECENT)}
        self._settled &= set(candidates)
        for obligation in candidates.values():
            if obligation.id not in self._settled and obligation.id not in self._lying:
                await self._quietly(obligation.id, self._see_to(obligation))
        boxes: dict[str, list[_Lying]] = defaultdict(list, {self._box: []})
        for lying in self._lying.values():
            boxes[lying.box].append(lying)
        for box, lying_there in boxes.items():
            await self._quietly(box, self._look_into(box, lying_there))

    async def _look_into(self, box: str, lying_there: Sequence[_Lying]) -> None:
        messages = await self._mailboxes.messages(box)
        for lying in lying_there:
            await self._quietly(lying.obligation, self._notice(lying, messages))
        if box == self._box:
            await self._collect(messages)

    # -- putting -------------------------------------------------------------------

    async def _see_to(self, obligation: Obligation) -> None:
        trouble = self._trouble.get(obligation.id)
        if trouble is not None and self._clock.now() < trouble.again:
            return
        history = await self._desk.history(obligation.call)
        stands = standing(history, obligation.id)
        if stands is None or stands.heard or stands.state is State.CANCELLED:
            self._settle(obligation.id)
        elif (lies := _where(history, obligation)) is not None:
            self._lying[obligation.id] = lies
        elif (found := _found(history)) is not None:  # it was there first
            await self._lies_now(obligation, found.mailbox, found.message)
        elif "recording" not in obligation.about:
            self._settle(obligation.id)
        else:
            await self._put(obligation)

    async def _put(self, obligation: Obligation) -> None:
        try:
            message = await self._mailboxes.put(await self._parcel(obligation))
        except (AsteriskError, MediaError, SpeechError, OSError) as error:
            await self._put_failed(obligation, str(error))
            return
        self._trouble.pop(obligation.id, None)
        await self._lies_now(obligation, message.box, message.id)
        _log.info("a message is in its mailbox", extra=log.fields(of=obligation.call))

    def _settle(self, obligation: str) -> None:
        self._settled.add(obligation)
        self._lying.pop(obligation, None)
        self._trouble.pop(obligation, None)

    async def _parcel(self, obligation: Obligation) -> Parcel:
        file, about = self._recordings / obligation.about["recording"], obligation.about
        pcm = await asyncio.to_thread(lambda: self._decode(file.read_bytes()))
        return Parcel(
            key=obligation.id,
            box=self._box,
            caller_name=shown(about.get("name", "")),
            caller_number=dialable(about.get("number") or about.get("caller_id") or ""),
            pcm=pcm,
        )

    async def _put_failed(self, obligation: Obligation, why: str) -> None:
        """It is on the record when it fails first, or for another reason."""
        earlier = self._trouble.get(obligation.id)
        wait = min(earlier.wait * 2, LONGEST_WAIT) if earlier else FIRST_WAIT
        self._trouble[obligation.id] = _Trouble(why=why, wait=wait, again=self._clock.now() + wait)
        _log.warning("a message is not in its mailbox yet", extra=log.fields(error=why))
        if earlier is None or earlier.why != why:
            await self._desk.note(obligation.call, _failed(obligation.id, why))

    async def _lies_now(self, obligation: Obligation, box: str, message: str) -> None:
        deposited = follow.MessageDeposited(obligation=obligation.id, mailbox=box, message=message)
        await self._desk.note(obligation.call, deposited)
        self._lying[obligation.id] = _Lying(
            obligation=obligation.id, call=obligation.call, box=box, message=message
        )

    # -- hearing -------------------------------------------------------------------

    async def _notice(self, lying: _Lying, messages: Sequence[Voicemail]) -> None:
        """Who deletes a message without hearing it out knows of it, and wants no more."""
        found = next((message for message in messages if message.id == lying.message), None)
        if found is None:
            await self._missed(lying)
            return
        self._missing.pop(lying.obligation, None)
        if found.new:
            return
        events: list[Event] = [follow.MessageHeard(obligation=lying.obligation, how="mailbox")]
        stands = standing(await self._desk.history(lying.call), lying.obligation)
        if stands is not None and stands.state in (State.OPEN, State.BROKEN):
            what = "deleted" if found.folder == DELETED else "heard"
            evidence = (
                f"{what} in mailbox {lying.box}: message {lying.message} is now in its folder"
                f" {found.folder}"
            )
            events.append(follow.ObligationKept(obligation=lying.obligation, evidence=evidence))
        try:
            await self._desk.note(lying.call, *events)
        except Overtaken:
            return  # somebody has closed it this moment: look again
        self._settle(lying.obligation)

    async def _missed(self, lying: _Lying) -> None:
        """Nobody is known to have heard it: it stays owed, and its call says so. It is not put in
        again: where Asterisk keeps no deleted messages, what its owner has deleted would come
        back."""
        looks = self._missing.get(lying.obligation, 0)
        if looks == 1:  # the first may have been while it was moved
            gone = _failed(lying.obligation, f"{_GONE} {lying.box}: message {lying.message}")
            history = await self._desk.history(lying.call)
            stands = standing(history, lying.obligation)
            if stands is not None and stands.state is State.OPEN and gone not in history:
                _log.warning("a message is gone from its mailbox", extra=log.fields(of=lying.call))
                await self._desk.note(lying.call, gone)
        self._missing[lying.obligation] = min(looks + 1, 2)


def mailbox_item(obligation: str) -> str:
    """By what an attempt to put its message in is on record."""
    return f"{obligation}.mailbox"


def _failed(obligation: str, why: str) -> Event:
    return follow.SendingEnded(
        obligation=obligation,
        item=mailbox_item(obligation),
        result=SendingResult.FAILED,
        receipt="",
        why=why,
    )


def _where(history: Sequence[Event], obligation: Obligation) -> _Lying | None:
    for event in history:
        if isinstance(event, follow.MessageDeposited) and event.obligation == obligation.id:
            return _Lying(
                obligation=obligation.id,
                call=obligation.call,
                box=event.mailbox,
                message=event.message,
            )
    return None


def _found(history: Sequence[Event]) -> VoicemailFound | None:
    return next((event for event in history if isinstance(event, VoicemailFound)), None)


def shown(name: str) -> str:
    """A name as telephones show it, without what has a meaning in a SIP header."""
    plain = "".join(letter for letter in name if letter.isprintable() and letter not in '"<>\\')
    return plain.strip()[:_NAME_MAX]


def dialable(number: str) -> str:
    return "".join(letter for letter in number if letter in "+0123456789*#")
