"""What can be wrong with the ledger, and what to do about each.

LedgerError
├── LedgerFull        no room on the disk                      retryable
├── LedgerInUse       another agent works on it
├── LedgerLocked      another process holds the file           retryable
├── LedgerReadOnly    the file or its directory is not ours to write
├── LedgerCorrupt     the file or a row in it is damaged
├── LedgerMissing     there is no ledger yet
├── LedgerVersion     the file was made by a newer Kai
│   └── LedgerOutdated    ... by an older: the agent brings it up to date when it starts
├── LedgerRefused     an append that contradicts itself or the record: a defect in Kai
└── LedgerClosed      the ledger was closed before the append was written
"""

import errno
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from kai_ari.errors import LedgerError

#: What using the database or its file may raise: hand each to `explain`.
FAULTS = (SQLAlchemyError, sqlite3.Error, OSError)


class LedgerFull(LedgerError):
    code = "ledger_full"
    retryable = True


class LedgerInUse(LedgerError):
    code = "ledger_in_use"


class LedgerLocked(LedgerError):
    code = "ledger_locked"
    retryable = True


class LedgerReadOnly(LedgerError):
    code = "ledger_read_only"


class LedgerCorrupt(LedgerError):
    code = "ledger_corrupt"


class LedgerMissing(LedgerError):
    code = "ledger_missing"


class LedgerVersion(LedgerError):
    code = "ledger_version"


class LedgerOutdated(LedgerVersion):
    code = "ledger_outdated"


class LedgerRefused(LedgerError):
    code = "ledger_refused"


class LedgerClosed(LedgerError):
    code = "ledger_closed"


def explain(error: BaseException, path: Path) -> LedgerError:
    """The LedgerError that says what `error`, met while using the ledger at `path`, means.

    SQLite's extended result codes: https://www.sqlite.org/rescode.html (low byte: the kind).
    """
    if isinstance(error, LedgerError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, OSError):
        return _explain_os(cause, path)
    code = getattr(cause, "sqlite_errorcode", None)
    match (code or 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return _full(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LedgerLocked(
                f"{path}: locked by another process for too long; close whatever writes to it"
                f" (find it with: fuser {path})"
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return _read_only(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return LedgerCorrupt(
                f"{path}: damaged, or not a ledger; stop Kai, keep the file for later, and"
                " put back a copy from a backup"
            )
        case sqlite3.SQLITE_IOERR:
            return LedgerFull(
                f"{path}: the disk refused to read or write it ({_name(cause)}); check free"
                " space, quotas and the disk's health (df, dmesg)"
            )
        case sqlite3.SQLITE_CONSTRAINT:
            return LedgerRefused(f"{path}: the record refuses this append ({cause})")
    return LedgerError(f"{path}: unexpected failure ({type(cause).__name__}: {cause})")


def _explain_os(error: OSError, path: Path) -> LedgerError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _full(path)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _read_only(path)
    return LedgerError(f"{path}: {error.strerror or error}; check that directory")


def _full(path: Path) -> LedgerFull:
    return LedgerFull(f"{path}: no room left on the disk; free some space (df -h {path.parent})")


def _read_only(path: Path) -> LedgerReadOnly:
    return LedgerReadOnly(
        f"{path}: cannot be opened for writing; make its directory belong to the user that"
        f" runs Kai (chown), on a file system that is not read-only"
    )


def _name(error: BaseException | None) -> str:
    return str(getattr(error, "sqlite_errorname", error))
