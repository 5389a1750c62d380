"""A real Chromium on a real server: one database with a busy day, one with stored script in every text field."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from tests.browser.stored_script import write_stored_script
from tests.busy import write_busy_day
from tests.tiny import load_tiny_township

_ARGUMENTS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_START_S = 60
_PATIENCE_MS = 60_000
# Software rendering, and what Streamlit's frames ask of every browser; not the page.
_HARMLESS = (
    "GPU stall due to ReadPixels",
    "GroupMarkerNotSet",
    "WebGL: INVALID_ENUM",
    "Unrecognized feature:",
    "allow-same-origin",
)


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """A running server and the database behind it."""

    address: str
    engine: Engine


@dataclass(kw_only=True)
class Visit:
    """A page that was opened, and what the browser had to say about it."""

    page: Page
    address: str
    policy: str = ""
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serving(url: URL, log: Path) -> Iterator[str]:
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRIDMAP_")}
    environment["GRIDMAP_DATABASE_URL"] = url.render_as_string(hide_password=False)
    environment["GRIDMAP_OPEN_ROLE"] = "editor"
    environment["GRIDMAP_ESCALATE_EVERY_S"] = "0"  # the busy day is long past for the real clock
    command = [str(Path(sys.executable).parent / "gridmap"), "serve", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _await(address: str, process: subprocess.Popen, log: Path) -> None:
    begin = datetime.now(UTC)
    while process.poll() is None and (datetime.now(UTC) - begin).total_seconds() < _START_S:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            continue
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def databases(cluster_url: URL, template_database: str) -> Iterator[Callable[[str], URL]]:
    """Makes migrated databases that live as long as the test run."""
    admin = create_engine(cluster_url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def make(name: str) -> URL:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template_database}"))
        return cluster_url.set(database=name)

    yield make
    admin.dispose()


@pytest.fixture(scope="session")
def _stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _dashboard(stack: ExitStack, url: URL, log: Path, write: Callable[[Engine], None]) -> Dashboard:
    engine = create_engine(url, poolclass=NullPool)
    write(engine)
    return Dashboard(address=stack.enter_context(_serving(url, log)), engine=engine)


def _busy(engine: Engine) -> None:
    with engine.begin() as connection:
        load_tiny_township(connection)
        write_busy_day(connection, now=datetime.now(UTC))


@pytest.fixture(scope="session")
def dashboard(
    databases: Callable[[str], URL], _stack: ExitStack, tmp_path_factory: pytest.TempPathFactory
) -> Dashboard:
    """The tiny township on a busy day that is today."""
    return _dashboard(_stack, databases("browser_busy"), tmp_path_factory.mktemp("serve") / "log", _busy)


@pytest.fixture(scope="session")
def scripted_dashboard(
    databases: Callable[[str], URL], _stack: ExitStack, tmp_path_factory: pytest.TempPathFactory
) -> Dashboard:
    """The same, with script stored in every text field that takes any text."""

    def write(engine: Engine) -> None:
        _busy(engine)
        write_stored_script(engine)

    return _dashboard(_stack, databases("browser_script"), tmp_path_factory.mktemp("serve") / "log", write)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium with software rendering; not longer than a file, since its event loop holds the thread."""
    found = next((path for name in _BROWSERS if (path := which(name))), None)
    if found is None:
        pytest.fail("Chromium is missing. Run script/bootstrap --with-browser.")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens a page and listens; after the test it fails on any complaint and on any request to another host."""
    visits: list[Visit] = []
    contexts: list[BrowserContext] = []

    def open_page(dashboard: Dashboard, name: str, *, size: tuple[int, int] = (1366, 768)) -> Visit:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
        contexts.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        opened = Visit(page=context.new_page(), address=dashboard.address)
        visits.append(opened)
        _listen(opened)
        answer = opened.page.goto(f"{dashboard.address}/{name}")
        opened.policy = answer.headers.get("content-security-policy", "")
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert [visit.complaints for visit in visits] == [[]] * len(visits)
    assert [visit.elsewhere for visit in visits] == [[]] * len(visits)


def _listen(visit: Visit) -> None:
    home = urlsplit(visit.address).netloc

    def hear(message) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in _HARMLESS):
            visit.complaints.append(message.text)

    def see(request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != home:
            visit.elsewhere.append(request.url)

    visit.page.on("console", hear)
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on("request", see)
    visit.page.on("websocket", see)
