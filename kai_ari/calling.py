"""Call backs carried out: Asterisk makes the call, reception has the conversation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from kai_ari.alert_calls import AlertCalls
from kai_ari.asterisk.connection import Asterisk
from kai_ari.asterisk.outbound import Placed, Placing, first_channel
from kai_ari.calls.call import Arrival, CallId
from kai_ari.calls.follow_events import CallBackResult
from kai_ari.clock import Clock
from kai_ari.config.call_rules import permission_rules, shown_number
from kai_ari.config.callbacks import Callbacks
from kai_ari.config.schema import Config
from kai_ari.followup.callbacks import CallBackRules, CallBacks
from kai_ari.followup.dialler import CallBack, Came
from kai_ari.followup.incoming import Incoming
from kai_ari.followup.ports import Desk, Notice, Notifier
from kai_ari.followup.text_back import TextBacks
from kai_ari.promises.retry import BackOff
from kai_ari.reception.errand import Errand
from kai_ari.reception.legs import LegEnded, LegResult
from kai_ari.reception.ports import LiveCall
from kai_ari.reception.reception import Reception
from kai_ari.reception.routes import Rules

_RESULTS = {
    LegResult.BUSY: CallBackResult.BUSY,
    LegResult.DECLINED: CallBackResult.REJECTED,
    LegResult.NO_ANSWER: CallBackResult.NO_ANSWER,
    LegResult.UNREACHABLE: CallBackResult.UNREACHABLE,
    LegResult.REFUSED: CallBackResult.UNREACHABLE,
}
_NO_SUCH_NUMBER = "no_such_number"


@dataclass(frozen=True, kw_only=True)
class HouseDialler:
    """Implements `followup.dialler.Dialler`. `shown` is the number shown as calling, "" for none.
    `machine_words`: a machine gets a message, else nothing."""

    asterisk: Asterisk
    reception: Reception
    rules: Rules
    ring_s: int
    shown: str
    machine_words: bool

    def channel_of(self, call: CallId) -> str:
        return first_channel(call)

    async def dial(self, call_back: CallBack) -> Came | None:
        house = self.rules.current
        try:
            to = house.destination(call_back.number)
        except KeyError:
            why = "no line of the business leads to this number"
            return Came(result=CallBackResult.REFUSED, why=why)
        placing = Placing(
            call=call_back.call,
            to=to,
            ring_s=self.ring_s,
            shown_number=self.shown,
            shown_name=house.plan.business,
            machine_words=self.machine_words,
        )
        arrival = Arrival(
            call=call_back.call,
            channel=first_channel(call_back.call),
            did=call_back.did,
            caller_raw="",
            caller_name=call_back.slots.get("name", ""),
            caller_number=call_back.number,
        )
        errand = Errand(
            number=call_back.number,
            of_call=call_back.of_call,
            obligation=call_back.obligation,
            why=call_back.why,
            slots=call_back.slots,
        )

        async def serve(live: LiveCall, placed: Placed) -> None:
            if not placed.machine or self.machine_words:
                told = replace(errand, machine=placed.machine, told_by=placed.why)
                await self.reception.call_out(live, told)

        placed = await self.asterisk.place(placing, arrival, serve)
        if placed.ended is not None:
            return _not_reached(placed.ended, uncertain=placed.uncertain)
        if placed.machine and not self.machine_words:
            return Came(result=CallBackResult.MACHINE, why=placed.why)
        return None

    async def is_up(self, channel: str) -> bool:
        return await self.asterisk.has(channel)


def _not_reached(ended: LegEnded, *, uncertain: bool) -> Came:
    if uncertain:
        return Came(result=CallBackResult.UNCERTAIN, why=ended.reason)
    if ended.reason == _NO_SUCH_NUMBER:
        return Came(result=CallBackResult.INVALID, why=ended.reason)
    if ended.result is LegResult.DROPPED:
        return Came(result=CallBackResult.FAILED, why="answered, and hung up at once")
    return Came(result=_RESULTS.get(ended.result, CallBackResult.FAILED), why=ended.reason)


#: After a busy line: it is free again sooner than somebody is back who was out.
_BUSY_S = 300.0


def call_backs(
    config: Config,
    rules: Rules,
    *,
    asterisk: Asterisk,
    reception: Reception,
    desk: Desk,
    clock: Clock,
    texts: TextBacks | None = None,
) -> CallBacks | None:
    """None where people call back themselves."""
    section = config.callbacks
    if section is None or not section.automatic:
        return None
    dialler = HouseDialler(
        asterisk=asterisk,
        reception=reception,
        rules=rules,
        ring_s=section.ring,
        shown=shown_number(config),
        machine_words=section.machine == "message",
    )
    return CallBacks(
        desk=desk,
        dialler=dialler,
        rules=call_back_rules(config, section, rules),
        clock=clock,
        texts=texts,
    )


def text_backs(config: Config, rules: Rules, *, desk: Desk, clock: Clock) -> TextBacks | None:
    """None unless callers who left before being helped get a text."""
    section = config.callbacks
    if section is None or not section.text_back:
        return None
    shown = shown_number(config)
    return TextBacks(
        desk=desk,
        clock=clock,
        permission=call_back_rules(config, section, rules).permission,
        business=config.business.name,
        own=shown if shown.startswith("+") else "",
    )


def alert_calls(
    config: Config,
    rules: Rules,
    *,
    asterisk: Asterisk,
    reception: Reception,
    desk: Desk,
    clock: Clock,
) -> Callable[[Incoming], Notifier]:
    """For the office: what calls people of the business to tell them what is owed."""

    def made(incoming: Incoming) -> Notifier:
        async def acknowledged(notice: Notice) -> None:
            await incoming.told(notice, "phone")

        return AlertCalls(
            asterisk=asterisk,
            reception=reception,
            rules=rules,
            may_call=permission_rules(config, rules.current.plan.staff.next_opening),
            desk=desk,
            acknowledged=acknowledged,
            clock=clock,
            shown=shown_number(config),
        )

    return made


def call_back_rules(config: Config, section: Callbacks, rules: Rules) -> CallBackRules:
    """The business hours are those in force when it is asked."""

    def opens(at: datetime) -> datetime | None:
        return rules.current.plan.staff.next_opening(at)

    again_s = section.retry_after * 60.0
    return CallBackRules(
        permission=permission_rules(config, opens),
        again=BackOff(first_s=again_s, most_s=max(again_s, 86_400.0), attempts=section.attempts),
        busy=BackOff(first_s=min(_BUSY_S, again_s), most_s=again_s, attempts=section.attempts),
        pace_s=section.pause,
        person=config.business.owner or "a person",
    )
