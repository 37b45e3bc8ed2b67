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
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
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
            raise self._unusable(error) from error
        return name

    async def folder_of(self, receipt: str) -> str:
        """outbox, sent or error: where what was sent is now; empty when somebody took it away."""

        def look() -> str:
            found = (f for f in ("outbox", "sent", "error") if (self._spool / f / receipt).exists())
            return next(found, "")

        return await asyncio.to_thread(look)

    async def check(self) -> None:
        """Whether a file can be put into the outbox, for one that gammu-smsd does not read.
        Raises SendingFailed."""
        try:
            probe = self._spool / "outbox" / ".kai"
            await asyncio.to_thread(probe.touch)
            await asyncio.to_thread(probe.unlink)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> SendingFailed:
        return SendingFailed(
            f"{error.filename or self._spool} cannot be used ({error.strerror}); see that"
            " gammu-smsd runs with service = files, that its folders are below sms.gammu.spool,"
            " and that Kai's user is in its group",
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
        self._trouble = ""

    async def watch(self) -> None:
        """Until cancelled. What cannot be read or written down now, is tried again."""
        while True:
            try:
                await self._look()
                self._trouble = ""
            except (OSError, LedgerError) as error:
                if str(error) != self._trouble:
                    _log.error("gammu-smsd's folders not read", extra=log.fields(error=str(error)))
                self._trouble = str(error)
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        for name in await asyncio.to_thread(self._failed):
            why = "gammu-smsd could not send it; its log says why"
            await self._sink.receipt("sms", name, ReceiptResult.FAILED, why)
            self._told.add(name)
        for parts in await asyncio.to_thread(self._received):
            await self._hand_on(parts)

    def _failed(self) -> list[str]:
        since = time.time() - _HISTORY_S
        found = [path for path in (self._spool / "error").glob("OUT*") if _age(path) > since]
        self._told &= {path.name for path in found}
        return [path.name for path in found if path.name not in self._told]

    def _received(self) -> list[list[Path]]:
        """The parts of each message that is complete, in order."""
        messages: defaultdict[str, list[tuple[int, Path]]] = defaultdict(list)
        for path in (self._spool / "inbox").glob("IN*.txt"):
            if found := _RECEIVED.fullmatch(path.name):
                messages[found[1]].append((int(found[3]), path))
        settled = time.time() - _SETTLED_S
        return [
            [path for _, path in sorted(parts)]
            for _, parts in sorted(messages.items())
            if max(_age(path) for _, path in parts) <= settled
        ]

    async def _hand_on(self, parts: list[Path]) -> None:
        text = await asyncio.to_thread(lambda: "".join(map(_read, parts)))
        found = _RECEIVED.fullmatch(parts[0].name)
        address = sender_of(found[2], self._country) if found else None
        if address is not None and text.strip() not in _NETWORK_REPORTS:
            await self._sink.reply("sms", address, text)
        await asyncio.to_thread(lambda: list(_put_aside(parts)))


def _put_aside(parts: list[Path]) -> Iterator[Path]:
    for path in parts:
        aside = path.parent / READ
        aside.mkdir(exist_ok=True)
        yield path.replace(aside / path.name)


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
