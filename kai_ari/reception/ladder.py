"""One call on its ladder: carries out the engine's steps, records them, and tells the caller.

The engine (`fallback`) decides; here it is done. A rung that took the call is watched until
it ends, and what comes back then is the engine's again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import Situation
from kai_ari.calls.follow_events import CalledOut
from kai_ari.calls.outcome import usable_number
from kai_ari.dialogue import handoff_lines as say
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.turns import HandOff, LadderEnd, LadderEnded
from kai_ari.dialogue.whisper import whisper
from kai_ari.errors import LedgerError, SpeechError, WorkflowError
from kai_ari.fallback import engine
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Kind,
    Mode,
    Queue,
    Rule,
    Transfer,
    Voicemail,
    Workflow,
)
from kai_ari.fallback.state import State
from kai_ari.fallback.steps import CameBack, Done, End, NoHuman, Passed, Step, Try
from kai_ari.fallback.world import World
from kai_ari.people.availability import PbxState
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about
from kai_ari.reception.attempt import Attempt, Attempted, Called, Takes
from kai_ari.reception.call_through import call_through
from kai_ari.reception.conversation import Conversation
from kai_ari.reception.errand import AlertErrand
from kai_ari.reception.hold import hold_while
from kai_ari.reception.legs import Destination, ToDesk, ToQueue
from kai_ari.reception.routes import Dispatcher, House, Lookout, Reservations
from kai_ari.reception.scene import Scene
from kai_ari.reception.sending_on import send_on
from kai_ari.reception.sip_context import context_headers

_log = log.get("ladder")

_TOLD: Final = {
    CameBack.BUSY: say.BUSY,
    CameBack.DECLINED: say.DECLINED,
    CameBack.NO_ANSWER: say.NO_ANSWER,
    CameBack.UNREACHABLE: say.UNREACHABLE,
    CameBack.FAILED: say.UNREACHABLE,
    CameBack.REFUSED_BY_RULES: say.UNREACHABLE,
    CameBack.NOT_DELIVERED: say.UNREACHABLE,
    CameBack.TAKE_MESSAGE: say.WANTS_MESSAGE,
    CameBack.CALLER_OPTED_OUT: say.ALL_RIGHT,
    CameBack.HANDOFF_SUSPECT: say.CUT_OFF,
    CameBack.CUT_OFF: say.CUT_OFF,
    CameBack.GIVEN_BACK: say.GIVEN_BACK,
}
#: After one of these nobody else of a group is rung in turn.
_ENOUGH: Final = frozenset({CameBack.CALLER_OPTED_OUT, CameBack.TAKE_MESSAGE})
_HUMAN_RUNGS: Final = (Transfer, Queue, Workflow)


class CallLadder:
    """For one call. The engine's state is kept: what was tried stays tried."""

    def __init__(
        self,
        scene: Scene,
        house: House,
        *,
        lookout: Lookout,
        dispatcher: Dispatcher,
        reservations: Reservations,
        before: State | None = None,
    ) -> None:
        self._scene = scene
        self._house = house
        self._lookout = lookout
        self._dispatcher = dispatcher
        self._reservations = reservations
        self.state = before
        self._legs = sum(isinstance(e, leg.LegStarted) for e in scene.record.history)
        self._urgent = False
        self._spoke_of = CameBack.DELIVERED  # what the caller was told last; at first, nothing

    async def go(self, given: HandOff) -> LadderEnded:
        """Until the caller is somebody else's, or back in the conversation.

        Raises CallerLeft, MediaError and LedgerError.
        """
        self._urgent = self._urgent or given.situation is Situation.URGENT
        world = await self._world()
        if given.in_vain and self.state is not None:
            came_back = _in_vain(self.state.step)
            await self._ended(self.state.step, came_back)
            return await self._climb(*engine.go_on(self.state, world, came_back))
        arrival = self._scene.call.arrival
        if self.state is not None and given.situation is Situation.ASKED_FOR_HUMAN:
            self.state, step = engine.ask_again(self.state, world)
            if isinstance(step, NoHuman):
                await self._skipped(step.passed)
                await self._tell(say.NOBODY_ELSE)
                return LadderEnded(end=LadderEnd.VOICEMAIL)
            return await self._climb(self.state, step)
        plan = self._house.plan
        state, first = engine.start(plan, given.situation, arrival.did, world, before=self.state)
        started = leg.LadderStarted(situation=given.situation, ladder=state.ladder.name)
        await self._scene.record.note(started)
        return await self._climb(state, first)

    async def book(self, number: str) -> None:
        """The caller wants to be called back on `number`. Raises LedgerError."""
        staff, now = self._house.plan.staff, self._scene.clock.now()
        due = now if staff.is_open(now).open else staff.next_opening(now) or now
        booked = leg.CallbackBooked(number=number, due=due.isoformat())
        await self._scene.record.owe(
            Owed.CALL_BACK,
            {**about(self._scene.record.history), "number": number, "due": due.isoformat()},
            first=[booked],
        )
        if self.state is not None:
            await self._ended(self.state.step, CameBack.DELIVERED)
            self._advance(CameBack.DELIVERED, await self._world())

    async def call_through(self, errand: AlertErrand) -> LadderEnded:
        """As `go`, to the caller whom an alert is about."""
        self._legs += 1
        return await call_through(self._scene, self._house, errand, before=self._legs)

    # -- step by step ----------------------------------------------------------------

    async def _climb(self, state: State, step: Step) -> LadderEnded:
        self.state = state
        while True:
            match step:
                case Done():
                    raise RuntimeError(f"{step.rule.id} settled the call and was not noticed")
                case End():
                    return await self._end(step)
                case Try():
                    ended = await self._try(step)
                    if isinstance(ended, LadderEnded):
                        return ended
                    step = ended

    async def _try(self, step: Try) -> LadderEnded | Step:
        await self._skipped(step.passed)
        rung = step.rule.rung
        await self._started(step)
        match rung:
            case Callback():
                return LadderEnded(end=LadderEnd.CALL_BACK)
            case Alert(to=to):
                detail = {**about(self._scene.record.history), "for": to.key}
                await self._scene.record.owe(Owed.ALERT, detail)
                return await self._on(step, CameBack.DELIVERED)
            case Workflow(takes_calls=False):
                return await self._dispatch(step, rung)
            case Transfer(blind=True):
                await self._tell(say.MOMENT)
                came_back = await send_on(self._scene, self._house, step, rung)
                if came_back is not CameBack.SENT_ON:
                    return await self._on(step, came_back, spoken(step))
                await self._ended(step, came_back)
                return LadderEnded(end=LadderEnd.SENT_ON)
            case _:
                addresses = tuple(callee.address for callee in step.callees)
                with self._reservations.hold(addresses):
                    return await self._call(step)

    async def _call(self, step: Try) -> LadderEnded | Step:
        """Ring somebody, and watch over the talk if they take the call."""
        who = spoken(step)
        attempted = await self._attempt(step, who)
        if attempted.leg is None:
            return await self._on(step, attempted.came_back, who)
        await self._ended(step, attempted.came_back)
        self._advance(attempted.came_back, await self._world())
        came_back = await Conversation(self._scene, attempted.leg).run()
        self._scene.ears.forget()
        if came_back is None:
            return LadderEnded(end=LadderEnd.HUMAN_ENDED)
        return await self._on(step, came_back, who)

    async def _attempt(self, step: Try, who: str) -> Attempted:
        rung = step.rule.rung
        rounds = [self._called(step)]
        ring_s = step.limit_s
        if isinstance(rung, Transfer) and rung.mode is Mode.IN_TURN:
            rounds = [[one] for one in rounds[0]]
            ring_s = min(rung.ring_s, step.limit_s)
        attempted = Attempted(came_back=CameBack.FAILED)
        for place, called in enumerate(rounds):
            attempted = await Attempt(
                self._scene,
                called,
                who=who if len(rounds) == 1 else called[0].who,
                ring_s=ring_s,
                takes=self._takes(step),
                whispered=self._whispered(),
                first=self._legs == len(called) and place == 0,
            ).run()
            if attempted.leg or attempted.came_back in _ENOUGH:
                break
        return attempted

    def _called(self, step: Try) -> list[Called]:
        headers = context_headers(self._scene.record.history, urgent=self._urgent)
        match step.rule.rung:
            case Queue(name=name):
                return [self._numbered(name, f"queue {name}", ToQueue(queue=name))]
            case Workflow(key=key, name=name):
                desk = ToDesk(uri=self._house.desks[key])
                return [self._numbered(name, desk.uri, desk, headers)]
            case _:
                return [
                    self._numbered(
                        callee.name, callee.address, self._house.destination(callee.address)
                    )
                    for callee in step.callees
                ]

    def _numbered(
        self, who: str, at: str, to: Destination, headers: Mapping[str, str] | None = None
    ) -> Called:
        self._legs += 1
        return Called(leg=f"leg{self._legs}", who=who, at=at, to=to, headers=dict(headers or {}))

    def _takes(self, step: Try) -> Takes:
        match step.rule.rung:
            case Queue(name=name) if name in self._house.attended:
                return Takes.QUEUE
            case Workflow(confirms=False):
                return Takes.ANSWER
            case _:
                return Takes.KEY

    def _whispered(self) -> str:
        known = about(self._scene.record.history)
        return whisper(self._house.plan.business, known, urgent=self._urgent)

    async def _dispatch(self, step: Try, rung: Workflow) -> LadderEnded | Step:
        """Tell the workflow's own system, which answers with its id for the case."""
        history = self._scene.record.history
        case = {**about(history), "call": self._scene.record.call, "urgent": str(self._urgent)}
        try:
            async with asyncio.timeout(step.limit_s):
                handing_over = self._dispatcher.hand_over(
                    self._house.webhooks[rung.key],
                    case,
                    key=f"{self._scene.record.call}-{rung.key}",
                )
                acknowledged = await self._scene.unless_left(hold_while(self._scene, handing_over))
        except (WorkflowError, TimeoutError) as error:
            _log.warning(
                "the workflow did not take the case",
                extra=log.fields(workflow=rung.key, error=str(error)),
            )
            return await self._on(step, CameBack.NOT_DELIVERED, rung.name)
        await self._scene.record.note(leg.Acknowledged(workflow=rung.key, id=acknowledged))
        await self._ended(step, CameBack.DELIVERED)
        self._advance(CameBack.DELIVERED, await self._world())
        return LadderEnded(end=LadderEnd.HANDED_OFF, who=rung.name)

    async def _end(self, step: End) -> LadderEnded:
        await self._skipped(step.passed)
        await self._started(step)
        if isinstance(step.rule.rung, Voicemail):
            if self._spoke_of not in _ENOUGH:
                await self._tell(say.NOBODY)
            return LadderEnded(end=LadderEnd.VOICEMAIL)
        history = self._scene.record.history
        owed = any(isinstance(event, ev.ObligationWritten | CalledOut) for event in history)
        if step.follow_up and not owed:
            kind = Owed.CALL_BACK if usable_number(history) else Owed.ALERT
            try:
                await self._scene.record.owe(kind, about(history))
            except LedgerError as error:
                _log.error("the follow-up was not written", extra=log.fields(error=str(error)))
                return LadderEnded(end=LadderEnd.NOTHING)
        return LadderEnded(end=LadderEnd.FOLLOW_UP)

    # -- the record, the caller, the engine ------------------------------------------

    async def _on(self, step: Try, came_back: CameBack, who: str = "") -> Step:
        """Record what came back, tell the caller, and ask the engine what is next."""
        await self._ended(step, came_back)
        looking = asyncio.create_task(self._world(), name="look out")
        try:
            if isinstance(step.rule.rung, _HUMAN_RUNGS) and came_back in _TOLD:
                line = _TOLD[came_back]
                self._spoke_of = came_back
                await self._tell(line.fill(who=who) if line.fields else line)
            world = await looking
        finally:
            looking.cancel()
        return self._advance(came_back, world)

    def _advance(self, came_back: CameBack, world: World) -> Step:
        if self.state is None:
            raise RuntimeError("nothing has been started")
        self.state, step = engine.go_on(self.state, world, came_back)
        return step

    async def _started(self, step: Try | End) -> None:
        rung = step.rule.rung
        await self._scene.record.note(
            leg.RungStarted(
                rung=step.rule.source, way=rung.kind, target=target(step), why=step.reason.sentence
            )
        )

    async def _ended(self, step: Step | None, came_back: CameBack) -> None:
        if step is not None:
            ended = leg.RungEnded(rung=step.rule.source, result=came_back.value)
            await self._scene.record.note(ended)

    async def _skipped(self, passed: tuple[Passed, ...]) -> None:
        skipped = [leg.RungSkipped(rung=one.rule.source, why=one.reason.sentence) for one in passed]
        if skipped:
            await self._scene.record.note(*skipped)

    async def _tell(self, line: Line) -> None:
        """Without a voice for it the ladder goes on all the same."""
        try:
            await self._scene.unless_left(self._scene.voice.say(line))
        except SpeechError as error:
            await self._scene.record.note(
                ev.EngineFailed(part="synthesizer", engine="all", error=str(error), instead=None)
            )

    async def _world(self) -> World:
        """How things stand now; what cannot be asked is not known, and then tried."""
        pbx, presence = await asyncio.gather(
            self._lookout.pbx(), self._lookout.presence(), return_exceptions=True
        )
        for unknown in (pbx, presence):
            if isinstance(unknown, BaseException):
                _log.warning("not known now", extra=log.fields(error=str(unknown)))
        world = World(
            at=self._scene.clock.now(),
            urgent=self._urgent,
            pbx=PbxState() if isinstance(pbx, BaseException) else pbx,
            presence={} if isinstance(presence, BaseException) else presence,
            caller=self._scene.call.arrival.caller_number,
        )
        # Last, and without waiting in between: nobody else may reserve them meanwhile.
        return replace(world, reserved=self._reservations.held)


def spoken(step: Try) -> str:
    """Who is tried, as the caller hears it."""
    rung = step.rule.rung
    if isinstance(rung, Workflow):
        return rung.name
    if isinstance(rung, Transfer):
        people = {callee.name for callee in step.callees if callee.who}
        if len(people) == 1 and all(callee.who for callee in step.callees):
            return people.pop()
        if rung.to.kind in (Kind.PHONE, Kind.NUMBER):
            return "a colleague"
    return "our team"


def _in_vain(step: Step | None) -> CameBack:
    """What a step came to that the conversation could do nothing with."""
    match step:
        case Try(rule=Rule(rung=Callback())):
            return CameBack.DECLINED
        case End(rule=Rule(rung=Voicemail())):
            return CameBack.NOT_DELIVERED
        case Done():
            return CameBack.HANDOFF_SUSPECT
    return CameBack.FAILED


def target(step: Try | End) -> str:
    """Who a rung is for, as the record names it."""
    match step.rule.rung:
        case Transfer(to=to) | Alert(to=to) | Callback(by=to):
            return to.name
        case Queue(name=name) | Workflow(name=name):
            return name
        case Voicemail() | Goodbye():
            return ""
