"""A text to callers who left before they were helped, where the business prefers that to a call.

A text is no call back. What is owed stays open, people are told of it as if Kai did nothing, and
it is theirs to close; what the caller answers is shown to them. What may have arrived is never
sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import CallBackAsked, ObligationDue, SendingStarted
from kai_ari.calls.numbers import normalise_number
from kai_ari.calls.outcome import Headline, outcome, usable_number
from kai_ari.clock import Clock
from kai_ari.followup.gsm7 import gsm7, shortened
from kai_ari.followup.outbox import ItemState, OutboxItem, Recipient
from kai_ari.followup.ports import Desk
from kai_ari.promises import permission
from kai_ari.promises.obligation import Obligation
from kai_ari.promises.permission import Dialled, Refused, may_dial

#: The step of the outbox that such an item belongs to.
STEP = "text_back"
CHANNEL = "sms"

#: So that all of it fits into one message of 160 septets.
_NAME_MAX = 50

#: Where phonenumbers cannot tell a mobile from a landline, as in North America, it may be one.
_GETS_TEXTS = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


def to_text(history: Sequence[Event]) -> str:
    """The number that a text back may go to: the one that a caller who left before being helped
    called from, unless they gave another. "" for nobody: not who booked a call back."""
    booked = any(isinstance(event, leg.CallbackBooked | CallBackAsked) for event in history)
    if booked or Headline.CALLER_LEFT not in outcome(history).facts:
        return ""
    number = next((e.caller_number for e in history if isinstance(e, ev.Arrived)), None)
    if number is None or number != usable_number(history):
        return ""
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:  # an extension of the house
        return ""
    return number if kind in _GETS_TEXTS else ""


def is_text_back(item: OutboxItem) -> bool:
    return item.body.get("step") == STEP


@dataclass(frozen=True, kw_only=True)
class TextBacks:
    """`own` is the number to call the business at where the caller had dialled none that can be
    dialled from outside, "" for none."""

    desk: Desk
    clock: Clock
    permission: permission.Rules
    business: str
    own: str

    async def is_done(self, obligation: Obligation) -> bool:
        """Whether the one text for it was written down, whatever became of it."""
        return any(map(is_text_back, await self.desk.items(obligation=obligation.id)))

    async def refused(self, number: str, obligation: str, *, but: str = "") -> Refused | None:
        """As for a call to `number`. `but` is the key of the text in question itself."""
        at = self.clock.now()
        made = await self.desk.dialled(at - permission.DAY, obligation=obligation)
        found = may_dial(
            number,
            at,
            self.permission,
            await self.desk.opted_out(number),
            (*made, *await self.made(number, but=but)),
            obligation=obligation,
        )
        return found if isinstance(found, Refused) else None

    async def item_refused(self, item: OutboxItem) -> Refused | None:
        """Asked again when it is sent: much may have changed while it waited."""
        return await self.refused(item.to.address, item.obligation, but=item.key)

    async def made(self, number: str, *, but: str = "") -> Sequence[Dialled]:
        """The texts of the last 24 hours to `number`: they count as calls of no length."""
        since = self.clock.now() - permission.DAY
        return [
            Dialled(
                obligation=item.obligation,
                number=number,
                started=item.created_at,
                ended=item.created_at,
            )
            for item in await self.desk.items(address=number)
            if is_text_back(item)
            and item.key != but
            and item.state is not ItemState.CANCELLED
            and item.created_at > since
        ]

    async def plan(self, obligation: Obligation, number: str, history: Sequence[Event]) -> None:
        words = self._words(history)
        now = self.clock.now()
        item = OutboxItem(
            key=_key(obligation.id),
            obligation=obligation.id,
            call=obligation.call,
            channel=CHANNEL,
            to=Recipient(person="", name="the caller", address=number),
            body={
                "step": STEP,
                "not_before": now.isoformat(),
                "covers": "",  # nobody of the business is told by it
                "subject": self.business,
                "short": words,
                "text": words,
                "html": None,
                "recording": None,
                "urgent": False,
            },
            created_at=now,
            next_at=now,
        )
        await self.desk.plan(obligation.call, [item])

    def _words(self, history: Sequence[Event]) -> str:
        business = shortened(gsm7(self.business), _NAME_MAX)
        call = f"Call {number} or answer" if (number := self._reached_at(history)) else "Answer"
        return (
            f"{business}: sorry that we missed your call. {call} this text."
            " Reply STOP to get no more."
        )

    def _reached_at(self, history: Sequence[Event]) -> str:
        dialled = next((event.did for event in history if isinstance(event, ev.Arrived)), "")
        number = normalise_number(dialled, self.permission.country) or ""
        return number if number.startswith("+") else self.own


def call_wanted(obligation: Obligation, history: Sequence[Event]) -> bool:
    """Whether somebody of the business has asked for a call by Kai since the text was sent."""
    sent = False
    for event in history:
        match event:
            case SendingStarted(item=item) if item == _key(obligation.id):
                sent = True
            case ObligationDue(obligation=name) if sent and name == obligation.id:
                return True
    return False


def _key(obligation: str) -> str:
    return f"{obligation}.{STEP}.caller.{CHANNEL}"
