"""The office pages run on a real database, without a browser."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from streamlit.testing.v1 import AppTest

from gridmap.settings import PROJECT_DIR
from gridmap.texts import use_language
from tests.serving import serve_from


@pytest.fixture
def open_page(database_url: URL, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Return a function that runs a page by its name on the test's database; it fails on any exception of the page."""

    def run(name: str, *, lang: str = "zh", **state: object) -> AppTest:
        page = AppTest.from_file(str(PROJECT_DIR / "pages" / f"{name}.py"), default_timeout=60)
        # The shell speaks the session's language before a page runs.
        page.session_state["language"] = lang
        for key, value in state.items():
            page.session_state[key] = value
        use_language(lang)
        page.run()
        assert not page.exception
        return page

    with serve_from(database_url, monkeypatch, OPEN_ROLE="editor"):
        yield run
