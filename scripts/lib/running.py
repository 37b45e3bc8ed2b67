"""Asterisk and the agent as processes of this one: started, tried with a call, watched, ended."""

import argparse
import asyncio
import contextlib
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kai_ari.address import host_and_port
from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.cli.place import EXAMPLE, Account, place
from kai_ari.config.schema import Config
from kai_ari.config.secret import ami_password, ari_password
from kai_ari.errors import KaiError
from kai_ari.pbx_from_config import premises
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.ports import Ports

START_S = 60.0
STOP_S = 20.0
_POLL_S = 0.05


class UpError(KaiError):
    code = "up"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is started: from `config`, listening for SIP where `args` says."""

    args: argparse.Namespace
    config_file: Path
    config: Config
    agent_log: Path
    say: Callable[[str], None]
    #: Nobody else calls with this account, so its password is this run's only.
    test_password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)

    @property
    def test_caller(self) -> str:
        """The extension of the phone that places the test call: one that the business leaves."""
        taken = {*self.config.phones, *self.config.numbers}
        return next(str(user) for user in range(901, 100_000) if str(user) not in taken)

    @property
    def local_address(self) -> str:
        listen: str = self.args.listen
        return "127.0.0.1" if listen == "0.0.0.0" else listen  # noqa: S104 - compared, not bound


@dataclass(frozen=True, kw_only=True)
class Running:
    setting: Setting
    pbx: LocalAsterisk
    agent: asyncio.subprocess.Process

    async def died(self) -> KaiError:
        """Wait until one of the two has ended by itself; the error to show."""
        agent = asyncio.create_task(self.agent.wait())
        pbx = asyncio.create_task(self.pbx.died())
        try:
            await asyncio.wait({agent, pbx}, return_when=asyncio.FIRST_COMPLETED)
            if pbx.done():
                return pbx.result()
            return UpError(f"Kai stopped by itself; {_tail(self.setting.agent_log)}")
        finally:
            agent.cancel()
            pbx.cancel()

    async def test_call(self) -> bool:
        """Place the example call; whether it came out as expected, with its evidence."""
        setting = self.setting
        did = next(iter(setting.config.numbers))
        setting.say(f"placing a test call to {did}; what happens, as it happens:")
        account = Account(
            server=f"{setting.local_address}:{setting.args.sip_port}",
            user=setting.test_caller,
            password=setting.test_password,
        )
        placed = await place(
            setting.config, account, did, EXAMPLE, tell=lambda line: setting.say(f"  {line}")
        )
        if setting.args.json:
            print(json.dumps(placed.as_json, indent=2, ensure_ascii=False), flush=True)
        for problem in placed.problems:
            setting.say(f"scripts/up: the test call is not as it should be: {problem}")
        if not placed.problems:
            setting.say("the test call came out as expected: a message taken, with its evidence")
        return not placed.problems


@contextlib.asynccontextmanager
async def running(setting: Setting) -> AsyncIterator[Running]:
    """Start both and wait until calls can come in. Raises PbxError or UpError."""
    args, config = setting.args, setting.config
    port = urlsplit(config.asterisk.url).port or 8088
    pbx = LocalAsterisk(
        instance=f"up-{port}",
        ports=Ports(
            http=port,
            ami=host_and_port(config.asterisk.ami)[1],
            sip=args.sip_port,
            rtp_first=args.rtp_port,
            rtp_last=args.rtp_port + 999,
        ),
        sip_address=args.listen,
        ari_password=ari_password(config.secrets),
        ami_password=ami_password(config.secrets),
        app=config.asterisk.app,
        premises=premises(config),
        phones=[
            PhoneAccount(
                user=setting.test_caller,
                password=setting.test_password,
                name="Test caller",
                caller_id=setting.test_caller,
            ),
        ],
    )
    async with pbx:
        setting.say(f"Asterisk is up (SIP on {args.listen}:{args.sip_port})")
        agent = await _start_agent(setting)
        try:
            await _until_ready(Running(setting=setting, pbx=pbx, agent=agent))
            setting.say(f"Kai is up (log: {setting.agent_log})")
            yield Running(setting=setting, pbx=pbx, agent=agent)
        finally:
            await _end(agent)
    setting.say("stopped")


async def _start_agent(setting: Setting) -> asyncio.subprocess.Process:
    """It dies with this process, and Ctrl-C in a terminal does not reach it."""
    with setting.agent_log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            "setpriv", "--pdeathsig", "TERM",
            sys.executable, "-m", "kai_ari", "run", "--config", str(setting.config_file),
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip


async def _until_ready(site: Running) -> None:
    """Asterisk knows the app from the moment the agent's event socket is connected."""
    app = site.setting.config.asterisk.app
    try:
        async with asyncio.timeout(START_S):
            while app not in {entry["name"] for entry in await site.pbx.ari("GET", "applications")}:
                if site.agent.returncode is not None:
                    raise await site.died()
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        log = _tail(site.setting.agent_log)
        raise UpError(f"Kai was not ready in {START_S:.0f} s; {log}") from None


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _tail(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()[-12:]
    return "\n".join([f"the end of {path}:", *(f"  {line}" for line in lines)])
