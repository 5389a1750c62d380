"""Where a database stands, told without Alembic, against Alembic itself."""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from gridmap.store.revision import MIGRATIONS, schema_status


def test_newest_and_own_revision_are_those_of_alembic(engine: Engine):
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    status = schema_status(engine)
    assert status.newest == ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert status.revision == revision
    assert status.is_current


def test_an_empty_database_has_no_revision_and_an_old_one_its_own(cluster_url: URL, engine: Engine):
    empty = create_engine(cluster_url.set(database="template1"), poolclass=NullPool)
    assert schema_status(empty).revision is None
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert schema_status(engine).revision == "0001"
    assert not schema_status(engine).is_current
