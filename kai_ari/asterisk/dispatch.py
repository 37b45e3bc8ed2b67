"""Each call's events, in order, to that call alone.

The reader hands an event to its call without waiting: a call turns it into signals at once
and queues them for its own consumer. A consumer that does not keep up loses its own call
and no other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from kai_ari import log
from kai_ari.calls.call import CallId, call_of
from kai_ari.calls.events import EndedBy
from kai_ari.reception.ports import CallerGone, Signal

#: Far more keys than a person can press while Kai thinks.
SIGNAL_LIMIT = 64

#: Where an event names channels; Dial tells of a channel that is dialled, for another's sake.
CHANNEL_ROLES = ("channel", "peer", "caller")

_log = log.get("asterisk")


class SignalQueue:
    """Signals of one call, each once; nothing follows CallerGone. A signal is never dropped:
    one that does not fit ends the call as a fault."""

    def __init__(self, limit: int = SIGNAL_LIMIT) -> None:
        self._limit = limit
        self._signals: deque[Signal] = deque()
        self._changed = asyncio.Event()
        self.closed = False

    def put(self, signal: Signal) -> None:
        if self.closed:
            return
        if len(self._signals) >= self._limit and not isinstance(signal, CallerGone):
            signal = CallerGone(by=EndedBy.FAULT, cause=None, reason="event_queue_overflow")
        self.closed = isinstance(signal, CallerGone)
        self._signals.append(signal)
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[Signal]:
        while True:
            while self._signals:
                yield self._signals.popleft()
            if self.closed:
                return
            self._changed.clear()
            await self._changed.wait()


class Receiver(Protocol):
    def on_event(self, event: Mapping[str, Any]) -> None:
        """Take the event in without waiting."""
        ...


class Switchboard:
    """Which call an event belongs to: by the caller's channel, or by an id of Kai's making."""

    def __init__(self) -> None:
        self._calls: dict[CallId, Receiver] = {}
        self._by_channel: dict[str, CallId] = {}

    def add(self, call: CallId, channel: str, receiver: Receiver) -> None:
        self._calls[call] = receiver
        self._by_channel[channel] = call

    def hand_over(self, call: CallId, channel: str, receiver: Receiver) -> None:
        """From now on the call's events are for `receiver`; whoever called is at `channel`."""
        self._calls[call] = receiver
        self._by_channel = {c: other for c, other in self._by_channel.items() if other != call}
        self._by_channel[channel] = call

    def remove(self, call: CallId, channel: str) -> None:
        del self._calls[call]
        del self._by_channel[channel]

    def knows(self, channel: str) -> bool:
        return channel in self._by_channel

    def deliver(self, event: Mapping[str, Any]) -> bool:
        """Whether the event belongs to a call that is here."""
        call = self._call_of(event)
        if call is None or call not in self._calls:
            return False
        try:
            self._calls[call].on_event(event)
        except Exception:  # noqa: BLE001 - one call's failure never touches another
            _log.exception("an event was not taken in", extra=log.fields(of=call))
        return True

    def _call_of(self, event: Mapping[str, Any]) -> CallId | None:
        if "replace_channel" in event and call_of(str(event["replace_channel"]["id"])):
            return call_of(str(event["replace_channel"]["id"]))
        for role in CHANNEL_ROLES:
            if role in event:
                channel = str(event[role]["id"])
                call = self._by_channel.get(channel) or call_of(channel)
                if call is not None:
                    return call
        if "recording" in event:
            return call_of(str(event["recording"]["name"]))
        return None
