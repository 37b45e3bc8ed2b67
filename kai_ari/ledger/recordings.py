"""Recordings as files of Kai's own, on its own disk: each whole and flushed, or not there."""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kai_ari.ledger.faults import LedgerRefused, explain

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


class FileRecordings:
    """Implements `reception.ports.Recordings` in the directory `root`, made when missing (700)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def store(self, name: str, data: bytes) -> tuple[str, str]:
        """Flush `data` to disk as one file of mode 600; its path relative to the store, and
        its SHA-256.

        The same name again replaces the file. Raises LedgerError, and then the earlier file
        of that name, if any, is as it was.
        """
        if not _NAME.match(name) or ".." in name:
            raise LedgerRefused(
                f"{name!r} is no name for a recording: letters, digits, '.', '_', '-' only"
            )
        return name, await asyncio.to_thread(self._write, name, data)

    async def names(self) -> Sequence[str]:
        """What is stored, by name. Raises LedgerError."""
        return await asyncio.to_thread(self._list)

    async def delete(self, name: str) -> None:
        """Remove a file for good, if it is there. Raises LedgerError."""
        await asyncio.to_thread(self._remove, name)

    def _list(self) -> list[str]:
        try:
            return sorted(path.name for path in self._root.iterdir() if _NAME.match(path.name))
        except FileNotFoundError:
            return []  # nothing was ever stored
        except OSError as error:
            raise explain(error, self._root) from error

    def _remove(self, name: str) -> None:
        try:
            (self._root / name).unlink(missing_ok=True)
            self._flush_directory()
        except OSError as error:
            raise explain(error, self._root / name) from error

    def _write(self, name: str, data: bytes) -> str:
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._root, prefix=".", suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(self._root / name)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._flush_directory()
        except OSError as error:
            raise explain(error, self._root / name) from error
        return hashlib.sha256(data).hexdigest()

    def _flush_directory(self) -> None:
        """Without this a power cut may forget what was done in it."""
        directory = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
