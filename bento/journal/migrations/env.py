"""Run the migrations on the connection that `bento.journal.upgrade` opened."""

from alembic import context

from bento.journal.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
