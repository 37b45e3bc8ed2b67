"""A small healthy installation: a real Asterisk, and a kai.yaml with its secrets beside it."""

import asyncio
import re
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, encode_basic_auth, web

from kai_ari.cli.checks.context import AddressTowards, address_towards, load_speech
from kai_ari.cli.checks.finding import Finding, Found
from kai_ari.cli.checks.table import examine
from kai_ari.config.load import load
from kai_ari.ledger.database import ledger_file
from kai_ari.pbx_from_config import premises
from kai_ari.reception.ports import EngineFault
from kai_ari.speech.settings import SpeechSettings
from kai_ari.testing.pbx import LocalAsterisk

SECRETS = {
    "ari_password": "kai-test",
    "ami_password": "kai-test",
    "phones/101": "secret-101",
    "phones/102": "secret-102",
    "mailboxes/101": "123456",
}
#: The words of a fix that a shell runs, and those that Asterisk's console does.
_SHELL = re.compile(r"run: ((?:chmod|chown|systemctl) [^;(]+)")
_CONSOLE = re.compile(r"asterisk -rx '([^']+)'")

_loaded: dict[SpeechSettings, Sequence[EngineFault]] = {}


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, command


class Careless(LocalAsterisk):
    """It starts without SIP, too, as Asterisk under systemd does."""

    async def _require_loaded(self) -> None:
        """Nothing is required."""


class Installation:
    def __init__(self, directory: Path, pbx: LocalAsterisk) -> None:
        self.directory = directory
        self.pbx = pbx
        self.yaml = directory / "kai.yaml"
        self.data = directory / ".kai/data"
        self.secrets = directory / ".kai/secrets"
        self.system = directory / "system"
        self.address_towards: AddressTowards = address_towards

    @property
    def ledger(self) -> Path:
        return ledger_file(self.data)

    def point_at_pbx(self) -> None:
        settings = self.pbx.settings
        self.edit("http://127.0.0.1:8088", self.pbx.ari_url.removesuffix("/ari"))
        self.edit("127.0.0.1:5038", f"{settings.http_address}:{settings.ami_port}")

    async def examine(self) -> list[Found]:
        """As `kai-ari check` does, but loading the same engines once only."""

        async def loaded_once(settings: SpeechSettings) -> Sequence[EngineFault]:
            if settings not in _loaded:
                _loaded[settings] = await load_speech(settings)
            return _loaded[settings]

        return await examine(
            self.yaml,
            system=self.system,
            load_speech=loaded_once,
            address_towards=self.address_towards,
        )

    # -- breaking and mending --------------------------------------------------------

    def edit(self, old: str, new: str, file: Path | None = None) -> None:
        path = file or self.yaml
        text = path.read_text()
        assert old in text, f"{path} has no {old!r}"
        path.write_text(text.replace(old, new))

    def conf(self, name: str) -> Path:
        """A file of Asterisk's configuration."""
        return self.pbx.home / "etc" / name

    async def carry_out(self, finding: Finding) -> None:
        """Run what the fix says to run. It must say something."""
        shell, console = _SHELL.findall(finding.fix), _CONSOLE.findall(finding.fix)
        assert shell or console, f"nothing to run in: {finding.fix}"
        for command in shell:
            await run(*shlex.split(command))
        for command in console:
            await self.pbx.console(command)

    @asynccontextmanager
    async def seen_through(self, **changed: Any) -> AsyncIterator[None]:
        """An Asterisk whose answers differ: what it says of `version` or `timestamp`."""
        real = self.pbx.ari_url.removesuffix("/ari")
        settings = self.pbx.settings
        login = encode_basic_auth(settings.ari_user, settings.ari_password)

        async def relay(request: web.Request) -> web.Response:
            async with (
                ClientSession(headers={"Authorization": login}) as http,
                http.request(request.method, real + str(request.rel_url)) as reply,
            ):
                body, status, kind = await reply.read(), reply.status, reply.content_type
            text = body
            for key, value in changed.items():
                text = re.sub(rb'("%b": ?)"[^"]*"' % key.encode(), rb'\1"%b"' % value, text)
            return web.Response(body=text, status=status, content_type=kind)

        async with serving(relay) as url:
            self.edit(real, url)
            yield
        self.edit(url, real)


@asynccontextmanager
async def serving(handler: Any) -> AsyncIterator[str]:
    """An HTTP server that is not Asterisk; its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def healthy(directory: Path) -> AsyncIterator[Installation]:
    config = load(_write(directory))
    # Here, because its ports are taken and its files looked at.
    async with Careless(premises=premises(config), elsewhere=False) as pbx:
        installation = Installation(directory, pbx)
        installation.point_at_pbx()
        yield installation


def _write(directory: Path) -> Path:
    yaml = directory / "kai.yaml"
    yaml.write_text(
        "business: {name: Rossi Plumbing, country: US, zone: America/New_York,"
        " owner: dana}\n"
        'numbers: {"100": {}, "200": {}}\n'
        'phones: {"101": {name: Dana, mailbox: true}, "102": {name: Lee}}\n'
        'people: {dana: {name: Dana, phone: "101"}}\n'
        'queues: {support: {members: ["101", "102"]}}\n'
        'asterisk: {url: "http://127.0.0.1:8088", ami: "127.0.0.1:5038"}\n'
        "speech: {synthesizers: [hibari]}\n"
    )
    for name, value in SECRETS.items():
        path = directory / ".kai/secrets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(value)
    (directory / ".kai/data").mkdir()
    return yaml
