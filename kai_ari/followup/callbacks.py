"""Calls people back, as it is owed: when it may, one attempt at a time, and never blindly again.

    due ─> permitted? ──no──> noted with its reason, due again when it may
            └─yes─> CallBackStarted ─> dialled ─> CallBackEnded and what follows from it

All that it knows is in the ledger. An attempt whose end was not written, since Kai died with
it, is looked up in Asterisk and in the record; if neither tells, it counts as made.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.call import call_of, new_call_id
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import (
    CallBackAsked,
    CallBackEnded,
    CallBackResult,
    CallBackStarted,
    ObligationAssigned,
    ObligationCancelled,
    ObligationDue,
    ObligationKept,
)
from kai_ari.calls.numbers import normalise_number
from kai_ari.calls.outcome import A_PERSON
from kai_ari.clock import Clock
from kai_ari.dialogue.turns import Why
from kai_ari.errors import AsteriskError, KaiError, LedgerError
from kai_ari.followup.dialler import CallBack, Came, Dialler, came_of
from kai_ari.followup.outbox import Overtaken
from kai_ari.followup.ports import Desk
from kai_ari.followup.text_back import TextBacks, call_wanted, to_text
from kai_ari.promises import permission
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.permission import Reason, Refused, may_dial, may_ever_dial
from kai_ari.promises.retry import BackOff
from kai_ari.promises.standing import Standing, State, standing

_log = log.get("callbacks")

#: What is held back by nothing but time is looked at again at least this often.
REVIEW = timedelta(minutes=1)
#: Asterisk is away, or a call of an earlier agent is still up: asked again after this.
SOON = timedelta(seconds=3)
#: Before the ledger is tried again after it has failed.
FAULT_S = 2.0

#: Refusals that pass in a moment, and are no news to anybody.
_PASSING = frozenset({Reason.TOO_MANY_AT_ONCE})


@dataclass(frozen=True, kw_only=True)
class CallBackRules:
    """`again` is how long after an attempt the next one is made, `busy` after a busy line.
    `pace_s` lies between two calls. `person` is who takes what Kai cannot do, if it is for nobody
    else: a key of people."""

    permission: permission.Rules
    again: BackOff
    busy: BackOff
    pace_s: float
    person: str


@dataclass(kw_only=True)
class CallBacks:
    """`texts`: who left before being helped gets a text, and no call unless a person wants it."""

    desk: Desk
    dialler: Dialler
    rules: CallBackRules
    clock: Clock
    texts: TextBacks | None = None
    _up: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # by obligation
    _foreseen: set[str] = field(default_factory=set)  # obligations not due, looked at since news
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until cancelled. What fails is logged and tried again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear_news(), name="news of call backs")
            while True:
                try:
                    until = await self._look(tasks)
                except LedgerError as error:
                    _log.error("the ledger cannot be read", extra=log.fields(error=str(error)))
                    until = self.clock.now() + timedelta(seconds=FAULT_S)
                await self._wait(until)

    async def _hear_news(self) -> None:
        mark = 0
        while True:
            try:
                mark = await self.desk.news(mark)
            except LedgerError as error:
                _log.error("no news of call backs", extra=log.fields(error=str(error)))
                await asyncio.sleep(FAULT_S)
            self._foreseen.clear()
            self._changed.set()

    async def _wait(self, until: datetime) -> None:
        seconds = max(0.0, (until - self.clock.now()).total_seconds())
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    # -- what is due -----------------------------------------------------------------

    async def _look(self, tasks: asyncio.TaskGroup) -> datetime:
        """Begin what is due and permitted; when to look again, if nothing happens before."""
        now = self.clock.now()
        later = now + REVIEW  # what a clock that jumps makes due is seen within that
        for obligation in await self.desk.owed(kind=Owed.CALL_BACK):
            if obligation.id in self._up:
                continue
            try:
                again = await self._look_at(obligation, now, tasks)
            except Exception as error:  # noqa: BLE001 - one that fails keeps no other waiting
                known = isinstance(error, LedgerError)
                _log.error(
                    "a call back cannot be looked at now",
                    exc_info=None if known else error,
                    extra=log.fields(of=obligation.call, error=str(error)),
                )
                again = self.clock.now() + SOON
            if again is not None:
                later = min(later, again)
        return later

    async def _look_at(
        self, obligation: Obligation, now: datetime, tasks: asyncio.TaskGroup
    ) -> datetime | None:
        if obligation.due is not None and obligation.due > now:
            await self._foresee(obligation)
            return obligation.due
        return await self._consider(obligation, tasks)

    async def _foresee(self, obligation: Obligation) -> None:
        """What will never be permitted is refused when it is booked, not only when it is due."""
        if obligation.id in self._foreseen:
            return
        self._foreseen.add(obligation.id)
        number = number_of(obligation, self.rules.permission.country)
        entry = await self.desk.opted_out(number)
        found = may_ever_dial(number, self.rules.permission, entry)
        if isinstance(found, Refused):
            now = standing(await self.desk.history(obligation.call), obligation.id)
            if now and now.state is State.OPEN and now.assigned is None and now.attempt is None:
                await self._put_off(obligation, now, found)

    async def _consider(self, obligation: Obligation, tasks: asyncio.TaskGroup) -> datetime | None:
        """One that is due: begun, put off, or left to a person; when to look at it again."""
        history = await self.desk.history(obligation.call)
        now = standing(history, obligation.id)
        if now is None or now.state is not State.OPEN:
            return None
        if now.attempt is not None:
            return await self._left_over(obligation, now, history)
        if now.assigned is not None:  # a person does it
            return None
        if self.texts is not None and (number := to_text(history)):
            if not await self.texts.is_done(obligation):
                return await self._text(self.texts, obligation, now, number, history)
            if not call_wanted(obligation, history):  # a person does it, or the caller calls
                return None
        number = number_of(obligation, self.rules.permission.country)
        refused = await self._refused(obligation, number)
        if refused is not None:
            return await self._put_off(obligation, now, refused)
        call = new_call_id(self.clock.now())
        started = CallBackStarted(
            obligation=obligation.id,
            attempt=now.attempts + 1,
            number=number,
            channel=self.dialler.channel_of(call),
        )
        try:
            await self.desk.note(obligation.call, started)
        except Overtaken as overtaken:
            _log.info("not called back", extra=log.fields(why=str(overtaken)))
            return self.clock.now() + SOON
        call_back = CallBack(
            call=call,
            number=number,
            did=_did(history),
            of_call=obligation.call,
            obligation=obligation.id,
            why=_why(history),
            slots=_slots(obligation),
        )
        self._up[obligation.id] = tasks.create_task(
            self._attempt(obligation, call_back, started.attempt), name=f"call back {call}"
        )
        await asyncio.sleep(self.rules.pace_s)
        return None

    async def _text(
        self,
        texts: TextBacks,
        obligation: Obligation,
        now: Standing,
        number: str,
        history: Sequence[Event],
    ) -> datetime | None:
        refused = await texts.refused(number, obligation.id)
        if refused is not None:
            return await self._put_off(obligation, now, refused)
        await texts.plan(obligation, number, history)
        return None

    async def _refused(self, obligation: Obligation, number: str) -> Refused | None:
        at = self.clock.now()
        made = list(await self.desk.dialled(at - permission.DAY, obligation=obligation.id))
        if self.texts is not None:
            made += await self.texts.made(number)
        permitted = may_dial(
            number,
            at,
            self.rules.permission,
            await self.desk.opted_out(number),
            made,
            obligation=obligation.id,
        )
        return permitted if isinstance(permitted, Refused) else None

    async def _put_off(
        self, obligation: Obligation, now: Standing, refused: Refused
    ) -> datetime | None:
        """The refusal, its reason and what follows go on record; but for one that passes soon."""
        if refused.reason in _PASSING and refused.until is not None:
            return refused.until
        why = refused.reason.value.replace("_", " ")
        events: list[Event] = []
        if refused.reason is not Reason.ALL_ATTEMPTS_MADE:  # each of those is on record
            events.append(
                CallBackEnded(
                    obligation=obligation.id,
                    attempt=now.attempts + 1,
                    result=CallBackResult.REFUSED,
                    why=why,
                )
            )
        if refused.reason is Reason.OPTED_OUT and not await self._asked_since(obligation):
            events.append(_cancelled(obligation, "the number has opted out", "the caller"))
        elif refused.until is None:
            events.append(self._to_a_person(obligation))
        else:
            events.append(_due(obligation, refused.until, why))
        await self.desk.note(obligation.call, *events)
        return None

    async def _asked_since(self, obligation: Obligation) -> bool:
        """Whether it was asked for after the number opted out. What was promised then stands;
        but whether they want Kai to call, a person finds out."""
        entry = await self.desk.opted_out(number_of(obligation, self.rules.permission.country))
        return entry is not None and entry.at < obligation.since

    def _to_a_person(self, obligation: Obligation) -> Event:
        to = obligation.about.get("for") or self.rules.person
        return ObligationAssigned(obligation=obligation.id, to=to, by="kai")

    # -- one attempt -----------------------------------------------------------------

    async def _attempt(self, obligation: Obligation, call_back: CallBack, attempt: int) -> None:
        log.call_id.set(call_back.call)
        try:
            came = await self._came(call_back)
            # Why, is in the record: it may hold their words.
            _log.info("called back", extra=log.fields(result=came.result.value))
            await self._conclude(obligation, attempt, came)
        except LedgerError as error:  # its start is on record: it is looked up later
            _log.error("a call back's end was not written", extra=log.fields(error=str(error)))
        except Exception:  # noqa: BLE001 - one call's failure never touches another
            _log.exception("a call back failed", extra=log.fields())
        finally:
            del self._up[obligation.id]
            self._changed.set()

    async def _came(self, call_back: CallBack) -> Came:
        try:
            came = await self.dialler.dial(call_back)
        except AsteriskError as error:
            return Came(result=CallBackResult.FAILED, why=str(error))
        if came is not None:
            return came
        history = await self.desk.history(call_back.call)
        of_call = await self.desk.history(call_back.of_call)
        told = came_of(call_back.call, history, of_call)
        return told or Came(result=CallBackResult.UNCERTAIN, why="it left no record")

    async def _left_over(
        self, obligation: Obligation, now: Standing, history: Sequence[Event]
    ) -> datetime | None:
        """An attempt that an earlier agent began, and did not end."""
        started = [
            e for e in history if isinstance(e, CallBackStarted) and e.attempt == now.attempt
        ]
        channel = next((e.channel for e in started if e.obligation == obligation.id), "")
        try:
            if await self.dialler.is_up(channel):
                return self.clock.now() + SOON
        except KaiError as error:
            _log.info("not known whether a call is up", extra=log.fields(error=str(error)))
            return self.clock.now() + SOON
        call = call_of(channel)
        came = came_of(call, await self.desk.history(call), history) if call else None
        came = came or Came(
            result=CallBackResult.UNCERTAIN, why="Kai ended in the middle of it: it may have rung"
        )
        await self._conclude(obligation, now.attempt or now.attempts, came)
        return self.clock.now()

    async def _conclude(self, obligation: Obligation, attempt: int, came: Came) -> None:
        """The end of an attempt, and the next step: in one write."""
        ended = CallBackEnded(
            obligation=obligation.id, attempt=attempt, result=came.result, why=came.why
        )
        await self.desk.note(obligation.call, ended, *self._next(obligation, attempt, came))

    def _next(self, obligation: Obligation, attempt: int, came: Came) -> list[Event]:
        if came.kept:
            return [ObligationKept(obligation=obligation.id, evidence=came.kept)]
        if came.not_needed:
            return [_cancelled(obligation, came.why, came.not_needed)]
        if came.result is CallBackResult.LATER:  # they named a time, which is on record
            return []
        if came.result is CallBackResult.INVALID or attempt >= self.rules.permission.attempts:
            return [self._to_a_person(obligation)]
        back_off = self.rules.busy if came.result is CallBackResult.BUSY else self.rules.again
        wait_s = back_off.wait_s(obligation.id, attempt)
        if came.result is CallBackResult.UNCERTAIN:  # it may have rung: not one second less
            wait_s = max(back_off.first_s, wait_s or 0)
        if wait_s is None:
            return [self._to_a_person(obligation)]
        at = self.clock.now() + timedelta(seconds=wait_s)
        return [_due(obligation, at, came.result.value.replace("_", " "))]


def number_of(obligation: Obligation, country: str) -> str:
    """What they gave, as it was said or typed, else what they called from; "" for none. Where it
    can be read as dialled in `country`, it is E.164."""
    given = obligation.about.get("number") or obligation.about.get("caller_id") or ""
    return normalise_number(given, country) or given


def _slots(obligation: Obligation) -> dict[str, str]:
    known = {slot: obligation.about.get(slot, "") for slot in ("name", "reason")}
    return {slot: value for slot, value in known.items() if value and value != A_PERSON}


def _did(history: Sequence[Event]) -> str:
    return next((e.did for e in history if isinstance(e, ev.Arrived)), "")


def _why(history: Sequence[Event]) -> Why:
    if any(isinstance(event, CallBackAsked) for event in history):
        return Why.TOLD_TO
    booked = any(isinstance(event, leg.CallbackBooked) for event in history)
    return Why.ASKED if booked else Why.CUT_OFF


def _cancelled(obligation: Obligation, why: str, by: str) -> Event:
    return ObligationCancelled(obligation=obligation.id, why=why, by=by)


def _due(obligation: Obligation, at: datetime, why: str) -> Event:
    return ObligationDue(obligation=obligation.id, due=at.isoformat(), why=why)
