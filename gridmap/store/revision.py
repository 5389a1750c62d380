"""Where a database stands: asked at every start, so without Alembic, which takes 25 MB and a third of a second."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

MIGRATIONS = Path(__file__).parent / "migrations"
READER_ROLE = "gridmap_reader"


@dataclass(frozen=True, kw_only=True)
class SchemaStatus:
    """Where a database stands: its revision and the newest this program knows."""

    revision: str | None
    newest: str

    @property
    def is_current(self) -> bool:
        """Whether nothing needs upgrading."""
        return self.revision == self.newest


def schema_status(engine: Engine) -> SchemaStatus:
    """Return the revision of a database and the newest one.

    Raises
    ------
    sqlalchemy.exc.OperationalError
        If the database cannot be reached.
    """
    newest = max(file.name.split("_", 1)[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
    with engine.connect() as connection:
        is_kept = connection.execute(text("SELECT to_regclass('alembic_version')")).scalar()
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if is_kept else None
    return SchemaStatus(revision=revision, newest=newest)
