"""Where Asterisk is installed on this machine: on the system, or in a root directory of its own."""

import shutil
import socket
from pathlib import Path, PurePosixPath

from kai_ari.asterisk.conf import Directories
from kai_ari.testing.ports import PbxError

#: Where scripts/setup puts Asterisk when the system has none that is new enough.
TREE = Path("/var/lib/kai/asterisk-root")
SYSTEM = Path("/")

_MODULES = ("usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules", "usr/lib64/asterisk/modules")


def installed_root() -> Path:
    """The directory Asterisk is installed in: `/`, or a tree to change root into.

    Raises PbxError when there is none.
    """
    if (TREE / "usr/sbin/asterisk").exists():
        return TREE
    if shutil.which("asterisk"):
        return SYSTEM
    raise PbxError(f"no Asterisk, neither in {TREE} nor on the system: run scripts/setup")


def asterisk_command(root: Path) -> tuple[str, ...]:
    return ("asterisk",) if root == SYSTEM else ("chroot", str(root), "/usr/sbin/asterisk")


def directories(root: Path, home: Path) -> Directories:
    """The instance's own directories below `home`, and those of the installation.

    Raises PbxError when the installation is not complete.
    """
    modules = next(
        (found for pattern in _MODULES for found in root.glob(pattern)),
        None,
    )
    data = next(
        (
            place
            for place in (root / "usr/share/asterisk", root / "var/lib/asterisk")
            if (place / "rest-api").exists()
        ),
        None,
    )
    if modules is None or data is None:
        raise PbxError(f"Asterisk's modules or data are missing under {root}: run scripts/setup")

    def inside(path: Path) -> PurePosixPath:
        return PurePosixPath("/", path.relative_to(root))

    return Directories(
        etc=inside(home / "etc"),
        state=inside(home / "state"),
        spool=inside(home / "spool"),
        run=inside(home / "run"),
        log=inside(home / "log"),
        cache=inside(home / "cache"),
        data=inside(data),
        modules=inside(modules),
    )


def name_the_host(root: Path) -> None:
    """Without an entry for the machine's own name, Asterisk asks DNS on every call."""
    hosts, name = root / "etc/hosts", socket.gethostname()
    known = hosts.read_text() if hosts.exists() else "127.0.0.1 localhost\n"
    if root != SYSTEM and name not in known.split():
        hosts.write_text(f"{known.rstrip()}\n127.0.0.1 {name}\n")
