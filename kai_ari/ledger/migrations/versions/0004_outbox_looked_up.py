"""What was sent to a person or an address is found without reading the whole outbox."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("outbox_person", "outbox", ["person", "created_at"])
    op.create_index("outbox_address", "outbox", ["address"])
