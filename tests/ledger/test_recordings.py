"""Recordings: whole and private on the disk, or not there."""

import hashlib
import stat
from pathlib import Path

import pytest

from kai_ari.errors import LedgerError
from kai_ari.ledger.faults import LedgerRefused
from kai_ari.ledger.recordings import FileRecordings

WAV = b"RIFF" + bytes(1000)


async def test_a_recording_is_stored_whole_and_private(tmp_path: Path) -> None:
    root = tmp_path / "data" / "recordings"
    name, digest = await FileRecordings(root).store("kai-1-message.wav", WAV)
    assert (root / name).read_bytes() == WAV
    assert digest == hashlib.sha256(WAV).hexdigest()
    assert stat.S_IMODE((root / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert [file.name for file in root.iterdir()] == ["kai-1-message.wav"]


async def test_the_same_name_again_replaces_it(tmp_path: Path) -> None:
    recordings = FileRecordings(tmp_path)
    await recordings.store("a.wav", WAV)
    await recordings.store("a.wav", b"second")
    assert (tmp_path / "a.wav").read_bytes() == b"second"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a", "a/b", "/etc/passwd", ".hidden", "a\0b", "a\n", "a..b", "é", "x" * 101],
)
async def test_a_name_that_is_a_trick_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LedgerRefused, match="no name for a recording"):
        await FileRecordings(tmp_path / "r").store(name, WAV)
    assert list(tmp_path.iterdir()) == []


async def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(LedgerError):
        await FileRecordings(tmp_path).store("a.wav", WAV)
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]


async def test_where_no_directory_can_be_made_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="Not a directory"):
        await FileRecordings(tmp_path / "file" / "r").store("a.wav", WAV)
