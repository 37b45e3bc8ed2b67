"""Run as a process by the crash tests: appends keys to two calls at once, and prints each one
that was acknowledged. Arguments: the ledger, how many appends at most, and optionally the
size in bytes that no file may grow past."""

import asyncio
import resource
import sys
from pathlib import Path

from kai_ari.calls.events import KeyPressed
from kai_ari.clock import SystemClock
from kai_ari.errors import LedgerError
from kai_ari.ledger.store import open_ledger
from tests.ledger.calls import A, B


async def main(path: Path, most: int, largest: int | None) -> None:
    async with open_ledger(path, SystemClock()) as ledger:
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

        async def write(call: str) -> None:
            for n in range(most):
                try:
                    await ledger.append(A if call == "A" else B, KeyPressed(key=str(n)))
                except LedgerError as error:
                    print(call, type(error).__name__, error, flush=True)
                    return
                print(call, n, flush=True)

        await asyncio.gather(write("A"), write("B"))


if __name__ == "__main__":
    size = int(sys.argv[3]) if len(sys.argv) > 3 else None
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), size))
