"""That something owed, queued or forbidden has changed: a mark that grows."""

import asyncio
from collections.abc import Awaitable, Callable

#: How often a change that another process wrote is looked for.
POLL_S = 2.0


class News:
    """For tasks of one event loop. The mark is 1 at first."""

    def __init__(self) -> None:
        self._mark = 1
        self._told = asyncio.Event()
        self._seen: int | None = None

    def tell(self) -> None:
        self._mark += 1
        self._told.set()
        self._told = asyncio.Event()

    async def after(self, mark: int, written: Callable[[], Awaitable[int]]) -> int:
        """The mark, once it is not `mark`. `written` is a number that grows with every write,
        whoever made it."""
        if self._seen is None:
            self._seen = await written()
        while self._mark == mark:
            try:
                async with asyncio.timeout(POLL_S):
                    await self._told.wait()
            except TimeoutError:
                count = await written()
                if count != self._seen:
                    self._seen = count
                    self.tell()
        return self._mark
