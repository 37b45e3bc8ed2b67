"""The agent's connection to one Asterisk: brings calls in, survives restarts, leaves nothing.

    ask for the lock ─> connect events ─> settle ─> read events ──┐
          ^                                                       │ socket lost
          └──────────────── wait, longer each time <──────────────┘

Settling compares what Kai knows with what Asterisk has, before any event is read: calls
that are gone are told so, orphans are removed, callers found in the app are taken up. A call
that was given up, because Asterisk was away for too long, is looked at when it has been wrapped
up: its caller may still be there.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from kai_ari import log
from kai_ari.asterisk.agent_lock import QUESTION, AgentLock
from kai_ari.asterisk.arrivals import Normalise, arrival_of
from kai_ari.asterisk.client import AriClient, AriSettings
from kai_ari.asterisk.dispatch import Switchboard
from kai_ari.asterisk.errors import (
    AgentReplaced,
    AgentRunning,
    AriRefusal,
    AriUnreachable,
)
from kai_ari.asterisk.events import Backoff, connected
from kai_ari.asterisk.left_talks import LeftTalks
from kai_ari.asterisk.live_call import TOO_MANY_CALLS, AriCall
from kai_ari.asterisk.media_transport import MediaTransport
from kai_ari.asterisk.objects import Channel
from kai_ari.asterisk.outbound import Placed, Placing, is_outbound
from kai_ari.asterisk.outbound_calls import OnPlaced, OutboundCalls
from kai_ari.asterisk.recordings import Shelf, stop_earlier
from kai_ari.asterisk.removal import removed
from kai_ari.asterisk.returning import Rings, turn_back
from kai_ari.asterisk.settling import remove, unserved
from kai_ari.asterisk.supported import check_version
from kai_ari.calls.call import Arrival, CallId, call_of, new_call_id
from kai_ari.clock import Clock
from kai_ari.people.presence import is_feature_code
from kai_ari.reception.ports import LiveCall, RecordingShelf

#: Without Asterisk for this long a caller is as good as gone; if not, they are taken up anew.
GIVE_UP_S = 10.0
#: Calls served at once: each costs recognition, so a flood is left to the dialplan, not queued.
MAX_CALLS = 100

OnCall = Callable[[LiveCall], Awaitable[None]]
OnSettled = Callable[[RecordingShelf], Awaitable[None]]

_log = log.get("asterisk")


class Asterisk:
    """`normalise` makes a number of what a trunk sent, or None when it is none.

    `ready` is set while calls can come in.
    """

    def __init__(
        self,
        settings: AriSettings,
        transport: MediaTransport,
        *,
        clock: Clock,
        normalise: Normalise,
        max_calls: int = MAX_CALLS,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._normalise = normalise
        self._max_calls = max_calls
        self._switchboard = Switchboard()
        self._calls: dict[asyncio.Task[None], AriCall] = {}
        self._outbound: OutboundCalls
        self._start: Callable[[Arrival], None]
        self._collect_left: Callable[[], None]
        self._listening: asyncio.Task[None] | None = None
        self._talks: LeftTalks
        self._collecting: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()

    async def run(self, on_call: OnCall, on_settled: OnSettled | None = None) -> None:
        """Serve calls until `stop`, or an error that waiting cannot cure.

        Each call runs `on_call` in a task of its own, and `on_settled` runs in one after each
        connection: an error in them is logged and ends nothing else. Raises AriUnauthorised,
        AgentRunning, AgentReplaced or UnsupportedAsterisk; an Asterisk that is away is waited for.
        """
        async with AriClient(self._settings) as ari, asyncio.TaskGroup() as tasks:

            def start(arrival: Arrival) -> None:
                served = sum(call.takes_room for call in self._calls.values())
                call = AriCall(arrival, ari, self._transport, tasks.create_task)
                self._switchboard.add(arrival.call, arrival.channel, call)
                serving = self._serve if served < self._max_calls else self._leave
                task = tasks.create_task(serving(call, ari, on_call), name=f"call-{arrival.call}")
                self._calls[task] = call
                task.add_done_callback(self._forget)

            async def serve(call: AriCall, on_answer: OnCall) -> None:
                if task := asyncio.current_task():
                    self._calls[task] = call
                    task.add_done_callback(self._forget)
                await self._serve(call, ari, on_answer)

            self._outbound = OutboundCalls(
                ari, self._transport, self._switchboard, tasks.create_task, serve
            )

            def take_up(arrival: Arrival) -> None:
                if is_outbound(arrival.channel):  # Kai has called them, and is done
                    tasks.create_task(removed(ari.hang_up(arrival.channel)), name="outbound-over")
                    return
                call = new_call_id(self._clock.now())
                start(replace(arrival, call=call, reclaimed=True))

            def collect() -> None:
                if on_settled is not None:
                    work = self._collect(Shelf(ari, self._live), on_settled, self._collecting)
                    self._collecting = tasks.create_task(work, name="left-recordings")

            self._start, self._collect_left = start, collect
            self._talks = LeftTalks(ari, take_up, tasks.create_task)
            self._listening = asyncio.create_task(self._listen(ari, tasks), name="asterisk-events")
            try:
                await asyncio.wait({self._listening})
            finally:
                self._listening.cancel()
                if self._collecting is not None:
                    self._collecting.cancel()
                self._outbound.cancel()
                for task in self._calls:
                    task.cancel()
        if not self._listening.cancelled():
            self._listening.result()

    def stop(self) -> None:
        """Take no more calls and end `run`; callers still here go on in the dialplan."""
        if self._listening is not None:
            self._listening.cancel()

    async def place(self, placing: Placing, arrival: Arrival, serve: OnPlaced) -> Placed:
        """Call somebody, and once they or a machine have answered, run `serve`; what came of it
        when all is over. `arrival` is who they are, as if they had called.

        Raises AriUnreachable when Asterisk is away now.
        """
        if not self.ready.is_set():
            raise AriUnreachable("Asterisk is away: nobody can be called now")
        return await self._outbound.place(placing, arrival, serve)

    async def has(self, channel: str) -> bool:
        """Whether Asterisk has a channel now. Raises AriUnreachable when it is away."""
        if not self.ready.is_set():
            raise AriUnreachable("Asterisk is away: it cannot be asked now")
        return await self._outbound.has(channel)

    # -- one call ------------------------------------------------------------------

    async def _serve(self, call: AriCall, ari: AriClient, on_call: OnCall) -> None:
        log.call_id.set(call.arrival.call)
        try:
            others: list[Rings] = [each.legs for each in self._calls.values() if each is not call]
            others += self._outbound.ringing
            await turn_back(ari, call, others, self._normalise)
            await on_call(call)
            if call.connected:
                await call.hang_up()
        except asyncio.CancelledError:
            await call.leave_to_dialplan()
            raise
        except Exception:  # noqa: BLE001 - one call's failure never touches another
            _log.exception("a call failed", extra=log.fields(channel=call.arrival.channel))
            await call.leave_to_dialplan()
        finally:
            await self._end(call, ari)

    async def _leave(self, call: AriCall, ari: AriClient, on_call: OnCall) -> None:
        """One call too many: `on_call` only puts it on record. Of a feature code there is none; the
        dialplan says that it did nothing."""
        log.call_id.set(call.arrival.call)
        _log.warning(
            "too many calls: one left to the dialplan",
            extra=log.fields(channel=call.arrival.channel),
        )
        try:
            await call.leave_unserved(TOO_MANY_CALLS)
            if not is_feature_code(call.arrival.did):
                await on_call(call)
        except Exception:  # noqa: BLE001 - one call's failure never touches another
            _log.exception("a call too many is not on record", extra=log.fields())
        finally:
            await self._end(call, ari)

    async def _end(self, call: AriCall, ari: AriClient) -> None:
        """Take all that was made for the call out of Asterisk. A caller of whom Kai has lost sight
        is taken up anew, like any whom it finds there."""
        alone: Arrival | None = None
        try:
            await call.release()
            if call.lost_sight and not self._stopping:
                alone = await self._look_for(call, ari)
        except asyncio.CancelledError:
            await call.leave_to_dialplan()
            raise
        except Exception:  # noqa: BLE001 - one call's failure never touches another
            _log.exception("a call was not released", extra=log.fields())
        finally:
            # Until here the switchboard kept the caller from being served twice, and what they did
            # meanwhile was told to the call.
            self._switchboard.remove(call.arrival.call, call.arrival.channel)
            self._forget(asyncio.current_task())
            if not self._stopping:
                self._hand_over(call, alone)

    async def _look_for(self, call: AriCall, ari: AriClient) -> Arrival | None:
        """The caller of a call that is over, if they are in our app still, and alone."""
        backoff = Backoff()
        while True:
            await asyncio.sleep(backoff.wait_s())
            await self.ready.wait()
            try:
                found = await self._left_of(call, ari)
            except (AriUnreachable, AriRefusal) as error:
                _log.warning("a caller was not looked for", extra=log.fields(error=str(error)))
                continue
            if self.ready.is_set():  # else the next settling finds out what is there now
                return found

    async def _left_of(self, call: AriCall, ari: AriClient) -> Arrival | None:
        """As `_look_for`, now. What Asterisk could not be told to remove is removed."""
        channels = await ari.channels()
        there = [c for c in channels if c.id == call.arrival.channel and c.app == ari.app]
        if not there:
            call.lose("gone_while_disconnected")
        found = await unserved(
            ari,
            channels,
            there,
            served=lambda other: other != call.arrival.call,
            talks=call.left_talk is not None,  # one that Kai wanted to end does not go on
        )
        return await self._found(ari, found.alone[0]) if found.alone else None

    def _hand_over(self, call: AriCall, alone: Arrival | None) -> None:
        """What is left of a call that is over: a talk that goes on, or a caller."""
        if left := call.left_talk:
            self._talks.add(left.talk, call.arrival)
            if not left.caller_there:
                self._talks.caller_left(left.talk)
            elif not left.person_there:
                self._talks.leg_left(left.talk)
        elif alone is not None and call.may_be_there:
            self._start(alone)
        if call.lost_sight:
            self._collect_left()  # recordings that could not be ended

    @property
    def _stopping(self) -> bool:
        """Then whoever is left is the next agent's."""
        return self._listening is None or self._listening.done()

    def _forget(self, task: asyncio.Task[None] | None) -> None:
        self._calls.pop(task, None)  # type: ignore[arg-type]

    async def _collect(
        self, shelf: Shelf, on_settled: OnSettled, earlier: asyncio.Task[None] | None
    ) -> None:
        if earlier is not None:
            await asyncio.wait({earlier})
        try:
            await on_settled(shelf)
        except Exception:  # noqa: BLE001 - what earlier calls left never touches the present ones
            _log.exception("left recordings not collected", extra=log.fields())

    def _live(self) -> set[CallId]:
        return {call.arrival.call for call in self._calls.values()}

    # -- the connection ------------------------------------------------------------

    async def _listen(self, ari: AriClient, tasks: asyncio.TaskGroup) -> None:
        lock = AgentLock(ari)
        backoff = Backoff()
        lost_at: float | None = None
        while True:
            try:
                await lock.take()
                async with connected(ari) as events:
                    await self._settle(ari)
                    backoff.reset()
                    lost_at = None
                    self.ready.set()
                    self._collect_left()
                    async for event in events:
                        self._on_event(event, ari, lock, tasks)
            except (AgentReplaced, AgentRunning):  # the callers are the other agent's
                for call in self._calls.values():
                    call.yield_caller()
                raise
            except (AriUnreachable, AriRefusal) as error:
                # A refusal, too: an Asterisk that is starting has not loaded all of ARI yet.
                wait_s = backoff.wait_s()
                _log.warning(
                    "Asterisk is away",
                    extra=log.fields(error=str(error), retry_in_s=round(wait_s, 1)),
                )
            finally:
                self.ready.clear()
            lost_at = lost_at or time.monotonic()
            if time.monotonic() - lost_at > GIVE_UP_S:
                for call in self._calls.values():
                    call.lose_sight("asterisk_away")
            await asyncio.sleep(wait_s)

    def _on_event(
        self,
        event: Mapping[str, Any],
        ari: AriClient,
        lock: AgentLock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        if self._switchboard.deliver(event) or self._talks.on_event(event):
            return
        match event["type"]:
            case "StasisStart":
                channel = Channel.parse(event["channel"])
                if call_of(channel.id) is None:
                    self._start(self._arrival(channel, tuple(event["args"]), reclaimed=False))
                else:  # answered for a call that is over
                    tasks.create_task(removed(ari.hang_up(channel.id)), name="late-answer")
            case "ChannelUserevent" if event["eventname"] == QUESTION:
                tasks.create_task(lock.answer(event), name="agent-lock-answer")

    async def _settle(self, ari: AriClient) -> None:
        version = await ari.version()
        check_version(version)
        self._outbound.lose("gone_while_disconnected")
        asked = {channel for call in self._calls.values() for channel in call.legs.asked}
        channels = {channel.id: channel for channel in await ari.channels()}
        ours = [channel for channel in channels.values() if channel.app == ari.app]
        for call in list(self._calls.values()):
            await call.reconcile_recordings()
            call.legs.reconcile(
                lost=asked - set(channels),
                up={channel.id for channel in ours if channel.state == "Up"},
            )
        for call in self._calls.values():
            if not any(channel.id == call.arrival.channel for channel in ours):
                call.lose("gone_while_disconnected")
        unknown = [channel for channel in ours if not self._switchboard.knows(channel.id)]
        callers = [c for c in unknown if call_of(c.id) is None or is_outbound(c.id)]
        found = await unserved(
            ari, channels.values(), callers, served=lambda call: call in self._live()
        )
        self._talks.replace(
            {
                talk: self._arrival(caller, caller.args, reclaimed=True)
                for talk, caller in found.talks.items()
            }
        )
        for channel in found.alone:
            self._start(await self._found(ari, channel))
        _log.info(
            "connected to Asterisk",
            extra=log.fields(
                version=version,
                app=ari.app,
                reclaimed=len(found.alone),
                talking=len(found.talks),
                orphans=found.orphans,
            ),
        )

    async def _found(self, ari: AriClient, channel: Channel) -> Arrival:
        """A caller whom nobody serves, ready to be served."""
        # One that rings has met no agent yet: it came in while we connected.
        reclaimed = channel.state == "Up"
        if reclaimed:
            await remove(stop_earlier(ari, channel.id), channel.id)
        return self._arrival(channel, channel.args, reclaimed=reclaimed)

    def _arrival(self, channel: Channel, args: tuple[str, ...], *, reclaimed: bool) -> Arrival:
        return arrival_of(
            channel, args, reclaimed=reclaimed, clock=self._clock, normalise=self._normalise
        )
