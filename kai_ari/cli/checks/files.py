"""Secrets, the data directory, the ledger."""

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from kai_ari.cli.checks.context import Context
from kai_ari.cli.checks.finding import Finding, Found, of_error
from kai_ari.config.mailbox import needs_ami
from kai_ari.config.secret import (
    ami_password,
    ari_password,
    mailbox_pin,
    phone_password,
    trunk_password,
)
from kai_ari.errors import ConfigError, LedgerError
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.faults import LedgerMissing, LedgerOutdated
from kai_ari.ledger.reader import open_reader

#: A hundred voicemails of two minutes (8 kHz, 16 bit).
LEAST_FREE_BYTES = 200_000_000
LEAST_FREE_FILES = 1_000


async def secrets(context: Context) -> list[Found]:
    """Every password that kai.yaml calls for is there, and for its owner only."""
    config = context.config
    reading: list[Callable[[], str]] = [partial(ari_password, config.secrets)]
    if needs_ami(config):
        reading.append(partial(ami_password, config.secrets))
    for extension, phone in config.phones.items():
        reading.append(partial(phone_password, extension, config.secrets))
        if phone.mailbox:
            reading.append(partial(mailbox_pin, extension, config.secrets))
    for name, trunk in config.trunks.items():
        if trunk.username is not None:
            reading.append(partial(trunk_password, name, config.secrets))
    found: list[Found] = []
    for read in reading:
        try:
            read()
        except ConfigError as error:
            found.append(of_error(error, slug="" if error.code != "config" else "secret-bad"))
    return found


async def disk(context: Context) -> list[Found]:
    """Room for a hundred voicemails where the data are."""
    place = _nearest(context.config.data)
    room = os.statvfs(place)
    free = room.f_bavail * room.f_frsize
    # A file system without inodes of its own, such as btrfs, says 0 of 0.
    if free >= LEAST_FREE_BYTES and (room.f_favail >= LEAST_FREE_FILES or room.f_files == 0):
        return []
    return [
        Finding(
            slug="disk-full",
            where=str(context.config.data),
            what=f"{free // 1_000_000} MB and {room.f_favail} files are left on this disk; Kai"
            f" wants {LEAST_FREE_BYTES // 1_000_000} MB for the messages of a bad day",
            fix=f"make room (what is large: du -xhd2 {place} | sort -h | tail), or set data: in"
            f" {context.yaml} to a larger disk",
        )
    ]


async def data_writable(context: Context) -> list[Found]:
    """A file can be made where the ledger and the recordings go."""
    data = context.config.data
    try:
        with tempfile.TemporaryFile(dir=_nearest(data)) as probe:
            probe.write(b"kai")
    except OSError as error:
        fix = f"give {data} to the user that Kai runs as, on a disk that can be written to"
        if data.exists() and not data.is_dir():
            fix = f"{data} is no directory: move it away"
        what = f"no file can be made in it ({error.strerror})"
        return [Finding(slug="data-not-writable", where=str(data), what=what, fix=fix)]
    return []


async def data_owner(context: Context) -> list[Found]:
    """Whoever ran Kai as another user, such as root, left files that Kai cannot write."""
    data = context.config.data
    if not data.is_dir():
        return []
    owner = data.stat().st_uid
    foreign = [path for path in _ledger_files(data) if path.stat().st_uid != owner]
    if not foreign:
        return []
    return [
        Finding(
            slug="data-owner",
            where=str(foreign[0]),
            what="belongs to another user than the directory it is in, so Kai may not write it",
            fix=f"run: chown -R --reference={data} {data}",
        )
    ]


async def ledger(context: Context) -> list[Found]:
    """The record of calls can be read, and holds."""
    path = ledger_file(context.config.data)
    try:
        async with open_reader(path) as reader:
            breaks = await reader.verify()
    except (LedgerMissing, LedgerOutdated):
        return []  # the agent makes it, or brings it up to date, when it starts
    except LedgerError as error:
        return [of_error(error, where=str(path))]
    if not breaks:
        return []
    first = breaks[0]
    place = "" if first.seq is None else f" event {first.seq}"
    return [
        Finding(
            slug="ledger-broken",
            where=f"{path}, call {first.call}{place}",
            what=f"{first.what} ({len(breaks)} such places): the record was changed or damaged",
            fix="see all of them with: kai-ari calls verify; then put back a copy of the ledger"
            " from before, with Kai stopped",
        )
    ]


def _nearest(directory: Path) -> Path:
    """The directory, or what is there already of the way to it."""
    while not directory.exists():
        directory = directory.parent
    return directory


def _ledger_files(data: Path) -> Iterator[Path]:
    yield from data.glob("ledger.*")
    yield from (path for path in (data / "recordings", data / "prompts") if path.exists())
