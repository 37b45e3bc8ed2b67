"""Text messages to the phones of the house (SIP MESSAGE), and what people answer.

ARI answers 202 also when a phone refuses, is silent or dead: such a message is sent, and never
confirmed but by an answer. It is heard by an app of its own, for a subscription to a phone
brings everything else of that phone, too.

    run:  connect ─> subscribe to the phones, to texts alone ─> hand on each text ──┐
             ^                                                                      │ lost
             └──────────────── wait, longer each time <─────────────────────────────┘
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from kai_ari import log
from kai_ari.asterisk import operations as ops
from kai_ari.asterisk.client import AriClient, AriSettings
from kai_ari.asterisk.errors import AriUnreachable, NotFound
from kai_ari.asterisk.events import Backoff, connected
from kai_ari.errors import AsteriskError, LedgerError
from kai_ari.followup.ports import Notice, SendingFailed, Sent, Sink

_TEXT = "TextMessageReceived"
_FROM = "sip:kai@kai.invalid"  # who answers writes to it: Asterisk takes it, whatever the host
#: More is no answer of a person's.
_MAX_REPLY = 2_000
#: Between attempts to hand on an answer that could not be written down.
_AGAIN_S = 1.0

_log = log.get("sip_message")


class _Texts(AriClient):
    async def is_registered(self, phone: str) -> bool:
        path = {"tech": "PJSIP", "resource": phone}
        try:
            state = await self._read(ops.READ_ENDPOINT, lambda phone: str(phone["state"]), path)
        except NotFound:
            return False
        return state == "online"

    async def send_text(self, phone: str, text: str) -> None:
        path = {"tech": "PJSIP", "resource": phone}
        await self._send(ops.SEND_MESSAGE, path, query={"from": _FROM, "body": text})

    async def subscribe(self, phones: Iterable[str]) -> None:
        path = {"applicationName": self.app}
        await self._send(ops.FILTER_EVENTS, path, body={"allowed": [{"type": _TEXT}]})
        source = ",".join(f"endpoint:PJSIP/{phone}" for phone in phones)
        await self._send(ops.SUBSCRIBE, path, query={"eventSource": source})


class SipMessages:
    """Implements `Notifier`: an address is a phone's extension, one of `phones`."""

    channel = "sip_message"

    def __init__(self, settings: AriSettings, phones: frozenset[str], sink: Sink) -> None:
        self._ari = _Texts(replace(settings, app=f"{settings.app}-texts"))
        self._phones = phones
        self._sink = sink
        self.listening = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._ari.__aexit__(kind, error, trace)

    async def send(self, notice: Notice) -> Sent:
        phone = notice.to.address
        try:
            registered = await self._ari.is_registered(phone)
        except AsteriskError as error:
            raise SendingFailed(str(error), retry=error.retryable, uncertain=False) from error
        if not registered:
            raise SendingFailed(
                f"the phone {phone} is not registered, so no message reaches it",
                retry=True,
                uncertain=False,
            )
        try:
            await self._ari.send_text(phone, notice.short)
        except AsteriskError as error:
            lost = isinstance(error, AriUnreachable)
            raise SendingFailed(str(error), retry=error.retryable, uncertain=lost) from error
        return Sent(receipt=notice.key, confirmed=False)

    async def run(self) -> None:
        """Hear answers until cancelled. An Asterisk that is away is waited for."""
        backoff, told = Backoff(), ""
        while True:
            try:
                async with connected(self._ari) as events:
                    await self._ari.subscribe(sorted(self._phones))
                    backoff.reset()
                    told = ""
                    self.listening.set()
                    async for event in events:
                        if event["type"] == _TEXT:
                            await self._hand_on(event)
            except AsteriskError as error:
                if str(error) != told:
                    told = str(error)
                    _log.warning("answers from phones are not heard", extra=log.fields(error=told))
            finally:
                self.listening.clear()
            await asyncio.sleep(backoff.wait_s())

    async def _hand_on(self, event: Mapping[str, Any]) -> None:
        """It is heard once, and Asterisk keeps nothing: stay with it until it is written down."""
        phone = str(event.get("endpoint", {}).get("resource", ""))
        text = str(event["message"]["body"])[:_MAX_REPLY].strip()
        if phone not in self._phones or not text:
            return
        while True:
            try:
                await self._sink.reply(self.channel, phone, text)
                return
            except LedgerError as error:
                if not error.retryable:
                    _log.error("an answer was not taken", extra=log.fields(error=str(error)))
                    return
                _log.warning("an answer waits", extra=log.fields(error=str(error)))
            await asyncio.sleep(_AGAIN_S)
