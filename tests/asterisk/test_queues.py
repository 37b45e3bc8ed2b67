"""Queues over AMI, on a real Asterisk with real phones as members."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from kai_ari.asterisk.ami import AmiSettings
from kai_ari.asterisk.ami_queues import QueueMonitor
from kai_ari.asterisk.conf import PhoneAccount, Premises, QueueMembers
from kai_ari.people.availability import (
    Available,
    PbxState,
    QueueMember,
    Reason,
    Unavailable,
    queue_availability,
)
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone

PREMISES = Premises(
    phones=tuple(
        PhoneAccount(user=user, password=f"secret-{user}", name="Member", caller_id=user)
        for user in ("201", "202")
    ),
    queues=(QueueMembers(name="support", members=("201", "202")),),
)
ECHO = "\n[from-phones](+)\nexten => echo,1,Answer()\n same => n,Echo()\n"


def settings(asterisk: LocalAsterisk, password: str | None = None) -> AmiSettings:
    return AmiSettings(
        host=asterisk.settings.http_address,
        port=asterisk.settings.ami_port,
        username=asterisk.settings.ami_user,
        password=password or asterisk.settings.ami_password,
    )


@asynccontextmanager
async def watching(
    asterisk: LocalAsterisk, password: str | None = None
) -> AsyncIterator[QueueMonitor]:
    monitor = QueueMonitor(settings(asterisk, password))
    running = asyncio.create_task(monitor.run(), name="queue monitor")
    try:
        yield monitor
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def phone(asterisk: LocalAsterisk, user: str) -> SipPhone:
    return SipPhone(server=asterisk.sip_address, user=user, password=asterisk.phone(user).password)


async def until(
    monitor: QueueMonitor, condition: Callable[[tuple[QueueMember, ...]], bool]
) -> tuple[QueueMember, ...]:
    """The members of `support`, as soon as `condition` holds of them."""
    async with asyncio.timeout(40):
        while True:
            queues = await monitor.queues()
            assert queues is not None
            members = tuple(sorted(queues["support"], key=lambda member: member.name))
            if condition(members):
                return members
            await asyncio.sleep(0.05)


async def test_members_come_take_calls_and_pause_and_asterisk_goes_and_comes_back() -> None:
    async with (
        LocalAsterisk(premises=PREMISES, extra_extensions=ECHO) as asterisk,
        watching(asterisk) as monitor,
    ):
        await asyncio.wait_for(monitor.ready.wait(), 10)
        queues = await monitor.queues()
        assert queues is not None
        assert list(queues) == ["support"]
        assert {member.name for member in queues["support"]} == {"201", "202"}
        answer = queue_availability("support", PbxState(queues=queues))
        assert isinstance(answer, Unavailable)
        assert answer.reason is Reason.NO_AGENT

        async with phone(asterisk, "201") as member:
            ready = await until(monitor, lambda members: members[0].reachable)
            assert ready[0] == QueueMember(name="201", reachable=True, paused=False, in_call=False)
            assert not ready[1].reachable
            answer = queue_availability("support", PbxState(queues={"support": ready}))
            assert isinstance(answer, Available)

            await asterisk.ari(
                "POST",
                "channels",
                endpoint="Local/support@queue/n",
                channelId="kai-q1",
                otherChannelId="kai-q2",
                context="from-phones",
                extension="echo",
                priority="1",
                formats="slin16,slin,ulaw",
            )
            call = await member.incoming()
            await call.answer()
            assert (await until(monitor, lambda members: members[0].in_call))[0].reachable
            await call.hang_up()
            await until(monitor, lambda members: not members[0].in_call)

            await asterisk.console("queue pause member PJSIP/201 queue support")
            paused = await until(monitor, lambda members: members[0].paused)
            answer = queue_availability("support", PbxState(queues={"support": paused}))
            assert isinstance(answer, Unavailable)
            assert answer.reason is Reason.ALL_PAUSED

        await asterisk.kill()
        async with asyncio.timeout(10):
            while monitor.ready.is_set():  # noqa: ASYNC110 - the monitor does not tell
                await asyncio.sleep(0.05)
        assert await monitor.queues() is None
        await asterisk.start()
        await asyncio.wait_for(monitor.ready.wait(), 20)
        await until(monitor, lambda members: not members[0].paused)


class Told(logging.Handler):
    """The records of a logger, and when there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.any = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.any.set()


async def test_a_wrong_password_is_said_once_and_tried_again(pbx: LocalAsterisk) -> None:
    told = Told()
    logger = logging.getLogger("kai.ami")
    logger.addHandler(told)
    try:
        async with watching(pbx, "wrong") as monitor:
            await asyncio.wait_for(told.any.wait(), 40)
            assert not monitor.ready.is_set()
            assert await monitor.queues() is None
    finally:
        logger.removeHandler(told)
    (record,) = told.records
    assert record.getMessage() == "AMI is away"
    assert "compare manager.conf" in str(getattr(record, "fields", {})["error"])
