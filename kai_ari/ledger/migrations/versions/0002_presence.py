"""Who is away until when."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_APPEND_ONLY = """
CREATE TRIGGER presence_no_{verb} BEFORE {verb} ON presence
BEGIN SELECT RAISE(ABORT, 'presence is append-only'); END
"""


def upgrade() -> None:
    op.create_table(
        "presence",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("away", sa.Boolean, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("until", sa.String(40)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("how", sa.String(40), nullable=False),
    )
    op.create_index("presence_person", "presence", ["person", "id"])
    for verb in ("UPDATE", "DELETE"):
        op.execute(_APPEND_ONLY.format(verb=verb))
