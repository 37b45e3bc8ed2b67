"""Whoever keeps what is owed, with the gateways of the business: from `kai.yaml`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.sip_message import SipMessages
from kai_ari.clock import Clock
from kai_ari.config.alert_rules import alert_rules
from kai_ari.config.schema import Config
from kai_ari.followup.incoming import Incoming
from kai_ari.followup.parts import Parts, parts
from kai_ari.followup.ports import Desk, Notifier
from kai_ari.followup.text_back import TextBacks
from kai_ari.gateways import notifiers
from kai_ari.people.presence import PresenceBook
from kai_ari.people.staff import Staff


@dataclass(frozen=True, kw_only=True)
class Office:
    """`answers` hears what people text back from phones of the house; None without phones."""

    parts: Parts
    channels: frozenset[str]
    answers: SipMessages | None

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.parts.keeper.run(), name="what is owed")
            if self.answers is not None:
                tasks.create_task(self.answers.run(), name="answers from phones")

    def rules_changed(self, config: Config, staff: Staff) -> None:
        """Alerts and people as they are now; gateways, and whether Kai itself calls or texts back,
        stay as they were at the start: what does it was built then, or was not."""
        before = self.parts.rules.current
        self.parts.rules.current = replace(
            alert_rules(config, staff, self.channels),
            calls_back=before.calls_back,
            texts_back=before.texts_back,
        )
        self.parts.keeper.wake()


@asynccontextmanager
async def open_office(
    config: Config,
    staff: Staff,
    *,
    ari: AriSettings,
    desk: Desk,
    presence: Callable[[], Awaitable[PresenceBook]],
    clock: Clock,
    by_phone: Callable[[Incoming], Notifier],
    text_backs: TextBacks | None = None,
) -> AsyncIterator[Office]:
    """`by_phone` makes the notifier that calls people. Raises ConfigError when a secret or a port
    that a gateway needs cannot be had."""
    found: dict[str, Notifier] = {}
    made = parts(
        desk=desk,
        rules=alert_rules(config, staff, ()),
        notifiers=found,
        presence=presence,
        clock=clock,
        recordings=config.data / "recordings",
        texts=text_backs,
    )
    async with AsyncExitStack() as stack:
        found.update(await stack.enter_async_context(notifiers(config, made.incoming, clock)))
        answers = None
        if config.phones:
            phones = frozenset(config.phones)
            texts = SipMessages(ari, phones, made.incoming)
            answers = await stack.enter_async_context(texts)
            found[answers.channel] = answers
        found["phone"] = by_phone(made.incoming)
        channels = frozenset(found)
        made.rules.current = alert_rules(config, staff, channels)
        yield Office(parts=made, channels=channels, answers=answers)
