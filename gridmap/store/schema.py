"""Bring a database to the schema of this program."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from gridmap.errors import StoreUnavailable
from gridmap.store.models import Model
from gridmap.store.revision import MIGRATIONS, READER_ROLE, SchemaStatus, schema_status
from gridmap.texts import t

_EXTENSIONS = ("postgis", "btree_gist")


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def upgrade_schema(engine: Engine) -> SchemaStatus:
    """Create the extensions and bring the schema to the newest revision, in one transaction; a no-op when current.

    Raises
    ------
    StoreUnavailable
        If an extension is missing on the server, or the role may not create it.
    """
    with engine.begin() as connection:
        for extension in _EXTENSIONS:
            try:
                connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {extension}"))
            except DBAPIError as error:
                raise StoreUnavailable(t("db.error_extension", extension=extension, fault=error.orig)) from error
        # Two programs that start together must not both migrate.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('gridmap.schema'))"))
        command.upgrade(_config(connection), "head")
        _let_reader_read(connection)
    return schema_status(engine)


def _let_reader_read(connection: Connection) -> None:
    """Give the reading role its rights; where this role may not create roles, pages read as the owner, read-only."""
    exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": READER_ROLE}).scalar()
    if not exists:
        may_create = connection.execute(
            text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
        ).scalar()
        if not may_create:
            return
        connection.execute(text(f"CREATE ROLE {READER_ROLE} NOLOGIN"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {READER_ROLE}"))
    connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER_ROLE}"))


def schema_differences(engine: Engine) -> list[object]:
    """Return what the models say and the database does not, as Alembic's list of differences (empty: they agree)."""
    with engine.connect() as connection:
        migration = MigrationContext.configure(
            connection,
            opts={
                "include_object": alembic_helpers.include_object,
                "compare_type": True,
                "target_metadata": Model.metadata,
            },
        )
        return list(compare_metadata(migration, Model.metadata))
