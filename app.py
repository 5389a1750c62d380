"""The ASGI application: dashboard, HTTP routes and response headers in one process.

`streamlit run app.py` and `uvicorn app:app` both serve it.
"""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from gridmap.api.clockwork import escalate_by_the_clock
from gridmap.api.headers import SecurityHeaders
from gridmap.api.routes import routes
from gridmap.errors import StoreUnavailable
from gridmap.settings import PROJECT_DIR
from gridmap.store.database import prepared_engine
from gridmap.ui.navigation import PAGES
from gridmap.ui.versions import watch

_log = logging.getLogger("gridmap")


@asynccontextmanager
async def _lifespan(_app: object) -> AsyncIterator[dict[str, Any] | None]:
    """Prepare the database, listen for its changes and mind the clocks of incidents as long as the server runs."""
    try:
        prepared_engine()
    except StoreUnavailable as error:
        _log.warning("%s", error)  # pages say so too, and the listener tries again
    stop = threading.Event()
    threads = [
        threading.Thread(target=work, args=(stop,), name=f"gridmap-{name}", daemon=True)
        for name, work in (("listener", watch().listen), ("clockwork", escalate_by_the_clock))
    ]
    for thread in threads:
        thread.start()
    yield None
    stop.set()
    for thread in threads:
        thread.join(timeout=5)


app = st.App(
    PROJECT_DIR / "gridmap" / "ui" / "dashboard.py",
    routes=routes(),
    middleware=[
        Middleware(
            SecurityHeaders,
            page=Path(st.__file__).parent / "static" / "index.html",
            addresses=["/", *(f"/{name}" for name in PAGES)],
        )
    ],
    lifespan=_lifespan,
)
