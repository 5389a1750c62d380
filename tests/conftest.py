"""A real PostGIS for every test: one private cluster and one migrated template a session, one database a test."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from gridmap import settings as settings_module
from gridmap.store import cluster
from gridmap.store.schema import upgrade_schema
from gridmap.texts import use_language
from tests.busy import write_busy_day
from tests.intake_town import forget_facts, make_town
from tests.tiny import load_tiny_township

# Speed is measured in bench/, never in a test: a slow machine must not fail.
_PATIENT = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
# The same code gets the same verdict; `--hypothesis-profile thorough` looks for new cases.
hypothesis.settings.register_profile("gridmap", max_examples=25, derandomize=True, **_PATIENT)
hypothesis.settings.register_profile("thorough", max_examples=400, **_PATIENT)
hypothesis.settings.load_profile("gridmap")


_LONGEST = ("browser", "data", "cli", "pages", "actions")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders whose files take longest: two workers share files, and one must not end with a long one alone."""
    tests = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        inside = item.path.parts[len(tests.parts) :] if item.path.is_relative_to(tests) else ()
        return _LONGEST.index(inside[0]) if inside and inside[0] in _LONGEST else len(_LONGEST)

    items.sort(key=rank)


@pytest.fixture(scope="session")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """The address of a private cluster that lives as long as the test run."""
    folder = tmp_path_factory.mktemp("cluster")
    lease = cluster.acquire(folder)
    url = make_url(lease.url)
    with _admin(url).connect() as connection:
        # Nobody reads these databases after a power cut; with it, making one takes five times as long.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield url
    lease.release()
    cluster.stop(folder)
    # Beside root's own folders the cluster lies where pytest does not clean up.
    shutil.rmtree(cluster.status(folder).home)


def _admin(cluster_url: URL) -> Engine:
    return create_engine(cluster_url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)


@pytest.fixture(scope="session")
def template_database(cluster_url: URL) -> str:
    """The name of a migrated database that each test clones."""
    with _admin(cluster_url).connect() as connection:
        connection.execute(text("CREATE DATABASE template_gridmap"))
    engine = create_engine(cluster_url.set(database="template_gridmap"), poolclass=NullPool)
    upgrade_schema(engine)
    engine.dispose()
    return "template_gridmap"


def _template(cluster_url: URL, name: str, *, of: str, write: Callable[[Connection], None]) -> str:
    """Make a database like another one with more in it, for tests to clone; returns its name."""
    with _admin(cluster_url).connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY file_copy"))
    engine = create_engine(cluster_url.set(database=name), poolclass=NullPool)
    with engine.begin() as connection:
        write(connection)
    engine.dispose()
    return name


@pytest.fixture(scope="session")
def template_tiny(cluster_url: URL, template_database: str) -> str:
    """The name of a database with the tiny township of `tests/tiny.py`, its plan published."""
    return _template(cluster_url, "template_tiny", of=template_database, write=load_tiny_township)


@pytest.fixture(scope="session")
def template_busy(cluster_url: URL, template_tiny: str) -> str:
    """The name of a database with the tiny township on the busy day of `tests/busy.py`."""
    return _template(cluster_url, "template_busy", of=template_tiny, write=write_busy_day)


@contextmanager
def _fresh_database(cluster_url: URL, template: str) -> Iterator[URL]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with _admin(cluster_url).connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    yield cluster_url.set(database=name)
    with _admin(cluster_url).connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database_url(cluster_url: URL, request: pytest.FixtureRequest) -> Iterator[URL]:
    """The address of a fresh, migrated database: empty, or with what the test's engine promises."""
    asked = request.fixturenames
    kind = "busy" if "busy_engine" in asked else "tiny" if "tiny_engine" in asked else "database"
    with _fresh_database(cluster_url, request.getfixturevalue(f"template_{kind}")) as url:
        yield url


@pytest.fixture(scope="module")
def intake_url(cluster_url: URL, template_database: str) -> Iterator[URL]:
    """The address of a database with the town of `tests/intake_town.py`, one for all tests of a module."""
    with _fresh_database(cluster_url, template_database) as url:
        engine = create_engine(url, poolclass=NullPool)
        make_town(engine)
        engine.dispose()
        yield url


@pytest.fixture
def intake_town(intake_url: URL) -> Iterator[Engine]:
    """An engine on the town for what comes in; what a test sends is gone afterwards."""
    engine = create_engine(intake_url, poolclass=NullPool)
    yield engine
    forget_facts(engine)
    engine.dispose()


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    """An engine on a fresh, migrated database."""
    engine = create_engine(database_url, poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def tiny_engine(engine: Engine) -> Engine:
    """An engine on a database that holds the tiny township of `tests/tiny.py`, with its plan published."""
    return engine


@pytest.fixture
def busy_engine(tiny_engine: Engine) -> Engine:
    """An engine on the tiny township on the busy day of `tests/busy.py`."""
    return tiny_engine


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of the machine reaches a test; settings made and a language chosen in a test end with it."""
    for name in [name for name in os.environ if name.startswith("GRIDMAP_")]:
        monkeypatch.delenv(name)
    settings_module.settings.cache_clear()
    yield
    use_language(None)
    settings_module.settings.cache_clear()
