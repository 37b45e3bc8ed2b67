"""One agent for each ledger: a second would take the first one's calls for abandoned ones."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kai_ari.ledger.faults import LedgerInUse, explain

_LOCKS = Path("/proc/locks")


@contextmanager
def sole_agent(ledger: Path) -> Iterator[None]:
    """Hold the ledger for this process; the kernel lets go when it dies, however it dies.

    Raises LedgerInUse when another agent holds it.
    """
    path = ledger.with_suffix(".lock")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise explain(error, path) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerInUse(
                f"{ledger}: another agent is running with this ledger; stop that one first,"
                " or give this one a data directory of its own"
            ) from error
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        yield
    finally:
        os.close(lock)


def running_agent(ledger: Path) -> int | None:
    """The process that holds the ledger, or None when no agent runs. Raises OSError.

    Read from the kernel: taking the lock to see would stop an agent that starts in that instant.
    """
    path = ledger.with_suffix(".lock")
    try:
        holder, inode = path.read_text(), path.stat().st_ino
    except FileNotFoundError:
        return None
    if not holder.isdecimal():
        return None
    # Such as "7: FLOCK  ADVISORY  WRITE 6357 fe:00:1459268 0 EOF".
    held = rf"FLOCK +ADVISORY +WRITE +{holder} +[0-9a-f]+:[0-9a-f]+:{inode} "
    return int(holder) if re.search(held, _LOCKS.read_text()) else None
