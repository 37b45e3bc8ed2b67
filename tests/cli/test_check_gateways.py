"""What `kai-ari check` finds of gateways; nothing is sent by it."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from kai_ari.cli.checks import gateways
from kai_ari.cli.checks.context import Context
from kai_ari.cli.checks.finding import Finding
from kai_ari.config.document import read
from kai_ari.config.load import load
from kai_ari.testing.kannel import PASSWORD, SENDER, LocalKannel, local_kannel
from tests.notify.servers import serving
from tests.notify.smtp_server import MailServer, mail_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHECKS = (
    gateways.addresses,
    gateways.secrets,
    gateways.templates,
    gateways.provider_known,
    gateways.reports_port,
    gateways.answering,
)


@dataclass(frozen=True, kw_only=True)
class House:
    directory: Path
    kannel: LocalKannel
    mail: MailServer
    hook_url: str

    def text(self) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]
        mail = f"host: localhost, port: {self.mail.port}, tls: none, from: kai@rossi.example"
        return (
            "business: {name: Rossi}\n"
            'numbers: {"100": {}}\n'
            f'sms: {{kannel: {{url: "{self.kannel.sendsms}", from: "{SENDER}",'
            f' reports: "127.0.0.1:{free}"}}}}\n'
            f"email: {{{mail}}}\n"
            f'webhooks: {{crm: {{url: "{self.hook_url}/tasks", auth: bearer}}}}\n'
        )

    async def found(self, text: str, **secrets: str | None) -> list[Finding]:
        """With secrets as they should be but for those given; None: there is none."""
        yaml = self.directory / "kai.yaml"
        yaml.write_text(text)
        usual = {"sms_password": PASSWORD, "sms_reports": "x" * 24, "webhooks/crm": "token"}
        for name, value in {**usual, **secrets}.items():
            file = self.directory / ".kai/secrets" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            if value is not None:
                file.touch(mode=0o600)
                file.write_text(value)
        context = Context(config=load(yaml))
        found = [one for check in CHECKS for one in await check(context)]
        assert all(isinstance(one, Finding) and one.where and one.what and one.fix for one in found)
        return [one for one in found if isinstance(one, Finding)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async def only_posts(_request: web.Request) -> web.Response:
        return web.Response(status=405)

    async with (
        local_kannel() as kannel,
        mail_server(MailServer()) as mail,
        serving(only_posts) as url,
    ):
        yield House(
            directory=tmp_path_factory.mktemp("house"), kannel=kannel, mail=mail, hook_url=url
        )


async def test_all_is_well_and_nothing_was_sent(house: House) -> None:
    assert await house.found(house.text()) == []
    assert await house.found('business: {name: Rossi}\nnumbers: {"100": {}}\n') == []
    assert (house.kannel.texts, house.mail.mails) == ([], [])


async def test_an_address_that_nobody_is_told_by(house: House) -> None:
    """But by their e-mail the guests of a calendar are known."""
    bare = 'business: {name: Rossi, zone: UTC}\nnumbers: {"100": {}}\npeople:\n'
    text = bare + '  ann: {name: Ann, sms: "+12125550142", email: ann@example.com}\n'
    sms, email = await house.found(text)
    assert (sms.slug, sms.where) == ("no-gateway", "kai.yaml, people.ann.sms")
    assert sms.what == "ann is never told so, because there is no section sms:"
    assert "add one, e.g. email: {host: mail.example.com, from: kai@example.com}" in email.fix
    [only_sms] = await house.found(text + "rotas: {on_call: {calendar: on_call.ics}}\n")
    assert only_sms == sms
    document = read(house.directory / "kai.yaml")
    context = Context(config=load(house.directory / "kai.yaml"), document=document)
    [found] = await gateways.addresses(context)
    assert isinstance(found, Finding)
    assert found.where == "kai.yaml line 4, people.ann.sms"


@pytest.mark.parametrize("name", ["sms_password", "sms_reports", "webhooks/crm"])
async def test_a_secret_that_is_missing(house: House, name: str) -> None:
    [found] = await house.found(house.text(), **{name: None})
    assert found.slug == "secret-missing"
    assert found.where.endswith(f".kai/secrets/{name}")


async def test_a_secret_that_cannot_be_used(house: House) -> None:
    [found] = await house.found(house.text(), sms_reports="a/b")
    assert (found.slug, "16 or more letters" in found.fix) == ("secret-bad", True)
    text = house.text().replace("auth: bearer", "auth: signature")
    [found] = await house.found(text, **{"webhooks/crm": "whsec_&&&"})
    assert (found.slug, "remove it and run set-up" in found.fix) == ("secret-bad", True)


@pytest.mark.parametrize(
    ("section", "slug", "fix"),
    [
        ("sms", "sms-gateway", "see that Kannel's bearerbox and smsbox run"),
        ("email", "mail-server", "see that it runs, or correct email.host"),
        ("webhooks.crm", "webhook", "see that it runs, or correct webhooks.crm.url"),
    ],
)
async def test_a_gateway_that_does_not_answer(
    house: House, section: str, slug: str, fix: str
) -> None:
    port = {
        "sms": str(house.kannel.base + 3),
        "email": str(house.mail.port),
        "webhooks.crm": house.hook_url.rpartition(":")[2],
    }[section]
    [found] = await house.found(house.text().replace(port, "9"))
    assert (found.slug, found.where) == (slug, f"kai.yaml, {section}")
    assert found.fix.startswith(fix)


async def test_a_login_that_kannel_refuses(house: House) -> None:
    [found] = await house.found(house.text(), sms_password="other")
    assert (found.slug, "refuses the login" in found.what) == ("sms-gateway", True)


async def test_a_login_that_the_mail_server_does_not_offer(house: House) -> None:
    text = house.text().replace("email: {", "email: {username: kai, ")
    [found] = await house.found(text, email_password="x")
    assert (found.slug, found.where) == ("mail-server", "kai.yaml, email")
    assert "correct email.tls or email.username" in found.fix


async def test_the_port_for_reports_is_taken(house: House) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        text = house.text()
        reports = text.partition('reports: "127.0.0.1:')[2].partition('"')[0]
        taken = str(other.getsockname()[1])
        [found] = await house.found(text.replace(reports, taken))
    assert (found.slug, found.where) == ("port-taken", "kai.yaml, sms.kannel.reports")


async def test_a_template_that_cannot_be_read(house: House) -> None:
    own = house.directory / "own.json"
    own.write_text('{\n"name": "{subjct}"}')
    text = house.text().replace("auth: bearer", "auth: bearer, template: own.json")
    [found] = await house.found(text)
    assert (found.slug, found.where) == ("template-bad", f"{own} line 2")
    [found] = await house.found(text.replace("own.json", "other"))
    assert (found.slug, found.where) == ("template-bad", "kai.yaml, webhooks.crm.template")


async def test_folders_of_a_stick(house: House) -> None:
    for folder in ("outbox", "inbox"):
        (house.directory / "spool" / folder).mkdir(parents=True)
    text = 'business: {name: Rossi}\nnumbers: {"100": {}}\nsms: {gammu: {spool: spool}}\n'
    assert await house.found(text) == []
    [found] = await house.found(text.replace("spool: spool", "spool: none"))
    assert (found.slug, "No such file" in found.what) == ("sms-gateway", True)


async def test_a_provider_that_apprise_does_not_know(house: House) -> None:
    text = (
        'business: {name: Rossi}\nnumbers: {"100": {}}\n'
        'sms: {apprise: {service: "clicksend://kai:{password}@{to}"}}\n'
    )
    assert await house.found(text) == []
    [found] = await house.found(text.replace("clicksend", "clickclick"))
    assert found.slug == "sms-provider"
