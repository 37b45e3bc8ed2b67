"""A ledger in a directory of its own, with a clock that moves one second for each look."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.store import SqlLedger, open_ledger


class StepClock:
    def __init__(self) -> None:
        self._seconds = 0

    def now(self) -> datetime:
        self._seconds += 1
        return datetime(2026, 11, 22, 9, 0, tzinfo=UTC) + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return float(self._seconds)


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return ledger_file(tmp_path / "data")


@pytest.fixture
async def ledger(path: Path, clock: StepClock) -> AsyncIterator[SqlLedger]:
    async with open_ledger(path, clock) as opened:
        yield opened
