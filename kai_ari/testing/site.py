"""Where a private Asterisk runs: its name, ports, addresses and directories, held by a lock."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kai_ari.asterisk.conf import Directories
from kai_ari.testing.installation import asterisk_command, directories
from kai_ari.testing.ports import PbxError, Ports, busy_port, free_slot, try_lock

LOOPBACK = "127.0.0.1"

#: Below the root: the instances' directories, and the locks of those that run.
INSTANCES = Path("srv/kai")
LOCKS = INSTANCES / ".locks"


async def _nothing() -> None:
    """There is nothing to take down."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Reserved until `release`, for one Asterisk and its restarts.

    `home` is the instance's directory as this process sees it, `directories` what is in it as
    Asterisk sees them. `near_address` is this machine's, as Asterisk reaches it. `enter` is what
    a command begins with to run where Asterisk does; `take_down` undoes what that needed.
    """

    root: Path
    home: Path
    directories: Directories
    ports: Ports
    http_address: str
    sip_address: str
    near_address: str
    lock: IO[str]
    temporary: bool
    enter: tuple[str, ...] = ()
    take_down: Callable[[], Awaitable[None]] = _nothing

    @property
    def held(self) -> bool:
        return not self.lock.closed

    @property
    def command(self) -> tuple[str, ...]:
        """Asterisk there, without arguments but its configuration file."""
        conf = str(self.directories.etc / "asterisk.conf")
        return (*self.enter, *asterisk_command(self.root), "-C", conf)

    async def release(self) -> None:
        """Give it back, once no Asterisk runs there. Idempotent."""
        if not self.held:
            return
        try:
            if self.temporary:
                shutil.rmtree(self.home, ignore_errors=True)
            await self.take_down()
        finally:
            self.lock.close()


def locks_of(root: Path) -> Path:
    locks = root / LOCKS
    locks.mkdir(parents=True, exist_ok=True)
    return locks


def named_site(root: Path, instance: str, ports: Ports, sip_address: str) -> Site:
    """Raises PbxError when the instance runs already, or one of its ports is taken."""
    lock = try_lock(locks_of(root) / instance)
    if lock is None:
        raise PbxError(f"the Asterisk instance {instance!r} is already running: stop it first")
    busy = busy_port(sip_address, ports)
    if busy:
        lock.close()
        raise PbxError(f"{busy} is taken by another program: stop it, or choose other ports")
    return _here(root, instance, ports, sip_address, lock, temporary=False)


def temporary_site(root: Path, sip_address: str) -> Site:
    """The first that is free here. Raises PbxError when there is none."""
    lock, slot, ports = free_slot(
        locks_of(root), "temporary", lambda ports: busy_port(sip_address, ports) is None
    )
    name = f"temporary-{slot}"
    shutil.rmtree(root / INSTANCES / name, ignore_errors=True)
    return _here(root, name, ports, sip_address, lock, temporary=True)


def _here(
    root: Path, name: str, ports: Ports, sip_address: str, lock: IO[str], *, temporary: bool
) -> Site:
    home = root / INSTANCES / name
    try:
        places = directories(root, home)
    except PbxError:
        lock.close()
        raise
    return Site(
        root=root,
        home=home,
        directories=places,
        ports=ports,
        http_address=LOOPBACK,
        sip_address=sip_address,
        near_address=LOOPBACK,
        lock=lock,
        temporary=temporary,
    )
