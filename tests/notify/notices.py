"""Notices to send, and a sink that keeps what comes back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kai_ari.calls.call import CallId
from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.errors import LedgerError
from kai_ari.followup.outbox import Recipient
from kai_ari.followup.ports import Notice

#: Nothing here takes as long; a machine that is busy with other tests may.
LIMIT_S = 60.0


def notice(
    address: str,
    *,
    key: str = "call-1/alert/dana",
    short: str = "URGENT: Ann Baker, +12025550142. Pipe burst. Call them. #1a2b3c4d",
    text: str = "Ann Baker, +12025550142\nA pipe has burst.\n",
    html: str | None = None,
    recording: Path | None = None,
    urgent: bool = True,
) -> Notice:
    return Notice(
        key=key,
        to=Recipient(person="dana", name="Dana Rossi", address=address),
        subject="URGENT: Ann Baker, +12025550142: a pipe has burst",
        short=short,
        text=text,
        html=html,
        recording=recording,
        urgent=urgent,
        call=CallId("call-1"),
        obligation="1a2b3c4d",
    )


Receipt = tuple[str, str, ReceiptResult, str]
Reply = tuple[str, str, str]


@dataclass(kw_only=True)
class Kept:
    """A sink. `full`: it cannot write anything down."""

    receipts: list[Receipt] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    full: bool = False
    refused: int = 0
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receipt(self, channel: str, receipt: str, result: ReceiptResult, why: str) -> None:
        await self._keep()
        async with self.came:
            self.receipts.append((channel, receipt, result, why))
            self.came.notify_all()

    async def reply(self, channel: str, address: str, text: str) -> None:
        await self._keep()
        async with self.came:
            self.replies.append((channel, address, text))
            self.came.notify_all()

    async def _keep(self) -> None:
        if self.full:
            async with self.came:
                self.refused += 1
                self.came.notify_all()
            raise LedgerError("the disk is full")

    async def until(self, there: Callable[[], bool]) -> None:
        """Asked again with everything that comes."""
        async with asyncio.timeout(LIMIT_S), self.came:
            await self.came.wait_for(there)
