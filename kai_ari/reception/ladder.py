"""One call on its ladder: carries out the engine's steps, records them, and tells the caller.

The engine (`fallback`) decides; here it is done. A rung that took the call is watched until
it ends, and what comes back then is the engine's again.
"""

import asyncio
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
    Mode,
    Queue,
    Transfer,
    Voicemail,
    Workflow,
)
from kai_ari.fallback.state import State
from kai_ari.fallback.steps import CameBack, Done, End, Passed, Step, Try, Why
from kai_ari.fallback.words import spoken, target_of
from kai_ari.fallback.world import World
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about, is_urgent
from kai_ari.reception.attempt import Attempt, Attempted
from kai_ari.reception.call_through import call_through
from kai_ari.reception.callees import called_by, takes
from kai_ari.reception.errand import AlertErrand
from kai_ari.reception.hold import hold_while
from kai_ari.reception.legs import last_leg
from kai_ari.reception.routes import (
    Dispatcher,
    House,
    Lookout,
    Reservations,
    Reserved,
    Seen,
    look_out,
)
from kai_ari.reception.scene import Scene
from kai_ari.reception.sending_on import send_on
from kai_ari.reception.sip_context import context_headers
from kai_ari.reception.talk import Talk

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
    CameBack.CALLER_STOPPED_WAITING: say.ALL_RIGHT,
    CameBack.HANDOFF_SUSPECT: say.CUT_OFF,
    CameBack.CUT_OFF: say.CUT_OFF,
    CameBack.GIVEN_BACK: say.GIVEN_BACK,
}
#: After one of these nobody else of a group is rung in turn.
_ENOUGH: Final = frozenset({CameBack.CALLER_STOPPED_WAITING, CameBack.TAKE_MESSAGE})
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
        self._reserved = Reserved(reservations)
        self.state = before
        self._legs = last_leg(scene.record.history)
        self._spoke_of = CameBack.DELIVERED  # what the caller was told last; at first, nothing

    async def go(self, given: HandOff) -> LadderEnded:
        """Until the caller is somebody else's, or back in the conversation.

        Raises CallerLeft, MediaError and LedgerError.
        """
        try:
            return await self._climb(await self._first(given))
        finally:
            self._reserved.change_to()

    async def _first(self, given: HandOff) -> Step | LadderEnded:
        seen = await look_out(self._lookout)
        if given.in_vain and self.state is not None:
            came_back = engine.in_vain(self.state.step)
            await self._ended(self.state.step, came_back)
            return self._advance(came_back, seen)
        arrival = self._scene.call.arrival
        if self.state is not None and given.situation is Situation.ASKED_FOR_HUMAN:
            return await self._ask_again(self.state, seen)
        plan, world = self._house.plan, self._world(seen)
        state, first = engine.start(plan, given.situation, arrival.did, world, before=self.state)
        self._decided(state, first)
        started = leg.LadderStarted(situation=state.situation, ladder=state.ladder.name)
        await self._scene.record.note(started)
        return first

    async def book(self, number: str) -> None:
        """The caller wants to be called back on `number`. Raises LedgerError."""
        staff, now = self._house.plan.staff, self._scene.clock.now()
        due = now if staff.is_open(now).open else staff.next_opening(now) or now
        booked = leg.CallbackBooked(number=number, due=due.isoformat())
        known = about(self._scene.record.history)
        known |= {"number": number, "due": due.isoformat()}
        if self.state is not None and isinstance(self.state.step, Try):
            rung = self.state.step.rule.rung
            known |= {"for": rung.by.key} if isinstance(rung, Callback) else {}
        await self._scene.record.owe(Owed.CALL_BACK, known, first=[booked])
        if self.state is not None:
            await self._ended(self.state.step, CameBack.DELIVERED)
            self._advance(CameBack.DELIVERED, await look_out(self._lookout))

    async def call_through(self, errand: AlertErrand) -> LadderEnded:
        """As `go`, to the caller whom an alert is about."""
        self._legs += 1
        return await call_through(self._scene, self._house, errand, before=self._legs)

    # -- step by step ----------------------------------------------------------------

    async def _climb(self, step: Step | LadderEnded) -> LadderEnded:
        while True:
            match step:
                case LadderEnded():
                    return step
                case Done():
                    raise RuntimeError(f"{step.rule.id} settled the call and was not noticed")
                case End():
                    return await self._end(step)
                case Try():
                    step = await self._try(step)

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
                return await self._call(step)

    async def _call(self, step: Try) -> LadderEnded | Step:
        """Ring somebody, and watch over the talk if they take the call."""
        who = spoken(step)
        attempted = await self._attempt(step, who)
        if attempted.came_back is CameBack.CALLER_ASKED_ON and self.state is not None:
            return await self._ask_again(self.state, await look_out(self._lookout))
        if attempted.never_again:
            await self._ended(step, attempted.came_back)
            return LadderEnded(end=LadderEnd.NEVER_AGAIN, said=attempted.never_again)
        if attempted.leg is None:
            return await self._on(step, attempted.came_back, who)
        await self._ended(step, attempted.came_back)
        self._advance(attempted.came_back, await look_out(self._lookout))
        came_back = await Talk(self._scene, attempted.leg).run()
        self._scene.ears.forget()
        if came_back is None:
            return LadderEnded(end=LadderEnd.HUMAN_ENDED)
        return await self._on(step, came_back, who)

    async def _attempt(self, step: Try, who: str) -> Attempted:
        rung = step.rule.rung
        headers = context_headers(self._scene.record.history, urgent=self._urgent)
        rounds = [called_by(step, self._house, headers=headers, after=self._legs)]
        self._legs += len(rounds[0])
        ring_s = step.limit_s
        if isinstance(rung, Transfer) and rung.mode is Mode.IN_TURN:
            rounds = [[one] for one in rounds[0]]
            ring_s = min(rung.ring_s, step.limit_s)
        attempted = Attempted(came_back=CameBack.FAILED)
        for called in rounds:
            attempted = await Attempt(
                self._scene,
                called,
                who=who if len(rounds) == 1 else called[0].who,
                ring_s=ring_s,
                takes=takes(step, self._house),
                whispered=self._whispered(),
                first=not last_leg(self._scene.record.history),
                somebody_else=self._somebody_else if called is rounds[-1] else _next_round,
            ).run()
            if attempted.leg or attempted.came_back in _ENOUGH:
                break
        return attempted

    def _whispered(self) -> str:
        known = about(self._scene.record.history)
        return whisper(self._house.plan.business, known, urgent=self._urgent)

    async def _dispatch(self, step: Try, rung: Workflow) -> LadderEnded | Step:
        came_back = await hold_while(self._scene, self._hand_over(step, rung))
        if came_back is CameBack.NOT_DELIVERED:
            return await self._after(step, came_back, rung.name)
        self._advance(came_back, await look_out(self._lookout))
        return LadderEnded(end=LadderEnd.HANDED_OFF, who=rung.name)

    async def _hand_over(self, step: Try, rung: Workflow) -> CameBack:
        """Tell the workflow's own system, which answers with its id for the case; and record it."""
        history, call = self._scene.record.history, self._scene.record.call
        case = {**about(history), "call": call, "urgent": str(self._urgent)}
        came_back = CameBack.DELIVERED
        try:
            async with asyncio.timeout(step.limit_s):
                acknowledged = await self._dispatcher.hand_over(
                    self._house.webhooks[rung.key], case, key=f"{call}-{rung.key}"
                )
            await self._scene.record.note(leg.Acknowledged(workflow=rung.key, id=acknowledged))
        except (WorkflowError, TimeoutError) as error:
            came_back = CameBack.NOT_DELIVERED
            _log.warning(
                "the workflow did not take the case",
                extra=log.fields(workflow=rung.key, error=str(error)),
            )
        await self._ended(step, came_back)
        return came_back

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

    @property
    def _urgent(self) -> bool:
        return is_urgent(self._scene.record.history)

    async def _on(self, step: Try, came_back: CameBack, who: str = "") -> Step:
        """Record what came back, tell the caller, and ask the engine what is next."""
        await self._ended(step, came_back)
        return await self._after(step, came_back, who)

    async def _after(self, step: Try, came_back: CameBack, who: str) -> Step:
        looking = asyncio.create_task(look_out(self._lookout), name="look out")
        try:
            if isinstance(step.rule.rung, _HUMAN_RUNGS) and came_back in _TOLD:
                line = _TOLD[came_back]
                self._spoke_of = came_back
                await self._tell(line.fill(who=who) if line.fields else line)
            seen = await looking
        finally:
            looking.cancel()
        return self._advance(came_back, seen)

    def _advance(self, came_back: CameBack, seen: Seen) -> Step:
        if self.state is None:
            raise RuntimeError("nothing has been started")
        return self._decided(*engine.go_on(self.state, self._world(seen), came_back))

    def _decided(self, state: State, step: Step) -> Step:
        """Whom a step rings is reserved before anything is waited for: it was decided by what
        nobody else had reserved. Who has accepted stays reserved while they talk."""
        self.state = state
        if not isinstance(step, Done):
            callees = step.callees if isinstance(step, Try) else ()
            self._reserved.change_to(*(callee.address for callee in callees))
        return step

    async def _ask_again(self, state: State, seen: Seen) -> LadderEnded | Step:
        """The caller wants a person: what is tried or offered at the moment is left for that."""
        if isinstance(state.step, Try):
            await self._ended(state.step, CameBack.CALLER_ASKED_ON)
        asking, asked = engine.ask_again(state, self._world(seen))
        if isinstance(asked, Try):
            return self._decided(asking, asked)
        await self._skipped(asked.passed)
        await self._tell(say.NOBODY_ELSE)
        if isinstance(state.step, Try):
            return self._advance(CameBack.CALLER_ASKED_ON, seen)
        return LadderEnded(end=LadderEnd.VOICEMAIL)

    async def _somebody_else(self) -> bool:
        """Whether `_ask_again` would find one. It is not decided yet: the attempt goes on."""
        if self.state is None:
            return False
        seen = await look_out(self._lookout)
        _, asked = engine.ask_again(self.state, self._world(seen))
        if isinstance(asked, Try):
            return True
        left_out = (one for one in asked.passed if one.reason.why is not Why.TRIED)
        await self._skipped(tuple(left_out))
        return False

    async def _started(self, step: Try | End) -> None:
        rung = step.rule.rung
        await self._scene.record.note(
            leg.RungStarted(
                rung=step.rule.source,
                way=rung.kind,
                target=target_of(rung),
                why=step.reason.sentence,
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

    def _world(self, seen: Seen) -> World:
        """How things stand at this instant. Good for one decision, made without waiting: what
        other calls have reserved is another thing after every wait."""
        return World(
            at=self._scene.clock.now(),
            urgent=self._urgent,
            pbx=seen.pbx,
            presence=seen.presence,
            reserved=self._reserved.by_others,
            caller=self._scene.call.arrival.caller_number,
        )


async def _next_round() -> bool:
    """Of a group in turn, the next is somebody else to try."""
    return True
