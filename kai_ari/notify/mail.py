"""E-mail: the server's acceptance of the message is the receipt."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiosmtplib

from kai_ari.clock import Clock
from kai_ari.followup.ports import Notice, SendingFailed, Sent
from kai_ari.notify.mime import mail_of, message_id
from kai_ari.notify.settings import MailSettings

#: Of one command, and of all together: a large recording over a slow line takes a while.
_COMMAND_S, _LIMIT_S = 30.0, 100.0
_MAX_WHY = 200


class MailNotifier:
    """One connection for each message. `trust` is the TLS context; None: the system's."""

    channel = "email"

    def __init__(
        self, settings: MailSettings, clock: Clock, *, trust: ssl.SSLContext | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._trust = trust

    async def send(self, notice: Notice) -> Sent:
        settings = self._settings
        if not notice.to.address.isascii():
            raise _never(
                f"{notice.to.address} has letters that not every mail server takes; write another"
                " address of theirs into kai.yaml"
            )
        delivery = _Delivery()
        async with self._connection(delivery) as smtp:
            await self._deliver(smtp, notice, delivery)
        return Sent(receipt=message_id(notice.key, settings.sender), confirmed=True)

    async def check(self) -> None:
        """Connect and log in, and send nothing. Raises SendingFailed."""
        async with self._connection(_Delivery()) as smtp:
            await smtp.ehlo()
            with suppress(aiosmtplib.SMTPException, OSError):
                await smtp.quit()

    @asynccontextmanager
    async def _connection(self, delivery: "_Delivery") -> AsyncIterator[aiosmtplib.SMTP]:
        """Logged in. Raises SendingFailed, also for what goes wrong inside."""
        settings = self._settings
        smtp = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.tls == "tls",
            start_tls=settings.tls == "starttls",
            tls_context=self._trust,
            timeout=_COMMAND_S,
            # Else the machine's name would be asked of DNS.
            local_hostname=settings.sender.rpartition("@")[2],
        )
        try:
            async with asyncio.timeout(_LIMIT_S):
                await smtp.connect()
                if settings.username is not None:
                    await smtp.login(settings.username, settings.password)
                yield smtp
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _failure(settings, delivery, error) from error
        finally:
            smtp.close()

    async def _deliver(self, smtp: aiosmtplib.SMTP, notice: Notice, delivery: "_Delivery") -> None:
        settings = self._settings
        await smtp.mail(settings.sender)
        await smtp.rcpt(notice.to.address)
        size = smtp.esmtp_extensions.get("size", "")
        mail = await asyncio.to_thread(
            mail_of,
            notice,
            sender=settings.sender,
            sender_name=settings.sender_name,
            now=self._clock.now(),
            largest=int(size) if size.isdecimal() and int(size) else None,
        )
        delivery.begun = True
        await smtp.data(mail)
        with suppress(aiosmtplib.SMTPException, OSError):
            await smtp.quit()


class _Delivery:
    """`begun`: the message is on its way; what fails from then on may have arrived."""

    begun = False


def _failure(settings: MailSettings, delivery: _Delivery, error: Exception) -> SendingFailed:
    where = f"the mail server {settings.host} port {settings.port}"
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            return SendingFailed(
                f"{where} refuses the login ({_told(error)}); correct email.username in kai.yaml or"
                " the secret email_password",
                retry=_is_temporary(error.code),
                uncertain=False,
            )
        case aiosmtplib.SMTPResponseException(code=code) if code // 100 not in (4, 5):
            return SendingFailed(
                f"{where} does not answer as a mail server does; correct email.host and email.port"
                " in kai.yaml",
                retry=True,
                uncertain=delivery.begun,
            )
        case aiosmtplib.SMTPResponseException():
            return SendingFailed(
                f"{where} refuses the message ({_told(error)}); correct the address or email.from"
                " in kai.yaml, or ask whoever runs that server",
                retry=_is_temporary(error.code),
                uncertain=False,
            )
        case aiosmtplib.SMTPNotSupported():
            return _never(f"{where} {_short(error.message)}; correct email.tls in kai.yaml")
    if _has_bad_certificate(error):
        return _never(
            f"{where} cannot be trusted: its certificate is not valid for that name; correct"
            " email.host in kai.yaml, or have this machine trust it (update-ca-certificates)"
        )
    if isinstance(error, aiosmtplib.SMTPException) and not isinstance(error, OSError):
        # It has no STARTTLS, no AUTH, or none of the ways to log in.
        return _never(
            f"{where} cannot do what is asked ({_short(str(error))}); correct email.tls or"
            " email.username in kai.yaml"
        )
    what = "did not answer in time" if isinstance(error, TimeoutError) else "cannot be reached"
    if delivery.begun:
        what = "broke off before it had confirmed the message"
    return SendingFailed(
        f"{where} {what}; see that it runs, or correct email.host and email.port in kai.yaml",
        retry=True,
        uncertain=delivery.begun,
    )


def _never(why: str) -> SendingFailed:
    return SendingFailed(why, retry=False, uncertain=False)


def _is_temporary(code: int) -> bool:
    """RFC 5321, 4.2.1: 4yz may work later, 5yz will not."""
    return code // 100 == 4


def _told(error: aiosmtplib.SMTPResponseException) -> str:
    return _short(f"{error.code} {error.message}")


def _short(text: str) -> str:
    return " ".join(text.split())[:_MAX_WHY]


def _has_bad_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
