"""Text messages through Kannel, with its delivery reports and what people text back.

The protocol is that of Kannel's user guide: `sendsms` over HTTP, `dlr-url` with its escapes %d
(what became of it) and %A (the centre's words), and `get-url` of an sms-service for replies.
"""

import base64
import binascii
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from kai_ari import log
from kai_ari.address import host_and_port, written
from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.errors import ConfigError, LedgerError
from kai_ari.followup.gsm7 import gsm7
from kai_ari.followup.ports import Notice, SendingFailed, Sent, Sink
from kai_ari.notify.http import may_work_later, moved, read_at_most, shown, trouble
from kai_ari.notify.settings import KannelSettings
from kai_ari.notify.texting import sender_of

LIMIT = aiohttp.ClientTimeout(total=15.0, sock_connect=5.0)
#: Reports asked for: delivered to the phone (1), failed (2), rejected by the centre (16).
_DLR_MASK = 1 + 2 + 16
_RESULTS = {
    "1": ReceiptResult.DELIVERED,
    "2": ReceiptResult.FAILED,
    "16": ReceiptResult.FAILED,
}
#: "0: Accepted for delivery" and "3: Queued for later delivery": Kannel keeps both.
_ACCEPTED = re.compile(rb"[03]: ")
_MAX_ANSWER = 4_000
#: Kannel joins at most 255 parts of 153 letters; people who reply write less.
_MAX_REPLY = 2_000

_log = log.get("sms")


class KannelSms:
    """`reports_url` is where Kannel is to report: see `listening`."""

    channel = "sms"

    def __init__(
        self, settings: KannelSettings, http: aiohttp.ClientSession, reports_url: str
    ) -> None:
        self._settings = settings
        self._http = http
        self._reports_url = reports_url

    async def send(self, notice: Notice) -> Sent:
        """The receipt is the notice's key, also when it comes before this returns."""
        where = f"the SMS gateway {shown(self._settings.url)}"
        status, answer = await self._asked(where, self._parameters(notice))
        if status // 100 == 2 and _ACCEPTED.match(answer):
            return Sent(receipt=notice.key, confirmed=False)
        raise _refusal(where, status)

    async def _asked(self, where: str, parameters: dict[str, str]) -> tuple[int, bytes]:
        """Status and beginning of the answer."""
        try:
            async with self._http.get(
                self._settings.url, params=parameters, allow_redirects=False, timeout=LIMIT
            ) as reply:
                return reply.status, await read_at_most(reply, _MAX_ANSWER)
        except (aiohttp.ClientError, OSError) as error:
            found = trouble(error)
            raise SendingFailed(
                f"{where} {found.what}; see that Kannel's bearerbox and smsbox run, or correct"
                " sms.kannel.url in kai.yaml",
                retry=True,
                uncertain=found.uncertain,
            ) from error

    async def check(self) -> None:
        """Whether Kannel answers, and knows the login: it is asked to send to nobody. Raises
        SendingFailed."""
        login = {"username": self._settings.username, "password": self._settings.password}
        where = f"the SMS gateway {shown(self._settings.url)}"
        status, answer = await self._asked(where, login)
        if status != 400 or b"Missing receiver" not in answer:
            raise _refusal(where, status)

    def _parameters(self, notice: Notice) -> dict[str, str]:
        settings = self._settings
        key = base64.urlsafe_b64encode(notice.key.encode()).decode().rstrip("=")
        return {
            "username": settings.username,
            "password": settings.password,
            "from": settings.sender,
            "to": notice.to.address,
            "text": gsm7(notice.short),
            "charset": "UTF-8",
            "coding": "0",
            "dlr-mask": str(_DLR_MASK),
            "dlr-url": f"{self._reports_url}/receipt?key={key}&result=%d&why=%A",
        }


def _refusal(where: str, status: int) -> SendingFailed:
    if status == 403:
        return SendingFailed(
            f"{where} refuses the login; make sms.kannel.username and the secret sms_password those"
            " of a sendsms-user in kannel.conf",
            retry=False,
            uncertain=False,
        )
    if moved(status) or status // 100 == 2:
        return SendingFailed(
            f"{where} answered {status}, but not as Kannel does; correct sms.kannel.url in"
            " kai.yaml",
            retry=True,
            uncertain=not moved(status),
        )
    return SendingFailed(
        f"{where} answered {status}; Kannel's log says why",
        retry=may_work_later(status),
        uncertain=False,
    )


@asynccontextmanager
async def listening(settings: KannelSettings, sink: Sink) -> AsyncIterator[str]:
    """Hand reports and replies to `sink` while this is open. Yields the address for Kannel.

    Port 0 is any free one. Raises ConfigError when the port cannot be had.
    """
    host, port = host_and_port(settings.reports)
    app = web.Application()
    heard = _Heard(settings, sink)
    app.router.add_get("/{secret}/receipt", heard.receipt)
    app.router.add_get("/{secret}/reply", heard.reply)
    # No access log: its lines would hold the secret and numbers.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(
                f"Kai cannot listen for reports of text messages on {settings.reports}"
                f" ({error.strerror}); stop what has that port, or choose another for"
                " sms.kannel.reports in kai.yaml"
            ) from error
        yield f"http://{written(host, runner.addresses[0][1])}/{settings.reports_secret}"
    finally:
        await runner.cleanup()


class _Heard:
    """What Kannel tells. It asks again later after 503, if kannel.conf lets it."""

    def __init__(self, settings: KannelSettings, sink: Sink) -> None:
        self._secret = settings.reports_secret
        self._country = settings.country
        self._sink = sink

    async def receipt(self, request: web.Request) -> web.Response:
        self._let_in(request)
        result = request.query.get("result", "")
        key = _key(request.query.get("key", ""))
        if key is None or not result.isdecimal():
            raise web.HTTPBadRequest(text="no key or no result")
        if result in _RESULTS:
            why = request.query.get("why", "")[:_MAX_ANSWER]
            try:
                await self._sink.receipt("sms", key, _RESULTS[result], why)
            except LedgerError as error:
                raise _not_now("receipt", error) from error
        return web.Response()

    async def reply(self, request: web.Request) -> web.Response:
        self._let_in(request)
        address = sender_of(request.query.get("from", ""), self._country)
        text = request.query.get("text", "")[:_MAX_REPLY]
        if address is None:
            _log.info("text from no number passed over", extra=log.fields(text=text))
            return web.Response()
        try:
            await self._sink.reply("sms", address, text)
        except LedgerError as error:
            raise _not_now("reply", error) from error
        return web.Response()

    def _let_in(self, request: web.Request) -> None:
        given = request.match_info["secret"].encode()
        if not hmac.compare_digest(given, self._secret.encode()):
            raise web.HTTPNotFound


def _key(token: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode() or None
    except (binascii.Error, UnicodeError, ValueError):
        return None


def _not_now(what: str, error: LedgerError) -> web.HTTPServiceUnavailable:
    _log.error("report not written down", extra=log.fields(what=what, error=str(error)))
    return web.HTTPServiceUnavailable()
