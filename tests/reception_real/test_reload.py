"""New rules for a running agent: the next call has them, the present one keeps its own, and a file
with a mistake changes nothing."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kai_ari.asterisk.conf import PhoneAccount, Premises
from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.config.in_force import InForce
from kai_ari.config.load import load
from kai_ari.ledger.database import RULES_IN_FORCE, ledger_file
from kai_ari.ledger.reader import LedgerReader, open_reader
from kai_ari.ledger.sole_agent import running_agent
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from tests.reception_real.agent_process import CONNECTED, agent_process
from tests.reception_real.house import until, write_secrets

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER = PhoneAccount(user="600", password="secret-600", caller_id=None)
DANA = PhoneAccount(user="101", password="secret-101", caller_id="101")
RELOADED = "rules reloaded"
REFUSED = "rules not reloaded: the old ones stay"
_LIMIT_S = 30.0

#: What comes first on the ladder, and how the record names it.
RINGS_DANA = "{transfer: dana}", "transfer"
TELLS_DANA = "{alert: dana}", "alert"
CALLS_BACK = "callback", "callback"
BAD = "{transfer: nobody}"


class Rules:
    """The kai.yaml of a running agent, and `kai-ari reload`."""

    def __init__(self, directory: Path, pbx: LocalAsterisk) -> None:
        self.path = directory / "kai.yaml"
        self._pbx = pbx
        write_secrets(directory, pbx)

    def write(self, rung: str) -> None:
        """A ladder that begins with `rung`."""
        self.path.write_text(
            "business: {name: Rossi Plumbing, owner: dana}\n"
            'numbers: {"100": {}}\n'
            'phones: {"101": {name: Dana, mailbox: true}}\n'
            'people: {dana: {name: Dana Rossi, phone: "101"}}\n'
            f'asterisk: {{url: "{self._pbx.ari_url.removesuffix("/ari")}"}}\n'
            "speech: {synthesizers: [hibari]}\n"
            f"ladders: {{default: [{rung}, voicemail]}}\n"
        )

    @property
    def in_force(self) -> str:
        return InForce.read(load(self.path).data / RULES_IN_FORCE).rules

    async def reload(self) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kai_ari", "reload", "-c", str(self.path)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode(), errors.decode()


class Caller:
    """One call, up since before it is asked for anything."""

    def __init__(self, line: PhoneCall, ledger: LedgerReader, call: CallId) -> None:
        self.line = line
        self._ledger = ledger
        self._call = call

    async def begins_with(self) -> tuple[str, str]:
        """Ask for a person: the way of the first rung, and the hash of the rules on record."""
        await self.line.press("0")
        found: list[Event] = []

        async def begun() -> bool:
            found[:] = await self._ledger.history(self._call)
            return any(isinstance(event, leg.RungStarted) for event in found)

        await until(begun, _LIMIT_S)
        rung = next(event for event in found if isinstance(event, leg.RungStarted))
        applied = next(event for event in found if isinstance(event, ev.RulesApplied))
        return rung.way, applied.rules


@contextlib.asynccontextmanager
async def calling(phone: SipPhone, ledger: LedgerReader) -> AsyncIterator[Caller]:
    known = {row.id for row in await ledger.calls(limit=20)}
    line = await phone.dial("100")
    try:
        await line.answered()
        new: list[str] = []

        async def on_record() -> bool:
            new[:] = [row.id for row in await ledger.calls(limit=20) if row.id not in known]
            return bool(new)

        await until(on_record, _LIMIT_S)
        yield Caller(line, ledger, CallId(new[0]))
    finally:
        await line.hang_up()


async def test_rules_change_between_calls_and_never_during_one(tmp_path: Path) -> None:
    premises = Premises(phones=(CALLER, DANA))
    async with contextlib.AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(LocalAsterisk(premises=premises))
        caller = await stack.enter_async_context(phone_of(pbx, CALLER, register=False))
        dana = await stack.enter_async_context(phone_of(pbx, DANA, register=True))
        rules = Rules(tmp_path, pbx)
        rules.write(RINGS_DANA[0])
        agent = await stack.enter_async_context(agent_process(rules.path))
        await agent.logs(CONNECTED)
        path = ledger_file(load(rules.path).data)
        ledger = await stack.enter_async_context(open_reader(path))
        first = rules.in_force

        process = running_agent(path)
        assert process is not None

        async with calling(caller, ledger) as early:
            rules.write(TELLS_DANA[0])
            hang_up(process)
            await agent.logs(RELOADED)
            second = rules.in_force
            assert await early.begins_with() == (RINGS_DANA[1], first)
            rings = await dana.incoming()
            assert not early.line.over
            await early.line.hang_up()
            await rings.ended()
        async with calling(caller, ledger) as late:
            assert await late.begins_with() == (TELLS_DANA[1], second)

        rules.write(BAD)
        status, told, errors = await rules.reload()
        assert (status, told) == (2, "")
        assert re.search(r"kai.yaml line 7: ladders.default.*'?nobody'?", errors)
        hang_up(process)
        await agent.logs(REFUSED)
        async with calling(caller, ledger) as unmoved:
            assert await unmoved.begins_with() == (TELLS_DANA[1], second)

        rules.write(CALLS_BACK[0])
        status, told, errors = await rules.reload()
        third = rules.in_force
        assert (status, told, errors) == (0, f"In force: the rules {third}\n", "")
        async with calling(caller, ledger) as latest:
            assert await latest.begins_with() == (CALLS_BACK[1], third)
        assert len({first, second, third}) == 3

        rules.path.write_text(rules.path.read_text() + 'trunks: {provider: {host: "192.0.2.7"}}\n')
        status, told, errors = await rules.reload()
        assert (status, errors) == (1, "")
        assert told.startswith(f"In force: the rules {third}\nNot wholly in force: trunks.")
        assert "for trunks" in told
        assert await agent.stop() == 0
        status, _, errors = await rules.reload()
        assert status == 2
        assert "no agent runs" in errors
        assert await ledger.verify() == []


def hang_up(process: int) -> None:
    """What systemd and others send to have a configuration read again."""
    os.kill(process, signal.SIGHUP)


def phone_of(pbx: LocalAsterisk, account: PhoneAccount, *, register: bool) -> SipPhone:
    server = pbx.sip_address
    return SipPhone(server=server, user=account.user, password=account.password, register=register)
