"""A keeper on a real ledger and scripted gateways, on virtual time; and what became of it all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy, Event
from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.followup.parts import Parts, parts
from kai_ari.followup.ports import Desk, Notice, Notifier, Sent
from kai_ari.followup.reaching import AlertRules, Step
from kai_ari.followup.text_back import TextBacks
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.store import SqlLedger, open_ledger
from kai_ari.people.presence import PresenceBook
from kai_ari.people.staff import Person, Staff
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.testing.virtual_time import VirtualClock

#: A Monday, 10:00 in the zone of the business.
MORNING = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
DANA = Person(
    key="dana", name="Dana Rossi", phone="101", sms="+12125550142", email="dana@example.com"
)
LEE = Person(key="lee", name="Lee Park", mobile="+12125550143")

#: What a gateway does with a notice: its answer, or what it raises.
Act = Callable[[Notice], Sent]


def rules(*steps: Step, **differ: object) -> AlertRules:
    given = {
        "business": "Rossi Plumbing",
        "staff": Staff(zone=ZONE, people={"dana": DANA, "lee": LEE}),
        "steps": steps or (Step(tell="dana", by=("sms",)),),
        "channels": frozenset({"sms", "email", "phone"}),
        "owner": "dana",
        **differ,
    }
    return AlertRules(**given)  # type: ignore[arg-type]


def takes(notice: Notice) -> Sent:
    return Sent(receipt=f"r-{notice.key}", confirmed=False)


def confirms(_: Notice) -> Sent:
    return Sent(receipt="250 OK", confirmed=True)


@dataclass
class Gateway:
    """`acts` are what it does in turn, the last again and again; `got` is what it accepted."""

    channel: str
    acts: list[Act]
    slow_s: float = 0.05
    asked: list[Notice] = field(default_factory=list)
    got: list[Notice] = field(default_factory=list)

    async def send(self, notice: Notice) -> Sent:
        self.asked.append(notice)
        await asyncio.sleep(self.slow_s)
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        sent = act(notice)
        self.got.append(notice)
        return sent

    @property
    def keys(self) -> Counter[str]:
        return Counter(notice.key for notice in self.got)


@dataclass
class Office:
    ledger: SqlLedger
    desk: SqlFollowUp
    parts: Parts

    async def receipts(self, gateway: Gateway, result: ReceiptResult, *, times: int = 1) -> None:
        for notice in list(gateway.got):
            for _ in range(times):
                await self.parts.incoming.receipt(
                    gateway.channel, f"r-{notice.key}", result, "the operator says so"
                )

    async def states(self, call: CallId) -> dict[str, str]:
        return {one.obligation.owed.value: one.state for one in await self.ledger.obligations(call)}

    async def kinds(self, call: CallId) -> list[str]:
        history = await self.ledger.history(call)
        return [event.kind for event in history[history_before(history) :]]


def history_before(history: Sequence[Event]) -> int:
    return next(i for i, e in enumerate(history, 1) if isinstance(e, ev.Ended))


async def nobody_said() -> PresenceBook:
    return {}


@asynccontextmanager
async def ledger_at(path: Path, start: datetime = MORNING) -> AsyncIterator[SqlLedger]:
    async with open_ledger(path, VirtualClock(start)) as ledger:
        yield ledger


@asynccontextmanager
async def office(
    ledger: SqlLedger,
    given: AlertRules,
    gateways: Iterable[Notifier],
    *,
    start: datetime = MORNING,
    presence: PresenceBook | None = None,
    wrap: Callable[[Desk], Desk] = lambda desk: desk,
    texts: TextBacks | None = None,
) -> AsyncIterator[Office]:
    """Runs from here on until the end of the block."""

    async def said() -> PresenceBook:
        return presence or {}

    desk = SqlFollowUp(ledger)
    made = parts(
        desk=wrap(desk),
        rules=given,
        notifiers={gateway.channel: gateway for gateway in gateways},
        presence=said,
        clock=VirtualClock(start),
        recordings=Path("recordings"),
        texts=texts,
    )
    running = asyncio.create_task(made.keeper.run(), name="keeper")
    try:
        yield Office(ledger=ledger, desk=desk, parts=made)
    finally:
        await pass_time(seconds=1)  # what it is reading now is read
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def call_that_owes(
    ledger: SqlLedger,
    *kinds: Owed,
    call: str = "aaaaaaaaaaaa",
    about: Mapping[str, str] | None = None,
    urgent: bool = False,
    ended: bool = True,
) -> CallId:
    """A caller who said why they called, and is owed something when they hang up."""
    name, now = CallId(call), MORNING
    arrived = ev.Arrived(
        channel="1.1",
        did="100",
        caller_raw="+12025550142",
        caller_name="",
        caller_number="+12025550142",
        resumed_from=None,
    )
    await ledger.append(name, arrived, ev.SlotTaken(slot="reason", value="a leak", how="voice"))
    if urgent:
        await ledger.append(name, ev.SituationNamed(situation=ev.Situation.URGENT))
    owed = [
        Obligation(
            id=f"{call[:6]}{place:02}{kind.value[:4]}",
            call=name,
            owed=kind,
            since=now,
            about=dict(about or {}),
        )
        for place, kind in enumerate(kinds)
    ]
    written = [ev.ObligationWritten(obligation=o.id, owed=o.owed.value) for o in owed]
    last = [ev.Ended(by=EndedBy.CALLER, cause=16, reason="hung_up")] if ended else []
    await ledger.append(name, *written, *last, obligations=owed)
    return name


async def pass_time(**given: float) -> None:
    await asyncio.sleep(timedelta(**given).total_seconds())
