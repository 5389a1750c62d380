"""The HTTP routes on a real database, without a server."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from starlette.applications import Starlette

from gridmap.api.routes import routes
from tests.serving import serve_from


class Client:
    """Asks an ASGI application, one request at a time."""

    def __init__(self, app) -> None:
        self._app = app

    def get(self, address: str, **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as browser:
                return await browser.get(address, headers={name.replace("_", "-"): headers[name] for name in headers})

        return asyncio.run(ask())


@pytest.fixture
def client(database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the routes on an empty database."""
    with serve_from(database_url, monkeypatch):
        yield Client(Starlette(routes=routes()))


@pytest.fixture
def tiny_client(client: Client, tiny_engine: Engine) -> Client:
    """A client of the routes on the tiny township."""
    return client
