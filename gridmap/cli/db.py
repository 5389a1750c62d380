"""`gridmap db …`: schema, state, backup and restore of the database."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gridmap.cli.output import answer_json, say
from gridmap.settings import settings
from gridmap.store import archive, cluster
from gridmap.store.database import database_url, write_engine
from gridmap.store.places import read_townships
from gridmap.store.revision import schema_status
from gridmap.store.schema import upgrade_schema
from gridmap.store.versions import read_known_at
from gridmap.texts import t

app = typer.Typer(help="The database: upgrade, status, backup, restore, stop.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the schema to the newest revision."""
    say(t("db.upgraded", revision=upgrade_schema(write_engine()).revision))


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Say where the database is, its schema and what it holds; exit code 1 when the schema needs an upgrade."""
    schema = schema_status(write_engine())
    townships: list[dict[str, Any]] = []
    if schema.is_current:
        with write_engine().connect() as connection:
            townships = [
                {"code": town.code, "name": town.name, "known_at": read_known_at(connection, township_code=town.code)}
                for town in read_townships(connection)
            ]
    place = database_url().render_as_string(hide_password=True)
    if as_json:
        answer_json({"database": place, "revision": schema.revision, "newest": schema.newest, "townships": townships})
    else:
        say(t("db.status", place=place, revision=schema.revision or "—", newest=schema.newest))
        for town in townships:
            say(t("db.township", code=town["code"], name=town["name"], known_at=_local(town["known_at"])))
    if not schema.is_current:
        raise typer.Exit(1)


def _local(instant: datetime | None) -> str:
    return f"{instant.astimezone(settings().zone):%Y-%m-%d %H:%M}" if instant else "—"


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="File to write; never overwritten.")]) -> None:
    """Write the whole database to one file."""
    archive.backup(database_url(), file)
    say(t("db.backed_up", file=file, size=f"{file.stat().st_size / 2**20:.1f}"))


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file written by `gridmap db backup`.")]) -> None:
    """Read a backup into an empty database and check that rows and extents are the same."""
    archive.restore(database_url(), file)
    say(t("db.restored", file=file))


@app.command()
def stop() -> None:
    """Stop the private cluster, whoever uses it."""
    cluster.stop(settings().state_dir)
    say(t("db.stopped"))
