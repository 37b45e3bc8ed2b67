"""The parts that keep what is owed, put together."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kai_ari.calls.call import CallId
from kai_ari.clock import Clock
from kai_ari.followup.digest import Digest
from kai_ari.followup.incoming import Incoming
from kai_ari.followup.keeper import Keeper
from kai_ari.followup.outbox import OutboxItem
from kai_ari.followup.planner import HouseRules, Planner
from kai_ari.followup.ports import Desk, Notifier
from kai_ari.followup.reaching import AlertRules
from kai_ari.followup.sender import BACK_OFF, Sender
from kai_ari.followup.text_back import TextBacks
from kai_ari.people.presence import PresenceBook
from kai_ari.promises.retry import BackOff, Breaker


@dataclass(frozen=True, kw_only=True)
class Parts:
    """`incoming` is the sink of all notifiers."""

    keeper: Keeper
    incoming: Incoming
    rules: HouseRules


def parts(
    *,
    desk: Desk,
    rules: AlertRules,
    notifiers: Mapping[str, Notifier],
    presence: Callable[[], Awaitable[PresenceBook]],
    clock: Clock,
    recordings: Path,
    texts: TextBacks | None = None,
    back_off: BackOff = BACK_OFF,
    breaker: Breaker | None = None,
) -> Parts:
    """`notifiers` are by channel; they may be added until the keeper runs."""
    in_force = HouseRules(current=rules)
    planner = Planner(
        desk=desk, rules=in_force, presence=presence, clock=clock, recordings=recordings
    )

    async def on_sent(item: OutboxItem) -> None:
        await incoming.sent(item)

    async def changed(call: CallId) -> None:
        await keeper.changed(call)

    sender = Sender(
        desk=desk,
        planner=planner,
        notifiers=notifiers,
        clock=clock,
        on_sent=on_sent,
        texts=texts,
        back_off=back_off,
        breaker=breaker or Breaker(),
    )
    incoming = Incoming(desk=desk, rules=in_force, clock=clock, again=sender.again, changed=changed)
    digest = Digest(desk=desk, rules=in_force, clock=clock)
    keeper = Keeper(desk=desk, planner=planner, sender=sender, clock=clock, daily=digest)
    return Parts(keeper=keeper, incoming=incoming, rules=in_force)
