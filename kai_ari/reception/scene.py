"""One live call on its way to a person: what all who act on it share."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from kai_ari.clock import Clock
from kai_ari.errors import MediaError
from kai_ari.reception.ears import AudioEnded, Ears, Report
from kai_ari.reception.inbox import Inbox
from kai_ari.reception.left import CallerLeft
from kai_ari.reception.ports import CallerGone, LiveCall, Signal, Speech
from kai_ari.reception.record import CallRecord
from kai_ari.reception.voice import Voice

T = TypeVar("T")
Item = Signal | Report


@dataclass(frozen=True, kw_only=True)
class HandOffSettings:
    """`conversation_s`: how long both must be heard before a person counts as connected.
    `accept_s`: how long who answered may think about it. `update_s`: music between two updates."""

    conversation_s: float = 10.0
    accept_s: float = 25.0
    update_s: float = 12.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`music` is 16 kHz PCM that can be played over and over."""

    call: LiveCall
    inbox: Inbox[Item]
    ears: Ears
    voice: Voice
    record: CallRecord
    speech: Speech
    clock: Clock
    settings: HandOffSettings
    music: bytes

    async def next_item(
        self, until: float | None, others: Iterable["asyncio.Task[Any]"] = ()
    ) -> Item | None:
        """The next item; None at `until` (monotonic seconds), or when one of `others` is done."""
        limit_s = None if until is None else max(0.0, until - self.clock.monotonic())
        waiting = {task for task in others if not task.done()}
        news = asyncio.create_task(self.inbox.beyond(0), name="news")
        try:
            await asyncio.wait(
                {news, *waiting},
                timeout=limit_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            news.cancel()
        return await self.inbox.take() if len(self.inbox) else None

    async def unless_left(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`. What comes meanwhile is kept for later; but a caller who leaves
        is news at once. Raises CallerLeft, MediaError when their audio is lost."""
        working = asyncio.create_task(work, name="work")
        seen = 0
        try:
            while not working.done():
                news = asyncio.create_task(self.inbox.beyond(seen), name="news")
                try:
                    await asyncio.wait({working, news}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    news.cancel()
                for item in self.inbox:
                    if isinstance(item, CallerGone):
                        raise CallerLeft(item)
                    if isinstance(item, AudioEnded):
                        raise MediaError("the audio channel of the call closed")
                seen = len(self.inbox)
            return await working
        finally:
            working.cancel()
            await asyncio.wait({working})
