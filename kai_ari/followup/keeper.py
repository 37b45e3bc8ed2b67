"""Keeps what is owed: people are told, again and on, until there is evidence or nobody is left.

Everything it knows is in the ledger; a new keeper goes on where one was killed.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kai_ari import log
from kai_ari.calls.call import CallId
from kai_ari.clock import Clock
from kai_ari.errors import LedgerError
from kai_ari.followup.outbox import OutboxItem, Overtaken
from kai_ari.followup.planner import Planner
from kai_ari.followup.ports import Desk
from kai_ari.followup.sender import Sender

_log = log.get("followup")

#: Of what is due, so many rows are read at a time.
BATCH = 64
#: Calls that one look considers; the others follow in the next, so that sending goes on.
AT_A_TIME = 25
#: Between two looks, so that many writes at once make one look of it.
SETTLE_S = 0.02
#: Before the ledger is tried again after it has failed; an item that fails again and again waits
#: twice as long each time, up to the second.
FAULT_S, FAULT_MOST_S = 2.0, 60.0
#: A call that could not be considered is tried again after this.
AGAIN_AFTER_FAULT = timedelta(minutes=1)
#: Everything is looked at anew after this: what other processes did is mostly noticed before.
REVIEW = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class _Held:
    """An item whose sending failed in Kai itself is left alone for `wait_s`, up to `until` on the
    monotonic clock: still queued and due, it would be tried again at once, and without end."""

    wait_s: float
    until: float


@dataclass(kw_only=True)
class Keeper:
    """`daily` does what is due by the clock, and tells when it next is."""

    desk: Desk
    planner: Planner
    sender: Sender
    clock: Clock
    daily: Callable[[], Awaitable[datetime | None]]
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _again: dict[CallId, datetime] = field(default_factory=dict)
    _read: dict[CallId, int] = field(default_factory=dict)  # so far each call was considered
    _sending: dict[str, str] = field(default_factory=dict)  # the channel of each item under way
    _held: dict[str, _Held] = field(default_factory=dict)  # by the key of the item
    _considering: asyncio.Lock = field(default_factory=asyncio.Lock)
    _review_at: datetime | None = None

    async def run(self) -> None:
        """Until cancelled. What fails is logged and tried again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear_news(), name="news of what is owed")
            while True:
                try:
                    until = await self._look(tasks)
                except Exception as error:  # noqa: BLE001 - nobody else would keep what is owed
                    known = isinstance(error, LedgerError)
                    _log.error(
                        "what is owed cannot be looked at",
                        exc_info=None if known else error,
                        extra=log.fields(error=str(error)),
                    )
                    until = self.clock.now() + timedelta(seconds=FAULT_S)
                await self._wait(until)

    def wake(self) -> None:
        """Look again: rules have changed, or something has come in."""
        self._review_at = None
        self._changed.set()

    async def changed(self, call: CallId) -> None:
        """Something has come in about this call."""
        await self._consider(call)
        self._changed.set()

    # -- looking ---------------------------------------------------------------------

    async def _look(self, tasks: asyncio.TaskGroup) -> datetime:
        """Do what is due, the newest first; when to look again, if nothing happens before."""
        now = self.clock.now()
        if self._review_at is None or self._review_at <= now:
            await self._review()
            self._review_at = now + REVIEW
        lengths = await self.desk.lengths()
        due = [call for call, at in self._again.items() if at <= now]
        grown = [call for call, length in lengths.items() if self._read.get(call) != length]
        done = [call for call in self._read if call not in lengths]
        for call in grown[: -AT_A_TIME - 1 : -1]:
            self._read[call] = lengths[call]
            await self._consider(call)
        for call in (*done[:AT_A_TIME], *due[:AT_A_TIME]):
            await self._consider(call)
        for call in done[:AT_A_TIME]:
            self._read.pop(call, None)
        await self._send_due(tasks)
        times = [self._review_at, await self._next_sending(), await self.daily()]
        times += self._again.values()
        more = now if max(len(grown), len(done)) > AT_A_TIME else None
        return min(at for at in (*times, more) if at is not None)

    async def _review(self) -> None:
        """Everything anew: at the start, after a reload, and from time to time.

        Nothing else begins to send meanwhile: what is in flight and not under way is left over.
        """
        under_way = set(self._sending)
        for item in await self.desk.in_flight():
            if item.key not in under_way:
                await self._quietly(self.sender.take_up(item), item.call)
        self._read.clear()
        held = self._held_back()
        self._held = {key: one for key, one in self._held.items() if key in held}

    async def _next_sending(self) -> datetime | None:
        """When to look for what is due; a sending that ends wakes the keeper, too."""
        full, held = self.sender.full(Counter(self._sending.values())), self._held_back()
        at = await self.desk.next_due(not_by=full, but=held)
        now = self.clock.now()
        begun = self._sending and at is not None and at <= now
        let_go = now + timedelta(seconds=min(held.values())) if held else None
        times = [None if begun else at, let_go, self.sender.opens_at()]
        return min((at for at in times if at is not None), default=None)

    async def _consider(self, call: CallId) -> None:
        self._again.pop(call, None)
        try:
            async with self._considering:
                found = await self.planner.consider(call)
        except Exception as error:  # noqa: BLE001 - one call's trouble never touches another's
            self._fault(call, error)
            self._again[call] = self.clock.now() + AGAIN_AFTER_FAULT
            return
        self._read[call] = found.length
        if found.again is not None:
            self._again[call] = found.again

    # -- sending ---------------------------------------------------------------------

    async def _send_due(self, tasks: asyncio.TaskGroup) -> None:
        busy = Counter(self._sending.values())
        limit, full = BATCH + len(self._sending), self.sender.full(busy)
        held = self._held_back()
        for item in await self.desk.due(self.clock.now(), limit, not_by=full, but=held):
            if item.key in self._sending or busy[item.channel] >= self.sender.room(item.channel):
                continue
            busy[item.channel] += 1
            self._sending[item.key] = item.channel
            tasks.create_task(self._send(item), name=f"notice {item.key}")

    async def _send(self, item: OutboxItem) -> None:
        log.call_id.set(item.call)
        try:
            well = await self._quietly(self.sender.send(item), item.call)
        finally:
            self._sending.pop(item.key, None)
        if well:
            self._held.pop(item.key, None)
            await self._consider(item.call)
        else:
            self._hold(item.key)
        self._changed.set()

    def _hold(self, key: str) -> None:
        before = self._held.get(key)
        wait_s = min(2 * before.wait_s, FAULT_MOST_S) if before else FAULT_S
        self._held[key] = _Held(wait_s=wait_s, until=self.clock.monotonic() + wait_s)

    def _held_back(self) -> dict[str, float]:
        """The items that are left alone now, and for how many seconds yet."""
        now = self.clock.monotonic()
        return {key: one.until - now for key, one in self._held.items() if one.until > now}

    async def _quietly(self, act: Awaitable[None], call: CallId) -> bool:
        """Whether nothing failed; that somebody else was first is no failure."""
        try:
            await act
        except Overtaken:
            _log.debug("somebody else was first", extra=log.fields(of=call))
        except Exception as error:  # noqa: BLE001 - see _consider
            self._fault(call, error)
            return False
        return True

    @staticmethod
    def _fault(call: CallId, error: Exception) -> None:
        known = isinstance(error, LedgerError)
        _log.error(
            "a call cannot be followed up now",
            exc_info=None if known else error,
            extra=log.fields(of=call, error=str(error)),
        )

    # -- waiting ---------------------------------------------------------------------

    async def _wait(self, until: datetime) -> None:
        left = (until - self.clock.now()).total_seconds()
        try:
            async with asyncio.timeout(max(left, SETTLE_S)):
                await self._changed.wait()
                await asyncio.sleep(SETTLE_S)
        except TimeoutError:
            pass  # it is time
        self._changed.clear()

    async def _hear_news(self) -> None:
        mark = 0
        while True:
            try:
                mark = await self.desk.news(mark)
            except LedgerError:
                await asyncio.sleep(FAULT_S)  # the look itself logs it
            self._changed.set()
