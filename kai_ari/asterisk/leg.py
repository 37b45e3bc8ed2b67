"""One leg, as the events of its channels tell.

A phone of the business has a channel for each contact registered: the first to answer is the
leg, the others stop. A queue's leg is one half of a Local channel; the other waits in the queue.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kai_ari.asterisk.causes import caller_gone
from kai_ari.asterisk.keys import KeyPad
from kai_ari.asterisk.leg_causes import Ending, ended, left_queue, most_telling
from kai_ari.calls.call import CallId, own_id
from kai_ari.calls.events import EndedBy
from kai_ari.reception.legs import (
    LegAnswered,
    LegEnded,
    LegKey,
    LegRequest,
    LegResult,
    LegRinging,
    LegSignal,
    ToNumber,
    ToQueue,
)

#: Somebody has led the channel elsewhere in Asterisk, which nobody at its far end can.
_MOVED_AWAY = Ending(result=LegResult.TAKEN_AWAY, reason="moved_away", by=EndedBy.NETWORK)


@dataclass(kw_only=True)
class _Branch:
    """One channel of the leg, from before it is asked for. `ending` is None while it lives."""

    made: bool = False
    entered: bool = False  # our app
    dialable: asyncio.Event = field(default_factory=asyncio.Event)  # or never will be
    leaving: Mapping[str, Any] | None = None  # the ChannelHangupRequest
    ending: Ending | None = None


class Leg:
    """Turns events into the leg's signals, each once, and LegEnded last.

    `due` is set when it rang or is decided, `decided` when nothing more need ring,
    `disturbed` when somebody has come in its place or it has ended, `over` when it has ended.
    """

    def __init__(self, request: LegRequest, call: CallId, put: Callable[[LegSignal], None]) -> None:
        self.request = request
        self._put = put
        self._call = call
        self._branches: dict[str, _Branch] = {}
        self._complete = False  # all branches there will be are known
        self._rang = False
        self._verdict: Ending | None = None  # Kai's own
        self._intruders: list[str] = []
        self._keys = KeyPad()
        self._queue_status = ""
        self._member = ""
        self.waiting = own_id(call, f"{request.leg}-queue")  # the half that is in the queue
        self.winner: str | None = None  # the channel that answered
        self.joined = False  # with the caller
        self.parted = asyncio.Event()  # the caller is out of the leg's bridge, or will be
        self.answered_elsewhere = False
        self.talking = ""  # the channel with the person's audio
        self.due = asyncio.Event()
        self.decided = asyncio.Event()
        self.disturbed = asyncio.Event()
        self.over = asyncio.Event()

    # -- what Kai does -----------------------------------------------------------------

    def new_branch(self) -> str:
        """The id of one more channel: from now on its events are the leg's."""
        # Numbered all alike: Asterisk refuses an id that another channel's id begins with.
        channel = own_id(self._call, f"{self.request.leg}-{len(self._branches) + 1}")
        self._branches[channel] = _Branch()
        return channel

    def all_asked(self) -> None:
        """There will be no more branches."""
        self._complete = True
        self._conclude()

    def not_made(self, channel: str, ending: Ending) -> None:
        """Asterisk refused to make a branch, or to ring it."""
        if self._branches[channel].ending is None:
            self._end_branch(channel, ending)

    def give_up(self, result: LegResult, reason: str, *, by: EndedBy = EndedBy.KAI) -> None:
        """Kai's decision; LegEnded follows when the channels are gone. The first one counts."""
        self._verdict = self._verdict or Ending(result=result, reason=reason, by=by)
        self._decide()

    def made(self, channel: str) -> None:
        """Asterisk has agreed to make a branch."""
        self._branches[channel].made = True

    async def may_dial(self, channel: str) -> bool:
        """Wait until a branch is in our app; False when it need not ring any more."""
        branch = self._branches[channel]
        await branch.dialable.wait()
        return branch.entered and branch.ending is None and not self.decided.is_set()

    def lose(self, channel: str, reason: str) -> None:
        """The channel is gone, and no event told."""
        answered = channel == self.winner
        result = LegResult.DROPPED if answered else LegResult.FAILED
        by = EndedBy.NETWORK if answered else None
        self._end_branch(channel, Ending(result=result, reason=reason, by=by))

    @property
    def asked(self) -> list[str]:
        """Channels that there are, as far as events have told."""
        return [channel for channel in self.live if self._branches[channel].made]

    def replaced(self, channel: str) -> None:
        """The far end has put somebody else in its place: neither of them may stay."""
        result = LegResult.TAKEN_AWAY if self.joined else LegResult.REFUSED
        transferred = Ending(result=result, reason="transferred", by=EndedBy.HUMAN)
        self._verdict = self._verdict or transferred
        self._intruders.append(channel)
        self._decide()
        self.disturbed.set()

    @property
    def live(self) -> list[str]:
        """Channels that there are, or may be."""
        return [channel for channel, branch in self._branches.items() if branch.ending is None]

    @property
    def superfluous(self) -> list[str]:
        """Channels that should not be any more, now that it is decided."""
        if self._verdict is not None:
            return [*self.live, *self._intruders]
        return [channel for channel in self.live if channel != self.winner]

    @property
    def answered(self) -> bool:
        return self.winner is not None and self._verdict is None and not self.over.is_set()

    # -- what Asterisk says --------------------------------------------------------------

    def owns(self, channel: str) -> bool:
        return channel in self._branches or channel == self.waiting

    def on_event(self, channel: str, event: Mapping[str, Any]) -> None:
        """`channel` is the one of the leg's that the event is about."""
        if channel == self.waiting:
            self._on_queue(event)
        elif self._branches[channel].ending is None:
            self._on_branch(channel, self._branches[channel], event)

    def _on_branch(self, channel: str, branch: _Branch, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "ChannelStateChange" if event["channel"]["state"] == "Ringing":
                self._ring()
            case "Dial" if event["dialstatus"] in {"RINGING", "PROGRESS"}:
                self._ring()
            # A phone's channel is in our app before it rings, a queue's when it is answered.
            case "StasisStart":
                branch.entered = True
                branch.dialable.set()
                if event["channel"]["state"] == "Up":
                    self.answer(channel)
            case "ChannelStateChange" if event["channel"]["state"] == "Up" and branch.entered:
                self.answer(channel)
            case "ChannelDtmfReceived" if channel == self.winner:
                key = self._keys.pressed(event)
                if key is not None:
                    self._put(LegKey(leg=self.request.leg, key=key))
            case "ChannelHangupRequest":
                branch.leaving = branch.leaving or event
            # Nothing more is told of a channel that another has replaced.
            case "StasisEnd" if branch.leaving is None or self._intruders:
                self._end_branch(channel, _MOVED_AWAY)
            case "ChannelDestroyed":
                self._end_branch(channel, self._ending_of(channel, branch, event))

    def _on_queue(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "ChannelVarset" if event["variable"] == "QUEUESTATUS":
                self._queue_status = event["value"]
            case "Dial" if event["dialstatus"] == "ANSWER":
                self.talking = event["peer"]["id"]
                self._member = event["peer"]["name"].rpartition("-")[0]

    def answer(self, channel: str) -> None:
        if self.winner is not None or self.decided.is_set():
            return
        self.winner = channel
        self.talking = self.talking or channel
        self._put(LegAnswered(leg=self.request.leg, member=self._member))
        self._decide()

    def _ring(self) -> None:
        if self._rang or self.decided.is_set():
            return
        self._rang = True
        self.due.set()
        self._put(LegRinging(leg=self.request.leg))

    def _ending_of(self, channel: str, branch: _Branch, event: Mapping[str, Any]) -> Ending:
        cause, told = event.get("cause") or None, branch.leaving or {}
        if channel == self.winner:
            gone = caller_gone(branch.leaving or event, kai_hung_up=False)
            by = EndedBy.HUMAN if gone.by is EndedBy.CALLER else gone.by
            return Ending(result=LegResult.DROPPED, reason=gone.reason, cause=cause, by=by)
        if isinstance(self.request.to, ToQueue):
            return left_queue(self._queue_status, cause)
        sip = None if told.get("soft") else told.get("tech_cause")
        outside = isinstance(self.request.to, ToNumber)
        return ended(cause=cause, sip=sip, rang=self._rang, outside=outside)

    def _end_branch(self, channel: str, ending: Ending) -> None:
        self._branches[channel].ending = ending
        self._branches[channel].dialable.set()
        if ending.for_all:
            self._decide()
        self._conclude()

    def _decide(self) -> None:
        self.decided.set()
        self.due.set()
        for branch in self._branches.values():
            branch.dialable.set()

    def _conclude(self) -> None:
        if not self._complete or self.live or self.over.is_set():
            return
        branches = self._branches if self.winner is None else [self.winner]
        endings = [ending for each in branches if (ending := self._branches[each].ending)]
        ending = self._verdict or most_telling(endings)
        self._decide()
        self.disturbed.set()
        self.over.set()
        self._put(
            LegEnded(
                leg=self.request.leg,
                result=ending.result,
                cause=ending.cause,
                sip=ending.sip,
                reason=ending.reason,
                by=ending.by,
            )
        )
