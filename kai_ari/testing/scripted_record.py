"""The record of scripted calls, in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.errors import LedgerError
from kai_ari.promises.obligation import Obligation


@dataclass(kw_only=True)
class ListLedger:
    """Events and obligations in lists. `fails_at` breaks the append of that many-th event."""

    events: list[Event] = field(default_factory=list)
    obligations: list[Obligation] = field(default_factory=list)
    open: list[CallId] = field(default_factory=list)
    fails_at: int | None = None

    async def append(
        self, call: CallId, *events: Event, obligations: Sequence[Obligation] = ()
    ) -> None:
        await asyncio.sleep(0.001)
        if self.fails_at is not None and len(self.events) + len(events) >= self.fails_at:
            raise LedgerError("the disk is full, says the script")
        self.events += events
        self.obligations += obligations

    async def history(self, call: CallId) -> Sequence[Event]:
        return self.events

    async def open_calls(self) -> Sequence[CallId]:
        return self.open


@dataclass(kw_only=True)
class DictRecordings:
    files: dict[str, bytes] = field(default_factory=dict)
    full: bool = False

    async def store(self, name: str, data: bytes) -> tuple[str, str]:
        if self.full:
            raise LedgerError("there is no room for a recording, says the script")
        self.files[name] = data
        return f"recordings/{name}", "0" * 64
