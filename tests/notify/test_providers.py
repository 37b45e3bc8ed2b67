"""Text messages through apprise, with a provider of its list whose server the test plays."""

import logging

import pytest
from aiohttp import encode_basic_auth, web

from kai_ari.clock import SystemClock
from kai_ari.followup.ports import SendingFailed, Sent
from kai_ari.notify import providers
from kai_ari.notify.build import open_gateways
from kai_ari.notify.providers import AppriseSms, readable
from kai_ari.notify.settings import AppriseSettings, Gateways
from tests.notify.notices import Kept, notice
from tests.notify.servers import never, says, serving

DANA = "+12125550142"
PASSWORD = "pass/word&1"


def settings(url: str) -> AppriseSettings:
    """apprise's own way to post JSON, which has the server in its address."""
    host = url.removeprefix("http://")
    return AppriseSettings(service=f"json://kai:{{password}}@{host}/{{to}}", password=PASSWORD)


async def test_a_text_goes_to_the_provider_unconfirmed() -> None:
    came: list[tuple[str, str | None, str]] = []

    async def provider(request: web.Request) -> web.Response:
        body = await request.json()
        came.append((request.path, request.headers.get("Authorization"), body["message"]))
        return web.Response()

    async with (
        serving(provider) as url,
        open_gateways(Gateways(sms=settings(url)), Kept(), SystemClock()) as there,
    ):
        assert await there["sms"].send(notice(DANA, short="Ann Ö. “Baker”")) == Sent(
            receipt="call-1/alert/dana", confirmed=False
        )
    login = encode_basic_auth("kai", PASSWORD)
    assert came == [(f"/{DANA}", login, 'Ann Ö. "Baker"')]


@pytest.mark.parametrize("status", [401, 500])
async def test_a_refusal_says_what_apprise_says_and_no_secret(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(says("", status)) as url:
        with caplog.at_level(logging.DEBUG, "apprise"), pytest.raises(SendingFailed) as caught:
            await AppriseSms(settings(url)).send(notice(DANA))
    assert (caught.value.retry, caught.value.uncertain) == (True, False)
    assert f"error={status}" in str(caught.value)
    assert PASSWORD not in str(caught.value) + caplog.text


@pytest.mark.parametrize(
    "number", [DANA, "12125550142", "%2B12125550142", "+1 (212) 555-0142", "212.555.0142"]
)
async def test_a_refusal_does_not_name_the_number(
    number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As apprise's Twilio, Vonage and others do; it is logged."""
    monkeypatch.setattr(providers, "_notify", lambda *_: f"Failed to send to {number}: error=21211")
    with pytest.raises(SendingFailed, match=r"Failed to send to \.\.\.: error=21211") as caught:
        await AppriseSms(settings("http://127.0.0.1")).send(notice(DANA))
    assert "0142" not in str(caught.value)


async def test_no_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "LIMIT_S", 0.5)
    async with serving(never) as url:
        with pytest.raises(SendingFailed, match="gave no answer in time") as caught:
            await AppriseSms(settings(url)).send(notice(DANA))
    assert (caught.value.retry, caught.value.uncertain) == (True, True)


@pytest.mark.parametrize(
    ("service", "known"),
    [
        ("twilio://AC0123456789abcdef0123456789abcdef:{password}@+12125550100/{to}", True),
        ("clicksend://kai:{password}@{to}", True),
        ("nosuchthing://{password}@{to}", False),
    ],
)
def test_which_addresses_apprise_knows(service: str, known: bool) -> None:
    assert readable(service) is known
