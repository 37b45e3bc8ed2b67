"""Whoever a room is for may leave at any moment of its making; no Asterisk is needed."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from kai_ari.asterisk.errors import LegGone, NotFound
from kai_ari.asterisk.room import Room
from kai_ari.calls.call import CallId

STEPS = ("create_bridge", "external_media", "connect", "StasisStart", "add_to_bridge")


class Slow:
    """An Asterisk, and the media transport with it, that halts in the middle of one step.

    What it was asked for it does, also when nobody waits for the answer any more.
    """

    name = "slow"

    def __init__(self, halts_at: str) -> None:
        self._halts_at = halts_at
        self.halted, self.goes_on = asyncio.Event(), asyncio.Event()
        self.there: set[str] = set()
        self.open_sessions = 0
        self.room: Room

    async def _step(self, name: str) -> None:
        if name == self._halts_at:
            self.halted.set()
            await self.goes_on.wait()

    async def _do(self, name: str, made: str) -> None:
        async def work() -> None:
            await self._step(name)
            self.there.add(made)

        await asyncio.shield(asyncio.create_task(work()))

    def _remove(self, what: str) -> None:
        if what not in self.there:
            raise NotFound(what)
        self.there.discard(what)

    async def create_bridge(self, bridge: str) -> None:
        await self._do("create_bridge", bridge)

    async def destroy_bridge(self, bridge: str) -> None:
        self._remove(bridge)

    async def external_media(self, channel: str, _: Mapping[str, str]) -> dict[str, str]:
        await self._do("external_media", channel)
        if self._halts_at != "StasisStart":
            self.room.on_event({"type": "StasisStart", "channel": {"id": channel}})
        return {}

    async def add_to_bridge(self, *_: str) -> None:
        await self._step("add_to_bridge")

    async def hang_up(self, channel: str) -> None:
        self._remove(channel)

    def offer(self) -> Any:
        return Offer(self)

    async def connect(self) -> None:
        await self._step("connect")
        self.open_sessions += 1
        if self._halts_at == "StasisStart":
            self.halted.set()


class Offer:
    external_media: Mapping[str, str] = {}

    def __init__(self, slow: Slow) -> None:
        self._slow = slow

    async def connect(self, _: Mapping[str, str]) -> Any:
        await self._slow.connect()
        return self

    async def close(self) -> None:
        self._slow.open_sessions -= 1

    def withdraw(self) -> None:
        pass


def room_in(slow: Slow) -> Room:
    slow.room = Room(CallId("a" * 12), cast(Any, slow), cast(Any, slow), "leg1-")
    return slow.room


@pytest.mark.parametrize("step", STEPS)
async def test_who_leaves_while_it_is_opened_leaves_nothing_in_asterisk(step: str) -> None:
    slow = Slow(step)
    room = room_in(slow)
    opening = asyncio.create_task(room.open())
    await slow.halted.wait()
    removing = asyncio.create_task(room.remove())
    await asyncio.sleep(0)
    slow.goes_on.set()
    async with asyncio.timeout(1):
        await removing
        [ended] = await asyncio.gather(opening, return_exceptions=True)
    assert (slow.there, slow.open_sessions) == (set(), 0)
    assert isinstance(ended, LegGone) or step == "add_to_bridge"
    with pytest.raises(LegGone):
        await room.open()
    assert (slow.there, slow.open_sessions) == (set(), 0)


@pytest.mark.parametrize("step", STEPS)
async def test_who_gives_the_opening_up_leaves_nothing_in_asterisk(step: str) -> None:
    slow = Slow(step)
    room = room_in(slow)
    opening = asyncio.create_task(room.open())
    await slow.halted.wait()
    opening.cancel()
    await asyncio.sleep(0)
    removing = asyncio.create_task(room.remove())
    await asyncio.sleep(0)
    slow.goes_on.set()
    async with asyncio.timeout(1):
        await removing
        await asyncio.wait({opening})
    assert opening.cancelled()
    assert (slow.there, slow.open_sessions) == (set(), 0)


async def test_a_bridge_wanted_twice_at_once_is_made_once() -> None:
    """Who presses 1 before the whisper has begun is joined while Kai's audio is opened."""
    slow = Slow("create_bridge")
    room = room_in(slow)
    made: list[str] = []
    create = slow.create_bridge

    async def counted(bridge: str) -> None:
        made.append(bridge)
        await create(bridge)

    slow.create_bridge = counted  # type: ignore[method-assign]
    opening = asyncio.create_task(room.open())
    await slow.halted.wait()
    joining = asyncio.create_task(room.make())
    await asyncio.sleep(0)
    slow.goes_on.set()
    await asyncio.gather(opening, joining)
    assert len(made) == 1
    await room.remove()
    assert (slow.there, slow.open_sessions) == (set(), 0)
