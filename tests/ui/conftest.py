"""Pages run on a real database, without a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from streamlit.testing.v1 import AppTest

from tests.serving import serve_from

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture
def live_page(database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The wall on an empty database."""
    with serve_from(database_url, monkeypatch):
        yield AppTest.from_file(str(PROJECT / "pages" / "live.py"), default_timeout=30)


@pytest.fixture
def busy_page(live_page: AppTest, busy_engine: Engine) -> AppTest:
    """The wall on the tiny township on a busy day."""
    return live_page
