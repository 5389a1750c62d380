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
        return self.ask("GET", address, headers=headers)

    def post(self, address: str, *, json=None, data=None, files=None, content=None, **headers: str) -> httpx.Response:
        body = {"json": json, "data": data, "files": files, "content": content}
        return self.ask("POST", address, headers=headers, **body)

    def ask(self, method: str, address: str, *, headers: dict[str, str], **body) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as browser:
                return await browser.request(method, address, headers=named, **body)

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
