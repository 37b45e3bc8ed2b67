"""Killed before any statement: what was owed, sent and heard of is there whole, or not at all."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import ObligationKept, SendingStarted
from kai_ari.clock import SystemClock
from kai_ari.ledger.database import prepare
from kai_ari.ledger.follow_up import open_desk
from kai_ari.ledger.reader import open_reader
from tests.ledger.calls import A
from tests.ledger.killed_process import STEPS

ROOT = Path(__file__).parents[2]

#: What the record holds after each number of steps.
WHOLE: list[list[Event]] = [
    [event for step in STEPS[:done] for event in step] for done in range(len(STEPS) + 1)
]


async def test_killed_anywhere_every_step_is_whole_or_not_at_all(tmp_path: Path) -> None:
    empty = tmp_path / "empty" / "ledger.sqlite"
    prepare(empty)
    first = random.randint(1, 3)  # noqa: S311 - so that in the end every statement has its turn
    command = [sys.executable, "-m", "tests.ledger.killed_process", empty, tmp_path, first]
    await asyncio.to_thread(subprocess.run, list(map(str, command)), cwd=ROOT, check=True)

    ledgers = sorted(tmp_path.glob("*.sqlite"))
    lengths = {await what_is_left(path) for path in ledgers}
    assert lengths == {len(history) for history in WHOLE}, "killed within every step"
    assert len(ledgers) > 20


async def what_is_left(path: Path) -> int:
    """How many events; and whoever comes next is in no doubt about what was under way."""
    marks = path.with_suffix(".done")
    returned = len(marks.read_text()) if marks.exists() else 0
    async with open_reader(path) as reader:
        assert await reader.verify() == [], path
        history = list(await reader.history(A))
    assert history in WHOLE[returned:], f"{path}: {returned} steps had returned"
    async with open_desk(path, SystemClock()) as desk:
        sending = bool(history) and isinstance(history[-1], SendingStarted)
        assert len(await desk.in_flight()) == int(sending), path
        listed = await desk.opted_out("+12025550123")
        assert (listed is not None) == (history == WHOLE[-1]), path
        for owed in await desk.owed():
            await desk.note(A, ObligationKept(obligation=owed.id, evidence="done by hand"))
        assert await desk.owed() == []
    return len(history)
