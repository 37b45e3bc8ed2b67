"""The record of a call while whoever writes it is stopped, on virtual time."""

import asyncio
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.errors import LedgerError
from kai_ari.ledger.store import open_ledger
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.reception.record import CallRecord
from kai_ari.reception.wrap_up import conclude
from kai_ari.testing.scripted_record import ListLedger
from kai_ari.testing.virtual_time import VirtualClock, run_virtual

CALL = CallId("0000000test1")
ARRIVED = ev.Arrived(
    channel="caller", did="100", caller_raw="", caller_name="", caller_number="+12025550142",
    resumed_from=None,
)  # fmt: skip
REASON = ev.SlotTaken(slot="reason", value="My tap is leaking.", how="voice")
STOPPED = ev.Ended(by=ev.EndedBy.FAULT, cause=None, reason="agent_stopped")


def test_a_call_back_that_is_written_while_the_agent_stops_is_owed_once(tmp_path: Path) -> None:
    async def stopped() -> list[Owed]:
        clock = VirtualClock()
        async with open_ledger(tmp_path / "ledger", clock) as ledger:
            record = CallRecord(CALL, ledger, clock)
            await record.note(ARRIVED, REASON)
            owing = asyncio.create_task(record.owe(Owed.CALL_BACK, {}))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            owing.cancel()
            await asyncio.wait({owing})
            assert owing.cancelled()
            await conclude(record, STOPPED)
            assert record.history == await ledger.history(CALL)
            return [one.obligation.owed for one in await ledger.obligations()]

    assert run_virtual(stopped()) == [Owed.CALL_BACK]


class Slow(ListLedger):
    """Takes an event, or refuses it, after a second, whoever waits for it."""

    async def append(
        self, call: CallId, *events: Event, obligations: Sequence[Obligation] = ()
    ) -> None:
        await asyncio.sleep(1)
        await super().append(call, *events, obligations=obligations)


@pytest.mark.parametrize("refused", [False, True])
def test_who_is_stopped_over_and_over_goes_when_it_is_known_what_was_written(
    refused: bool,
) -> None:
    lost: list[dict[str, Any]] = []

    async def stopped(ledger: Slow) -> CallRecord:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: lost.append(told))
        record = CallRecord(CALL, ledger, VirtualClock())
        noting = asyncio.create_task(record.note(ARRIVED))
        for _ in range(3):
            await asyncio.sleep(0.1)
            noting.cancel()
        await asyncio.wait({noting})
        assert noting.cancelled()
        return record

    ledger = Slow(fails_at=1 if refused else None)
    record = run_virtual(stopped(ledger))
    gc.collect()
    assert record.history == ledger.events == ([] if refused else [ARRIVED])
    assert lost == []


def test_what_is_refused_is_told_to_who_waits_and_is_not_in_the_history() -> None:
    record = CallRecord(CALL, ListLedger(fails_at=1), VirtualClock())
    with pytest.raises(LedgerError):
        run_virtual(record.note(ARRIVED))
    assert record.history == []
