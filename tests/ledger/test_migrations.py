"""From nothing and from older versions to this one, and never backwards."""

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from kai_ari.ledger.database import MIGRATIONS, prepare, require_current, revisions
from kai_ari.ledger.faults import LedgerVersion
from kai_ari.ledger.store import open_ledger
from kai_ari.ledger.tables import metadata
from tests.ledger.calls import ARRIVED, A
from tests.ledger.conftest import StepClock

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
