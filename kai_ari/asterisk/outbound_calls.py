"""The calls that Kai makes now: each a task of its own, from the first ringing to the end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from kai_ari import log
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.dispatch import Switchboard
from kai_ari.asterisk.live_call import AriCall
from kai_ari.asterisk.media_transport import MediaTransport
from kai_ari.asterisk.outbound import Outbound, Placed, Placing
from kai_ari.asterisk.spawn import Spawn
from kai_ari.calls.call import Arrival
from kai_ari.errors import AsteriskError
from kai_ari.reception.ports import LiveCall

OnPlaced = Callable[[LiveCall, Placed], Awaitable[None]]
#: Serves a call to its end and takes all of it out of Asterisk; never raises but CancelledError.
Serve = Callable[[AriCall, Callable[[LiveCall], Awaitable[None]]], Awaitable[None]]

_log = log.get("asterisk")


class OutboundCalls:
    def __init__(
        self,
        ari: AriClient,
        transport: MediaTransport,
        switchboard: Switchboard,
        spawn: Spawn,
        serve: Serve,
    ) -> None:
        self._ari = ari
        self._transport = transport
        self._switchboard = switchboard
        self._spawn = spawn
        self._serve = serve
        self._ringing: dict[asyncio.Task[None], Outbound] = {}

    async def place(self, placing: Placing, arrival: Arrival, serve: OnPlaced) -> Placed:
        """What came of it. Raises CancelledError when the agent stops first: nobody knows then,
        and the next agent finds out."""
        placed: asyncio.Future[Placed] = asyncio.get_running_loop().create_future()
        outbound = Outbound(placing, self._ari)
        self._switchboard.add(placing.call, arrival.channel, outbound)
        work = self._carry_out(outbound, arrival, serve, placed)
        task = self._spawn(work, name=f"call-{placing.call}")
        self._ringing[task] = outbound
        task.add_done_callback(lambda done: self._ringing.pop(done, None))
        return await placed

    @property
    def ringing(self) -> list[Outbound]:
        return list(self._ringing.values())

    async def has(self, channel: str) -> bool:
        return any(each.id == channel for each in await self._ari.channels())

    def lose(self, reason: str) -> None:
        """Asterisk was away: nothing is known of those that were not answered yet."""
        for outbound in self._ringing.values():
            outbound.lose(reason)

    def cancel(self) -> None:
        for task in self._ringing:
            task.cancel()

    async def _carry_out(
        self,
        outbound: Outbound,
        arrival: Arrival,
        serve: OnPlaced,
        placed: asyncio.Future[Placed],
    ) -> None:
        log.call_id.set(arrival.call)
        try:
            result = await self._reach(outbound, arrival)
            if result.ended is None:
                now = replace(arrival, channel=outbound.channel)
                call = AriCall(now, self._ari, self._transport, self._spawn)
                self._switchboard.hand_over(arrival.call, now.channel, call)
                self._ringing.pop(asyncio.current_task(), None)  # type: ignore[arg-type]
                await self._serve(call, partial(_served, serve, result))
            if not placed.done():
                placed.set_result(result)
        finally:
            placed.cancel()

    async def _reach(self, outbound: Outbound, arrival: Arrival) -> Placed:
        result: Placed | None = None
        try:
            result = await outbound.reach()
        except AsteriskError as error:
            _log.warning("a call was not made", extra=log.fields(error=str(error)))
            outbound.lose(error.code)
            result = outbound.result
        except Exception:  # noqa: BLE001 - one call's failure never touches another
            _log.exception("a call was not made", extra=log.fields())
            outbound.lose("fault_in_kai")
            result = outbound.result
        finally:
            if result is None or result.ended is not None:
                await outbound.release()
                self._switchboard.remove(arrival.call, arrival.channel)
        return result


async def _served(serve: OnPlaced, placed: Placed, call: LiveCall) -> None:
    await serve(call, placed)
