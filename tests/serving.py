"""Point the program at a test's database, and forget it afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.engine import URL

from gridmap import settings as settings_module
from gridmap.api import rates
from gridmap.store import database
from gridmap.ui import loaders, versions


def _forget() -> None:
    for engine in (database.read_engine, database.write_engine):
        if engine.cache_info().currsize:
            engine().dispose()
        engine.cache_clear()
    database.database_url.cache_clear()
    settings_module.settings.cache_clear()
    versions.watch.cache_clear()
    loaders.forget()
    rates.forget()


@contextmanager
def serve_from(url: URL, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Iterator[None]:
    """Let pages and routes read from a database, with settings given as `GRIDMAP_<NAME>` without the prefix."""
    _forget()
    monkeypatch.setenv("GRIDMAP_DATABASE_URL", url.render_as_string(hide_password=False))
    for name, value in variables.items():
        monkeypatch.setenv(f"GRIDMAP_{name}", value)
    settings_module.settings.cache_clear()
    yield
    _forget()
