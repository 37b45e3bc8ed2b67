"""What following up needs from the rest of the house."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.errors import KaiError
from kai_ari.followup.outbox import ItemState, OutboxItem, Recipient
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.opt_out import OptOut
from kai_ari.promises.permission import Dialled


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What one person is told, ready to send. The same `key` is the same notice.

    `short` has at most 300 characters of GSM-7. `recording` is a file to attach.
    """

    key: str
    to: Recipient
    subject: str
    short: str
    text: str
    html: str | None
    recording: Path | None
    urgent: bool
    call: CallId
    obligation: str


@dataclass(frozen=True, kw_only=True)
class Sent:
    """`confirmed`: acceptance is the receipt (mail, webhook); else one follows, or never does."""

    receipt: str
    confirmed: bool


class SendingFailed(KaiError):
    """`retry`: the same may work later. `uncertain`: it may have been sent all the same."""

    code = "sending_failed"

    def __init__(self, why: str, *, retry: bool, uncertain: bool) -> None:
        super().__init__(why)
        self.retry = retry
        self.uncertain = uncertain


class Notifier(Protocol):
    """One way to tell somebody. `channel`: sms, email, sip_message, phone, webhook."""

    @property
    def channel(self) -> str: ...

    async def send(self, notice: Notice) -> Sent:
        """Returns when the gateway has it. Raises SendingFailed."""
        ...


class Sink(Protocol):
    """Where a notifier hands in what comes back; each may come late, twice or never."""

    async def receipt(self, channel: str, receipt: str, result: ReceiptResult, why: str) -> None:
        """Durable on return. Raises LedgerError: the gateway should tell it again."""
        ...

    async def reply(self, channel: str, address: str, text: str) -> None: ...


class Desk(Protocol):
    """The ledger, as far as it concerns what is owed. Every method raises LedgerError.

    What writes is durable on return, and rows and events are one transaction. It raises
    Overtaken when another process or task was first: nothing was written then.

    A row that is damaged is left out, and logged; what is asked of its own call raises.
    """

    async def owed(
        self, *, call: CallId | None = None, kind: Owed | None = None
    ) -> Sequence[Obligation]:
        """Open obligations, oldest first. `due` is as it stands now."""
        ...

    async def lengths(self) -> Mapping[CallId, int]:
        """The length of the record of each call that something is owed on, oldest first."""
        ...

    async def unresolved(self) -> Sequence[CallId]:
        """Calls that ended unresolved, or cut off from a person, with nothing owed for them,
        oldest first."""
        ...

    async def history(self, call: CallId) -> Sequence[Event]: ...

    async def records(self, call: CallId) -> Sequence[Record]:
        """The history with the instant of each event."""
        ...

    async def note(
        self, call: CallId, *events: Event, obligations: Sequence[Obligation] = ()
    ) -> None:
        """Write events. CallBackStarted is refused (Overtaken) when the obligation is closed,
        another attempt of it is up, or the number has opted out."""
        ...

    async def plan(self, call: CallId, items: Sequence[OutboxItem], *events: Event) -> None:
        """Queue items; one whose key is there already is left as it is."""
        ...

    async def items(
        self,
        *,
        call: CallId | None = None,
        obligation: str | None = None,
        address: str | None = None,
    ) -> Sequence[OutboxItem]:
        """Oldest first: all, those of a call or an obligation, those to an address."""
        ...

    async def sent_to(
        self, person: str, *, states: Collection[ItemState], newest: int
    ) -> Sequence[OutboxItem]:
        """Those to a key of `people` that are in one of `states`: the `newest` so many, newest
        first."""
        ...

    async def due(
        self,
        at: datetime,
        limit: int,
        *,
        not_by: Collection[str] = (),
        but: Collection[str] = (),
    ) -> Sequence[OutboxItem]:
        """Queued and due, oldest first, without those of the channels `not_by` and those with a
        key of `but`."""
        ...

    async def next_due(
        self, *, not_by: Collection[str] = (), but: Collection[str] = ()
    ) -> datetime | None:
        """When the first queued item is due, left out as in `due`."""
        ...

    async def in_flight(self) -> Sequence[OutboxItem]:
        """Items that are being sent: at the start, what a killed process left."""
        ...

    async def change(self, item: OutboxItem, *events: Event) -> None:
        """Write the item as it is now, and what happened to it."""
        ...

    async def by_receipt(self, channel: str, receipt: str) -> OutboxItem | None: ...

    async def opted_out(self, number: str) -> OptOut | None:
        """The entry that keeps Kai from ringing the number, or None."""
        ...

    async def say_opt_out(self, entry: OptOut) -> None:
        """Add an entry. What is said on a call is OptedOut on its record, which adds one, too."""
        ...

    async def dialled(self, since: datetime, *, obligation: str) -> Sequence[Dialled]:
        """Call backs begun since then, to any number, and all ever begun for `obligation`."""
        ...

    async def news(self, mark: int) -> int:
        """The mark of the latest change of what is owed or queued, once it is another than
        `mark` (0 at first): at once for what this process writes, within seconds for others."""
        ...
