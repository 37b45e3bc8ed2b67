"""Text messages to real phones, and what they answer; one Asterisk for all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from kai_ari.asterisk.conf import PhoneAccount, Premises
from kai_ari.asterisk.sip_message import SipMessages
from kai_ari.calls.call import CallId
from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.errors import LedgerError
from kai_ari.followup.outbox import Recipient
from kai_ari.followup.ports import Notice, SendingFailed, Sent
from kai_ari.testing.pbx import LocalAsterisk
from tests.asterisk.agent import settings_of
from tests.asterisk.staff import staff_phone

PREMISES = Premises(
    phones=tuple(
        PhoneAccount(user=user, password=f"secret-{user}", name="Dana", caller_id=user)
        for user in ("301", "302", "303")
    )
)
_LIMIT_S = 60.0


class BusyLedger(LedgerError):
    code = "busy"
    retryable = True


@dataclass(kw_only=True)
class Replies:
    """A sink that fails as often as `fails` says first."""

    fails: int = 0
    got: asyncio.Queue[tuple[str, str, str]] = field(default_factory=asyncio.Queue)

    async def receipt(self, channel: str, receipt: str, result: ReceiptResult, why: str) -> None:
        raise AssertionError("a text message has no receipt")

    async def reply(self, channel: str, address: str, text: str) -> None:
        if self.fails:
            self.fails -= 1
            raise BusyLedger("the ledger is busy, says the test")
        self.got.put_nowait((channel, address, text))


def notice(to: str) -> Notice:
    return Notice(
        key=f"o1.0.dana.{to}",
        to=Recipient(person="dana", name="Dana", address=to),
        subject="Ann Miller called",
        short="Ann Miller, +12125550142: the tap leaks & drips. Call back.",
        text="",
        html=None,
        recording=None,
        urgent=True,
        call=CallId("c1"),
        obligation="o1",
    )


@asynccontextmanager
async def listening(pbx: LocalAsterisk, sink: Replies) -> AsyncIterator[SipMessages]:
    async with SipMessages(settings_of(pbx), frozenset({"301", "302"}), sink) as texts:
        running = asyncio.create_task(texts.run(), name="texts")
        try:
            await texts.listening.wait()
            yield texts
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_a_phone_shows_the_text_and_its_answer_comes_back_and_nobody_elses() -> None:
    replies = Replies(fails=1)
    async with (
        LocalAsterisk(premises=PREMISES) as pbx,
        listening(pbx, replies) as texts,
        staff_phone(pbx, "301") as dana,
        staff_phone(pbx, "303") as stranger,
        asyncio.timeout(_LIMIT_S),
    ):
        sent = await texts.send(notice("301"))
        assert sent == Sent(receipt="o1.0.dana.301", confirmed=False)
        sender, words = await dana.text()
        assert "sip:kai@" in sender
        assert words == notice("301").short

        assert await stranger.send_text("kai", "I am nobody here") == 404
        assert await dana.send_text("kai", "OK, on my way") in (200, 202)
        assert await replies.got.get() == ("sip_message", "301", "OK, on my way")
        assert replies.got.empty()

        with pytest.raises(SendingFailed, match="302 is not registered") as refused:
            await texts.send(notice("302"))
        assert refused.value.retry
        assert not refused.value.uncertain

        await pbx.kill()
        with pytest.raises(SendingFailed) as away:
            await texts.send(notice("301"))
        assert away.value.retry
        assert not away.value.uncertain
        while texts.listening.is_set():  # noqa: ASYNC110 - it tells when it listens, not when not
            await asyncio.sleep(0.02)
        await pbx.start()
        await texts.listening.wait()
