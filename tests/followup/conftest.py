"""Days that pass in a moment, with a real ledger in them."""

from datetime import timedelta
from queue import SimpleQueue
from typing import Any

import pytest

from kai_ari.testing.virtual_time import VirtualLoop


class _Work(SimpleQueue):  # type: ignore[type-arg]
    """What the driver's thread has to do."""

    def put_nowait(self, work: Any) -> None:
        future, _ = work
        loop = future.get_loop() if future is not None else None
        if isinstance(loop, VirtualLoop):
            loop.elsewhere(future)
        super().put_nowait(work)


@pytest.fixture(autouse=True)
def _time_waits_for_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver has threads of its own, which no virtual loop would know of."""
    monkeypatch.setattr("aiosqlite.core.SimpleQueue", _Work)


@pytest.fixture
def seldom_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody else writes: without polling a day passes in a moment."""
    monkeypatch.setattr("kai_ari.ledger.news.POLL_S", 36_000.0)
    monkeypatch.setattr("kai_ari.followup.keeper.REVIEW", timedelta(hours=10))
