"""What one call has yet to react to, in order, looked at before it is taken."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

#: Far more than a person can cause between two reactions; a full inbox holds its writers
#: up, and the dispatcher behind them ends a call that does not keep up.
CAPACITY = 256


class Inbox(Generic[T]):
    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._changed = asyncio.Condition()

    async def put(self, item: T) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._items) < CAPACITY)
            self._items.append(item)
            self._changed.notify_all()

    async def beyond(self, count: int) -> None:
        """Wait until more than `count` items are there."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._items) > count)

    async def take(self) -> T:
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._items))
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def discard(self, item: T) -> None:
        self._items.remove(item)

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._items))

    def __len__(self) -> int:
        return len(self._items)
