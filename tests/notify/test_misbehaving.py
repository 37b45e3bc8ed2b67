"""A gateway that is down, answers errors, nothing, or nonsense: what it comes to, and whether
the message may have gone out all the same."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from kai_ari.clock import SystemClock
from kai_ari.followup.ports import Notice, Notifier, SendingFailed
from kai_ari.notify import hooks, kannel
from kai_ari.notify.hooks import HookNotifier
from kai_ari.notify.kannel import KannelSms
from kai_ari.notify.settings import HookSettings
from kai_ari.notify.template import read_template
from kai_ari.testing.kannel import settings_at
from tests.notify.notices import notice
from tests.notify.servers import Answer, drops, floods, never, no_web_server, says, serving

SECRET = "s3cret-token"
Make = Callable[[str, aiohttp.ClientSession], Notifier]


def by_kannel(url: str, http: aiohttp.ClientSession) -> Notifier:
    return KannelSms(settings_at(f"{url}/sendsms"), http, f"http://127.0.0.1:1/{SECRET}")


def by_hook(url: str, http: aiohttp.ClientSession) -> Notifier:
    settings = HookSettings(
        url=f"{url}/task?key={SECRET}", template=read_template("kai"), auth="bearer", secret=SECRET
    )
    return HookNotifier({"crm": settings}, http, SystemClock())


@dataclass(frozen=True, kw_only=True)
class Came:
    retry: bool
    uncertain: bool
    why: str


async def refusal(make: Make, url: str) -> Came:
    told: Notice = notice("crm" if make is by_hook else "+12125550142")
    async with aiohttp.ClientSession() as http:
        with pytest.raises(SendingFailed) as caught:
            await make(url, http).send(told)
    why = str(caught.value)
    assert SECRET not in why
    assert "12125550142" not in why
    assert "\n" not in why
    assert "; " in why, f"no remedy: {why}"
    return Came(retry=caught.value.retry, uncertain=caught.value.uncertain, why=why)


BOTH = pytest.mark.parametrize("make", [by_kannel, by_hook])


@BOTH
async def test_nothing_listens(make: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        came = await refusal(make, f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (came.retry, came.uncertain) == (True, False)
    assert "nothing listens there" in came.why


@BOTH
async def test_a_name_that_is_not_known(make: Make) -> None:
    came = await refusal(make, "http://kai.invalid")
    assert (came.retry, came.uncertain) == (True, False)
    assert "its name is not known" in came.why


@BOTH
@pytest.mark.parametrize(
    ("status", "retry"),
    [(400, False), (401, False), (403, False), (404, False), (429, True), (500, True), (503, True)],
)
async def test_errors(make: Make, status: int, retry: bool) -> None:
    async with serving(says("0: Accepted for delivery", status)) as url:
        came = await refusal(make, url)
    assert (came.retry, came.uncertain) == (retry, False)


@BOTH
async def test_a_redirect_is_not_followed(make: Make) -> None:
    went: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        went.append(request.path)
        return web.Response(text="0: Accepted for delivery")

    async with serving(elsewhere) as other, serving(says("", 307, Location=other)) as url:
        came = await refusal(make, url)
    assert (came.uncertain, went) == (False, [])
    assert "correct" in came.why


@pytest.mark.parametrize("limits", [kannel, hooks])
async def test_no_answer_in_time(monkeypatch: pytest.MonkeyPatch, limits: object) -> None:
    monkeypatch.setattr(limits, "LIMIT", aiohttp.ClientTimeout(total=0.5))
    async with serving(never) as url:
        came = await refusal(by_kannel if limits is kannel else by_hook, url)
    assert (came.retry, came.uncertain) == (True, True)
    assert "gave no answer in time" in came.why


@BOTH
async def test_a_connection_that_breaks_off(make: Make) -> None:
    async with serving(drops) as url:
        came = await refusal(make, url)
    assert (came.retry, came.uncertain) == (True, True)
    assert "hung up without an answer" in came.why


@BOTH
async def test_no_web_server(make: Make) -> None:
    async with no_web_server() as url:
        came = await refusal(make, url)
    assert (came.retry, came.uncertain) == (True, True)
    assert "did not answer as a web server does" in came.why


@pytest.mark.parametrize("answer", [says("<html>Log in to the hotel</html>"), says(""), floods])
async def test_what_kannel_never_says_is_no_acceptance(answer: Answer) -> None:
    async with serving(answer) as url:
        came = await refusal(by_kannel, url)
    assert (came.retry, came.uncertain) == (True, True)
    assert "not as Kannel does" in came.why


async def test_a_webhook_has_taken_it_whatever_else_it_says() -> None:
    async with _taken_by(says("<html>Thank you</html>", 201)) as receipt:
        assert receipt == "201 Created"
    async with _taken_by(floods) as receipt:
        assert receipt == "200 OK"


@asynccontextmanager
async def _taken_by(answer: Answer) -> AsyncIterator[str]:
    async with serving(answer) as url, aiohttp.ClientSession() as http:
        sent = await by_hook(url, http).send(notice("crm"))
        assert sent.confirmed
        yield sent.receipt
