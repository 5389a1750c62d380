"""Whether the program and its database are well, for a watchdog."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gridmap.errors import StoreUnavailable
from gridmap.store.database import connected, read_engine


def health(_request: Request) -> Response:
    """Answer 200 when the database answers, else 503; no details, since anybody may ask."""
    try:
        connected(read_engine())
    except StoreUnavailable:
        return JSONResponse({"status": "database unavailable"}, status_code=503, headers={"Cache-Control": "no-store"})
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})
