"""The engines of this process: one that writes, one that only reads and never waits for long."""

from functools import cache
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from gridmap.errors import StoreUnavailable
from gridmap.settings import settings
from gridmap.store import cluster
from gridmap.store.revision import READER_ROLE, schema_status
from gridmap.texts import t

_POOL_SIZE = 5
_WRITER_LIMITS = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "10min"}
_READER_LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "20s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "60s",
}


@cache
def database_url() -> URL:
    """Return where the database is; starts the private cluster when no URL is set and holds it for this process.

    Raises
    ------
    StoreUnavailable
        If the private cluster cannot be started.
    """
    given = settings().database_url
    if given is None:
        given = cluster.acquire(settings().state_dir).url
    return make_url(given).set(drivername="postgresql+psycopg")


def _engine(url: URL, limits: dict[str, str]) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in {**limits, "timezone": "UTC"}.items())
    engine = create_engine(
        url,
        pool_size=_POOL_SIZE,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 10, "application_name": "gridmap"},
    )
    if settings().database_url is None:
        event.listen(engine, "do_connect", _connect_reviving)
    return engine


def _connect_reviving(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
    """Connect to the private cluster; start it again where its server was killed."""
    try:
        return dialect.connect(*arguments, **options)
    except dialect.dbapi.OperationalError:
        cluster.ensure_running(settings().state_dir)
        return dialect.connect(*arguments, **options)


@cache
def write_engine() -> Engine:
    """Return the engine for use cases that write.

    Raises
    ------
    StoreUnavailable
        If the database cannot be reached.
    """
    return connected(_engine(database_url(), _WRITER_LIMITS))


@cache
def read_engine() -> Engine:
    """Return the engine for pages and reports: read-only, with short limits, as the reading role where there is one.

    Raises
    ------
    StoreUnavailable
        If the database cannot be reached.
    """
    limits = dict(_READER_LIMITS)
    with write_engine().connect() as connection:
        may_act_as_reader = connection.execute(
            text("SELECT coalesce(bool_or(pg_has_role(oid, 'MEMBER')), false) FROM pg_roles WHERE rolname = :role"),
            {"role": READER_ROLE},
        ).scalar()
    if may_act_as_reader:
        limits["role"] = READER_ROLE
    return connected(_engine(database_url(), limits))


def connected(engine: Engine) -> Engine:
    """Return the engine after one successful connection.

    Raises
    ------
    StoreUnavailable
        If the database cannot be reached; the message names it without its password.
    """
    try:
        with engine.connect():
            return engine
    except DBAPIError as error:
        place = engine.url.render_as_string(hide_password=True)
        raise StoreUnavailable(t("db.error_no_answer", place=place, fault=first_line(error.orig))) from error


def first_line(fault: object) -> str:
    """Return the first line of what a driver says; the rest is advice to its programmer."""
    return str(fault).strip().split("\n", 1)[0]


def prepared_engine() -> Engine:
    """Return the writing engine of a database whose schema is the newest, upgrading the private one when needed.

    Raises
    ------
    StoreUnavailable
        If the database cannot be reached, or a database named by `GRIDMAP_DATABASE_URL` needs `gridmap db upgrade`.
    """
    engine = write_engine()
    status = schema_status(engine)
    if status.is_current:
        return engine
    if settings().database_url:
        raise StoreUnavailable(t("db.error_old_schema", revision=status.revision or "—", newest=status.newest))
    from gridmap.store.schema import upgrade_schema  # noqa: PLC0415  no other start waits for Alembic

    upgrade_schema(engine)
    return engine
