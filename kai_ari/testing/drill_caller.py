"""The caller of one drill: follows the record of the call, and does what the drill asks for."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.dialogue import lines
from kai_ari.fallback.rungs import Queue
from kai_ari.promises.obligation import Obligation
from kai_ari.reception.ports import Ledger
from kai_ari.testing.caller import Voice
from kai_ari.testing.drill_plan import DrillCall
from kai_ari.testing.drill_ways import Does
from kai_ari.testing.phone_call import Changes, PhoneCall
from kai_ari.testing.staff import keep_saying

URGENT = "It is an emergency. My kitchen is flooded."
REFUSAL = "No, thank you."
TALK = "Good afternoon, it is about the boiler in the cellar."
MESSAGE = "Please ring me about the boiler in the cellar."


class FollowedLedger:
    """One call's way to the ledger; whoever follows learns what is written, as it is."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._changes = Changes()
        self.call: CallId | None = None
        self.events: list[Event] = []

    async def append(
        self, call: CallId, *events: Event, obligations: Sequence[Obligation] = ()
    ) -> None:
        await self._ledger.append(call, *events, obligations=obligations)
        self.call = call
        self.events += events
        self._changes.notify()

    async def history(self, call: CallId) -> Sequence[Event]:
        return await self._ledger.history(call)

    async def open_calls(self) -> Sequence[CallId]:
        return await self._ledger.open_calls()

    async def follow(self) -> AsyncIterator[Event]:
        """Every event from the first on; ends behind the call's ending."""
        place = 0
        while True:
            while place >= len(self.events):
                await self._changes.next()
            yield self.events[place]
            if isinstance(self.events[place], ev.Ended):
                return
            place += 1


class DrillCaller:
    def __init__(
        self, call: DrillCall, line: PhoneCall, record: FollowedLedger, voice: Voice
    ) -> None:
        self._call = call
        self._line = line
        self._record = record
        self._voice = voice
        self._rung = ""
        self._talking: asyncio.Task[None] | None = None

    async def act(self) -> None:
        """Until the call has ended. Raises PhoneError when it ends in the middle of an act."""
        await self._line.answered()
        try:
            async for event in self._record.follow():
                await self._react(event)
        finally:
            await self._fall_silent()

    async def _react(self, event: Event) -> None:
        match event:
            case ev.LineStarted(line=lines.GREETING.id) if not self._call.urgent:
                await self._line.press("0")
            case ev.LineEnded(line=lines.GREETING.id) if self._call.urgent:
                await self._line.say(await self._voice(URGENT))
            case ev.LineStarted(line=lines.NO_PERSON.id):
                await self._line.press("0")
            case ev.LineStarted(line=lines.OFFER_CALL_BACK.id):
                wanted = self._is_about(self._rung) and self._call.does is Does.WANTED
                await self._line.press("1" if wanted else "2")
            case ev.LineEnded(line=lines.ASK_CALL_BACK_NUMBER.id):  # perhaps on another number?
                await self._line.say(await self._voice(REFUSAL))
            case ev.RecordingStarted():
                await self._line.say(await self._voice(MESSAGE))
                await self._line.press("#")
            case leg.RungStarted(rung=rung):
                self._rung = rung
            case leg.LegStarted() if isinstance(self._call.rule.rung, Queue):
                await self._perhaps_leave()
            case leg.LegRang():
                await self._perhaps_leave()
            case leg.LegJoined() if self._call.does is Does.ACCEPTS:
                audio = await self._voice(TALK)
                self._talking = asyncio.create_task(
                    keep_saying(self._line, audio), name="drill: talk"
                )
            case leg.LegParted():
                await self._fall_silent()

    async def _perhaps_leave(self) -> None:
        if self._is_about(self._rung) and self._call.does is Does.CALLER_LEAVES:
            await self._line.hang_up()

    def _is_about(self, rung: str) -> bool:
        return rung == self._call.rule.source

    async def _fall_silent(self) -> None:
        talking, self._talking = self._talking, None
        if talking is not None:
            talking.cancel()
            await asyncio.wait({talking})
