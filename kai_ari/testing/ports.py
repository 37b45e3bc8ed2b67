"""Names and ports of private Asterisk instances: each is held by one process at a time."""

import fcntl
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kai_ari.errors import KaiError

# Ports of temporary instances: below the range the kernel hands out (32768 and up).
_SLOT_BASE, _SLOT_STEP, _SLOTS = 20_000, 200, 50


class PbxError(KaiError):
    code = "pbx"


@dataclass(frozen=True, kw_only=True)
class Ports:
    http: int
    ami: int
    sip: int
    rtp_first: int
    rtp_last: int


#: The usual ones, for an instance that people dial in to.
USUAL_PORTS = Ports(http=8088, ami=5038, sip=5060, rtp_first=10_000, rtp_last=10_999)


def try_lock(path: Path) -> IO[str] | None:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def free_slot(
    locks: Path, kind: str, usable: Callable[[Ports], bool] = lambda _: True
) -> tuple[IO[str], int, Ports]:
    """The first slot of this kind that no other process holds, and whose ports are usable.

    The ports between AMI's and RTP's are for what a test puts beside its Asterisk.
    """
    for slot in range(_SLOTS):
        base = _SLOT_BASE + slot * _SLOT_STEP
        ports = Ports(
            http=base,
            ami=base + 2,
            sip=base + 1,
            rtp_first=base + 10,
            rtp_last=base + _SLOT_STEP - 1,
        )
        lock = try_lock(locks / f"{kind}-{slot}")
        if lock is None:
            continue
        if usable(ports):
            return lock, slot, ports
        lock.close()
    raise PbxError(
        f"no free ports between {_SLOT_BASE} and {_SLOT_BASE + _SLOTS * _SLOT_STEP}: are temporary "
        "Asterisk instances left over? (ps -C asterisk)"
    )


def busy_port(sip_address: str, ports: Ports) -> str | None:
    """The first port that another program has, in words."""
    for kind, name, address, port in (
        (socket.SOCK_STREAM, "TCP", "127.0.0.1", ports.http),
        (socket.SOCK_STREAM, "TCP", "127.0.0.1", ports.ami),
        (socket.SOCK_DGRAM, "UDP", sip_address, ports.sip),
    ):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return f"{name} port {port} on {address}"
    return None
