"""`kai-ari notify test`: to a real Kannel, a real mail server, a receiver, a stick's folders."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from kai_ari.cli.main import main
from kai_ari.testing.kannel import PASSWORD, SCRIPTED, SENDER, LocalKannel, local_kannel
from tests.notify.servers import serving
from tests.notify.smtp_server import MailServer, mail_server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, kw_only=True)
class House:
    directory: Path
    kannel: LocalKannel
    mail: MailServer
    hooked: list[str]
    hook_url: str

    @property
    def yaml(self) -> Path:
        return self.directory / "kai.yaml"

    def write(self, more: str) -> None:
        self.yaml.write_text(
            "business: {name: Rossi Plumbing, country: US}\n"
            'numbers: {"100": {}}\n'
            "people:\n"
            '  dana: {name: Dana, sms: "+12125550142", email: dana@example.com}\n'
            f'  lee: {{name: Lee, sms: "{SCRIPTED}123"}}\n'
            "  ann: {name: Ann, email: ann@example.com}\n" + more
        )
        (self.directory / ".kai/secrets/webhooks").mkdir(parents=True, exist_ok=True)
        for name, value in {
            "sms_password": PASSWORD,
            "sms_reports": "reports-of-the-tests",
            "webhooks/crm": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        }.items():
            file = self.directory / ".kai/secrets" / name
            file.touch(mode=0o600)
            file.write_text(value)

    async def run(self, *arguments: str) -> int:
        command = ["notify", "test", *arguments, "--config", str(self.yaml)]
        return await asyncio.to_thread(main, command)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    hooked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        hooked.append(await request.text())
        return web.json_response({"id": "task-7"}, status=201)

    async with (
        local_kannel() as kannel,
        mail_server(MailServer()) as mail,
        serving(take) as hook_url,
    ):
        directory = tmp_path_factory.mktemp("house")
        there = House(
            directory=directory, kannel=kannel, mail=mail, hooked=hooked, hook_url=hook_url
        )
        yield there


def all_gateways(house: House) -> str:
    return (
        f'sms: {{kannel: {{url: "{house.kannel.sendsms}", from: "{SENDER}"}}}}\n'
        f"email: {{host: localhost, port: {house.mail.port}, tls: none, from: kai@rossi.example}}\n"
        f'webhooks: {{crm: {{url: "{house.hook_url}/tasks"}}}}\n'
    )


async def test_each_way_there_is(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.write(all_gateways(house))
    assert await house.run("dana", "--wait", "60") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "sms, +12125550142: delivered: the phone has it"
    assert told[1].startswith("email, dana@example.com: accepted (<test-")
    assert len(told) == 2
    assert any(text.text.startswith("TEST from Kai at Rossi") for text in house.kannel.texts)
    assert house.mail.mails[-1]["Subject"] == "TEST from Kai at Rossi Plumbing"


async def test_one_way_alone(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.write(all_gateways(house))
    before = len(house.kannel.texts)
    assert await house.run("dana", "--by", "email") == 0
    assert capsys.readouterr().out.startswith("email, dana@example.com: accepted (")
    assert len(house.kannel.texts) == before


async def test_a_webhook(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.write(all_gateways(house))
    assert await house.run("crm") == 0
    assert capsys.readouterr().out == "webhook, crm: accepted (id task-7)\n"
    assert "TEST from Kai" in house.hooked[-1]


async def test_no_receipt_in_time(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The operator that a test would play is away: Kannel keeps the message."""
    house.write(all_gateways(house))
    assert await house.run("lee", "--wait", "0.5") == 0
    told = capsys.readouterr().out
    assert "accepted by the gateway, but no receipt came within 0.5 s\n    fix: look at" in told


async def test_what_does_not_work_says_what_to_do(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong password, a server that is away; the person is still told by the other ways."""
    text = all_gateways(house).replace(f"port: {house.mail.port}", "port: 9")
    house.write(text)
    (house.directory / ".kai/secrets/sms_password").write_text("other")
    assert await house.run("dana") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("sms, +12125550142: refused: the SMS gateway http://127.0.0.1:")
    assert lines[1] == (
        "    fix: make sms.kannel.username and the secret sms_password those of a sendsms-user in"
        " kannel.conf"
    )
    assert lines[2].startswith("email, dana@example.com: refused: the mail server localhost port 9")
    assert lines[3].startswith("    fix: see that it runs, or correct email.host")
    (house.directory / ".kai/secrets/sms_password").unlink()
    assert await house.run("dana", "--by", "sms") == 1
    assert (
        "there is no such file\n    fix: run: install -m 600 /dev/stdin /"
        in capsys.readouterr().out
    )


async def test_a_gateway_that_kai_yaml_does_not_have(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.write("")
    assert await house.run("ann") == 1
    told = capsys.readouterr().out
    assert told.startswith("email, ann@example.com: not sent: kai.yaml has no email:\n    fix: add")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("dena",), "dena is not in people or webhooks; did you mean dana?"),
        (("ann", "--by", "sms"), "ann has only email; add sms to people.ann in kai.yaml"),
        (("crm", "--by", "sms"), "crm has only webhook; choose --by webhook"),
    ],
)
async def test_who_cannot_be_told(
    house: House,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    house.write(all_gateways(house))
    assert await house.run(*arguments) == 2
    assert capsys.readouterr().err == f"kai-ari: {told}\n"


@pytest.mark.parametrize(
    ("folder", "status", "told"),
    [
        ("sent", 0, "sent, unconfirmed: the network has it; look whether it came"),
        ("error", 1, "refused: gammu-smsd could not send it\n    fix: its log says why"),
        ("outbox", 1, "still in gammu-smsd's outbox after 1 s\n    fix: see that gammu-smsd runs"),
    ],
)
async def test_a_stick_that_takes_it_refuses_it_or_is_away(
    house: House, capsys: pytest.CaptureFixture[str], folder: str, status: int, told: str
) -> None:
    spool = house.directory / f"spool-{folder}"
    for name in ("outbox", "sent", "error", "inbox"):
        (spool / name).mkdir(parents=True)
    house.write(f'sms: {{gammu: {{spool: "{spool}"}}}}\n')

    async def stick() -> None:
        while not (there := list((spool / "outbox").glob("OUT*"))):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        there[0].replace(spool / folder / there[0].name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stick())
        wait = "1" if folder == "outbox" else "60"
        assert await house.run("dana", "--by", "sms", "--wait", wait) == status
    assert capsys.readouterr().out.startswith(f"sms, +12125550142: {told}")
