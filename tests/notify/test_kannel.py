"""Text messages through a real Kannel: with a fake operator, and one that the test plays."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.errors import ConfigError
from kai_ari.followup.ports import Sent
from kai_ari.notify.kannel import KannelSms, listening
from kai_ari.testing.kannel import REPORTS, SCRIPTED, SENDER, LocalKannel, local_kannel, settings_at
from tests.notify.notices import LIMIT_S, Kept, Receipt, notice
from tests.notify.servers import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

DANA = "+12125550142"
FAR = f"{SCRIPTED}123"
DELIVERED, FAILED = ReceiptResult.DELIVERED, ReceiptResult.FAILED


@dataclass(frozen=True, kw_only=True)
class House:
    """A Kannel, Kai's end of it, and the messages that the operator of the test was asked to
    send."""

    kannel: LocalKannel
    sms: KannelSms
    kept: Kept
    http: aiohttp.ClientSession
    reports_url: str
    asked: asyncio.Queue[dict[str, str]]

    async def operator_is_asked(self) -> dict[str, str]:
        async with asyncio.timeout(LIMIT_S):
            asked = await self.asked.get()
        await self.kannel.until_reports_awaited(1)
        return asked

    async def operator_reports(self, asked: dict[str, str], result: int) -> None:
        """1 delivered, 2 failed, 8 taken by the centre, 16 rejected there."""
        message = asked["dlr-url"].rpartition("&dlr-mid=")[2]
        query = {"username": "operator", "password": "operator", "dlr-url": "as sent"}
        query |= {"dlr-mid": message, "dlr-mask": str(result)}
        async with self.http.get(self.kannel.operator_reports, params=query) as reply:
            assert reply.status == 202, await reply.text()

    async def receipts_of(self, key: str, count: int = 1) -> list[Receipt]:
        def these() -> list[Receipt]:
            return [one for one in self.kept.receipts if one[1] == key]

        await self.kept.until(lambda: len(these()) >= count)
        return these()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    kept = Kept()
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def operator(request: web.Request) -> web.Response:
        asked.put_nowait(dict(request.query))
        return web.Response(status=202, text="0: Accepted for delivery")

    async with (
        listening(settings_at(""), kept) as url,
        local_kannel(reply_url=f"{url}/reply") as kannel,
        serving(operator, kannel.operator_port),
        aiohttp.ClientSession() as http,
    ):
        yield House(
            kannel=kannel,
            sms=KannelSms(settings_at(kannel.sendsms), http, url),
            kept=kept,
            http=http,
            reports_url=url,
            asked=asked,
        )


# -- sent, and what came of it ---------------------------------------------------------


async def test_a_text_arrives_and_its_receipt_comes_back(house: House) -> None:
    short = "URGENT: Ann Ö. Bäker, +12025550142: pipe burst @ 5 £"
    sent = await house.sms.send(notice(DANA, key="call-1:alert/dana#1", short=short))
    assert sent == Sent(receipt="call-1:alert/dana#1", confirmed=False)
    await house.kannel.until(lambda: any(text.text == short for text in house.kannel.texts))
    [text] = [text for text in house.kannel.texts if text.text == short]
    assert (text.sender, text.to) == (SENDER, DANA)
    assert await house.receipts_of(sent.receipt) == [("sms", sent.receipt, DELIVERED, "")]


async def test_letters_that_a_phone_may_lack_are_replaced(house: House) -> None:
    await house.sms.send(notice(DANA, key="letters", short="“Ann” Łukasz 💧 pays 5 €"))
    shown = '"Ann" Lukasz ? pays 5 EUR'
    await house.kannel.until(lambda: any(text.text == shown for text in house.kannel.texts))


async def test_three_hundred_letters_arrive_whole(house: House) -> None:
    """Kannel cuts them into two parts that phones join again; fakesmsc shows each part."""
    long = "x" * 290 + " the end."
    await house.sms.send(notice(DANA, key="long", short=long))

    def parts() -> list[str]:
        return [text.text for text in house.kannel.texts if "xxx" in text.text]

    await house.kannel.until(lambda: len(parts()) == 2)
    assert "".join(parts()) == long
    await house.receipts_of("long")


async def test_a_receipt_that_comes_late(house: House) -> None:
    await house.sms.send(notice(FAR, key="late"))
    asked = await house.operator_is_asked()
    await house.operator_reports(asked, 8)  # taken by the centre: no receipt
    assert not [one for one in house.kept.receipts if one[1] == "late"]
    await house.operator_reports(asked, 1)
    assert await house.receipts_of("late") == [("sms", "late", DELIVERED, "")]


@pytest.mark.parametrize("result", [2, 16])
async def test_a_receipt_that_says_that_it_failed(house: House, result: int) -> None:
    key = f"failed-{result}"
    await house.sms.send(notice(FAR, key=key))
    await house.operator_reports(await house.operator_is_asked(), result)
    assert await house.receipts_of(key) == [("sms", key, FAILED, "")]


async def test_a_receipt_that_comes_twice_is_handed_on_twice(house: House) -> None:
    """Kannel itself reports once; a report that it repeats is the same address again."""
    await house.sms.send(notice(DANA, key="twice"))
    await house.receipts_of("twice")
    url = f"{house.reports_url}/receipt?key=dHdpY2U&result=1&why="
    for _ in range(2):
        async with house.http.get(url) as reply:
            assert reply.status == 200
    assert await house.receipts_of("twice", 3) == [("sms", "twice", DELIVERED, "")] * 3


async def test_a_receipt_for_which_kai_was_away_comes_again(house: House) -> None:
    """With http-request-retry in kannel.conf, as the README has it: Kai stopped, or its disk was
    full."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        there = f"127.0.0.1:{probe.getsockname()[1]}"
    url = f"http://{there}/{REPORTS}"
    sms = KannelSms(settings_at(house.kannel.sendsms), house.http, url)
    await sms.send(notice(DANA, key="away", short="While Kai is away"))
    await house.kannel.until(lambda: "While Kai is away" in [t.text for t in house.kannel.texts])
    kept = Kept(full=True)
    async with listening(settings_at("", reports=there), kept):
        await kept.until(lambda: kept.refused > 0)
        kept.full = False
        await kept.until(lambda: bool(kept.receipts))
    assert kept.receipts == [("sms", "away", DELIVERED, "")]


async def test_what_people_text_back(house: House) -> None:
    await house.kannel.text_in("+12125550142", "OK, on my way")
    await house.kannel.text_in("447911123456", "STOP & später?")
    await house.kept.until(lambda: len(house.kept.replies) >= 2)
    assert set(house.kept.replies) == {
        ("sms", "+12125550142", "OK, on my way"),
        ("sms", "+447911123456", "STOP & später?"),
    }


# -- who may report -------------------------------------------------------------------


@pytest.mark.parametrize("path", ["receipt?key=YQ&result=1", "reply?from=%2B12125550142&text=OK"])
async def test_who_does_not_know_the_secret_is_not_heard(house: House, path: str) -> None:
    before = (list(house.kept.receipts), list(house.kept.replies))
    base = house.reports_url.rpartition("/")[0]
    for secret in ("guess", house.reports_url.rpartition("/")[2][:-1]):
        async with house.http.get(f"{base}/{secret}/{path}") as reply:
            assert reply.status == 404
    assert (house.kept.receipts, house.kept.replies) == before


@pytest.mark.parametrize(
    "path",
    [
        *("receipt", "receipt?key=&result=1", "receipt?key=YQ", "receipt?key=YQ&result=x"),
        *("receipt?key=%ff&result=1", "receipt?key=!!!&result=1", "receipt?key=_w&result=1"),
    ],
)
async def test_a_report_that_is_none(house: House, path: str) -> None:
    async with house.http.get(f"{house.reports_url}/{path}") as reply:
        assert reply.status == 400


async def test_a_short_code_is_nobody(house: House) -> None:
    before = list(house.kept.replies)
    for sender in ("12345", "INFO", "", "x" * 5000):
        url = f"{house.reports_url}/reply"
        async with house.http.get(url, params={"from": sender, "text": "Win!"}) as reply:
            assert (reply.status, await reply.text()) == (200, "")
    assert house.kept.replies == before


async def test_what_cannot_be_written_down_is_asked_for_again() -> None:
    kept = Kept(full=True)
    async with listening(settings_at(""), kept) as url, aiohttp.ClientSession() as http:
        for path in ("receipt?key=YQ&result=1", "reply?from=%2B12125550142&text=OK"):
            async with http.get(f"{url}/{path}") as reply:
                assert reply.status == 503


async def test_a_port_that_is_taken_is_named() -> None:
    async with listening(settings_at(""), Kept()) as url:
        port = url.split(":")[2].split("/")[0]
        with pytest.raises(ConfigError, match=r"stop what has that port.*sms\.kannel\.reports"):
            async with listening(settings_at("", reports=f"127.0.0.1:{port}"), Kept()):
                raise AssertionError("two listen on one port")
