"""Messages into the owner's mailbox and out of it, and how long recordings are kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.mailboxes import AriMailboxes
from kai_ari.asterisk.media_transport import MediaTransport
from kai_ari.calls.numbers import normalise_number
from kai_ari.clock import Clock
from kai_ari.config.mailbox import owner_box
from kai_ari.config.schema import Config
from kai_ari.followup.mailbox import MailboxKeeper
from kai_ari.followup.retention import Retention
from kai_ari.house import ami_settings
from kai_ari.ledger.deposits import messages_owed, put_by_kai
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.recordings import FileRecordings
from kai_ari.ledger.store import SqlLedger
from kai_ari.reception.voicemail import Archive
from kai_ari.reception.voicemails import Voicemails


@dataclass(frozen=True, kw_only=True)
class Mailroom:
    """`keeper` is None where the owner has no mailbox, `retention` where all is kept."""

    keeper: MailboxKeeper | None
    retention: Retention | None

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self.keeper is not None:
                tasks.create_task(self.keeper.run(), name="mailbox")
            if self.retention is not None:
                tasks.create_task(self.retention.run(), name="retention")


@asynccontextmanager
async def mailroom(
    config: Config,
    *,
    ari: AriSettings,
    transport: MediaTransport,
    ledger: SqlLedger,
    archive: Archive,
    clock: Clock,
) -> AsyncIterator[Mailroom]:
    """Raises ConfigError when there is a mailbox, and AMI's secret is missing."""
    desk, box, days = SqlFollowUp(ledger), owner_box(config), config.keep.recordings
    directory = config.data / "recordings"
    async with AsyncExitStack() as stack:
        keeper = None
        if box is not None:
            mailboxes = AriMailboxes(ari, ami_settings(config), transport)
            await stack.enter_async_context(mailboxes)
            voicemails = Voicemails(
                shelf=mailboxes,
                archive=archive,
                ledger=ledger,
                clock=clock,
                put_by_kai=partial(put_by_kai, ledger),
                normalise=partial(normalise_number, country=config.business.country),
                extensions=frozenset(config.phones),
            )
            keeper = MailboxKeeper(
                desk=desk,
                mailboxes=mailboxes,
                box=box,
                recordings=directory,
                decode=archive.speech.decode_wav,
                collect=voicemails.collect,
                recent=partial(messages_owed, ledger),
                clock=clock,
            )
        retention = None
        if days is not None:
            files = FileRecordings(directory)
            retention = Retention(desk=desk, files=files, days=days, clock=clock)
        yield Mailroom(keeper=keeper, retention=retention)
