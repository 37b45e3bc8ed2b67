"""Why Kai calls somebody, and what they want of further calls."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from kai_ari import log
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event, SlotTaken
from kai_ari.calls.follow_events import CalledOut, ObligationDue, OptedOut
from kai_ari.clock import Clock
from kai_ari.dialogue.turns import Alerted, OptOut, Postpone, Reached, Saved, State, Why
from kai_ari.errors import LedgerError
from kai_ari.reception.ports import Ledger
from kai_ari.reception.record import CallRecord

#: Writes down who has acknowledged. Raises LedgerError.
Acknowledged = Callable[[], Awaitable[None]]

_log = log.get("errand")


@dataclass(frozen=True, kw_only=True)
class Errand:
    """A call to `number`, for `obligation` of the call `of_call`; `slots` has the name and the
    reason, as far as they are known. `machine`: what has answered seems to be one, and `told_by`
    says why."""

    number: str
    of_call: CallId
    obligation: str
    why: Why
    slots: Mapping[str, str] = field(default_factory=dict)
    machine: bool = False
    told_by: str = ""

    def called_out(self, channel: str) -> Sequence[Event]:
        """How the record of the call begins."""
        called = CalledOut(
            channel=channel,
            number=self.number,
            of_call=self.of_call,
            for_obligation=self.obligation,
            answered="machine" if self.machine else "person",
            why=self.told_by,
        )
        known = (SlotTaken(slot=s, value=v, how="record") for s, v in self.slots.items())
        return (called, *known)

    def known(self, state: State) -> State:
        return replace(state, slots=dict(self.slots))

    @property
    def reached(self) -> Reached:
        return Reached(why=self.why, machine=self.machine)


@dataclass(frozen=True, kw_only=True)
class AlertErrand:
    """Somebody of the business at `number` is told `what` is owed. `caller` is the number to be
    called for them if they like, None when it may not be; `who` that is, as it is spoken.
    `shown` is the number that the caller then sees, "" for none."""

    number: str
    of_call: CallId
    obligation: str
    what: str
    caller: str | None
    who: str
    shown: str
    acknowledge: Acknowledged

    def called_out(self, channel: str) -> Sequence[Event]:
        called = CalledOut(
            channel=channel,
            number=self.number,
            of_call=self.of_call,
            for_obligation=self.obligation,
            answered="person",
            why="an alert",
        )
        return (called,)

    def known(self, state: State) -> State:
        return state

    @property
    def reached(self) -> Alerted:
        return Alerted(what=self.what, callable=self.caller is not None)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What whoever is on the line at `number` wants: written down before it is confirmed."""

    number: str | None
    record: CallRecord
    ledger: Ledger
    clock: Clock
    zone: ZoneInfo
    errand: Errand | AlertErrand | None

    async def opt_out(self, wish: OptOut) -> Saved:
        """Raises LedgerError."""
        if self.number is None:
            return Saved(ok=False)
        opted_out = OptedOut(number=self.number, source=wish.how, said=wish.said)
        await self.record.note(opted_out)
        return Saved(ok=True)

    async def postpone(self, wish: Postpone) -> Saved:
        if not isinstance(self.errand, Errand):
            return Saved(ok=False)
        due = ObligationDue(
            obligation=self.errand.obligation,
            due=wish.when.at(self.clock.now(), self.zone).isoformat(),
            why=f"they asked to be called {wish.when.spoken}",
        )
        try:
            await self.ledger.append(self.errand.of_call, due)
        except LedgerError as error:
            _log.error("the later time was not written", extra=log.fields(error=str(error)))
            return Saved(ok=False)
        return Saved(ok=True)

    async def acknowledged(self) -> Saved:
        """Whoever was told what is owed takes care of it."""
        if not isinstance(self.errand, AlertErrand):
            return Saved(ok=False)
        try:
            await self.errand.acknowledge()
        except LedgerError as error:
            _log.error("not acknowledged", extra=log.fields(error=str(error)))
            return Saved(ok=False)
        return Saved(ok=True)
