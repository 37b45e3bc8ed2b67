"""AMI as Kai uses it: it tells of queues and their members, and does nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from panoramisk import Manager

from kai_ari.asterisk.conf import Premises, QueueMembers
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from tests.asterisk.shop import DANA, LEE

PREMISES = Premises(
    phones=(LEE, DANA), queues=(QueueMembers(name="support", members=(LEE.user, DANA.user)),)
)
_NOT_IN_USE, _UNAVAILABLE = "1", "5"  # as app_queue counts the states of devices
_LIMIT_S = 30.0


async def test_ami_tells_who_of_a_queue_could_answer() -> None:
    async with LocalAsterisk(premises=PREMISES) as pbx, manager(pbx) as ami:
        async with asyncio.timeout(_LIMIT_S):
            assert set((await members(ami)).values()) == {_UNAVAILABLE}
            async with SipPhone(
                server=pbx.sip_address, user=DANA.user, password=DANA.password
            ) as dana:
                await ready(ami, DANA.user)
                await a_caller_waits(pbx)
                rings = await dana.incoming()
                await rings.hang_up()


async def test_ami_lets_kai_change_nothing() -> None:
    async with LocalAsterisk(premises=PREMISES) as pbx, manager(pbx) as ami:
        async with asyncio.timeout(_LIMIT_S):
            for action in (
                {"Action": "Command", "Command": "core show version"},
                {"Action": "Originate", "Channel": f"PJSIP/{DANA.user}", "Application": "Echo"},
                {"Action": "GetConfig", "Filename": "pjsip.conf"},
                {"Action": "QueuePause", "Interface": f"PJSIP/{DANA.user}", "Paused": "true"},
            ):
                answer = await ami.send_action(action)
                assert answer.response == "Error"
                assert "Permission denied" in answer.message


@asynccontextmanager
async def manager(pbx: LocalAsterisk) -> AsyncIterator[Any]:
    settings = pbx.settings
    ami = Manager(
        loop=asyncio.get_running_loop(),
        host=settings.http_address,
        port=settings.ami_port,
        username=settings.ami_user,
        secret=settings.ami_password,
        ping_delay=0,
    )
    await ami.connect()
    try:
        yield ami
    finally:
        ami.close()


async def members(ami: Any) -> dict[str, str]:
    """The state of each member's phone."""
    events = await ami.send_action({"Action": "QueueStatus", "Queue": "support"})
    return {event.stateinterface: event.status for event in events if event.event == "QueueMember"}


async def ready(ami: Any, extension: str) -> None:
    """A phone is registered before Asterisk has found that it answers."""
    while (await members(ami))[f"PJSIP/{extension}"] != _NOT_IN_USE:  # noqa: ASYNC110 - it is asked
        await asyncio.sleep(0.05)


async def a_caller_waits(pbx: LocalAsterisk) -> None:
    """In the queue, as Kai does it: by a Local leg."""
    await pbx.ari(
        "POST",
        "channels",
        endpoint="Local/support@queue/n",
        app="kai",
        timeout="20",
        formats="ulaw",
    )
