"""What comes back: receipts of gateways, replies of people. Each late, twice or never."""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from kai_ari import log
from kai_ari.calls.call import CallId
from kai_ari.calls.follow_events import (
    AlertAcknowledged,
    CallerReplied,
    ReceiptCame,
    ReceiptResult,
    SendingGivenUp,
)
from kai_ari.clock import Clock
from kai_ari.followup.incidents import covered
from kai_ari.followup.outbox import ItemState, OutboxItem, Overtaken
from kai_ari.followup.planner import HouseRules
from kai_ari.followup.ports import Desk, Notice
from kai_ari.followup.summary import ID_SHOWN
from kai_ari.followup.text_back import is_text_back
from kai_ari.people.staff import Person
from kai_ari.promises.obligation import Owed, new_obligation
from kai_ari.promises.opt_out import Listed, OptOut, Reply, read_reply
from kai_ari.promises.standing import State, standing

_log = log.get("followup")

#: Receipts that nothing is known for yet: a gateway may report before it has answered.
MAX_EARLY = 1000
#: Of what a caller texts, so much is kept, and so many answers to one text.
_SAID_MAX = 500
_REPLIES_MAX = 10
#: STOP or START in so many words needs nobody; with more ("please stop by at six") a person reads.
_KEYWORD_WORDS = 2
#: A receipt that was overtaken is looked at anew so often.
_TRIES = 5
#: A reply is to one of so many notices: more are not read while calls wait for the same loop.
_NEWEST = 200
#: An id as notices show it, also with a slip of the thumb, but no number of a house.
_SHOWS_AN_ID = re.compile(r"#\s*(?=\w*\d)\w{5,}")
_REACHED = frozenset({ItemState.SENT, ItemState.UNCONFIRMED, ItemState.DELIVERED})


@dataclass(kw_only=True)
class Incoming:
    """Implements `Sink`. `again` tells when an item is tried anew; `changed` is told the call."""

    desk: Desk
    rules: HouseRules
    clock: Clock
    again: Callable[[OutboxItem], datetime | None]
    changed: Callable[[CallId], Awaitable[None]]
    _early: OrderedDict[tuple[str, str], tuple[ReceiptResult, str]] = field(
        default_factory=OrderedDict
    )

    async def receipt(self, channel: str, receipt: str, result: ReceiptResult, why: str) -> None:
        for _ in range(_TRIES):
            item = await self.desk.by_receipt(channel, receipt)
            if item is None:
                self._keep_early(channel, receipt, result, why)
                # Its sending may have been written since it was looked for.
                item = await self.desk.by_receipt(channel, receipt)
                if item is None or self._early.pop((channel, receipt), None) is None:
                    return
            try:
                await self._note(item, result, why)
            except Overtaken:
                continue
            await self.changed(item.call)
            return
        raise Overtaken(f"outbox {receipt}: it changes faster than its receipt can be noted")

    async def sent(self, item: OutboxItem) -> None:
        """A receipt may have come before its sending was on record."""
        early = self._early.pop((item.channel, item.receipt), None)
        if early is not None:
            await self.receipt(item.channel, item.receipt, *early)

    async def reply(self, channel: str, address: str, text: str) -> None:
        """Of somebody in the house: they know of it. Of anybody else: to be left alone, or what a
        caller whom Kai has texted wants."""
        person = self._person(address)
        if person is None:
            await self._outsider(channel, address, text)
            return
        sent = await self.desk.sent_to(person.key, states=_REACHED, newest=_NEWEST)
        told = [item for item in sent if covered(item)]
        said = text.lower()
        meant = [item for item in told if any(shown in said for shown in _shown(item))]
        if not meant and not _SHOWS_AN_ID.search(text):
            meant = [item for item in told if item.channel == channel][:1]
        if not meant:
            _log.warning("a reply to nothing", extra=log.fields(channel=channel, number=address))
        # An incident that was told in several ways is acknowledged once.
        for call, obligations in dict.fromkeys((item.call, covered(item)) for item in meant):
            await self.acknowledge(call, obligations, by=person.name, how=_how(channel))

    async def told(self, notice: Notice, how: str) -> None:
        """Whom a notice is for has said that they know of all that it tells of."""
        items = await self.desk.items(obligation=notice.obligation)
        meant = next((covered(item) for item in items if item.key == notice.key), frozenset())
        obligations = meant or frozenset({notice.obligation})
        await self.acknowledge(notice.call, obligations, by=notice.to.name, how=how)

    async def acknowledge(
        self, call: CallId, obligations: frozenset[str], *, by: str, how: str
    ) -> None:
        """`by` knows of what is owed. What is closed or acknowledged already stays as it is."""
        history = await self.desk.history(call)
        known = {name: standing(history, name) for name in sorted(obligations)}
        told = [
            AlertAcknowledged(obligation=name, by=by, how=how)
            for name, stands in known.items()
            if stands and stands.state is State.OPEN and not stands.acknowledged_by
        ]
        if told:
            await self.desk.note(call, *told)
        await self.changed(call)

    async def _note(self, item: OutboxItem, result: ReceiptResult, why: str) -> None:
        came = ReceiptCame(obligation=item.obligation, item=item.key, result=result, why=why)
        if item.state is ItemState.DELIVERED:
            return
        if result is ReceiptResult.DELIVERED:
            await self.desk.change(replace(item, state=ItemState.DELIVERED, error=""), came)
        elif item.state in (ItemState.SENT, ItemState.UNCONFIRMED):
            at = self.again(item)
            if at is not None:
                queued = replace(item, state=ItemState.QUEUED, next_at=at, error=why)
                await self.desk.change(queued, came)
                return
            given_up = SendingGivenUp(obligation=item.obligation, item=item.key, why=why)
            await self.desk.change(replace(item, state=ItemState.DEAD, error=why), came, given_up)

    def _keep_early(self, channel: str, receipt: str, result: ReceiptResult, why: str) -> None:
        self._early[channel, receipt] = (result, why)
        if len(self._early) > MAX_EARLY:
            self._early.popitem(last=False)
            _log.warning("a receipt of nothing is dropped", extra=log.fields(channel=channel))

    def _person(self, address: str) -> Person | None:
        given = address.lower()
        for person in self.rules.current.staff.people.values():
            ways = (person.sms, person.mobile, person.phone, (person.email or "").lower() or None)
            if given in ways:
                return person
        return None

    async def _outsider(self, channel: str, address: str, text: str) -> None:
        if channel != "sms":
            _log.warning("a reply of a stranger", extra=log.fields(channel=channel, number=address))
            return
        said = read_reply(text)
        if said in (Reply.OUT, Reply.IN):
            await self._list(address, Listed.OUT if said is Reply.OUT else Listed.IN, text)
        texted = [
            item
            for item in await self.desk.items(address=address)
            if is_text_back(item) and item.attempts
        ]
        if texted:
            mere = said in (Reply.OUT, Reply.IN) and len(text.split()) <= _KEYWORD_WORDS
            await self._answered(texted[-1], text, tell=not mere)
        elif said not in (Reply.OUT, Reply.IN):
            _log.warning("a text of a stranger", extra=log.fields(number=address))

    async def _list(self, number: str, state: Listed, text: str) -> None:
        """A gateway may bring the same text again and again: the first is the evidence."""
        known = await self.desk.opted_out(number)
        if known is not None and known.state is state:
            return
        said = OptOut(
            number=number, state=state, source="sms", at=self.clock.now(), evidence=text[:200]
        )
        await self.desk.say_opt_out(said)

    async def _answered(self, item: OutboxItem, text: str, *, tell: bool) -> None:
        """A caller has answered a text of Kai's; the call back stays open as it was. `tell`: that
        somebody knows of it is owed from now on."""
        history = await self.desk.history(item.call)
        before = [e for e in history if isinstance(e, CallerReplied) and e.item == item.key]
        replied = CallerReplied(
            obligation=item.obligation, item=item.key, channel="sms", said=text[:_SAID_MAX]
        )
        if replied in before:
            _log.info("a text came again", extra=log.fields(of=item.call))
            return
        if len(before) >= _REPLIES_MAX:
            _log.warning("a caller texts too much", extra=log.fields(of=item.call))
            return
        if not tell:
            await self.desk.note(item.call, replied)
            return
        about = {"number": item.to.address, "reason": replied.said}
        alert, written = new_obligation(item.call, Owed.ALERT, since=self.clock.now(), about=about)
        await self.desk.note(item.call, replied, written, obligations=(alert,))
        await self.changed(item.call)


def _shown(item: OutboxItem) -> frozenset[str]:
    """The ids that any notice of this incident may show: each shows the first that is open then."""
    return frozenset(name[:ID_SHOWN].lower() for name in (item.obligation, *covered(item)))


def _how(channel: str) -> str:
    return "mail" if channel == "email" else channel
