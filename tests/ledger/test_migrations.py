"""From nothing and from older versions to this one, and never backwards."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from kai_ari.calls.chain import Record, seal
from kai_ari.calls.events import ObligationWritten
from kai_ari.calls.follow_events import ObligationKept
from kai_ari.calls.leg_events import CallbackBooked
from kai_ari.ledger.database import MIGRATIONS, prepare, require_current, revisions
from kai_ari.ledger.faults import LedgerVersion
from kai_ari.ledger.follow_up import SqlFollowUp, open_desk
from kai_ari.ledger.projection import project
from kai_ari.ledger.rows import event_values, obligation_values
from kai_ari.ledger.store import open_ledger
from kai_ari.ledger.tables import metadata
from kai_ari.promises.standing import Standing
from tests.ledger.calls import ARRIVED, LEFT, A, B, owed
from tests.ledger.conftest import StepClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("mood", sa.Text))
    op.execute("UPDATE calls SET mood = 'calm'")
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a Kai that is one version ahead."""
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    (scripts / "versions" / "9999_mood.py").write_text(NEXT.format(head=head))
    return scripts


def test_file_names_tell_the_revisions() -> None:
    walked = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    assert revisions(MIGRATIONS) == walked[::-1]


def test_the_migrations_make_the_tables_that_the_code_uses(path: Path) -> None:
    prepare(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


async def test_a_ledger_with_calls_moves_forward(path: Path, newer: Path, clock: StepClock) -> None:
    async with open_ledger(path, clock) as ledger:
        await ledger.append(A, ARRIVED)
    prepare(path, newer)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, mood FROM calls")).one() == (A, "calm")
    engine.dispose()


@pytest.fixture
def before_follow_up(tmp_path: Path, path: Path) -> Path:
    """A ledger of the Kai before what is owed was followed up, with three things owed."""
    scripts = tmp_path / "older"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__", "000[34]*"))
    prepare(path, scripts)
    booked = CallbackBooked(number="+12025550123", due="2026-11-23T08:00:00-05:00")
    with closing(sqlite3.connect(path)) as connection, connection:
        for call, events in (
            (A, [ARRIVED, booked, owed(A, "oa")[0], LEFT]),
            (B, [ARRIVED, owed(B, "ob")[0], LEFT, owed(B, "oc")[0]]),
        ):
            records: list[Record] = []
            for event in events:
                last = records[-1].hash if records else ""
                records.append(seal(call, len(records) + 1, NOON, event, last))
            insert(connection, "calls", asdict(project(records)))
            for record in records:
                insert(connection, "events", event_values(record))
                if isinstance(record.event, ObligationWritten):
                    values = obligation_values(owed(call, record.event.obligation)[1], Standing())
                    del values["due"]
                    insert(connection, "obligations", values)
    return path


def insert(connection: sqlite3.Connection, table: str, values: dict[str, object]) -> None:
    places = ", ".join("?" * len(values))
    connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})",  # noqa: S608
        list(values.values()),
    )


async def test_what_was_owed_before_is_open_and_due_when_it_was_booked(
    before_follow_up: Path, clock: StepClock
) -> None:
    with pytest.raises(LedgerVersion, match="made by an older Kai"):
        async with open_desk(before_follow_up, clock):
            pass
    async with open_ledger(before_follow_up, clock) as ledger:
        assert await ledger.verify() == []
        due = {one.id: one.due for one in await SqlFollowUp(ledger).owed()}
        assert due == {"oa": datetime(2026, 11, 23, 13, tzinfo=UTC), "ob": None, "oc": None}
        done = ObligationKept(obligation="ob", evidence="Dana called them")
        await ledger.append(B, done)
        assert await ledger.verify() == []


def test_a_migration_that_fails_changes_nothing(path: Path, newer: Path) -> None:
    prepare(path)
    script = newer / "versions" / "9999_mood.py"
    script.write_text(script.read_text() + '    op.execute("SELECT nonsense")\n')
    with pytest.raises(Exception, match="nonsense"):
        prepare(path, newer)
    require_current(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        columns = connection.execute(text("SELECT name FROM pragma_table_info('calls')"))
        assert "mood" not in columns.scalars().all()
    engine.dispose()


async def test_a_newer_ledger_is_refused_and_left_alone(
    path: Path, newer: Path, clock: StepClock
) -> None:
    prepare(path, newer)
    before = path.read_bytes()
    with pytest.raises(LedgerVersion, match=r"made by a newer Kai \(revision 9999\)"):
        async with open_ledger(path, clock):
            pass
    with pytest.raises(LedgerVersion, match="newer"):
        require_current(path)
    assert path.read_bytes() == before


def test_a_reader_does_not_migrate(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with pytest.raises(LedgerVersion, match="made by an older Kai"):
        require_current(path)
