"""Run by Alembic: migrations in one transaction, on the connection that `migrate` hands in."""

from alembic import context

from kai_ari.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
