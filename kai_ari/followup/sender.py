"""One notice through its gateway: at least once, under one key, with everything on record.

queued ── SendingStarted ──> sending ──> sent, unconfirmed or delivered
  ^                            │ failed, or nobody knows: again later, under the same key
  └────────────────────────────┤
                               └──> dead: refused, tried often enough, or a phone call or a
                                    text to a caller of which nobody knows whether it arrived
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kai_ari import log
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import (
    SendingEnded,
    SendingGivenUp,
    SendingResult,
    SendingStarted,
)
from kai_ari.clock import Clock
from kai_ari.errors import LedgerError
from kai_ari.followup.incidents import still_wanted
from kai_ari.followup.outbox import ItemState, OutboxItem, Overtaken
from kai_ari.followup.planner import Planner
from kai_ari.followup.ports import Desk, Notifier, SendingFailed, Sent
from kai_ari.followup.reaching import RINGS, quiet_end
from kai_ari.followup.text_back import TextBacks, is_text_back
from kai_ari.promises.permission import Refused
from kai_ari.promises.retry import BackOff, Breaker, BreakerState

_log = log.get("followup")

#: Waits of 5 s, 10 s ... up to 15 min: a gateway may be away for some two hours and a half.
BACK_OFF = BackOff(first_s=5.0, factor=2.0, most_s=900.0, jitter=0.3, attempts=18)
#: Notices that are under way by one channel at once.
AT_ONCE = 8
#: A gateway has limits of its own; this only ends what hangs all the same.
LIMIT_S = 120.0
#: An alert by telephone is sent when the call is over, and whoever is called may talk with the
#: caller in it: longer than Asterisk lets any call of Kai's last (an hour), and its ringing.
PHONE_LIMIT_S = 3900.0
#: One gateway is behind all notices of such a channel: what fails for one fails for all. A phone
#: that is off says nothing of the others.
ONE_GATEWAY = frozenset({"sms", "email"})
#: What is sent has no receipt: nothing but an answer confirms it.
NO_RECEIPTS = frozenset({"sip_message"})
#: Waits before what came of a sending is written again, when the ledger was busy.
WRITE_AGAIN_S = (0.5, 2.0, 5.0)


@dataclass(kw_only=True)
class Sender:
    """`on_sent` is called when a gateway has taken an item under a receipt that may come. Without
    `texts` nothing is sent to callers."""

    desk: Desk
    planner: Planner
    notifiers: Mapping[str, Notifier]
    clock: Clock
    on_sent: Callable[[OutboxItem], Awaitable[None]]
    texts: TextBacks | None = None
    back_off: BackOff = BACK_OFF
    breaker: Breaker = field(default_factory=Breaker)
    _breakers: dict[str, Breaker] = field(default_factory=dict)

    async def send(self, item: OutboxItem) -> None:
        """Try once, unless its gateway is left alone for now.

        Raises LedgerError; Overtaken: somebody else has changed the item.
        """
        notifier = self.notifiers.get(item.channel)
        if notifier is None:
            why = f"there is no gateway for {item.channel} in kai.yaml any more"
            dead = replace(item, state=ItemState.DEAD, error=why)
            given_up = SendingGivenUp(obligation=item.obligation, item=item.key, why=why)
            await self.desk.change(dead, given_up)
            return
        staff = self.planner.rules.current.staff
        wanted = still_wanted(item, await self.desk.history(item.call), staff)
        if not wanted or (is_text_back(item) and self.texts is None):
            await self.desk.change(replace(item, state=ItemState.CANCELLED))
            return
        if is_text_back(item) and self.texts is not None:
            refused = await self.texts.item_refused(item)
            if refused is not None:
                await self._held_back(item, refused)
                return
        now, breaker = self.clock.now(), self._of(item.channel)
        if (at := self._not_before(item, now)) > now:  # it was due before quiet hours began
            await self.desk.change(replace(item, next_at=at))
            return
        if not breaker.lets_pass(now):
            return
        self._breakers[item.channel] = breaker.begun(now)
        sending = replace(item, state=ItemState.SENDING, attempts=item.attempts + 1)
        try:
            await self.desk.change(
                sending,
                SendingStarted(
                    obligation=item.obligation,
                    item=item.key,
                    channel=item.channel,
                    to=item.to.address,
                    attempt=sending.attempts,
                ),
            )
        except LedgerError:
            self._breakers[item.channel] = replace(self._of(item.channel), trying=False)
            raise
        try:
            sent = await self._hand_over(notifier, sending)
        except SendingFailed as failed:
            await self._failed(sending, failed)
        else:
            await self._accepted(sending, sent)

    def room(self, channel: str) -> int:
        """So many notices may be under way by a channel at once."""
        match self._of(channel).state(self.clock.now()):
            case BreakerState.OPEN:
                return 0
            case BreakerState.HALF_OPEN:
                return 1
        return AT_ONCE

    def full(self, under_way: Mapping[str, int]) -> list[str]:
        """The channels by which no more may be sent now."""
        return [name for name in self._breakers if self.room(name) <= under_way.get(name, 0)]

    def opens_at(self) -> datetime | None:
        """When the first gateway that is left alone may be tried again."""
        now = self.clock.now()
        return min(filter(None, (b.until(now) for b in self._breakers.values())), default=None)

    async def take_up(self, item: OutboxItem) -> None:
        """What a process that is no more has left in mid-sending."""
        why = "Kai stopped while it was sent: it may have arrived"
        await self._failed(item, SendingFailed(why, retry=True, uncertain=True), gateway=False)

    def again(self, item: OutboxItem) -> datetime | None:
        """When an item whose sending came to nothing is tried again; None: never."""
        at = self.back_off.next(item.key, item.attempts, self.clock.now())
        return None if at is None else self._not_before(item, at)

    def _not_before(self, item: OutboxItem, at: datetime) -> datetime:
        if item.body.get("urgent"):
            return at
        return quiet_end(item.to.person, item.channel, self.planner.rules.current, at)

    async def _held_back(self, item: OutboxItem, refused: Refused) -> None:
        """Not permitted, now or ever: nothing has left."""
        why = refused.reason.value.replace("_", " ")
        now = replace(item, state=ItemState.CANCELLED, error=why)
        if refused.until is not None:
            now = replace(item, next_at=refused.until, error=why)
        ended = SendingEnded(
            obligation=item.obligation,
            item=item.key,
            result=SendingResult.REFUSED,
            receipt="",
            why=why,
        )
        await self.desk.change(now, ended)

    def _of(self, channel: str) -> Breaker:
        return self._breakers.setdefault(channel, self.breaker)

    async def _hand_over(self, notifier: Notifier, item: OutboxItem) -> Sent:
        limit_s = PHONE_LIMIT_S if item.channel in RINGS else LIMIT_S
        try:
            async with asyncio.timeout(limit_s):
                return await notifier.send(self.planner.notice(item))
        except SendingFailed:
            raise
        except TimeoutError as error:
            why = f"the gateway for {item.channel} did not answer within {limit_s:.0f} s"
            raise SendingFailed(why, retry=True, uncertain=True) from error
        except Exception as error:
            _log.exception("a notifier failed", extra=log.fields(channel=item.channel))
            why = f"something in Kai failed ({type(error).__name__}: {error})"
            raise SendingFailed(why, retry=True, uncertain=True) from error

    async def _accepted(self, item: OutboxItem, sent: Sent) -> None:
        self._breakers[item.channel] = self._of(item.channel).succeeded()
        follows = sent.receipt and item.channel not in NO_RECEIPTS
        state = ItemState.SENT if follows else ItemState.UNCONFIRMED
        now = replace(
            item,
            state=ItemState.DELIVERED if sent.confirmed else state,
            receipt=sent.receipt,
            error="",
        )
        ended = SendingEnded(
            obligation=item.obligation,
            item=item.key,
            result=SendingResult.ACCEPTED,
            receipt=sent.receipt,
            why="",
        )
        await self._write(now, ended)
        if now.state is ItemState.SENT:
            await self.on_sent(now)

    async def _failed(
        self, item: OutboxItem, failed: SendingFailed, *, gateway: bool = True
    ) -> None:
        """`gateway`: it was the gateway's doing, and not that of this item or of Kai."""
        why = str(failed)
        if gateway and failed.retry and item.channel in ONE_GATEWAY:
            self._breakers[item.channel] = self._of(item.channel).failed(self.clock.now())
        elif gateway:  # it answers, and will not have this one
            self._breakers[item.channel] = self._of(item.channel).succeeded()
        result = SendingResult.FAILED if failed.retry else SendingResult.REFUSED
        ended = SendingEnded(
            obligation=item.obligation,
            item=item.key,
            result=SendingResult.UNCERTAIN if failed.uncertain else result,
            receipt="",
            why=why,
        )
        # Never blindly again: what may have rung somebody's phone. Nor is a caller texted twice.
        blind = failed.uncertain and (item.channel in RINGS or is_text_back(item))
        again = self.again(item) if failed.retry and not blind else None
        if again is not None:
            await self._write(
                replace(item, state=ItemState.QUEUED, next_at=again, error=why), ended
            )
            return
        given_up = SendingGivenUp(obligation=item.obligation, item=item.key, why=why)
        _log.error("a notice is given up", extra=log.fields(item=item.key, error=why))
        await self._write(replace(item, state=ItemState.DEAD, error=why), ended, given_up)

    async def _write(self, item: OutboxItem, *events: Event) -> None:
        """What has happened is worth writing again; a receipt may have overtaken it."""
        for wait_s in (*WRITE_AGAIN_S, None):
            try:
                return await self.desk.change(item, *events)
            except Overtaken:
                _log.debug("a receipt was first", extra=log.fields(item=item.key))
                return None
            except LedgerError as error:
                if wait_s is None or not error.retryable:
                    raise
                _log.warning("a sending is not on record yet", extra=log.fields(error=str(error)))
                await asyncio.sleep(wait_s)
        return None
