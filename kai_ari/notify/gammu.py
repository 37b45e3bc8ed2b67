"""Text messages through gammu-smsd and a GSM stick, by the folders of its files service.

A file put into `outbox` is sent and moved to `sent`, or to `error`. That the network took it is no
proof that the phone has it, and the reports of a network cannot be told apart when two messages
went to one number; so nothing here claims a delivery: what is sent stays unconfirmed until the
person replies. Formats: gammu-smsd-files(7).
"""

import asyncio
import hashlib
import os
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from kai_ari import log
from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.clock import Clock
from kai_ari.errors import LedgerError
from kai_ari.followup.gsm7 import gsm7
from kai_ari.followup.ports import Notice, SendingFailed, Sent, Sink
from kai_ari.notify.settings import GammuSettings
from kai_ari.notify.texting import sender_of

#: How often the folders are looked at, as gammu-smsd itself does by default.
LOOK_S = 1.0
#: What could not be read or written down is left alone for so long.
AGAIN_S = 30.0
#: The parts of a long message are written one after the other; this long after the last, all are.
_SETTLED_S = 2.0
#: Failures older than this are history: they are told again after each start.
_HISTORY_S = 3 * 86_400.0
#: IN<date>_<time>_<serial>_<sender>_<sequence>.txt
_RECEIVED = re.compile(r"(IN\d{8}_\d{6}_\d+_(.*))_(\d+)\.txt")
#: What libgammu writes as the text of a network's report: no person replied.
_NETWORK_REPORTS = frozenset({"Delivered", "Failed", "Pending", "Unknown"})
#: Received messages that were handed on are kept here, below `inbox`.
READ = "read-by-kai"

_log = log.get("sms")


class GammuSms:
    """The receipt is the file's name, which is not used again."""

    channel = "sms"

    def __init__(self, settings: GammuSettings, clock: Clock) -> None:
        self._spool = settings.spool
        self._clock = clock

    async def send(self, notice: Notice) -> Sent:
        name = await asyncio.to_thread(self._put, notice, self._clock.now())
        return Sent(receipt=name, confirmed=False)

    def _put(self, notice: Notice, now: datetime) -> str:
        """The name under which it is in the outbox, or was found there or among the sent."""
        note = hashlib.sha256(notice.key.encode()).hexdigest()[:24]
        try:
            for folder in ("outbox", "sent"):
                if there := next((self._spool / folder).glob(f"OUT*_{note}.txt*"), None):
                    return there.name
            urgency = "A" if notice.urgent else "C"
            name = f"OUT{urgency}{now:%Y%m%d_%H%M%S}_00_{notice.to.address}_{note}.txt"
            # With its byte order mark, UTF-16 is read the same in every locale.
            _write(self._spool / "outbox" / name, b"\xfe\xff" + _text(notice).encode("utf-16-be"))
        except OSError as error:
            raise _unusable(self._spool / "outbox", error) from error
        return name

    async def folder_of(self, receipt: str) -> str:
        """outbox, sent or error: where what was sent is now; empty when somebody took it away."""

        def look() -> str:
            found = (f for f in ("outbox", "sent", "error") if (self._spool / f / receipt).exists())
            return next(found, "")

        return await asyncio.to_thread(look)

    async def check(self) -> None:
        """Whether files can be put into the outbox, and moved away from the inbox: with one that
        gammu-smsd does not read. Raises SendingFailed."""
        inbox = self._spool / "inbox"
        for folder in (self._spool / "outbox", inbox, inbox / READ):
            if folder.name != READ or folder.exists():  # it is made when it is needed
                await asyncio.to_thread(_probe, folder)


def _probe(folder: Path) -> None:
    try:
        (folder / ".kai").touch()
        (folder / ".kai").unlink()
    except OSError as error:
        raise _unusable(folder, error) from error


def _unusable(folder: Path, error: OSError) -> SendingFailed:
    """The folder and not the file, whose name holds a number."""
    return SendingFailed(
        f"{folder} cannot be used ({_strerror(error)}); see that gammu-smsd runs with service ="
        " files, that its folders are below sms.gammu.spool, and that Kai's user is in its group,"
        " which has to be let to write there (chmod g+w)",
        retry=True,
        uncertain=False,
    )


def _text(notice: Notice) -> str:
    return gsm7(notice.short)


def _write(path: Path, content: bytes) -> None:
    """At once: gammu-smsd reads whatever begins with OUT."""
    unfinished = path.with_name(f".{path.name}.new")
    try:
        unfinished.write_bytes(content)
        group = path.parent.stat().st_gid
        with suppress(PermissionError):  # a service may not be let to
            os.chown(unfinished, -1, group)
        # gammu-smsd is to read it; the folder keeps everybody else out.
        unfinished.chmod(0o660 if unfinished.stat().st_gid == group else 0o664)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


class GammuFolders:
    """What gammu-smsd tells: messages that it could not send, and what people text back."""

    def __init__(self, settings: GammuSettings, sink: Sink) -> None:
        self._spool = settings.spool
        self._country = settings.country
        self._sink = sink
        self._told: set[str] = set()
        self._handed_on: set[str] = set()  # files that could not be moved out of the inbox
        self._rests: dict[str, float] = {}  # until when, by sender or by file in `error`
        self._troubles: set[str] = set()  # logged already

    async def watch(self) -> None:
        """Until cancelled. What cannot be read or written down now, is tried again."""
        while True:
            try:
                await self._look()
            except OSError as error:
                self._log_once(error)
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        failed = await asyncio.to_thread(self._failed)
        received = await asyncio.to_thread(self._received)
        for name in failed:
            await self._try(name, partial(self._tell_failure, name))
        for sender, parts in received:
            await self._try(sender, partial(self._hand_on, sender, parts))
        there = {*failed, *(sender for sender, _ in received)}
        self._rests = {name: until for name, until in self._rests.items() if name in there}
        if not self._rests:
            self._troubles.clear()

    async def _try(self, name: str, act: Callable[[], Awaitable[None]]) -> None:
        """One that fails keeps no other waiting but what the same person has texted since: of STOP
        and START the last has to hold."""
        if self._rests.get(name, 0.0) > time.monotonic():
            return
        try:
            await act()
        except (OSError, LedgerError) as error:
            self._rests[name] = time.monotonic() + AGAIN_S
            self._log_once(error)
        else:
            self._rests.pop(name, None)

    def _log_once(self, error: OSError | LedgerError) -> None:
        """Without the names of files, which hold numbers."""
        why = _strerror(error) if isinstance(error, OSError) else str(error)
        if why not in self._troubles:
            _log.error("gammu-smsd's folders not read", extra=log.fields(error=why))
        self._troubles.add(why)

    async def _tell_failure(self, name: str) -> None:
        why = "gammu-smsd could not send it; its log says why"
        await self._sink.receipt("sms", name, ReceiptResult.FAILED, why)
        self._told.add(name)

    def _failed(self) -> list[str]:
        since = time.time() - _HISTORY_S
        found = [path for path in (self._spool / "error").glob("OUT*") if _age(path) > since]
        self._told &= {path.name for path in found}
        return [path.name for path in found if path.name not in self._told]

    def _received(self) -> list[tuple[str, list[Path]]]:
        """Each message that is complete, in order: its sender, and its parts in order."""
        messages: defaultdict[tuple[str, str], list[tuple[int, Path]]] = defaultdict(list)
        for path in (self._spool / "inbox").glob("IN*.txt"):
            if found := _RECEIVED.fullmatch(path.name):
                messages[found[1], found[2]].append((int(found[3]), path))
        self._handed_on &= {path.name for parts in messages.values() for _, path in parts}
        settled = time.time() - _SETTLED_S
        return [
            (sender, [path for _, path in sorted(parts)])
            for (_, sender), parts in sorted(messages.items())
            if max(_age(path) for _, path in parts) <= settled
        ]

    async def _hand_on(self, sender: str, parts: list[Path]) -> None:
        """Once, also when the files cannot be moved away: that is tried again each time."""
        new = [path for path in parts if path.name not in self._handed_on]
        text = await asyncio.to_thread(lambda: "".join(map(_read, new)))
        address = sender_of(sender, self._country)
        if new and address is not None and text.strip() not in _NETWORK_REPORTS:
            await self._sink.reply("sms", address, text)
        names = {path.name for path in parts}
        try:
            await asyncio.to_thread(_put_aside, parts)
        except OSError as error:
            if not self._handed_on:
                _log.error(
                    "what people texted stays in gammu-smsd's inbox, and comes again when Kai is"
                    " started again: see kai-ari check",
                    extra=log.fields(folder=str(self._spool / "inbox"), error=_strerror(error)),
                )
            self._handed_on |= names
        else:
            self._handed_on -= names


def _put_aside(parts: list[Path]) -> None:
    for path in parts:
        aside = path.parent / READ
        aside.mkdir(exist_ok=True)
        path.replace(aside / path.name)


def _strerror(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _age(path: Path) -> float:
    """When it was last written; 0 when it is gone, because gammu-smsd or somebody took it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _read(path: Path) -> str:
    """`inboxformat` unicode (with or without byte order mark) or standard."""
    raw = path.read_bytes()
    for mark, encoding in ((b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le")):
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, errors="replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
