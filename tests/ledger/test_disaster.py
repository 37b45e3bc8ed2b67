"""Killed writers, full disks, damage, locks: acknowledged means kept, errors name a remedy."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kai_ari.calls.events import KeyPressed
from kai_ari.ledger import database
from kai_ari.ledger.faults import (
    LedgerCorrupt,
    LedgerFull,
    LedgerLocked,
)
from kai_ari.ledger.reader import open_reader
from kai_ari.ledger.store import SqlLedger, open_ledger
from tests.ledger.calls import ARRIVED, KEY, LEFT, A, B
from tests.ledger.conftest import StepClock

ROOT = Path(__file__).parents[2]


def writer(path: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ledger.writer_process", path, *arguments]
    return subprocess.Popen([str(part) for part in command], cwd=ROOT, stdout=-1, text=True)


@pytest.mark.parametrize("after", [1, 7, 40])
async def test_what_was_acknowledged_outlives_a_kill(
    path: Path, clock: StepClock, after: int
) -> None:
    with writer(path, 10_000) as process:
        assert process.stdout
        told = [process.stdout.readline().split() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        told += [line.split() for line in process.stdout]
    acknowledged = {(call, int(n)) for call, n in filter(lambda t: len(t) == 2, told)}
    assert len(acknowledged) >= after

    async with open_ledger(path, clock) as ledger:
        assert await ledger.verify() == []
        for name, call in (("A", A), ("B", B)):
            keys = [int(e.key) for e in await ledger.history(call) if isinstance(e, KeyPressed)]
            assert keys == list(range(len(keys)))
            assert {n for c, n in acknowledged if c == name} <= set(keys)
            await ledger.append(call, LEFT)
        assert await ledger.verify() == []


async def test_a_file_that_may_not_grow_fails_the_append_and_nothing_else(path: Path) -> None:
    with writer(path, 10_000, 200_000) as process:
        told, _ = process.communicate()
    failures = [line for line in told.splitlines() if "Ledger" in line]
    assert [line.split()[1] for line in failures] == ["LedgerFull", "LedgerFull"]
    assert all("df" in line for line in failures)
    async with open_reader(path) as reader:
        assert await reader.verify() == []
        for name, call in (("A", A), ("B", B)):
            acknowledged = [line for line in told.splitlines() if line.split()[:1] == [name]]
            assert len(await reader.history(call)) == len(acknowledged) - 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip("no right to mount a file system here")
    yield disk
    subprocess.run(["umount", disk], check=True)


async def attempt(ledger: SqlLedger) -> LedgerFull | None:
    try:
        await ledger.append(A, KEY)
    except LedgerFull as error:
        return error
    return None


async def test_a_full_disk_is_told_and_survived(small_disk: Path, clock: StepClock) -> None:
    ballast = small_disk / "ballast"
    async with open_ledger(small_disk / "ledger.sqlite", clock) as ledger:
        await ledger.append(A, ARRIVED)
        ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free))
        results = [await attempt(ledger) for _ in range(300)]
        written = results.count(None)
        assert written < len(results)
        assert "no room left on the disk" in str(results[-1])
        ballast.unlink()
        await ledger.append(A, LEFT)
        assert len(await ledger.history(A)) == written + 2
        assert await ledger.verify() == []


async def test_a_full_disk_at_the_start(small_disk: Path, clock: StepClock) -> None:
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with pytest.raises(LedgerFull, match="free some space"):
        async with open_ledger(small_disk / "ledger.sqlite", clock):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_read_only_directory_names_the_remedy(tmp_path: Path) -> None:
    """As a user without rights, in a process of its own: root is never refused."""
    tmp_path.chmod(0o755)
    code = (
        "import os, pathlib, sys; from kai_ari.ledger import database;"
        "os.setgid(65534); os.setuid(65534);"
        "database.prepare(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "ledger.sqlite"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert "LedgerReadOnly" in last
    assert "chown" in last


@pytest.mark.parametrize("damage", [b"this is not a database at all" * 40, b"SQLite format 3\0xx"])
async def test_what_is_no_ledger_is_refused_untouched(
    path: Path, clock: StepClock, damage: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    with pytest.raises(LedgerCorrupt, match="backup"):
        async with open_ledger(path, clock):
            pass
    assert path.read_bytes() == damage


async def test_damage_in_the_middle_is_told(path: Path, clock: StepClock) -> None:
    async with open_ledger(path, clock) as ledger:
        for _ in range(20):
            await ledger.append(A, *[KEY] * 20)
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for page in range(2 * 4096, size, 4096):
            file.seek(page)
            file.write(b"\xff" * 4096)
    with pytest.raises(LedgerCorrupt, match="backup"):
        async with open_reader(path) as reader:
            await reader.history(A)


async def test_a_lock_held_too_long_is_told_and_the_next_append_works(
    path: Path, clock: StepClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0)
    async with open_ledger(path, clock) as ledger:
        await ledger.append(A, ARRIVED)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerLocked, match="fuser") as caught:
                await ledger.append(A, KEY)
            assert caught.value.retryable
            other.execute("ROLLBACK")
        await ledger.append(A, KEY)
        assert await ledger.history(A) == [ARRIVED, KEY]


async def test_a_commit_is_flushed_to_the_disk(ledger: SqlLedger) -> None:
    """2 is FULL: with anything less a power cut may take acknowledged appends."""
    with ledger._writer._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
