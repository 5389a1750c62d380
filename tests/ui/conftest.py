"""Pages run on a real database, without a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from streamlit.testing.v1 import AppTest

from gridmap.texts import use_language
from tests.busy import write_busy_day
from tests.serving import serve_from

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture
def live_page(database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The wall on an empty database."""
    with serve_from(database_url, monkeypatch):
        yield AppTest.from_file(str(PROJECT / "pages" / "live.py"), default_timeout=30)
    use_language("zh")


@pytest.fixture
def busy_page(live_page: AppTest, tiny_engine: Engine) -> AppTest:
    """The wall on the tiny township on a busy day."""
    with tiny_engine.begin() as connection:
        write_busy_day(connection)
    return live_page
