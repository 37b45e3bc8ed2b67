"""This machine: its clock's zone, its limits, its ports and services."""

import asyncio
import os
import resource
import shutil
import socket
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from kai_ari.address import host_and_port
from kai_ari.cli.checks.context import Context
from kai_ari.cli.checks.finding import Finding, Found
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.sole_agent import running_agent

#: Of a call: its sockets and files, some ten; and a hundred calls at once.
LEAST_FILES = 1_024
#: What scripts/provision installs.
UNITS = ("kai-asterisk.service", "kai.service")


async def zone(context: Context) -> list[Found]:
    """Without `zone` the machine's clock counts: it should be one of the business's country."""
    business = context.config.business
    if business.zone is not None:
        return []
    here, theirs = _machine_zone(), list(_zones_of(business.country))
    if not theirs or any(_alike(here, other) for other in theirs):
        return []
    return [
        Finding(
            slug="zone-wrong",
            where=f"{context.yaml}, business",
            what=f"this machine's clock is in {here}, which is no zone of {business.country}",
            fix=f"write zone: {theirs[0]} (or where the business is) below business in"
            f" {context.yaml}, or run: timedatectl set-timezone {theirs[0]}",
        )
    ]


async def file_limit(_context: Context) -> list[Found]:
    """Enough file descriptors for a hundred calls."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= LEAST_FILES:
        return []
    return [
        Finding(
            slug="file-limit",
            where="ulimit -n",
            what=f"a process here may have {soft} files and sockets open (at most {hard}); a"
            f" hundred calls at once need {LEAST_FILES}",
            fix=f"run: ulimit -n {LEAST_FILES} in the shell that starts Kai, or set"
            f" LimitNOFILE={LEAST_FILES} in its unit",
        )
    ]


async def audiosocket_port(context: Context) -> list[Found]:
    """With `media: audiosocket` Kai itself listens; nobody else may have the port."""
    settings = context.config.asterisk
    if settings.media != "audiosocket" or running_agent(ledger_file(context.config.data)):
        return []
    return cannot_listen(
        settings.audiosocket_listen, f"{context.yaml}, asterisk.audiosocket_listen"
    )


def cannot_listen(address: str, where: str) -> list[Found]:
    """A finding when Kai could not listen on `address`, HOST:PORT, that is written at `where`."""
    host, port = host_and_port(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return [
                Finding(
                    slug="port-taken",
                    where=where,
                    what=f"Kai cannot listen on {host} port {port} ({error.strerror})",
                    fix=f"stop what has it (ss -ltnp 'sport = :{port}'), or choose another"
                    " address and port there",
                )
            ]
    return []


async def services(context: Context) -> list[Found]:
    """What was installed as a service starts with the machine."""
    if shutil.which("systemctl") is None:
        return []
    found: list[Found] = []
    for unit in UNITS:
        asked = await asyncio.create_subprocess_exec(
            "systemctl",
            f"--root={context.system}",
            "is-enabled",
            unit,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        answer, _ = await asked.communicate()
        if answer.decode().strip() == "disabled":
            command = "systemctl enable"
            if context.system != Path("/"):
                command = f"systemctl --root={context.system} enable"
            found.append(
                Finding(
                    slug="service-disabled",
                    where=unit,
                    what="is installed, but does not start when the machine does",
                    fix=f"run: {command} {unit}",
                )
            )
    return found


def _machine_zone() -> str:
    if named := os.environ.get("TZ", "").removeprefix(":"):
        return named
    _, _, name = os.path.realpath("/etc/localtime").partition("zoneinfo/")
    return name or "UTC"


def _zones_of(country: str) -> Iterator[str]:
    """By the tz database's own table; none when the machine has no such table."""
    for folder in zoneinfo.TZPATH:
        table = Path(folder) / "zone.tab"
        if table.exists():
            for line in table.read_text(encoding="utf-8").splitlines():
                code, _, rest = line.partition("\t")
                if code == country:
                    yield rest.split("\t")[1]
            return


def _alike(one: str, other: str) -> bool:
    """Whether both clocks show the same, in winter and in summer."""
    return _offsets(one) == _offsets(other)


def _offsets(name: str) -> tuple[timedelta | None, ...]:
    try:
        zone = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return ()
    return tuple(datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7))
