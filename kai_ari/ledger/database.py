"""The ledger's file: its modes, its connections, and its version.

Two engines look at it: one writer (BEGIN IMMEDIATE, synchronous=FULL, so a commit is on the
disk when it returns) and any number of readers, in this process or another, who open it
read-only and never wait for the writer (WAL).
"""

import os
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, pool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kai_ari.ledger.faults import FAULTS, LedgerMissing, LedgerOutdated, LedgerVersion, explain

MIGRATIONS = Path(__file__).parent / "migrations"

#: How long a statement waits for another process's lock.
_BUSY_S = 5

#: Alembic keeps the migration at hand in module globals: one at a time in a process.
_ALEMBIC = threading.Lock()


#: Beside the ledger: what the running agent has in force (`config.in_force`).
RULES_IN_FORCE = "rules-in-force"


def ledger_file(data: Path) -> Path:
    """Where the ledger is inside the data directory."""
    return data / "ledger.sqlite"


def prepare(path: Path, migrations: Path = MIGRATIONS) -> None:
    """Make or migrate the ledger at `path`. Blocking. Raises LedgerError.

    The file is for its owner alone (600), and so is the directory when this makes it (700).
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
        engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=pool.NullPool)
        _tune(engine, begin="BEGIN IMMEDIATE", pragmas=("journal_mode=WAL", "synchronous=FULL"))
        with _ALEMBIC, engine.begin() as connection:
            _upgrade(connection, path, migrations)
    except FAULTS as error:
        raise explain(error, path) from error


def require_current(path: Path) -> None:
    """Raise LedgerError unless the ledger at `path` exists in this Kai's version. Blocking."""
    if not path.exists():
        raise LedgerMissing(
            f"{path}: there is no ledger yet; it is made when Kai first runs (kai-ari run)"
        )
    try:
        engine = create_engine(_read_only_url(path, "sqlite"), poolclass=pool.NullPool)
        _tune(engine, begin="BEGIN", pragmas=())
        with engine.begin() as connection:
            current = _current(connection, path, MIGRATIONS)
    except FAULTS as error:
        raise explain(error, path) from error
    if current != revisions(MIGRATIONS)[-1]:
        raise LedgerOutdated(
            f"{path}: made by an older Kai; start this one on it once (kai-ari run)"
        )


def make_ready(path: Path) -> None:
    """Make the ledger at `path` when there is none yet. Blocking. Raises LedgerError.

    One of another version is left alone: an agent may be working on it.
    """
    if path.exists():
        require_current(path)
    else:
        prepare(path)


def writer_engine(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), pool_size=1, max_overflow=0)
    _tune(engine, begin="BEGIN IMMEDIATE", pragmas=("synchronous=FULL",))
    return engine


def reader_engine(path: Path) -> AsyncEngine:
    engine = create_async_engine(
        _read_only_url(path, "sqlite+aiosqlite"), pool_size=2, max_overflow=0
    )
    _tune(engine.sync_engine, begin="BEGIN", pragmas=())
    return engine


def _read_only_url(path: Path, driver: str) -> URL:
    query = {"mode": "ro", "uri": "true"}
    return URL.create(driver, database=f"file:{quote(str(path.absolute()))}", query=query)


def _tune(engine: Engine, *, begin: str, pragmas: tuple[str, ...]) -> None:
    """Pragmas at connection, and transactions begun by us rather than guessed by the driver."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        try:
            for pragma in (f"busy_timeout={_BUSY_S * 1000}", "foreign_keys=ON", *pragmas):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _upgrade(connection: Connection, path: Path, migrations: Path) -> None:
    if _current(connection, path, migrations) == revisions(migrations)[-1]:
        return
    from alembic import command  # takes half a second
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection, path: Path, migrations: Path) -> str | None:
    """The ledger's revision, None for an empty file. Raises LedgerVersion when it is unknown."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    current = None if found is None else str(found)
    if current is not None and current not in revisions(migrations):
        raise LedgerVersion(
            f"{path}: made by a newer Kai (revision {current}); install that version,"
            " or put back a copy from before it ran"
        )
    return current


def revisions(migrations: Path) -> list[str]:
    """In their order: the name of each migration's file begins with its revision."""
    return sorted(file.name.partition("_")[0] for file in migrations.glob("versions/[0-9]*.py"))
