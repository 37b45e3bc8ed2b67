"""Another machine for an Asterisk, as far as Kai can tell: a network and files of its own.

A network namespace is joined to this machine's network by a veth pair. Asterisk's directories
are mounted at `/srv` in a mount namespace that only Asterisk is in: the paths it knows do not
exist on this side. Tests use it to show that Kai assumes nothing of one machine.
"""

import asyncio
import ipaddress
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kai_ari.testing.installation import directories
from kai_ari.testing.ports import PbxError, Ports, free_slot, try_lock
from kai_ari.testing.site import INSTANCES, Site, locks_of

#: Set to anything, every temporary instance is put elsewhere: `pytest --asterisk-elsewhere`.
ELSEWHERE = "KAI_ASTERISK_ELSEWHERE"

_SLOTS = "elsewhere"
#: What their `/srv` are on this side.
_FILES = Path("/var/lib/kai/elsewhere")
#: Namespaces, and this side's interfaces (15 characters at most), by slot.
_NAME = "kai-pbx-{}"
#: For measurements and for private use (RFC 2544, RFC 1918): the first that has no route is taken.
_RANGES = tuple(map(ipaddress.IPv4Network, ("198.18.0.0/16", "10.213.0.0/16", "172.29.0.0/16")))


async def elsewhere_site(root: Path) -> Site:
    """A free site in another network and file tree. Raises PbxError when none can be made.

    What crashed runs left behind is removed first.
    """
    locks = locks_of(root)
    await _remove_leftovers(locks)
    lock, slot, ports = free_slot(locks, _SLOTS)
    try:
        await _remove(slot)
        link = await _join(slot)
        return _site(root, slot, ports, link, lock)
    except BaseException:
        await _remove(slot)
        lock.close()
        raise


@dataclass(frozen=True, kw_only=True)
class _Link:
    """The addresses of the veth pair's two ends."""

    near: str
    far: str


def _site(root: Path, slot: int, ports: Ports, link: _Link, lock: IO[str]) -> Site:
    files, name = _FILES / str(slot), _NAME.format(slot)
    instance = INSTANCES / name
    home = files / instance.relative_to("srv")
    home.mkdir(parents=True)

    async def take_down() -> None:
        await _remove(slot)

    return Site(
        root=root,
        home=home,
        directories=directories(root, root / instance),
        ports=ports,
        http_address=link.far,
        sip_address=link.far,
        near_address=link.near,
        lock=lock,
        temporary=True,
        # `ip netns exec` also makes a mount namespace, so the mount ends with the command.
        enter=(
            *("ip", "netns", "exec", name),
            *("sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"'),
            *(str(files), str(root / "srv")),
        ),
        take_down=take_down,
    )


async def _join(slot: int) -> _Link:
    """Make the namespace and the two ends of its link. Raises PbxError."""
    name = _NAME.format(slot)
    first = 4 * slot  # of the four addresses of a /30: network, near, far, broadcast
    network = await _free_range()
    near, far = str(network[first + 1]), str(network[first + 2])
    for command in (
        f"netns add {name}",
        f"link add {name} type veth peer name eth0 netns {name}",
        f"addr add {near}/30 dev {name}",
        f"link set {name} up",
        f"-n {name} addr add {far}/30 dev eth0",
        f"-n {name} link set eth0 up",
        f"-n {name} link set lo up",
    ):
        await _ip(command)
    return _Link(near=near, far=far)


async def _free_range() -> ipaddress.IPv4Network:
    own = _NAME.format("")
    routed = [
        ipaddress.IPv4Network(route["dst"])
        for route in json.loads(await _ip("-j -4 route show table all"))
        if route["dst"] != "default" and not route.get("dev", "").startswith(own)
    ]
    for network in _RANGES:
        if not any(network.overlaps(other) for other in routed):
            return network
    raise PbxError(
        f"this machine has routes into each of {', '.join(map(str, _RANGES))}: "
        "no addresses are left for an Asterisk elsewhere"
    )


async def _remove_leftovers(locks: Path) -> None:
    own = _NAME.format("")
    for name in await _namespaces():
        slot = name.removeprefix(own)
        if slot == name or not slot.isdecimal():
            continue
        lock = try_lock(locks / f"{_SLOTS}-{slot}")
        if lock is not None:
            with lock:
                await _remove(int(slot))


async def _remove(slot: int) -> None:
    """Remove whatever is there of it."""
    name = _NAME.format(slot)
    await _delete(f"link del {name}", name, _links)
    await _delete(f"netns del {name}", name, _namespaces)
    shutil.rmtree(_FILES / str(slot), ignore_errors=True)


async def _delete(command: str, name: str, there: Callable[[], Awaitable[list[str]]]) -> None:
    """The kernel takes a dead namespace's link away in its own time, perhaps just before us."""
    if name not in await there():
        return
    try:
        await _ip(command)
    except PbxError:
        if name in await there():
            raise


async def _links() -> list[str]:
    return [link["ifname"] for link in json.loads(await _ip("-j link show"))]


async def _namespaces() -> list[str]:
    return [entry["name"] for entry in json.loads(await _ip("-j netns list") or "[]")]


async def _ip(arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "ip",
        *arguments.split(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise PbxError(
            f"ip {arguments}: {errors.decode().strip()}; an Asterisk elsewhere needs root, "
            "iproute2 and a kernel (or container) that allows network namespaces"
        )
    return output.decode()
