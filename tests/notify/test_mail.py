"""E-mail to a real SMTP server: what arrives, and what a refusal comes to."""

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from kai_ari.clock import SystemClock
from kai_ari.followup.ports import Notice, SendingFailed, Sent
from kai_ari.notify import mail as module
from kai_ari.notify.mail import MailNotifier
from kai_ari.notify.settings import MailSettings
from tests.notify.notices import notice
from tests.notify.smtp_server import (
    PASSWORD,
    USERNAME,
    Certificate,
    MailServer,
    Tls,
    certificate,
    mail_server,
)

DANA = "dana@example.com"
SETTINGS = MailSettings(
    host="localhost",
    port=0,
    tls="none",
    username=None,
    password="",
    sender="kai@rossi.example",
    sender_name='Rossi "Plumbing", Büro',
)
WITH_LOGIN = replace(SETTINGS, username=USERNAME, password=PASSWORD)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"))


async def send(
    server: MailServer,
    told: Notice,
    settings: MailSettings = SETTINGS,
    trusting: Certificate | None = None,
) -> Sent:
    trust = trusting.trusted() if trusting else None
    settings = replace(settings, port=server.port)
    return await MailNotifier(settings, SystemClock(), trust=trust).send(told)


async def refusal(
    server: MailServer,
    settings: MailSettings = SETTINGS,
    *,
    told: Notice | None = None,
    trusting: Certificate | None = None,
) -> tuple[bool, bool, str]:
    """Whether to try again, whether it may have arrived, and why."""
    with pytest.raises(SendingFailed) as caught:
        await send(server, told or notice(DANA), settings, trusting)
    why = str(caught.value)
    assert PASSWORD not in why
    assert "; " in why, f"no remedy: {why}"
    return caught.value.retry, caught.value.uncertain, why


# -- what arrives ---------------------------------------------------------------------


async def test_text_and_html_arrive_with_the_recording(tmp_path: Path) -> None:
    recording = tmp_path / "call-1-message.wav"
    recording.write_bytes(b"RIFF\r\n.\r\nWAVE" * 1000)
    html = "<html><body><h1>Ann Bäker</h1></body></html>"
    text = "Ann Bäker\n.\n.. a dot begins the line\n" + "long " * 300
    told = notice(DANA, text=text, html=html, recording=recording)
    async with mail_server(MailServer()) as server:
        sent = await send(server, told)
    [mail] = server.mails
    assert server.envelopes == [("kai@rossi.example", [DANA])]
    assert mail["Subject"] == told.subject
    assert mail["From"].addresses[0].display_name == 'Rossi "Plumbing", Büro'
    assert mail["To"].addresses[0].addr_spec == DANA
    assert (mail["Auto-Submitted"], mail["Importance"]) == ("auto-generated", "high")
    assert mail["Date"].datetime.tzinfo is not None
    assert sent == Sent(receipt=mail["Message-ID"], confirmed=True)
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain
    assert rich
    assert plain.get_content().replace("\r\n", "\n").rstrip() == text.rstrip()
    assert "<h1>Ann Bäker</h1>" in rich.get_content()
    [attached] = mail.iter_attachments()
    assert attached.get_content_type() in ("audio/x-wav", "audio/wav")
    assert attached.get_filename() == "call-1-message.wav"
    assert attached.get_content() == recording.read_bytes()


async def test_without_html_the_text_is_made_readable_on_a_phone() -> None:
    async with mail_server(MailServer()) as server:
        await send(server, notice(DANA, text="a <b> & c\nnext"))
    rich = server.mails[0].get_body(("html",))
    assert rich
    assert "a &lt;b&gt; &amp; c<br>" in rich.get_content()
    assert "width=device-width" in rich.get_content()


async def test_the_same_notice_has_the_same_message_id() -> None:
    async with mail_server(MailServer()) as server:
        for key in ("call-1/alert/dana", "call-1/alert/dana", "call 1/alert\r\ndana <x@y>"):
            await send(server, notice(DANA, key=key))
    first, second, other = (mail["Message-ID"] for mail in server.mails)
    assert first == second != other


async def test_nothing_that_a_caller_said_makes_a_header() -> None:
    told = replace(notice(DANA), subject="Ann\r\nBcc: all@example.com\x00")
    async with mail_server(MailServer()) as server:
        await send(server, told)
    assert server.mails[0]["Bcc"] is None
    assert server.mails[0]["Subject"] == "Ann Bcc: all@example.com"


async def test_a_recording_that_is_gone_or_too_large_is_said_to_be_kept(tmp_path: Path) -> None:
    large = tmp_path / "large.wav"
    large.write_bytes(b"\0" * 60_000)
    async with mail_server(MailServer(), largest=20_000) as server:
        await send(server, notice(DANA, recording=large))
        await send(server, notice(DANA, recording=tmp_path / "gone.wav"))
    for mail, words in zip(server.mails, ("too large", "could not be attached"), strict=True):
        assert not list(mail.iter_attachments())
        for kind in ("plain", "html"):
            body = mail.get_body((kind,))
            assert body
            assert words in body.get_content()


# -- TLS and logins -------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_login_over_tls(ours: Certificate, tls: Tls) -> None:
    settings = replace(WITH_LOGIN, tls=tls)
    async with mail_server(MailServer(), tls=tls, of=ours, login=True) as server:
        assert (await send(server, notice(DANA), settings, ours)).confirmed
    assert (server.logins, server.secure) == (1, [True])


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for(ours: Certificate, tls: Tls) -> None:
    settings = replace(WITH_LOGIN, tls=tls)
    async with mail_server(MailServer(), tls=tls, of=ours, login=True) as server:
        retry, uncertain, why = await refusal(server, settings)
    assert (retry, uncertain, server.logins, server.mails) == (False, False, 0, [])
    assert "its certificate is not valid" in why


async def test_no_password_goes_to_a_server_without_starttls() -> None:
    settings = replace(WITH_LOGIN, tls="starttls")
    async with mail_server(MailServer(), login=True) as server:
        retry, uncertain, why = await refusal(server, settings)
    assert (retry, uncertain, server.logins) == (False, False, 0)
    assert "correct email.tls" in why


async def test_a_wrong_password(ours: Certificate) -> None:
    settings = replace(WITH_LOGIN, tls="starttls", password="other")
    async with mail_server(MailServer(), tls="starttls", of=ours, login=True) as server:
        retry, uncertain, why = await refusal(server, settings, trusting=ours)
    assert (retry, uncertain, server.mails) == (False, False, [])
    assert "refuses the login (535" in why
    assert "the secret email_password" in why


# -- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(("answer", "retry"), [("451 later", True), ("550 never", False)])
async def test_a_refusal_is_tried_again_only_if_the_server_says_so(
    command: str, answer: str, retry: bool
) -> None:
    async with mail_server(MailServer(refuses={command: answer})) as server:
        again, uncertain, why = await refusal(server)
    assert (again, uncertain, server.mails) == (retry, False, [])
    assert answer in why


async def test_broken_off_after_the_message() -> None:
    async with mail_server(MailServer(breaks_off=True)) as server:
        retry, uncertain, why = await refusal(server)
    assert (retry, uncertain) == (True, True)
    assert "before it had confirmed the message" in why


async def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))  # and does not listen
        retry, uncertain, why = await refusal(MailServer(port=taken.getsockname()[1]))
    assert (retry, uncertain) == (True, False)
    assert "cannot be reached; see that it runs" in why


async def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COMMAND_S", 0.5)
    ended = asyncio.Event()

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        ended.set()

    async with await asyncio.start_server(silence, "localhost", 0) as silent:
        server = MailServer(port=silent.sockets[0].getsockname()[1])
        retry, uncertain, why = await refusal(server)
        await ended.wait()
    assert (retry, uncertain) == (True, False)
    assert "did not answer in time" in why


async def test_what_is_no_mail_server() -> None:
    async def garbage(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(garbage, "localhost", 0) as other:
        server = MailServer(port=other.sockets[0].getsockname()[1])
        retry, uncertain, _ = await refusal(server)
    assert (retry, uncertain) == (True, False)


async def test_an_address_with_other_letters_is_named() -> None:
    async with mail_server(MailServer()) as server:
        retry, uncertain, why = await refusal(server, told=notice("dañá@example.com"))
    assert (retry, uncertain) == (False, False)
    assert "write another address" in why
