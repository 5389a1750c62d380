"""Alembic's entry: runs the versions on the connection that `gridmap.store.schema` hands over."""

from alembic import context
from geoalchemy2 import alembic_helpers

from gridmap.store.models import Model

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Model.metadata,
    include_object=alembic_helpers.include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
