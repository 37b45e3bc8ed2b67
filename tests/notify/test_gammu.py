"""Text messages through a real gammu-smsd, whose phone is libgammu's dummy: it takes messages as a
GSM stick does, and has those that a test puts into its memory. What a stick refuses, and the parts
of long messages that people send, the dummy cannot play: there the files stand as
gammu-smsd-files(7) describes them."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.clock import SystemClock
from kai_ari.followup.ports import SendingFailed
from kai_ari.notify import gammu as module
from kai_ari.notify.gammu import READ, GammuFolders, GammuSms
from kai_ari.notify.settings import GammuSettings
from tests.notify.notices import LIMIT_S, Kept, notice

DANA = "+12125550142"
LEE = "+12125550143"
FOLDERS = ("outbox", "sent", "error", "inbox")


@dataclass(frozen=True, kw_only=True)
class Spool:
    home: Path
    sms: GammuSms
    folders: GammuFolders
    kept: Kept

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.home / folder).glob("*") if path.is_file())

    def put(self, folder: str, name: str, content: str | bytes, *, age_s: float = 60.0) -> None:
        path = self.home / folder / name
        raw = b"\xfe\xff" + content.encode("utf-16-be") if isinstance(content, str) else content
        path.write_bytes(raw)
        then = path.stat().st_mtime - age_s
        os.utime(path, (then, then))

    async def until(self, folder: str, count: int) -> list[str]:
        async with asyncio.timeout(LIMIT_S):
            while len(self.names(folder)) < count:  # noqa: ASYNC110 - folders tell nobody
                await asyncio.sleep(0.05)
        return self.names(folder)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        watching = asyncio.create_task(self.folders.watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait([watching])


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.setattr(module, "LOOK_S", 0.05)
    monkeypatch.setattr(module, "AGAIN_S", 0.05)
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
    settings, kept = GammuSettings(spool=tmp_path, country="US"), Kept()
    return Spool(
        home=tmp_path,
        sms=GammuSms(settings, SystemClock()),
        folders=GammuFolders(settings, kept),
        kept=kept,
    )


@asynccontextmanager
async def smsd(home: Path) -> AsyncIterator[Path]:
    """gammu-smsd on the spool at `home`; yields the memory of its phone."""
    phone = home / "phone"
    (phone / "sms/1").mkdir(parents=True)
    conf = home / "smsdrc"
    conf.write_text(
        f"[gammu]\nmodel = dummy\nconnection = none\ndevice = {phone}\ngammuloc = /dev/null\n"
        f"[smsd]\nservice = files\nlogfile = {home}/smsd.log\ndebuglevel = 1\n"
        f"inboxpath = {home}/inbox/\noutboxpath = {home}/outbox/\nsentsmspath = {home}/sent/\n"
        f"errorsmspath = {home}/error/\nchecksecurity = 0\ncommtimeout = 1\nloopsleep = 1\n"
        "receivefrequency = 1\ninboxformat = unicode\n"
    )
    daemon = await asyncio.create_subprocess_exec(
        # A locale in which UTF-8 would not be read.
        *("gammu-smsd", "--config", str(conf)), env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    try:
        yield phone
    finally:
        daemon.kill()
        await daemon.wait()


def in_memory(sender: str, text: str) -> str:
    """A received message in libgammu's backup format."""
    encoded = text.encode("utf-16-be").hex().upper()
    return (
        "[SMSBackup000]\n"
        'SMSC = "+1234"\nSMSCUnicode = 002B0031003200330034\n'
        "Sent = 20261123T020000\nState = UnRead\n"
        f'Number = "{sender}"\nNumberUnicode = {sender.encode("utf-16-be").hex().upper()}\n'
        'Name = ""\nNameUnicode = \n'
        f"Text00 = {encoded}\nCoding = Default\nFolder = 1\nLength = {len(text)}\nClass = -1\n"
        "ReplySMSC = False\nRejectDuplicates = False\nReplaceMessage = 0\nMessageReference = 0\n"
    )


async def test_a_real_gammu_smsd_sends_it_and_hears_the_answer(spool: Spool) -> None:
    text = "URGENT: Ann Ö. Bäker @ 5 £. " + "Pipe burst. " * 20
    async with smsd(spool.home) as phone, spool.watched():
        sent = await spool.sms.send(notice(DANA, short=text))
        assert not sent.confirmed
        assert await spool.until("sent", 1) == [sent.receipt]
        (phone / "sms/1/1").write_text(in_memory(DANA, "OK, on my way"))
        await spool.until(f"inbox/{READ}", 1)
    assert spool.kept.replies == [("sms", DANA, "OK, on my way")]
    assert spool.kept.receipts == []  # the network has it; nobody says that the phone does
    log = (spool.home / "smsd.log").read_text(errors="replace")
    assert "(total: 2) to +12125550142" in log
    assert spool.names("inbox") == []


async def test_the_file_is_read_the_same_in_every_locale(spool: Spool) -> None:
    sent = await spool.sms.send(notice(DANA, short="Café £5"))
    [name] = spool.names("outbox")
    assert name == sent.receipt
    assert name.startswith("OUTA20")
    assert f"_{DANA}_" in name
    content = (spool.home / "outbox" / name).read_bytes()
    assert content == b"\xfe\xff" + "Café £5".encode("utf-16-be")


@pytest.mark.parametrize("folder", ["outbox", "sent"])
async def test_what_is_there_already_is_not_sent_again(spool: Spool, folder: str) -> None:
    first = await spool.sms.send(notice(DANA))
    outbox = spool.home / "outbox" / first.receipt
    outbox.rename(spool.home / folder / first.receipt)
    assert await spool.sms.send(notice(DANA)) == first
    assert (await spool.sms.send(notice(DANA, key="another"))).receipt != first.receipt
    assert len(spool.names("outbox")) + len(spool.names("sent")) == 2


async def test_what_could_not_be_sent_is_told_once_and_may_be_sent_again(spool: Spool) -> None:
    first = await spool.sms.send(notice(DANA))
    (spool.home / "outbox" / first.receipt).rename(spool.home / "error" / first.receipt)
    spool.put("error", f"OUTC20200101_000000_00_{DANA}_old.txt", "old", age_s=9e6)
    async with spool.watched():
        await spool.kept.until(lambda: bool(spool.kept.receipts))
        again = await spool.sms.send(notice(DANA))
        (spool.home / "outbox" / again.receipt).rename(spool.home / "error" / "OUTB_x.txt")
        await spool.kept.until(lambda: len(spool.kept.receipts) == 2)
    told = [(receipt, result) for _, receipt, result, _ in spool.kept.receipts]
    assert told == [(first.receipt, ReceiptResult.FAILED), ("OUTB_x.txt", ReceiptResult.FAILED)]


async def test_a_long_answer_is_put_together(spool: Spool) -> None:
    for part, text in ((1, "second. "), (0, "First, "), (10, "The end.")):
        spool.put("inbox", f"IN20261123_020000_00_{DANA}_{part:02}.txt", text)
    spool.put("inbox", "IN20261123_020000_01_2025550123_00.txt", "naïve".encode())
    spool.put("inbox", "IN20261123_020000_02_2025550124_00.txt", "naïve".encode("latin-1"))
    async with spool.watched():
        await spool.until(f"inbox/{READ}", 5)
    assert spool.kept.replies == [
        ("sms", DANA, "First, second. The end."),
        ("sms", "+12025550123", "naïve"),
        ("sms", "+12025550124", "naïve"),
    ]


async def test_the_networks_report_is_no_answer(spool: Spool) -> None:
    for number, text in enumerate(("Delivered", "Failed", "Pending", "Unknown", "OK")):
        spool.put("inbox", f"IN20261123_020000_0{number}_{DANA}_00.txt", text)
    spool.put("inbox", "IN20261123_020000_09_INFO_00.txt", "Buy!")
    async with spool.watched():
        await spool.until(f"inbox/{READ}", 6)
    assert spool.kept.replies == [("sms", DANA, "OK")]


async def test_what_cannot_be_written_down_stays_where_it_is(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    spool.put("inbox", f"IN20261123_020000_00_{DANA}_00.txt", "OK")
    spool.kept.full = True
    async with spool.watched():
        await spool.kept.until(lambda: spool.kept.refused > 2)
        assert len(spool.names("inbox")) == 1
        spool.kept.full = False
        await spool.kept.until(lambda: bool(spool.kept.replies))
        await spool.until(f"inbox/{READ}", 1)
    assert len(caplog.records) == 1


class Picky(Kept):
    """Cannot write down what one person texts, nor receipts, while it is `full`."""

    async def reply(self, channel: str, address: str, text: str) -> None:
        full, self.full = self.full, self.full and address == DANA
        try:
            await super().reply(channel, address, text)
        finally:
            self.full = full


async def test_one_that_cannot_be_written_down_keeps_only_the_same_person_waiting(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 3600.0)
    kept = Picky(full=True)
    folders = GammuFolders(GammuSettings(spool=spool.home, country="US"), kept)
    (spool.home / "error" / f"OUTC20261123_020000_00_{DANA}_x.txt").touch()
    spool.put("inbox", f"IN20261123_020000_00_{DANA}_00.txt", "START")
    spool.put("inbox", f"IN20261123_020001_00_{DANA}_00.txt", "STOP")
    spool.put("inbox", f"IN20261123_020002_00_{LEE}_00.txt", "STOP")
    await folders._look()
    assert kept.replies == [("sms", LEE, "STOP")]
    await folders._look()
    assert kept.refused == 2  # they rest
    kept.full = False
    folders._rests.clear()  # an hour has passed
    await folders._look()
    assert [text for _, address, text in kept.replies if address == DANA] == ["START", "STOP"]
    assert len(kept.receipts) == 1


async def test_what_cannot_be_moved_away_is_told_once_and_keeps_nothing_waiting(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    (spool.home / "inbox" / READ).touch()  # not even root can put a file there
    spool.put("inbox", f"IN20261123_020000_00_{DANA}_00.txt", "OK")
    spool.put("inbox", f"IN20261123_020001_00_{LEE}_00.txt", "STOP")
    for _ in range(3):
        await spool.folders._look()
    replies = [("sms", DANA, "OK"), ("sms", LEE, "STOP")]
    assert spool.kept.replies == replies
    [line] = caplog.records
    assert DANA not in str(vars(line))
    (spool.home / "inbox" / READ).unlink()
    await spool.folders._look()
    assert len(spool.names(f"inbox/{READ}")) == 2
    spool.put("inbox", f"IN20261123_020002_00_{LEE}_00.txt", "START")
    await spool.folders._look()
    assert spool.kept.replies == [*replies, ("sms", LEE, "START")]


async def test_the_check_tries_the_inbox_too(spool: Spool) -> None:
    await spool.sms.check()
    assert list((spool.home / "inbox").iterdir()) == []
    (spool.home / "inbox" / READ).touch()
    with pytest.raises(SendingFailed, match=r"inbox/read-by-kai cannot be used \(Not a directory"):
        await spool.sms.check()
    (spool.home / "inbox" / READ).unlink()
    (spool.home / "inbox").rmdir()
    with pytest.raises(SendingFailed, match=r"inbox cannot be used \(No such file.*chmod g\+w"):
        await spool.sms.check()


async def test_a_message_that_is_still_being_written_waits(spool: Spool) -> None:
    spool.put("inbox", f"IN20261123_020000_00_{DANA}_00.txt", "OK", age_s=0.0)
    await spool.folders._look()
    assert spool.kept.replies == []


async def test_folders_that_are_not_there(tmp_path: Path) -> None:
    sms = GammuSms(GammuSettings(spool=tmp_path / "none", country="US"), SystemClock())
    with pytest.raises(
        SendingFailed, match=r"cannot be used \(No such file.*sms\.gammu\.spool"
    ) as c:
        await sms.send(notice(DANA))
    assert (c.value.retry, c.value.uncertain) == (True, False)
    assert DANA not in str(c.value)
