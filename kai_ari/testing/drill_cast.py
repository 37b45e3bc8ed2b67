"""Those who play in a drill: phones, outside numbers, desks and a webhook, each by a script that
the caller's number tells them."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp import web

from kai_ari.address import host_and_port
from kai_ari.asterisk.conf import TrunkAccount
from kai_ari.fallback.rungs import Queue, Transfer, Workflow
from kai_ari.fallback.steps import Try
from kai_ari.testing.caller import Voice
from kai_ari.testing.drill_plan import DrillCall
from kai_ari.testing.drill_ways import Does
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.phone_process import PhoneError
from kai_ari.testing.staff import (
    Desk,
    StaffScript,
    accepts,
    answers,
    is_a_mailbox,
    presses,
    refuses,
    rings_out,
)

#: A talk long enough to count, and one too short for it.
TALK_S: Final = 8.0
DROP_S: Final = 2.0

_BUSY = refuses(486)
_Scripts = Mapping[str, StaffScript]


class Cast:
    """Who does what on which call: by the caller's number, and the address that is rung."""

    def __init__(self) -> None:
        self._scripts: dict[str, _Scripts] = {}
        self._cases: dict[str, Does] = {}

    def learn(self, call: DrillCall, queues: Mapping[str, Sequence[str]], *, keys: bool) -> None:
        """`queues` has the members of each; `keys`: who takes this call presses one."""
        self._scripts[call.caller] = _scripts(call, queues, keys=keys)
        self._cases[call.did] = call.does

    def script(self, call: PhoneCall, address: str) -> StaffScript:
        """Whoever has no part in a call is busy."""
        caller = re.search(r"\+1\d{10}", call.caller)
        return self._scripts.get(caller[0], {}).get(address, _BUSY) if caller else _BUSY

    async def attend(self, desk: Desk, address_of: Callable[[PhoneCall], str]) -> None:
        """Play each call that comes in, until cancelled."""
        async with asyncio.TaskGroup() as calls:
            while True:
                call = await desk.phone.incoming()
                script = self.script(call, address_of(call))
                calls.create_task(_play(script, desk, call), name="drill: part")

    async def take_case(self, request: web.Request) -> web.StreamResponse:
        """The business's workflow: told of the call to the DID in the path."""
        match self._cases.get(request.match_info["did"]):
            case Does.TAKES_CASE:
                return web.json_response({"id": f"drill-{request.match_info['did']}"})
            case Does.SILENT:
                await asyncio.Event().wait()
        return web.Response(status=500)


def _scripts(
    call: DrillCall, queues: Mapping[str, Sequence[str]], *, keys: bool
) -> Mapping[str, StaffScript]:
    step = call.of(call.rule)
    lead = _part(call.does, keys=keys)
    match call.rule.rung:
        case Transfer() if isinstance(step, Try):
            first, *others = [callee.address for callee in step.callees]
            alone = call.does in (Does.ACCEPTS, Does.DROPS)
            return {first: lead, **dict.fromkeys(others, rings_out if alone else lead)}
        case Queue(name=name):
            first, *others = queues[name]
            return {first: lead, **dict.fromkeys(others, rings_out)}
        case Workflow(key=key, takes_calls=True):
            return {key: lead}
    return {}


def _part(does: Does, *, keys: bool) -> StaffScript:
    take = accepts if keys else answers
    parts = {
        Does.ACCEPTS: take(TALK_S),
        Does.DROPS: take(DROP_S),
        Does.DECLINES: presses("2"),
        Does.MAILBOX: is_a_mailbox,
        Does.BUSY: _BUSY,
    }
    return parts.get(does, rings_out)


async def _play(script: StaffScript, desk: Desk, call: PhoneCall) -> None:
    """A call may end in the middle of any part; who hears nothing does nothing."""
    with contextlib.suppress(PhoneError, TimeoutError):
        await script(desk, call)


# -- the phones ------------------------------------------------------------------------------


def free_address(host: int) -> str:
    """127.0.0.HOST with a UDP port that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((f"127.0.0.{host}", 0))
        return f"127.0.0.{host}:{probe.getsockname()[1]}"


@asynccontextmanager
async def on_stage(
    cast: Cast,
    pbx: LocalAsterisk,
    *,
    phones: Sequence[str],
    trunks: Sequence[TrunkAccount],
    desks: Mapping[str, str],
    voice: Voice,
) -> AsyncIterator[None]:
    """Their phones, ready. `desks` has the SIP address of each, by its workflow."""
    own = {user: pbx.phone(user).password for user in phones}
    parts: list[tuple[SipPhone, Callable[[PhoneCall], str]]] = [
        *(
            (SipPhone(server=pbx.sip_address, user=user, password=password), _always(user))
            for user, password in own.items()
        ),
        *((_at(pbx, trunk.name, trunk.host, trunk.codecs), _dialled) for trunk in trunks),
        *(
            (_at(pbx, key, uri.partition("@")[2], ("ulaw", "alaw")), _always(key))
            for key, uri in desks.items()
        ),
    ]
    async with AsyncExitStack() as opened:
        await asyncio.gather(*(opened.enter_async_context(phone) for phone, _ in parts))
        playing = [
            asyncio.create_task(
                cast.attend(Desk(phone=phone, voice=voice), address_of), name="drill: phone"
            )
            for phone, address_of in parts
        ]
        try:
            yield
        finally:
            for task in playing:
                task.cancel()
            await asyncio.gather(*playing, return_exceptions=True)


@asynccontextmanager
async def webhook(cast: Cast) -> AsyncIterator[str]:
    """The workflow's system; below its address, the DID and the workflow's key."""
    app = web.Application()
    app.router.add_post("/{did}/{key}", cast.take_case)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _at(pbx: LocalAsterisk, user: str, place: str, codecs: Sequence[str]) -> SipPhone:
    """A phone that is called at its own address, without an account."""
    host, port = host_and_port(place)
    return SipPhone(
        server=pbx.sip_address,
        user=user,
        password="",
        codecs=codecs,
        register=False,
        address=host,
        port=port,
    )


def _always(address: str) -> Callable[[PhoneCall], str]:
    return lambda _: address


def _dialled(call: PhoneCall) -> str:
    """The number that an outside line was asked for."""
    found = re.match(r"INVITE sips?:([^@;>\s]+)@", call.invite)
    return found[1] if found else ""
