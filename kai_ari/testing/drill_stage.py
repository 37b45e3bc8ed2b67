"""The calls of a drill, performed on a private Asterisk by an agent that is the real one.

Each call has a number, a caller, rules and an instant of its own. Several run at once.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from kai_ari.calls import leg_events as leg
from kai_ari.calls.chain import Record
from kai_ari.calls.events import Event, ObligationWritten
from kai_ari.calls.outcome import outcome
from kai_ari.clock import SystemClock
from kai_ari.fallback.rungs import Queue, Workflow
from kai_ari.ledger.reader import LedgerReader
from kai_ari.ledger.rows import StoredObligation
from kai_ari.people.availability import PbxState, PhoneState
from kai_ari.people.presence import PresenceBook
from kai_ari.promises.obligation import Owed
from kai_ari.reception.ports import LiveCall
from kai_ari.reception.reception import Reception
from kai_ari.reception.routes import House, Lookout, Reservations, Rules
from kai_ari.reception.scene import HandOffSettings
from kai_ari.testing.caller import Voice
from kai_ari.testing.drill_caller import DrillCaller, FollowedLedger
from kai_ari.testing.drill_cast import Cast
from kai_ari.testing.drill_plan import Course, DrillCall
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_process import PhoneError

#: Calls at once: a phone of pjsua2 has at most four.
LANES: Final = 4
#: The longest call, on a busy machine.
CALL_LIMIT_S: Final = 90.0

#: As short as a conversation may be that counts, and the other times to match.
HAND_OFF: Final = HandOffSettings(conversation_s=5.0, accept_s=8.0, update_s=5.0)


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of a call; `problem` when it did not get to its end."""

    course: Course | None
    records: Sequence[Record] = ()
    obligations: Sequence[StoredObligation] = ()
    problem: str = ""


@dataclass(frozen=True)
class _ShiftedClock:
    """The instant of the drilled call, going on at the usual pace."""

    ahead: timedelta

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return SystemClock().monotonic()


@dataclass(frozen=True)
class _Rehearsing:
    """As the private Asterisk says; but a phone that only other calls of the drill use is free."""

    lookout: Lookout

    async def pbx(self) -> PbxState:
        state = await self.lookout.pbx()
        free = {
            phone: said if said is PhoneState.OFFLINE else PhoneState.IDLE
            for phone, said in state.phones.items()
        }
        return replace(state, phones=free)

    async def presence(self) -> PresenceBook:
        return await self.lookout.presence()


@dataclass(frozen=True, kw_only=True)
class _Performance:
    reception: Reception
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(kw_only=True)
class Stage:
    """`reception` is the agent's, as `kai-ari run` has it; `house` has the desks and webhooks of
    the drill. `queues` has the members of each; `webhook` is the address of the workflows."""

    reception: Reception
    ledger: LedgerReader
    house: House
    queues: Mapping[str, Sequence[str]]
    webhook: str
    cast: Cast
    caller: SipPhone
    voice: Voice
    greeting: str
    _now: dict[str, _Performance] = field(default_factory=dict)

    async def answer(self, live: LiveCall) -> None:
        """For `Asterisk.run`."""
        performance = self._now[live.arrival.did]
        try:
            await performance.reception.handle(live)
        finally:
            performance.over.set()

    async def perform(
        self, calls: Sequence[DrillCall], done: Callable[[DrillCall], None]
    ) -> Mapping[str, Came]:
        """All calls, by their DID. A queue rings only members who are free, so calls for queues
        come when the others are over, one after the other."""
        came: dict[str, Came] = {}
        lanes = asyncio.Semaphore(LANES)

        async def one(call: DrillCall) -> None:
            async with lanes:
                came[call.did] = await self._place(call)
            done(call)

        alone = [call for call in calls if isinstance(call.rule.rung, Queue)]
        async with asyncio.TaskGroup() as tasks:
            for call in calls:
                if call not in alone:
                    tasks.create_task(one(call), name=f"drill {call.did}")
        for call in alone:
            await one(call)
        return came

    async def _place(self, call: DrillCall) -> Came:
        record = FollowedLedger(self.reception.ledger)
        performance = self._now[call.did] = _Performance(reception=self._reception(call, record))
        self.cast.learn(call, self.queues, keys=self._takes_keys(call))
        problem = ""
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                line = await self.caller.dial(call.did, caller_id=call.caller)
                try:
                    await DrillCaller(call, line, record, self.voice).act()
                finally:
                    await line.hang_up()
                await performance.over.wait()
        except TimeoutError:
            problem = f"it was not over after {CALL_LIMIT_S:.0f} seconds"
        except PhoneError as error:
            problem = str(error)
        if record.call is None:
            return Came(course=None, problem=problem or "it never reached Kai")
        return Came(
            course=None if problem else _course(record.events),
            records=await self.ledger.records(record.call),
            obligations=await self.ledger.obligations(record.call),
            problem=problem,
        )

    def _reception(self, call: DrillCall, record: FollowedLedger) -> Reception:
        house = self.house
        rules = replace(
            house,
            plan=call.plan,
            webhooks={key: f"{self.webhook}/{call.did}/{key}" for key in house.webhooks},
        )
        return replace(
            self.reception,
            settings=replace(
                self.reception.settings, greetings={call.did: self.greeting}, hand_off=HAND_OFF
            ),
            ledger=record,
            clock=_ShiftedClock(call.at - datetime.now(UTC)),
            rules=Rules(current=rules),
            lookout=_Rehearsing(self.reception.lookout),
            reservations=Reservations(),
        )

    def _takes_keys(self, call: DrillCall) -> bool:
        rung = call.rule.rung
        if isinstance(rung, Queue):
            return rung.name not in self.house.attended
        return rung.confirms if isinstance(rung, Workflow) else True


def _course(events: Sequence[Event]) -> Course:
    steps: list[tuple[str, tuple[str, ...]]] = []
    for event in events:
        match event:
            case leg.RungStarted(rung=rung):
                steps.append((rung, ()))
            case leg.RungEnded(result=result) if steps:
                rung, results = steps[-1]
                steps[-1] = (rung, (*results, result))
    return Course(steps=tuple(steps), outcome=outcome(events).headline, owed=_owed(events))


def _owed(events: Sequence[Event]) -> frozenset[Owed]:
    return frozenset(Owed(event.owed) for event in events if isinstance(event, ObligationWritten))
