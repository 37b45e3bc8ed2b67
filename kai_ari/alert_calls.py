"""Telling people of the business by telephone: Asterisk calls them, reception has the
conversation, and what they press is what is known of it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kai_ari import log
from kai_ari.asterisk.connection import Asterisk
from kai_ari.asterisk.outbound import Placed, Placing, first_channel
from kai_ari.calls.call import Arrival, CallId, new_call_id
from kai_ari.calls.follow_events import ObligationKept
from kai_ari.calls.numbers import normalise_number
from kai_ari.calls.outcome import Headline, outcome
from kai_ari.clock import Clock
from kai_ari.dialogue.numbers import aloud
from kai_ari.errors import AsteriskError
from kai_ari.followup.facts import facts_of
from kai_ari.followup.ports import Desk, Notice, SendingFailed, Sent
from kai_ari.promises.obligation import Owed
from kai_ari.promises.permission import Permitted, Rules, may_ever_dial
from kai_ari.reception.errand import AlertErrand
from kai_ari.reception.ports import LiveCall
from kai_ari.reception.reception import Reception
from kai_ari.reception.routes import Rules as CallRules

#: As long as most mobiles ring before their mailbox answers.
RING_S = 25

_NUMBER = re.compile(r"\+?[0-9]{5,15}")
_TALKED = frozenset({Headline.HUMAN_CONNECTED, Headline.HANDED_OFF})

_log = log.get("alerts")


@dataclass(frozen=True, kw_only=True)
class AlertCalls:
    """Implements `Notifier`. `acknowledged` writes down that whoever a notice is for knows of it.
    `may_call` are the rules for numbers that they ask to be connected with."""

    asterisk: Asterisk
    reception: Reception
    rules: CallRules
    may_call: Rules
    desk: Desk
    acknowledged: Callable[[Notice], Awaitable[None]]
    clock: Clock
    shown: str
    channel: str = "phone"

    async def send(self, notice: Notice) -> Sent:
        """Returns when the call is over. Confirmed: they pressed that they take care of it, or
        have talked with the caller."""
        house = self.rules.current
        try:
            to = house.destination(notice.to.address)
        except KeyError:
            why = f"no line of the business leads to the number of {notice.to.name}"
            raise SendingFailed(why, retry=False, uncertain=False) from None
        errand = await self._errand(notice)
        # From here on without waiting, until they are reserved: no caller gets them meanwhile.
        if notice.to.address in self.reception.reservations.held:
            why = f"{notice.to.name} is rung by a caller, or talks to one"
            raise SendingFailed(why, retry=True, uncertain=False)
        call = new_call_id(self.clock.now())
        placing = Placing(
            call=call,
            to=to,
            ring_s=RING_S,
            shown_number=self.shown,
            shown_name=house.plan.business,
            detect=False,
        )
        arrival = Arrival(
            call=call,
            channel=first_channel(call),
            did="",
            caller_raw="",
            caller_name=notice.to.name,
            caller_number=notice.to.address,
        )

        async def serve(live: LiveCall, _: Placed) -> None:
            await self.reception.call_out(live, errand)

        try:
            with self.reception.reservations.hold((notice.to.address,)):
                placed = await self.asterisk.place(placing, arrival, serve)
        except AsteriskError as error:
            raise SendingFailed(str(error), retry=error.retryable, uncertain=False) from error
        if placed.ended is not None:
            why = f"{notice.to.name} was not reached: {placed.ended.reason.replace('_', ' ')}"
            raise SendingFailed(why, retry=False, uncertain=placed.uncertain)
        return Sent(receipt="", confirmed=await self._known(notice, call))

    async def _errand(self, notice: Notice) -> AlertErrand:
        facts = facts_of(await self.desk.history(notice.call))
        given = facts.number or ""
        caller = normalise_number(given, self.may_call.country)
        if caller is not None:
            listed = await self.desk.opted_out(caller)
            if not isinstance(may_ever_dial(caller, self.may_call, listed), Permitted):
                caller = None

        async def acknowledge() -> None:
            await self.acknowledged(notice)

        return AlertErrand(
            number=notice.to.address,
            of_call=notice.call,
            obligation=notice.obligation,
            what=spoken(notice.short),
            caller=caller,
            who=facts.name or "the caller",
            shown=self.shown,
            acknowledge=acknowledge,
        )

    async def _known(self, notice: Notice, call: CallId) -> bool:
        """Who has talked with the caller has done what was owed."""
        result = outcome(history := await self.desk.history(call))
        if result.facts & _TALKED:
            await self.acknowledged(notice)
            # A mailbox answers, too; whoever called knows what it was.
            who = notice.to.name
            evidence = f"{who} called them back and talked to whoever answered (call {call})"
            for one in await self.desk.owed(call=notice.call, kind=Owed.CALL_BACK):
                kept = ObligationKept(obligation=one.id, evidence=evidence)
                await self.desk.note(notice.call, kept)
            return True
        return any(getattr(event, "reason", "") == "acknowledged" for event in history)


def spoken(short: str) -> str:
    """The text of a notice as a voice can read it: numbers digit by digit, no reference."""
    text = re.sub(r"\s*#\w+\s*$", "", short).replace("URGENT:", "It is urgent.")
    return _NUMBER.sub(lambda found: aloud(found[0]), text)
