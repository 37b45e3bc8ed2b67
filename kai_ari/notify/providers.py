"""Text messages through any provider that apprise knows: no receipt exists, they are sent,
unconfirmed."""

import asyncio
import logging
import re
from urllib.parse import quote

from kai_ari.followup.gsm7 import gsm7
from kai_ari.followup.ports import Notice, SendingFailed, Sent
from kai_ari.notify.settings import AppriseSettings

#: apprise waits 4 s for a connection and 4 s for an answer by itself.
LIMIT_S = 30.0
_MAX_WHY = 200
#: So many last digits of a number tell whose it is; of the 15 that it may have, 8 are before them.
_TELLING = 7


class AppriseSms:
    """apprise blocks and tells why something failed only by its log: one message at a time."""

    channel = "sms"

    def __init__(self, settings: AppriseSettings) -> None:
        self._settings = settings
        self._one_at_a_time = asyncio.Lock()

    async def send(self, notice: Notice) -> Sent:
        service = self._settings.service
        address = service.replace("{password}", quote(self._settings.password, safe=""))
        address = address.replace("{to}", quote(notice.to.address, safe=""))
        try:
            async with asyncio.timeout(LIMIT_S), self._one_at_a_time:
                why = await asyncio.to_thread(_notify, address, gsm7(notice.short))
        except TimeoutError as error:
            raise SendingFailed(
                "the SMS provider gave no answer in time; see that it can be reached from here",
                retry=True,
                uncertain=True,
            ) from error
        if why is not None:
            raise SendingFailed(
                f"the SMS provider did not take it ({self._safe(why, notice.to.address)}); correct"
                " sms.apprise.service in kai.yaml or the secret sms_password, unless the provider"
                " is down",
                retry=True,
                uncertain=False,
            )
        return Sent(receipt=notice.key, confirmed=False)

    def _safe(self, why: str, to: str) -> str:
        """Without the password and the number, which the provider or apprise may repeat: it is
        shown and logged."""
        password = self._settings.password
        for form in filter(None, (password, quote(password, safe=""))):
            why = why.replace(form, "...")
        return re.sub(_written(to), "...", why)[:_MAX_WHY]


def _written(number: str) -> str:
    """A pattern of the number as anybody may write it: with or without + and country code, in
    groups or not."""
    digits = re.sub(r"\D", "", number)
    return r"(?:\+|%2B)?(?:\d[\s().-]*){0,8}" + r"[\s().-]*".join(digits[-_TELLING:])


def readable(service: str) -> bool:
    """Whether apprise knows what to do with the address."""
    import apprise

    address = service.replace("{password}", "x" * 32).replace("{to}", "%2B12025550142")
    with _Overheard():
        return apprise.Apprise.instantiate(address) is not None


def _notify(address: str, text: str) -> str | None:
    """None when the provider took it, else why not. Blocks."""
    import apprise  # loads a third of a second

    with _Overheard() as heard:
        provider = apprise.Apprise.instantiate(address)
        if provider is None:
            return "apprise does not know this address"
        if provider.notify(body=text):
            return None
    return heard.last or "no reason given"


class _Overheard(logging.Handler):
    """While it is entered, what apprise complains of is kept here and logged nowhere: it may
    hold numbers and keys."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self.last = ""
        self._logger = logging.getLogger("apprise")

    def emit(self, record: logging.LogRecord) -> None:
        self.last = " ".join(record.getMessage().split())

    def __enter__(self) -> "_Overheard":
        self._logger.addHandler(self)
        self._propagates, self._logger.propagate = self._logger.propagate, False
        return self

    def __exit__(self, *_error: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagates
