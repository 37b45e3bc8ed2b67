"""Run as a process by the crash tests: follows one obligation from booking to receipt, again
and again, and is killed three SQL statements later each time, until it gets to the end.

Arguments: an empty ledger, a directory, and the statement to be killed at first. The run that
is killed before its n-th statement leaves the ledger `n.sqlite` there, and `n.done` with a
dot for each step that returned.
"""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine, event

from kai_ari.calls import follow_events as follow
from kai_ari.calls.follow_events import ReceiptResult, SendingResult
from kai_ari.clock import SystemClock
from kai_ari.followup.outbox import ItemState
from kai_ari.ledger.follow_up import SqlFollowUp, open_desk
from tests.ledger.calls import ITEM, LEFT, SENDING, A, owed, started

FAILED = replace(SENDING[0], state=ItemState.QUEUED, error="no route")
AGAIN = started(FAILED)
SENT = replace(AGAIN[0], state=ItemState.SENT, receipt="r1")


def ended(result: SendingResult) -> follow.SendingEnded:
    return follow.SendingEnded(obligation="o1", item=ITEM.key, result=result, receipt="r1", why="")


#: The events that each step writes.
STEPS = (
    (follow.CallBackAsked(how="command", by="dana"), owed(A)[0], LEFT),
    (),
    (SENDING[1],),
    (ended(SendingResult.FAILED),),
    (AGAIN[1],),
    (ended(SendingResult.ACCEPTED),),
    (
        follow.ReceiptCame(obligation="o1", item=ITEM.key, result=ReceiptResult.DELIVERED, why=""),
        follow.ObligationKept(obligation="o1", evidence="delivered"),
    ),
    (follow.OptedOut(number="+12025550123", source="key", said="pressed 9"),),
)


async def play(desk: SqlFollowUp, done: Path) -> None:
    steps = (
        desk.note(A, *STEPS[0], obligations=[owed(A)[1]]),
        desk.plan(A, [ITEM]),
        desk.change(SENDING[0], *STEPS[2]),
        desk.change(FAILED, *STEPS[3]),
        desk.change(AGAIN[0], *STEPS[4]),
        desk.change(SENT, *STEPS[5]),
        desk.change(replace(SENT, state=ItemState.DELIVERED), *STEPS[6]),
        desk.note(A, *STEPS[7]),
    )
    with done.open("w") as file:
        for step in steps:
            await step
            file.write(".")
            file.flush()


async def run(path: Path, done: Path) -> None:
    async with open_desk(path, SystemClock()) as desk:
        await play(desk, done)


def die_at(statement: int) -> None:
    """SQLite tells of each statement of the writing connection just before it runs."""
    left = statement

    def traced(_sql: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(Engine, "connect")
    def connected(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(traced)


def main(empty: Path, directory: Path, first: int) -> None:
    """Each run in a fork of this process, which has everything imported and no threads."""
    statement, status = first - 3, signal.SIGKILL.value
    while status == signal.SIGKILL:
        statement += 3
        ledger = directory / f"{statement:03}.sqlite"
        shutil.copy(empty, ledger)
        child = os.fork()
        if child == 0:
            die_at(statement)
            asyncio.run(run(ledger, ledger.with_suffix(".done")))
            os._exit(0)
        _, status = os.waitpid(child, 0)
    sys.exit(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
