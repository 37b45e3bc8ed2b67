"""One call's open obligations: plans the notices that are due, and closes what is kept."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from kai_ari import log
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import Escalated, ObligationKept
from kai_ari.clock import Clock
from kai_ari.followup.alerting import Decision, Telling, decide
from kai_ari.followup.facts import facts_of
from kai_ari.followup.incidents import (
    Group,
    evidence,
    groups,
    incident_of,
    kai_calls,
    ready,
    still_wanted,
)
from kai_ari.followup.letter import letter
from kai_ari.followup.outbox import ItemState, OutboxItem, Overtaken
from kai_ari.followup.ports import Desk, Notice
from kai_ari.followup.reaching import AlertRules
from kai_ari.followup.summary import short
from kai_ari.people.presence import PresenceBook

_log = log.get("followup")


@dataclass(kw_only=True)
class HouseRules:
    """The rules in force; whoever reloads them exchanges `current`."""

    current: AlertRules


@dataclass(frozen=True, kw_only=True)
class Considered:
    """`again`: when something is due on this call; `length` of the record that was read."""

    length: int
    again: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Planner:
    """`recordings` is the directory that the files of recordings are in."""

    desk: Desk
    rules: HouseRules
    presence: Callable[[], Awaitable[PresenceBook]]
    clock: Clock
    recordings: Path

    async def consider(self, call: CallId) -> Considered:
        """Bring the notices of one call up to date. Raises LedgerError."""
        records = await self.desk.records(call)
        owed = await self.desk.owed(call=call)
        items = await self.desk.items(call=call)
        history = [record.event for record in records]
        now = self.clock.now()
        start = ready(records, owed, now)
        planned = {one.id for one in start.now}
        again = [start.again] if start.again else []
        for group in groups(owed, items):
            if planned & {one.id for one in group.open}:
                decision = await self._group(call, group, history, now)
                again += [decision.again] if decision.again else []
        staff = self.rules.current.staff
        for item in items:
            if item.state is ItemState.QUEUED and not still_wanted(item, history, staff):
                await self._cancel(item)
        return Considered(length=len(records), again=min(again, default=None))

    async def _group(
        self, call: CallId, group: Group, history: Sequence[Event], now: datetime
    ) -> Decision:
        rules = self.rules.current
        incident = incident_of(group, history, rules)
        decision = decide(incident, group.items, rules, await self.presence(), now)
        escalated = [
            Escalated(obligation=group.lead, step=up.step, to=up.to, why=up.why)
            for up in decision.climbed
        ]
        told = [self._item(call, group, telling, history, now) for telling in decision.tell]
        if told or escalated:
            await self.desk.plan(call, told, *escalated)
        kept = [
            ObligationKept(obligation=one.id, evidence=proof)
            for one in group.open
            if (proof := evidence(one, history, group.items, over=decision.over and not told))
        ]
        if kept:
            await self.desk.note(call, *kept)
        return decision

    async def _cancel(self, item: OutboxItem) -> None:
        try:
            await self.desk.change(replace(item, state=ItemState.CANCELLED))
        except Overtaken:
            _log.debug("a notice was on its way already", extra=log.fields(item=item.key))

    def _item(
        self,
        call: CallId,
        group: Group,
        telling: Telling,
        history: Sequence[Event],
        now: datetime,
    ) -> OutboxItem:
        """The notice is composed once: whenever it is sent, its key stands for these words."""
        rules = self.rules.current
        zone, calls = rules.staff.zone, kai_calls(group, history, rules)
        whole = letter(
            history, group.open, business=rules.business, now=now, zone=zone, kai_calls=calls
        )
        facts = facts_of(history)
        return OutboxItem(
            key=telling.key,
            obligation=group.lead,
            call=call,
            channel=telling.channel,
            to=telling.to,
            body={
                "step": telling.step,
                "not_before": telling.at.isoformat(),
                "covers": " ".join(one.id for one in group.open),
                "subject": whole.subject,
                "short": short(history, group.open, now=now, zone=zone, kai_calls=calls),
                "text": whole.text,
                "html": whole.html if telling.channel == "email" else None,
                "recording": facts.recording,
                "urgent": facts.urgent,
            },
            created_at=now,
            next_at=telling.at,
        )

    def notice(self, item: OutboxItem) -> Notice:
        """What is sent for an item of the outbox."""
        recording = (
            self.recordings / str(item.body["recording"]) if item.body["recording"] else None
        )
        return Notice(
            key=item.key,
            to=item.to,
            subject=str(item.body["subject"]),
            short=str(item.body["short"]),
            text=str(item.body["text"]),
            html=str(item.body["html"]) if item.body["html"] else None,
            recording=recording,
            urgent=bool(item.body["urgent"]),
            call=item.call,
            obligation=item.obligation,
        )
