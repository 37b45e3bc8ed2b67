"""A real SMTP server (aiosmtpd) that accepts, refuses or breaks off as a test wants."""

import asyncio
import ssl
import subprocess
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.notify.notices import LIMIT_S

USERNAME, PASSWORD = "kai", "mail-password"
Tls = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Of localhost, valid for one day and signed by itself."""

    file: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))


def certificate(directory: Path) -> Certificate:
    made = Certificate(file=directory / "cert.pem", key=directory / "key.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "1", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(made.key), "-out", str(made.file)),
        ],
        check=True,
        capture_output=True,
    )
    return made


@dataclass(kw_only=True)
class MailServer:
    """`refuses`: what is answered to MAIL, RCPT or DATA; `breaks_off` instead of an answer to
    the message. `mails` is what was accepted."""

    refuses: dict[str, str] = field(default_factory=dict)
    breaks_off: bool = False
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: int = 0
    secure: list[bool] = field(default_factory=list)

    # The names are aiosmtpd's.

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        envelope.mail_from = address
        return self.refuses.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.refuses.get("RCPT", "250 OK")

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.breaks_off and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        if "DATA" not in self.refuses:
            mail = message_from_bytes(envelope.original_content or b"", policy=default)
            self.mails.append(mail)
            self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
            transport = server.transport
            self.secure.append(bool(transport and transport.get_extra_info("sslcontext")))
        return self.refuses.get("DATA", "250 queued as 4711")

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        self.logins += 1
        right = LoginPassword(login=USERNAME.encode(), password=PASSWORD.encode())
        return AuthResult(success=given == right, handled=False)


@asynccontextmanager
async def mail_server(
    server: MailServer,
    *,
    tls: Tls = "none",
    of: Certificate | None = None,
    login: bool = False,
    largest: int | None = None,
) -> AsyncIterator[MailServer]:
    """`login`: who does not log in, may not send. `largest` is announced and enforced."""
    loop = asyncio.get_running_loop()
    context = of.server() if of else None
    connections: set[SMTP] = set()

    def connection() -> SMTP:
        with warnings.catch_warnings():
            # It does not see that a connection is encrypted from the start, and warns.
            warnings.simplefilter("ignore")
            made = SMTP(
                server,
                hostname="mail.test",
                data_size_limit=largest,
                tls_context=context if tls == "starttls" else None,
                require_starttls=tls == "starttls",
                auth_required=login,
                auth_require_tls=tls != "tls",
                authenticator=server.authenticate if login else None,
            )
        connections.add(made)
        return made

    listening = await loop.create_server(
        connection, "localhost", 0, ssl=context if tls == "tls" else None
    )
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()
        handlers = [one._handler_coroutine for one in connections]
        running = [task for task in handlers if task is not None and not task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=LIMIT_S)
