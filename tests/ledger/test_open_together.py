"""Several ledgers opened at the same moment in one process."""

import asyncio
from pathlib import Path

from kai_ari.ledger.database import prepare


async def test_ledgers_are_made_at_the_same_time(tmp_path: Path) -> None:
    places = [tmp_path / str(number) / "ledger.sqlite" for number in range(6)]
    await asyncio.gather(*(asyncio.to_thread(prepare, place) for place in places))
    assert all(place.exists() for place in places)
