"""A keeper killed between any two steps: the next one loses nothing, and repeats only by key."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from kai_ari.calls.call import CallId
from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.followup.ports import Desk, Notice, Notifier, SendingFailed, Sent
from kai_ari.followup.reaching import AlertRules, Step
from kai_ari.promises.obligation import Owed
from kai_ari.testing.virtual_time import run_virtual
from tests.followup.office import (
    Act,
    Gateway,
    Office,
    call_that_owes,
    confirms,
    ledger_at,
    office,
    pass_time,
    rules,
    takes,
)

CALL = CallId("aaaaaaaaaaaa")


class Fate:
    """Lets so many steps happen. Who asks for one more does nothing any more, as after kill -9."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.died = asyncio.Event()

    async def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.died.set()
        await self.alive()

    async def alive(self) -> None:
        if self.died.is_set():
            await asyncio.Event().wait()


class MortalDesk:
    """Before and after each write the process may be killed: between those two nothing is done
    that the next one could see."""

    def __init__(self, desk: Desk, fate: Fate) -> None:
        self._desk = desk
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        does: Callable[..., Awaitable[Any]] = getattr(self._desk, name)

        async def mortal(*args: Any, **given: Any) -> Any:
            await self._fate.alive()
            if name not in ("plan", "change", "note"):
                return await does(*args, **given)
            await self._fate.step()
            found = await does(*args, **given)
            await self._fate.step()
            return found

        return mortal


class MortalGateway:
    """Before it has been asked, and after it has taken the notice."""

    def __init__(self, gateway: Gateway, fate: Fate) -> None:
        self.channel = gateway.channel
        self._gateway = gateway
        self._fate = fate

    async def send(self, notice: Notice) -> Sent:
        await self._fate.step()
        sent = await self._gateway.send(notice)
        await self._fate.step()
        return sent


def flaky() -> list[Act]:
    """Fails once, takes it without a word once, then is well."""

    def fail(_: Notice) -> Sent:
        raise SendingFailed("503", retry=True, uncertain=False)

    return [fail, takes]


async def until_it_dies(house: Office, fate: Fate, sms: Gateway) -> None:
    """Long enough for everything that is due, with the operator's receipts meanwhile."""
    for _ in range(5):
        await pass_time(seconds=30)
        telling = asyncio.create_task(house.receipts(sms, ReceiptResult.DELIVERED), name="operator")
        await asyncio.wait([telling], timeout=1)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        if fate.died.is_set():
            return


pytestmark = pytest.mark.usefixtures("seldom_polls")


async def live_twice(
    path: Path, given: AlertRules, gateways: list[Gateway], steps: int
) -> tuple[bool, set[str], list[Gateway]]:
    """A keeper that is killed after so many steps (or not at all: False), and the next one."""
    sms = gateways[0]
    async with ledger_at(path) as ledger:
        fate = Fate(steps)
        mortal: Sequence[Notifier] = [MortalGateway(gateway, fate) for gateway in gateways]
        async with office(ledger, given, mortal, wrap=lambda desk: MortalDesk(desk, fate)) as house:
            await until_it_dies(house, fate, sms)
    async with ledger_at(path) as ledger, office(ledger, given, gateways) as house:
        for _ in range(3):
            await pass_time(seconds=45)
            await house.receipts(sms, ReceiptResult.DELIVERED)
        states = set((await house.states(CALL)).values())
        assert not await house.desk.in_flight()
        assert await ledger.verify() == []
    return fate.died.is_set(), states, gateways


def lives(
    directory: Path, given: AlertRules, gateways: Callable[[], list[Gateway]]
) -> Iterator[tuple[set[str], list[Gateway]]]:
    """What came of it all, for a first keeper killed after 0, 1, 2 ... steps."""

    async def written() -> None:
        async with ledger_at(directory / "fresh") as ledger:
            assert await call_that_owes(ledger, Owed.DELIVER_MESSAGE, Owed.ALERT) == CALL

    run_virtual(written())
    died = True
    for steps in count():
        path = directory / f"after-{steps}"
        copy(directory / "fresh", path)
        died, states, used = run_virtual(live_twice(path, given, gateways(), steps))
        if not died:
            assert steps > 5
            return
        yield states, used


def test_killed_between_each_pair_of_steps_everything_is_kept_by_the_next(tmp_path: Path) -> None:
    def gateways() -> list[Gateway]:
        return [Gateway("sms", flaky()), Gateway("email", [confirms])]

    for states, used in lives(tmp_path, rules(Step(tell="dana", by=("sms", "email"))), gateways):
        assert states == {"kept"}
        for gateway in used:
            assert len(gateway.keys) == 1
            assert max(gateway.keys.values()) <= 2  # the second time under the same key
            assert len({notice.short for notice in gateway.got}) == 1


def test_a_phone_is_never_rung_twice_and_then_the_obligation_stays_to_be_seen(
    tmp_path: Path,
) -> None:
    given = rules(Step(tell="lee", by=("phone",)), channels=frozenset({"phone"}))
    for states, [phone] in lives(tmp_path, given, lambda: [Gateway("phone", [confirms])]):
        assert len(phone.asked) <= 1
        assert states == {"kept"} or (states == {"open"})
