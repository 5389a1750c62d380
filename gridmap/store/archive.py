"""Backup and restore of a whole database: one file with the dump and a manifest of rows and extents."""

import json
import os
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from gridmap.errors import ConflictError, InputError, StoreUnavailable
from gridmap.store.binaries import find
from gridmap.store.database import first_line
from gridmap.store.schema import upgrade_schema
from gridmap.texts import t

_MANIFEST, _DUMP, _FORM = "manifest.json", "database.dump", "gridmap backup 1"
_OWN_TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'spatial_ref_sys' ORDER BY table_name
"""


def backup(url: URL, file: Path) -> None:
    """Write the whole database to a file, as of one instant.

    The file appears whole or not at all, and an existing one is never overwritten.

    Raises
    ------
    ConflictError
        If the file exists.
    StoreUnavailable
        If the database or `pg_dump` does not answer.
    InputError
        If the file cannot be written.
    """
    if file.exists():
        raise ConflictError(t("db.error_backup_exists", file=file))
    with _connected(url) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = _value(connection, "SELECT pg_export_snapshot()")
        manifest = {"form": _FORM, **_contents(connection)}
        try:
            with tempfile.TemporaryDirectory(dir=file.resolve().parent, prefix=".gridmap-") as folder:
                dump, packed = Path(folder) / _DUMP, Path(folder) / "packed"
                _run("pg_dump", url, "-Fc", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={dump}")
                with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
                    archive.writestr(_MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
                    archive.write(dump, _DUMP)
                packed.chmod(0o600)
                os.link(packed, file)
        except OSError as error:
            raise InputError(t("db.error_backup_unwritten", file=file, fault=error.strerror)) from error


def restore(url: URL, file: Path) -> None:
    """Read a backup into an empty database, check rows and extents against its manifest, and bring the schema up to date.

    Raises
    ------
    InputError
        If the file is missing or no gridmap backup.
    ConflictError
        If the database is not empty.
    StoreUnavailable
        If the database does not answer, `pg_restore` fails (nothing is stored then), or what was restored differs
        from the manifest.
    """
    with tempfile.TemporaryDirectory(prefix="gridmap-") as folder:
        dump = Path(folder) / _DUMP
        manifest = _unpacked(file, dump)
        with _connected(url) as connection:
            tables = [name for (name,) in connection.execute(_OWN_TABLES)]
        if tables:
            raise ConflictError(t("db.error_not_empty", n=len(tables), table=tables[0]))
        _run(
            "pg_restore", url, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
            "--no-comments", f"--dbname={url.database}", str(dump),
        )  # fmt: skip
    with _connected(url) as connection:
        found = {"form": _FORM, **_contents(connection)}
    if found != manifest:
        raise StoreUnavailable(t("db.error_restored_differs", file=file))
    upgrade_schema(create_engine(url, poolclass=NullPool))


def _unpacked(file: Path, dump: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(file) as archive, archive.open(_DUMP) as source, dump.open("wb") as target:
            manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
            while chunk := source.read(2**20):
                target.write(chunk)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(t("db.error_no_backup", file=file, fault=error)) from error
    if not isinstance(manifest, dict) or manifest.get("form") != _FORM:
        raise InputError(t("db.error_backup_version", file=file))
    return manifest


def _contents(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Return the number of rows of every table and the extent of every geometry column."""
    rows = {
        name: _value(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
        for (name,) in connection.execute(_OWN_TABLES).fetchall()
    }
    columns = connection.execute(
        "SELECT f_table_name, f_geometry_column FROM geometry_columns ORDER BY 1, 2"
    ).fetchall()
    extents = {
        f"{table}.{column}": _value(
            connection,
            sql.SQL("SELECT ST_Extent({})::text FROM {}").format(sql.Identifier(column), sql.Identifier(table)),
        )
        for table, column in columns
    }
    return {"rows": rows, "extents": extents}


def _value(connection: psycopg.Connection[Any], query: Any) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _connected(url: URL) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    except psycopg.OperationalError as error:
        raise StoreUnavailable(t("db.error_no_answer", place=repr(url), fault=first_line(error))) from error


def _run(tool: str, url: URL, *arguments: str) -> None:
    with _connected(url) as connection:
        major = connection.info.server_version // 10_000
    host = url.query.get("host", url.host)
    given = {"PGHOST": host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGDATABASE": str(url.database)}
    environment |= {name: str(value) for name, value in given.items() if value}
    done = subprocess.run(  # noqa: S603  PostgreSQL's own program, arguments of our own
        [find(major).tool(tool), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StoreUnavailable(t("db.error_tool", tool=tool, fault=done.stderr.strip()[-500:]))
