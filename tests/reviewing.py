"""Databases for tests of the review: one filled once, cloned or read by many tests."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool


@contextmanager
def database(cluster_url: URL, template: str) -> Iterator[Engine]:
    """An engine on a fresh clone of a database, which is dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(cluster_url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield create_engine(cluster_url.set(database=name), poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
